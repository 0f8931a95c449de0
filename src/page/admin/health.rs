//! `/admin`: the service's own health, its writers and what operators were notified of.
//!
//! Before: `monitor` has probed the parts. After: the browser.

use std::time::Duration;

use maud::{Markup, html};

use super::words;
use crate::language::text;
use crate::model::SystemAlert;
use crate::page::record_tables::table;
use crate::page::{Frame, format, when};

/// A part of the service, or what it needs.
#[derive(Debug, Clone, PartialEq)]
pub struct PartHealth {
    /// Which one.
    pub name: &'static str,
    /// `up`, `late` or `down`.
    pub condition: &'static str,
    /// How long it took to find out, milliseconds.
    pub latency_ms: f64,
    /// What waits.
    pub waiting: Option<i64>,
    /// How long the oldest of it has waited, seconds.
    pub lag_seconds: Option<f64>,
    /// What is wrong, and what to do.
    pub reasons: Vec<String>,
}

/// The health of this instance.
#[derive(Debug)]
pub struct ServiceHealth {
    /// The parts.
    pub parts: Vec<PartHealth>,
    /// Conditions of the last hour, newest first.
    pub alerts: Vec<SystemAlert>,
    /// How long the process has run.
    pub uptime: Duration,
    /// Records of the last minute.
    pub recent_records: u64,
}

/// The section.
pub fn body(frame: &Frame, health: &ServiceHealth) -> Markup {
    let parts: Vec<Markup> = health.parts.iter().map(|part| part_row(frame, part)).collect();
    let alerts: Vec<Markup> = health.alerts.iter().map(|alert| alert_row(frame, alert)).collect();
    let uptime = i64::try_from(health.uptime.as_secs()).unwrap_or(i64::MAX);
    let records = i64::try_from(health.recent_records).unwrap_or(i64::MAX);
    html! {
        section.panel {
            h2 { (words(frame, "parts")) }
            (table(frame, &["part", "state", "latency", "waiting", "lag"], &parts))
            p.quiet {
                (words(frame, "uptime")) " " (frame.text(&when::duration(uptime))) " · "
                (words(frame, "records-last-minute")) " " (format::count(records))
            }
        }
        section.panel {
            h2 { (words(frame, "system-alerts")) }
            (table(frame, &["when", "severity", "state", "detail"], &alerts))
        }
    }
}

fn part_row(frame: &Frame, part: &PartHealth) -> Markup {
    let mark = match part.condition {
        "up" => "ok",
        "late" => "major",
        _ => "critical",
    };
    html! {
        tr {
            th scope="row" { (part.name) }
            td {
                span class=(mark) { (frame.text(&text!("page-condition", condition = part.condition))) }
                @for reason in &part.reasons { br; (reason) }
            }
            td.number { (format::decimal(part.latency_ms, 1)) " ms" }
            td.number { @if let Some(waiting) = part.waiting { (format::count(waiting)) } }
            td.number { @if let Some(seconds) = part.lag_seconds { (format::decimal(seconds, 1)) " s" } }
        }
    }
}

fn alert_row(frame: &Frame, alert: &SystemAlert) -> Markup {
    let severity = alert.condition.severity();
    html! {
        tr {
            th scope="row" { (when::at(alert.started_at, &frame.zone, frame.language)) }
            td { span class=(severity) { (frame.text(&text!("severity", severity = severity))) } }
            td { (frame.text(&text!("page-system-alert", state = if alert.ended_at.is_none() { "lasts" } else { "over" }))) }
            td { (alert.message.in_language(frame.language)) }
        }
    }
}
