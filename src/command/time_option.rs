//! Times on the command line: an age, or a time.
//!
//! Before: options of commands. After: filters of `store`.

use anyhow::Context;
use jiff::civil::DateTime;
use jiff::{Span, Timestamp, Zoned};

/// Parses the time of an option, if it is given.
pub(super) fn parse(text: Option<&str>, name: &str, now: &Zoned) -> anyhow::Result<Option<Timestamp>> {
    let time = text.map(|text| time(text, now));
    time.transpose().with_context(|| format!("{name} is neither an age (2h) nor a time"))
}

/// An age before `now`, or a time.
fn time(text: &str, now: &Zoned) -> anyhow::Result<Timestamp> {
    if let Ok(age) = text.parse::<Span>() {
        return Ok(now.checked_sub(age.abs())?.timestamp());
    }
    if let Ok(instant) = text.parse::<Timestamp>() {
        return Ok(instant);
    }
    let local: DateTime = text.parse()?;
    Ok(now.time_zone().to_timestamp(local)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<String> {
        let now: Zoned = "2026-03-02T12:00:00+08:00[Asia/Shanghai]".parse().expect("a time");
        time(text, &now).ok().map(|instant| instant.to_string())
    }

    #[test]
    fn an_age_and_a_time_are_both_parsed() {
        for (text, instant) in [
            ("2h", "2026-03-02T02:00:00Z"),
            ("90m", "2026-03-02T02:30:00Z"),
            ("2 days", "2026-02-28T04:00:00Z"),
            ("1mo", "2026-02-02T04:00:00Z"),
            ("2026-03-01", "2026-02-28T16:00:00Z"),
            ("2026-03-01 08:30", "2026-03-01T00:30:00Z"),
            ("2026-03-01T08:30:15", "2026-03-01T00:30:15Z"),
            ("2026-03-01T08:30:15Z", "2026-03-01T08:30:15Z"),
            ("2026-03-01T08:30:15+02:00", "2026-03-01T06:30:15Z"),
        ] {
            assert_eq!(read(text).as_deref(), Some(instant), "{text}");
        }
        for text in ["", "yesterday", "2", "08:30"] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
