//! The vital signs of a person or a device: the newest value of each with the range of the day, and the points of their charts.
//!
//! Before: samples and rollups that `store::dashboard` has read. After: `record` draws them.
//! Promise: what was not measured is not shown. Of several devices the newest value is shown, and a chart covers the values of all.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use maud::{Markup, html};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use super::alerts::severity;
use super::chart::{ChartPoint, LimitLine};
use super::{Frame, format, when};
use crate::language::text;
use crate::metric::{Kind, Metric, Value};
use crate::model::{AlertKind, AlertRule, Latest, Series, Severity};

/// Older values are shown as old.
const FRESH: SignedDuration = SignedDuration::from_mins(15);

/// The newest value of a metric, and what it was today.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct VitalNow {
    /// Which one.
    pub metric: Metric,
    /// Its newest value.
    pub value: f64,
    /// When that was measured.
    pub at: Timestamp,
    /// Its range today; `None`: a running total, or not measured today.
    pub today: Option<DayRange>,
}

/// What a vital sign was over a day.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DayRange {
    /// Lowest value.
    pub min: f64,
    /// Mean of the values.
    pub mean: f64,
    /// Highest value.
    pub max: f64,
}

/// The newest values: of the newest sample of each device, else of recent samples, else of the last bucket of today.
pub fn newest(latest: &[Latest], recent: &Series, today: &Series) -> Vec<VitalNow> {
    let shown = Metric::ALL.into_iter().filter(|metric| metric.kind() != Kind::Position);
    shown
        .filter_map(|metric| {
            let of_latest =
                latest.iter().filter_map(|sample| Some((sample.ts, number(sample.values.get(metric)?))));
            let (at, value) = of_latest
                .chain(last_of(recent, metric))
                .max_by_key(|(at, _)| *at)
                .or_else(|| last_of(today, metric))?;
            Some(VitalNow { metric, value, at, today: range(&points(today, metric, SignedDuration::ZERO)) })
        })
        .collect()
}

/// The last value of a series. Of a bucket it is the mean; of a running total what it had reached.
fn last_of(series: &Series, metric: Metric) -> Option<(Timestamp, f64)> {
    let place = series.metrics.iter().position(|each| *each == metric)?;
    series.points.iter().rev().find_map(|point| {
        let summary = point.values.get(place)?;
        Some((point.last_ts, float(summary.avg.or(summary.max)?)))
    })
}

fn range(points: &[WeightedPoint]) -> Option<DayRange> {
    let count: f64 = points.iter().map(|point| point.count).sum();
    (count > 0.0).then(|| DayRange {
        min: points.iter().map(|point| point.min).fold(f64::INFINITY, f64::min),
        mean: points.iter().map(|point| point.mean * point.count).sum::<f64>() / count,
        max: points.iter().map(|point| point.max).fold(f64::NEG_INFINITY, f64::max),
    })
}

/// A point of a chart, and how many readings are in it; 0: a running total.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WeightedPoint {
    from: Timestamp,
    to: Timestamp,
    min: f64,
    mean: f64,
    max: f64,
    count: f64,
}

/// The points of a metric, each `length` long; those of several devices at one time are one.
pub fn points(series: &Series, metric: Metric, length: SignedDuration) -> Vec<WeightedPoint> {
    let Some(place) = series.metrics.iter().position(|each| *each == metric) else { return Vec::new() };
    let mut points: BTreeMap<Timestamp, WeightedPoint> = BTreeMap::new();
    for point in &series.points {
        let Some(summary) = point.values.get(place) else { continue };
        let Some(max) = summary.max.map(float) else { continue };
        let (min, mean) = (summary.min.map_or(max, float), summary.avg.map_or(max, float));
        let count = summary.count.unwrap_or_default().to_f64().unwrap_or_default();
        let to = point.ts.checked_add(length).unwrap_or(point.ts);
        let added = WeightedPoint { from: point.ts, to, min, mean, max, count };
        points.entry(point.ts).and_modify(|kept| *kept = kept.with(added)).or_insert(added);
    }
    points.into_values().collect()
}

impl WeightedPoint {
    fn with(self, other: Self) -> Self {
        let count = self.count + other.count;
        let mean = if count > 0.0 {
            (self.mean * self.count + other.mean * other.count) / count
        } else {
            self.mean.max(other.mean)
        };
        Self { min: self.min.min(other.min), mean, max: self.max.max(other.max), count, ..self }
    }
}

impl From<WeightedPoint> for ChartPoint {
    fn from(point: WeightedPoint) -> Self {
        let WeightedPoint { from, to, min, mean, max, .. } = point;
        Self { from, to, min, mean, max }
    }
}

/// The bounds of the rules that evaluate a vital sign; of equal ones the gravest.
pub fn limits(rules: &[AlertRule], metric: Metric) -> Vec<LimitLine> {
    let mut lines: Vec<LimitLine> = Vec::new();
    let of_metric = rules.iter().filter(|rule| {
        rule.enabled
            && rule.kind == AlertKind::Threshold
            && rule.metric.is_some_and(|vital| vital.metric() == metric)
    });
    for rule in of_metric {
        let levels = rule.levels.iter().flatten().map(|level| (level.severity, &level.min, &level.max));
        for (severity, min, max) in levels.chain([(rule.severity, &rule.min_value, &rule.max_value)]) {
            for (bound, is_upper) in [(min, false), (max, true)] {
                let Some(value) = bound.as_ref().and_then(serde_json::Number::as_f64) else { continue };
                lines.push(LimitLine { value, is_upper, severity });
            }
        }
    }
    lines.sort_by_key(|line| Severity::ALL.iter().position(|each| *each == line.severity));
    let mut kept: Vec<LimitLine> = Vec::new();
    for line in lines {
        if !kept.iter().any(|other| other.is_upper == line.is_upper && other.value == line.value) {
            kept.push(line);
        }
    }
    kept
}

/// How severe a value is by these bounds; `None`: it is within them.
fn breach(limits: &[LimitLine], value: f64) -> Option<Severity> {
    let breached =
        |limit: &&LimitLine| if limit.is_upper { value > limit.value } else { value < limit.value };
    limits.iter().find(breached).map(|limit| limit.severity)
}

/// Name of a metric.
pub fn name(frame: &Frame, metric: Metric) -> String {
    frame.text(&text!("page-metric", metric = metric.column(), name = metric.definition().title))
}

/// Unit of a metric, as it is written behind a number.
pub fn unit(frame: &Frame, metric: Metric) -> String {
    frame.text(&text!("page-unit", metric = metric.column(), symbol = metric.definition().symbol))
}

/// The newest values, each with its range of today and its age.
pub fn draw(frame: &Frame, newest: &[VitalNow], rules: &[AlertRule]) -> Markup {
    html! {
        ul.vitals {
            @for vital in newest { (card(frame, vital, &limits(rules, vital.metric))) }
        }
    }
}

fn card(frame: &Frame, vital: &VitalNow, limits: &[LimitLine]) -> Markup {
    let breached = breach(limits, vital.value);
    let is_stale = frame.now.duration_since(vital.at) > FRESH;
    let decimals = usize::from(vital.metric.definition().decimals);
    let number = |value: f64| format::decimal(value, decimals);
    let state = breached.map_or("", Severity::name);
    html! {
        li class={ "vital " (state) (if is_stale { " stale" } else { "" }) } {
            span.name { (name(frame, vital.metric)) }
            span.value {
                strong { (format::decimal(vital.value, 2)) } " " span.unit { (unit(frame, vital.metric)) }
                @if let Some(graveness) = breached { " " (severity(frame, graveness)) }
            }
            @if let Some(DayRange { min, mean, max }) = vital.today {
                span.range { (frame.text(&text!("page-day-range", min = number(min), mean = number(mean), max = number(max)))) }
            }
            time.age datetime=(vital.at) { (when::age(vital.at, frame.now, frame.language)) }
        }
    }
}

pub(super) fn float(number: Decimal) -> f64 {
    number.to_f64().unwrap_or_default()
}

fn number(value: Value) -> f64 {
    match value {
        Value::Smallint(value) => value.into(),
        Value::Integer(value) => value.into(),
        Value::Numeric(value) => float(value),
        Value::DoublePrecision(value) => value,
    }
}

#[cfg(test)]
mod tests;
