//! Parameters of the routes that read: times, metrics, places in a list.
//!
//! Before: `query` has split the query. After: the handlers. Promise: a time or a range that cannot be read, or is too long, is refused
//! with what would be right.

use std::str::FromStr;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::super::query::Instant;
use super::super::{ApiError, Parameters};
use crate::language::{Text, text};
use crate::metric::Metric;
use crate::model::series::is_in_series;
use crate::store::dashboard::Span;

/// How long a time is unless it is named, and at most.
#[derive(Debug, Clone, Copy)]
pub(super) struct SpanBounds {
    /// Days until `to`, unless `from` is named.
    pub(super) default: SignedDuration,
    /// Most days.
    pub(super) longest_days: i64,
}

/// A time, or a day: its first instant in the zone.
#[derive(Debug, Clone, Copy)]
enum Moment {
    Instant(Timestamp),
    Day(Date),
}

impl FromStr for Moment {
    type Err = Text;

    fn from_str(text: &str) -> Result<Self, Text> {
        // A date of jiff may be the beginning of a longer text.
        if text.len() == "2026-01-31".len() {
            return text.parse().map(Self::Day).map_err(|_| text!("parameter-no-moment"));
        }
        text.parse::<Instant>()
            .map(|Instant(instant)| Self::Instant(instant))
            .map_err(|_| text!("parameter-no-moment"))
    }
}

impl Moment {
    fn instant(self, zone: &TimeZone) -> Result<Timestamp, ApiError> {
        match self {
            Self::Instant(instant) => Ok(instant),
            Self::Day(day) => day
                .to_zoned(zone.clone())
                .map(|midnight| midnight.timestamp())
                .map_err(|_| ApiError::Bad(text!("parameter-no-moment"))),
        }
    }
}

/// `from` and `to`: by default what ends now.
pub(super) fn span(
    parameters: &mut Parameters,
    zone: &TimeZone,
    now: Timestamp,
    bounds: SpanBounds,
) -> Result<Span, ApiError> {
    let from = parameters.one::<Moment>("from")?.map(|moment| moment.instant(zone)).transpose()?;
    let to = parameters.one::<Moment>("to")?.map_or(Ok(now), |moment| moment.instant(zone))?;
    let from = from.unwrap_or_else(|| to.checked_sub(bounds.default).unwrap_or(Timestamp::MIN));
    if from >= to {
        return Err(ApiError::Bad(text!("span-empty")));
    }
    // An hour more, for days on which clocks go back.
    let longest = SignedDuration::from_hours(24 * bounds.longest_days + 1);
    if to.duration_since(from) > longest {
        return Err(ApiError::Bad(text!("span-too-long", most = bounds.longest_days.to_string())));
    }
    Ok(Span { from, to })
}

/// A zone and its name.
#[derive(Debug, Clone)]
pub(super) struct Zone {
    pub(super) name: String,
    pub(super) zone: TimeZone,
}

impl FromStr for Zone {
    type Err = Text;

    fn from_str(name: &str) -> Result<Self, Text> {
        let zone = TimeZone::get(name).map_err(|_| text!("parameter-no-zone"))?;
        // As the database has it, whatever letters were capitals.
        let name = zone.iana_name().unwrap_or(name).to_owned();
        Ok(Self { name, zone })
    }
}

/// Metrics, separated by commas.
#[derive(Debug)]
pub(super) struct Metrics(pub(super) Vec<Metric>);

impl Metrics {
    /// Every one that a series can have.
    pub(super) fn all() -> Vec<Metric> {
        Metric::ALL.into_iter().filter(|metric| is_in_series(*metric)).collect()
    }
}

impl FromStr for Metrics {
    type Err = Text;

    fn from_str(text: &str) -> Result<Self, Text> {
        let mut metrics = Vec::new();
        for name in text.split(',').map(str::trim) {
            let known = Self::all().into_iter().find(|metric| metric.column() == name);
            let Some(metric) = known else {
                let names: Vec<&str> = Self::all().into_iter().map(Metric::column).collect();
                return Err(text!("metric-unknown", name = name, known = names.join(", ")));
            };
            if !metrics.contains(&metric) {
                metrics.push(metric);
            }
        }
        Ok(Self(metrics))
    }
}

/// How many points, 1 to [`PointLimit::MOST`].
#[derive(Debug)]
pub(super) struct PointLimit(pub(super) i64);

impl PointLimit {
    /// Most points of a page.
    pub(super) const MOST: i64 = 10_000;

    /// Points of a page, unless a limit is named.
    pub(super) const DEFAULT: i64 = 2_000;
}

impl FromStr for PointLimit {
    type Err = Text;

    fn from_str(text: &str) -> Result<Self, Text> {
        let limit = text.parse().ok().filter(|limit| (1..=Self::MOST).contains(limit));
        limit.map(Self).ok_or_else(|| text!("parameter-no-point-limit", most = Self::MOST.to_string()))
    }
}

/// Where a page ended, as text that means nothing to anybody else.
#[derive(Debug)]
pub(super) struct Cursor<T>(pub(super) T);

impl<T: Serialize> Cursor<T> {
    pub(super) fn text(&self) -> String {
        // Texts and numbers always become JSON.
        BASE64_URL_SAFE_NO_PAD.encode(serde_json::to_vec(&self.0).unwrap_or_default())
    }
}

impl<T: DeserializeOwned> FromStr for Cursor<T> {
    type Err = Text;

    fn from_str(text: &str) -> Result<Self, Text> {
        let json = BASE64_URL_SAFE_NO_PAD.decode(text).ok();
        let place = json.and_then(|json| serde_json::from_slice(&json).ok());
        place.map(Self).ok_or_else(|| text!("parameter-no-cursor"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_leads_back_to_its_place() {
        let place = (i64::MIN, "device \u{1f} \"1\"".to_owned());
        let Cursor(read) = Cursor(place.clone()).text().parse::<Cursor<(i64, String)>>().expect("a cursor");
        assert_eq!(read, place);
        for text in ["", "x", "W10", "bnVsbA", "!"] {
            assert!(text.parse::<Cursor<(i64, String)>>().is_err(), "{text}");
        }
    }

    #[test]
    fn metrics_are_named_as_their_columns_and_each_is_there_once() {
        let Metrics(read) = "step,heart_rate, step".parse().expect("metrics");
        assert_eq!(read, [Metric::Step, Metric::HeartRate]);
        for text in ["", "heartRate", "latitude", "heart_rate,"] {
            assert!(text.parse::<Metrics>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_day_begins_in_the_zone_and_a_time_where_it_is() {
        let zone = TimeZone::get("Asia/Shanghai").expect("a zone");
        for (text, expected) in [
            ("2026-01-31", "2026-01-30T16:00:00Z"),
            ("2026-01-31T08:00:00Z", "2026-01-31T08:00:00Z"),
            ("2026-01-31T08:00:00 08:00", "2026-01-31T00:00:00Z"),
        ] {
            let moment: Moment = text.parse().expect(text);
            assert_eq!(moment.instant(&zone).expect("an instant").to_string(), expected);
        }
        for text in ["", "yesterday", "2026-02-30", "2026-01-31T08:00:00"] {
            assert!(text.parse::<Moment>().is_err(), "{text}");
        }
    }
}
