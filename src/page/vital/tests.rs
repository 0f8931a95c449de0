//! Newest values, points of charts and bounds, of one device and of several.

use std::sync::Arc;

use serde_json::json;

use super::*;
use crate::model::series::Point;
use crate::model::{Grain, Summary};

fn time(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

fn decimal(number: i64) -> Option<Decimal> {
    Some(Decimal::from(number))
}

/// A bucket of the heart rate: lowest, mean, highest, readings.
fn bucket(device_sn: &str, at: &str, [min, avg, max, count]: [i64; 4]) -> Point {
    let ts = time(at);
    let summary =
        Summary { min: decimal(min), avg: decimal(avg), max: decimal(max), count: Some(count), sum: None };
    let values = vec![summary];
    Point { device_sn: Arc::from(device_sn), ts, samples: count, first_ts: ts, last_ts: ts, values }
}

fn series(points: Vec<Point>) -> Series {
    let (from, to) = (time("2026-01-05T00:00:00Z"), time("2026-01-06T00:00:00Z"));
    Series { grain: Grain::QuarterHour, metrics: vec![Metric::HeartRate], from, to, points }
}

#[test]
fn the_values_of_two_devices_at_one_time_are_one_point() {
    let two = series(vec![
        bucket("A", "2026-01-05T08:00:00Z", [60, 70, 80, 30]),
        bucket("B", "2026-01-05T08:00:00Z", [50, 100, 120, 10]),
        bucket("A", "2026-01-05T08:15:00Z", [61, 71, 81, 30]),
    ]);
    let found = points(&two, Metric::HeartRate, SignedDuration::from_mins(15));
    assert_eq!(found.len(), 2);
    let first = ChartPoint::from(found[0]);
    assert_eq!((first.min, first.mean, first.max), (50.0, 77.5, 120.0), "the mean counts every reading once");
    assert_eq!(first.to, time("2026-01-05T08:15:00Z"));
    assert!(points(&two, Metric::Stress, SignedDuration::ZERO).is_empty());
}

#[test]
fn the_newest_value_is_that_of_the_newest_reading_wherever_it_was_read() {
    let today = series(vec![bucket("A", "2026-01-05T08:00:00Z", [60, 70, 80, 30])]);
    let recent = series(vec![bucket("A", "2026-01-05T09:00:00Z", [99, 99, 99, 1])]);
    let found = newest(&[], &recent, &today);
    assert_eq!(found.len(), 1, "what was not measured is left out");
    assert_eq!((found[0].value, found[0].at), (99.0, time("2026-01-05T09:00:00Z")));
    let range = found[0].today.expect("a range");
    assert_eq!((range.min, range.mean, range.max), (60.0, 70.0, 80.0));
    let of_today = newest(&[], &series(Vec::new()), &today);
    assert_eq!(of_today[0].value, 70.0, "where no sample is at hand, the mean of the last bucket");
}

#[test]
fn a_value_is_marked_by_the_gravest_bound_that_it_breaks() {
    let rule: AlertRule = serde_json::from_value(json!({
        "rule_id": 1, "version": 1, "changed_at": "2026-01-05T00:00:00Z", "changed_by": "x", "name": "Oxygen low",
        "kind": "threshold", "severity": "major", "metric": "blood_oxygen", "min_value": 90,
        "levels": [{ "severity": "critical", "min": 85 }], "enabled": true, "consecutive": 1, "window_seconds": 600,
        "cooldown_seconds": 300, "recovery_count": 3, "late_after_seconds": 900, "message": "m",
    }))
    .expect("a rule");
    let bounds = limits(&[rule], Metric::BloodOxygen);
    assert_eq!(bounds.len(), 2);
    for (value, severity) in
        [(95.0, None), (90.0, None), (88.0, Some(Severity::Major)), (84.0, Some(Severity::Critical))]
    {
        assert_eq!(breach(&bounds, value), severity, "{value}");
    }
}
