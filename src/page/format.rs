//! Numbers and times as people read them.
//!
//! Before: values of the model. After: the text of a page.
//! Promise: the same figure looks the same on every page.

use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use maud::{Markup, html};

/// A count with its thousands apart.
pub fn count(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3 + 1);
    if number < 0 {
        text.push('−');
    }
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A share of a whole in percent, with one decimal; `None`: there is no whole.
#[expect(clippy::cast_precision_loss, reason = "a share for people")]
pub fn percent(part: i64, whole: i64) -> Option<f64> {
    (whole > 0).then(|| (part as f64 / whole as f64 * 1000.0).round() / 10.0)
}

/// A value with at most this many decimals, without zeros at its end.
pub fn decimal(value: f64, decimals: usize) -> String {
    let text = format!("{value:.decimals$}");
    if !text.contains('.') {
        return text;
    }
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// How long something has lasted: `00:42`, `31:02`, `2:04:31`, and from two days on `3d 04h`. The module of the page ticks it in the
/// same form.
pub fn elapsed(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600, seconds / 60 % 60);
    match hours {
        0 => format!("{minutes:02}:{:02}", seconds % 60),
        1..48 => format!("{hours}:{minutes:02}:{:02}", seconds % 60),
        _ => format!("{days}d {:02}h", hours % 24),
    }
}

/// From `since` to `now`; a time to come counts as now.
pub fn between(since: Timestamp, now: Timestamp) -> Duration {
    Duration::try_from(now.duration_since(since)).unwrap_or_default()
}

/// `<time>` with the time since, which the module of the page keeps ticking.
pub fn since(instant: Timestamp, now: Timestamp) -> Markup {
    html! { time datetime=(instant) data-elapsed { (elapsed(between(instant, now))) } }
}

/// The time of day to the second, in the zone of the reader.
pub fn clock(instant: Timestamp, zone: &TimeZone) -> String {
    instant.to_zoned(zone.clone()).strftime("%T").to_string()
}

/// `<time>` with the time of day.
pub fn time_of_day(instant: Timestamp, zone: &TimeZone) -> Markup {
    html! { time datetime=(instant) { (clock(instant, zone)) } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_apart() {
        for (number, text) in
            [(0, "0"), (999, "999"), (1_000, "1,000"), (1_284_301, "1,284,301"), (-4_321, "−4,321")]
        {
            assert_eq!(count(number), text);
        }
    }

    #[test]
    fn a_share_of_nothing_is_none() {
        assert_eq!(percent(412, 430), Some(95.8));
        assert_eq!(percent(0, 0), None);
        assert_eq!(
            (decimal(36.50, 1), decimal(36.0, 1), decimal(120.0, 0)),
            ("36.5".into(), "36".into(), "120".into())
        );
    }

    #[test]
    fn elapsed_time_grows_from_seconds_to_days() {
        for (seconds, text) in [
            (0, "00:00"),
            (42, "00:42"),
            (1_862, "31:02"),
            (7_471, "2:04:31"),
            (172_799, "47:59:59"),
            (273_600, "3d 04h"),
        ] {
            assert_eq!(elapsed(Duration::from_secs(seconds)), text);
        }
        let (now, later) = (Timestamp::UNIX_EPOCH, Timestamp::UNIX_EPOCH + Duration::from_secs(9));
        assert_eq!(between(later, now), Duration::ZERO, "a clock that is ahead");
    }
}
