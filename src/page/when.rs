//! Dates and ages, as they are written in the language of the reader.
//!
//! Before: values of the model, and the zone of the reader. After: the text of a page.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use maud::{Markup, html};

use crate::language::{Language, Text, text};

/// `26 Nov 2026`, `2026年11月26日`.
pub fn date(date: Date, language: Language) -> String {
    let (day, month) = (i64::from(date.day()), i64::from(date.month()));
    text!("page-date", day = day, month = month, year = date.year().to_string()).in_language(language)
}

/// `26 Nov`, `11月26日`.
pub fn short_date(date: Date, language: Language) -> String {
    let (day, month) = (i64::from(date.day()), i64::from(date.month()));
    text!("page-date-short", day = day, month = month).in_language(language)
}

/// `Thu 26`, `周四 26日`.
pub fn weekday(date: Date, language: Language) -> String {
    let weekday = i64::from(date.weekday().to_monday_one_offset());
    text!("page-weekday", weekday = weekday, day = i64::from(date.day())).in_language(language)
}

/// `26 Nov 14:32:07`, `11月26日 14:32:07`.
pub fn moment(instant: Timestamp, zone: &TimeZone, language: Language) -> String {
    let zoned = instant.to_zoned(zone.clone());
    format!("{} {}", short_date(zoned.date(), language), zoned.strftime("%T"))
}

/// `<time>` with the moment.
pub fn at(instant: Timestamp, zone: &TimeZone, language: Language) -> Markup {
    html! { time datetime=(instant) { (moment(instant, zone, language)) } }
}

/// From when until when; open where there is no end.
pub fn span(
    from: Option<Timestamp>,
    until: Option<Timestamp>,
    zone: &TimeZone,
    language: Language,
) -> String {
    let end = |at: Option<Timestamp>| at.map(|at| moment(at, zone, language)).unwrap_or_default();
    format!("{} – {}", end(from), end(until)).trim().to_owned()
}

/// `14:32`.
pub fn hour_and_minute(instant: Timestamp, zone: &TimeZone) -> String {
    instant.to_zoned(zone.clone()).strftime("%H:%M").to_string()
}

/// `3 min ago`, in the largest unit that is not less than one.
pub fn age(since: Timestamp, now: Timestamp, language: Language) -> String {
    text!("age", age = duration(now.duration_since(since).as_secs())).in_language(language)
}

/// `3 min`, `7 h 40 min`: two units at most.
pub fn duration(seconds: i64) -> Text {
    let seconds = seconds.max(0);
    match seconds {
        0..=59 => text!("seconds", seconds = seconds),
        60..=3_599 => text!("minutes", minutes = seconds / 60),
        3_600..=172_799 if seconds / 60 % 60 == 0 => text!("hours", hours = seconds / 3_600),
        3_600..=172_799 => {
            text!("hours-and-minutes", hours = seconds / 3_600, minutes = seconds / 60 % 60)
        }
        _ => text!("days", days = seconds / 86_400),
    }
}

/// An interval as PostgreSQL writes it (`3 years`, `1 mon 15 days`, `00:30:00`), in the language of the reader. Anything else stays as it is.
pub fn interval(words: &str, language: Language) -> String {
    let Ok(span) = words.replace("mon", "month").parse::<jiff::Span>() else { return words.to_owned() };
    let seconds = i64::from(span.get_hours()) * 3_600 + span.get_minutes() * 60 + span.get_seconds();
    let parts = [
        (span.get_years() != 0).then(|| text!("years", years = i64::from(span.get_years()))),
        (span.get_months() != 0).then(|| text!("months", months = i64::from(span.get_months()))),
        (span.get_days() != 0).then(|| text!("days", days = i64::from(span.get_days()))),
        (seconds != 0).then(|| duration(seconds)),
    ];
    let parts: Vec<String> = parts.iter().flatten().map(|part| part.in_language(language)).collect();
    if parts.is_empty() { words.to_owned() } else { parts.join(" ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_of_postgres_is_in_the_readers_language() {
        for (words, en, zh) in [
            ("3 years", "3 years", "3 年"),
            ("1 year", "1 year", "1 年"),
            ("90 days", "90 d", "90 天"),
            ("1 mon 15 days", "1 month 15 d", "1 个月 15 天"),
            ("2 mons", "2 months", "2 个月"),
            ("00:00:20", "20 s", "20 秒"),
            ("00:30:00", "30 min", "30 分钟"),
            ("1 day 06:00:00", "1 d 6 h", "1 天 6 小时"),
            ("none", "none", "none"),
        ] {
            assert_eq!([interval(words, Language::En), interval(words, Language::Zh)], [en, zh], "{words}");
        }
    }

    #[test]
    fn a_date_is_that_of_the_readers_language_and_zone() {
        let day = jiff::civil::date(2026, 11, 26);
        assert_eq!(date(day, Language::En), "26 Nov 2026");
        assert_eq!(date(day, Language::Zh), "2026年11月26日");
        assert_eq!(weekday(day, Language::En), "Thu 26");
        assert_eq!(weekday(day, Language::Zh), "周四 26日");
        let zone = TimeZone::get("Asia/Shanghai").expect("a zone");
        let instant = "2026-11-26T22:00:00Z".parse().expect("a time");
        assert_eq!(moment(instant, &zone, Language::En), "27 Nov 06:00:00");
        assert_eq!(moment(instant, &zone, Language::Zh), "11月27日 06:00:00");
    }

    #[test]
    fn an_age_has_the_unit_that_fits() {
        let now: Timestamp = "2026-11-26T12:00:00Z".parse().expect("a time");
        for (since, shown) in [
            ("2026-11-26T11:59:18Z", "42 s ago"),
            ("2026-11-26T11:57:01Z", "2 min ago"),
            ("2026-11-26T04:20:00Z", "7 h 40 min ago"),
            ("2026-11-26T10:00:00Z", "2 h ago"),
            ("2026-11-20T12:00:00Z", "6 d ago"),
            ("2026-11-26T12:00:09Z", "0 s ago"),
        ] {
            assert_eq!(age(since.parse().expect("a time"), now, Language::En), shown);
        }
    }
}
