//! What is recorded of a person or a device: newest values, charts, alerts, nights, exercise, workouts, events, the track.
//!
//! Before: `http::page::record` has read it. After: the pages `/people/{id}` and `/devices/{sn}`; the part `person-now` is also sent alone
//! when a new value arrives.

use jiff::{SignedDuration, Timestamp};
use maud::{Markup, html};

use super::alerts::{self, severity};
use super::chart::{AlertMark, Chart, ChartLine, ChartPeriod, TimeWindow};
use super::record_tables::{events, exercise, nights, workouts};
use super::vital::{self, VitalNow};
use super::{Frame, link, track};
use crate::language::{Text, text};
use crate::metric::{Kind, Metric};
use crate::model::{
    Alert, AlertRule, DayOfExercise, EventEntry, Grain, Night, Series, TrackPoint, WorkoutEntry,
};

/// What is recorded of a person or a device.
#[derive(Debug)]
pub struct HealthRecord {
    /// The newest values.
    pub newest: Vec<VitalNow>,
    /// The rules that hold for it.
    pub rules: Vec<AlertRule>,
    /// The time that the charts cover.
    pub window: TimeWindow,
    /// Values in that time, as fine as fits the charts.
    pub series: Series,
    /// Alerts that fired in that time, newest first.
    pub alerts: Vec<Alert>,
    /// Positions in that time.
    pub track: Vec<TrackPoint>,
    /// Nights that ended in or shortly before that time.
    pub nights: Vec<Night>,
    /// Days of exercise in or shortly before that time.
    pub exercise: Vec<DayOfExercise>,
    /// Workouts in or shortly before that time.
    pub workouts: Vec<WorkoutEntry>,
    /// Events in or shortly before that time.
    pub events: Vec<EventEntry>,
}

/// How fine the charts of a period are.
pub fn grain(period: ChartPeriod) -> Grain {
    match period {
        ChartPeriod::Day => Grain::QuarterHour,
        ChartPeriod::Week => Grain::Hourly,
        ChartPeriod::Month => Grain::Daily,
    }
}

/// How long a point is, and the longest time between two points that are joined.
fn spacing(grain: Grain) -> (SignedDuration, SignedDuration) {
    match grain {
        Grain::Raw => (SignedDuration::ZERO, SignedDuration::from_mins(30)),
        Grain::QuarterHour => (SignedDuration::from_mins(15), SignedDuration::from_mins(30)),
        Grain::Hourly => (SignedDuration::from_hours(1), SignedDuration::from_hours(1)),
        // A day on which the clocks change is an hour shorter or longer.
        Grain::Daily | Grain::Weekly | Grain::Monthly => {
            (SignedDuration::from_hours(24), SignedDuration::from_hours(12))
        }
    }
}

/// The newest values: the part `person-now`. `query` names the person or the device.
pub fn now(frame: &Frame, newest: &[VitalNow], rules: &[AlertRule], query: &str) -> Markup {
    html! {
        section.panel #now data-live="person-now" data-live-query=(query) {
            h2 { (frame.text(&text!("page-now"))) }
            @if newest.is_empty() {
                p.empty { (frame.text(&text!("page-nothing-measured"))) }
            } @else {
                (vital::draw(frame, newest, rules))
            }
        }
    }
}

/// The charts, with links to the time before and after.
pub fn charts(frame: &Frame, record: &HealthRecord) -> Markup {
    let marks: Vec<(Option<Metric>, AlertMark)> = record.alerts.iter().map(mark).collect();
    let sleep: Vec<(Timestamp, Timestamp)> =
        record.nights.iter().map(|night| (night.start_ts, night.end_ts)).collect();
    html! {
        section.panel #charts {
            (periods(frame, &record.window))
            div.charts {
                @for metrics in groups() { (chart(frame, record, &metrics, &marks, &sleep)) }
            }
        }
    }
}

/// The metrics of each chart: one, but the two pressures are read together.
fn groups() -> Vec<Vec<Metric>> {
    let alone = |metric: Metric| match metric {
        Metric::PressureHigh => Some(vec![Metric::PressureHigh, Metric::PressureLow]),
        Metric::PressureLow => None,
        metric if metric.kind() == Kind::VitalSign || metric == Metric::Step => Some(vec![metric]),
        _ => None,
    };
    Metric::ALL.into_iter().filter_map(alone).collect()
}

/// The metrics that charts show.
pub fn metrics() -> Vec<Metric> {
    groups().concat()
}

fn mark(alert: &Alert) -> (Option<Metric>, AlertMark) {
    let metric =
        alert.metric.as_deref().and_then(|name| Metric::ALL.into_iter().find(|each| each.column() == name));
    (metric, AlertMark { at: alert.fired_ts, severity: alert.peak_severity, about: alert.message.clone() })
}

/// Nothing, if nothing of it was measured.
fn chart(
    frame: &Frame,
    record: &HealthRecord,
    metrics: &[Metric],
    marks: &[(Option<Metric>, AlertMark)],
    sleep: &[(Timestamp, Timestamp)],
) -> Markup {
    let (length, max_gap) = spacing(record.series.grain);
    let line = |metric: &Metric| ChartLine {
        name: vital::name(frame, *metric),
        points: vital::points(&record.series, *metric, length).into_iter().map(Into::into).collect(),
        max_gap,
    };
    let lines: Vec<ChartLine> = metrics.iter().map(line).filter(|line| !line.points.is_empty()).collect();
    let Some(first) = metrics.first().copied().filter(|_| !lines.is_empty()) else { return html! {} };
    let title = match metrics {
        [_] => vital::name(frame, first),
        _ => frame.text(&text!("page-metric", metric = "pressure", name = "pressure")),
    };
    // An alarm button has to do with no vital sign: it is drawn where one looks first.
    let belongs = |metric: Option<Metric>| {
        metric.map_or(first == Metric::HeartRate, |metric| metrics.contains(&metric))
    };
    let marks: Vec<AlertMark> =
        marks.iter().filter(|(metric, _)| belongs(*metric)).map(|(_, mark)| mark.clone()).collect();
    let unit = vital::unit(frame, first);
    Chart {
        title,
        unit: &unit,
        decimals: usize::from(first.definition().decimals),
        window: &record.window,
        language: frame.language,
        lines,
        limits: metrics.iter().flat_map(|metric| vital::limits(&record.rules, *metric)).collect(),
        marks: &marks,
        sleep,
    }
    .draw()
}

fn periods(frame: &Frame, window: &TimeWindow) -> Markup {
    let shown = match window.period {
        ChartPeriod::Day => window.first_day(frame.language),
        ChartPeriod::Week | ChartPeriod::Month => {
            format!("{} – {}", window.first_day(frame.language), window.last_day(frame.language))
        }
    };
    let to = |date: jiff::civil::Date, period: ChartPeriod| {
        let date = date.to_string();
        link::with(&frame.path, &[("range", Some(period.name())), ("at", Some(&date))]) + "#charts"
    };
    let words = |which: &str| frame.text(&text!("page-period", which = which));
    html! {
        h2 { (shown) }
        nav.periods aria-label=(words("periods")) {
            ul {
                @for period in ChartPeriod::ALL {
                    li { a href=(to(window.first, period)) aria-current=[(period == window.period).then_some("true")] {
                        (words(period.name()))
                    } }
                }
                @if let Some(date) = window.earlier() {
                    li { a rel="prev" href=(to(date, window.period)) { "← " (words("earlier")) } }
                }
                @if let Some(date) = window.later(frame.now) {
                    li { a rel="next" href=(to(date, window.period)) { (words("later")) " →" } }
                    li { a href=(link::with(&frame.path, &[("at", None)])) { (words("today")) } }
                }
            }
        }
    }
}

/// What else is recorded, each part with its heading. Positions are left out on a screen that all may see.
pub fn details(frame: &Frame, record: &HealthRecord) -> Markup {
    html! {
        (part(frame, "alerts", &alert_list(frame, &record.alerts)))
        (part(frame, "nights", &nights(frame, &record.nights)))
        (part(frame, "exercise", &exercise(frame, &record.exercise)))
        (part(frame, "workouts", &workouts(frame, &record.workouts)))
        (part(frame, "events", &events(frame, &record.events)))
        @if !frame.is_private() { (part(frame, "track", &track::draw(frame, &record.track))) }
    }
}

/// The heading of a part of the page.
pub fn part_title(name: &str) -> Text {
    text!("page-part", name = name)
}

/// A part with its heading.
pub fn part(frame: &Frame, name: &str, content: &Markup) -> Markup {
    html! { section.panel id=(name) { h2 { (frame.text(&part_title(name))) } (content) } }
}

fn alert_list(frame: &Frame, alerts: &[Alert]) -> Markup {
    html! {
        @if alerts.is_empty() { p.empty { (frame.text(&text!("alerts-none"))) } }
        ul.rows {
            @for alert in alerts {
                li {
                    (severity(frame, alert.peak_severity)) " "
                    a href=(link::alert(alert.alert_id)) { (alert.message) }
                    " · " (super::when::at(alert.fired_ts, &frame.zone, frame.language))
                    span.quiet { " · " (alerts::state(frame, alert)) }
                }
            }
        }
    }
}
