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

#[cfg(test)]
mod tests {
    use super::*;

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
