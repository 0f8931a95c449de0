//! The open alerts, the gravest first: who, what, since when, who has it, and the button to take it on.
//!
//! Promise: the module can tell what is new: each row has the number of the alert (`data-alert`), its severity, its status, and what is to
//! be announced of it (`data-announce`).

use jiff::Timestamp;
use maud::{Markup, html};

use super::{panel, person, person_link, place};
use crate::language::{initials, text};
use crate::metric::Metric;
use crate::model::wall::{OpenAlert, OpenAlerts};
use crate::model::{Alert, AlertKind, AlertStatus};
use crate::page::alerts::severity;
use crate::page::{Frame, format, link};

/// What `data-live` calls the part.
pub const ALERTS: &str = "alerts";

/// The part.
pub fn render(frame: &Frame, alerts: &OpenAlerts) -> Markup {
    let hidden = alerts.total - i64::try_from(alerts.shown.len()).unwrap_or(i64::MAX);
    let note = html! { (frame.text(&text!("page-gravest-first"))) " · " (format::count(alerts.total)) };
    panel(
        frame,
        ALERTS,
        &text!("page-open-alerts"),
        &note,
        &html! {
            @if alerts.shown.is_empty() {
                p.empty { (frame.text(&text!("page-no-open-alerts"))) }
            } @else {
                ol.open-alerts tabindex="0" aria-labelledby="alerts-heading" {
                    @for open in &alerts.shown { (row(frame, open, alerts.as_of)) }
                    @if hidden > 0 {
                        li.more { (more(frame, hidden)) }
                    }
                }
            }
        },
    )
}

fn more(frame: &Frame, count: i64) -> Markup {
    let words = frame.text(&text!("page-more", count = count));
    html! {
        @if frame.is_kiosk() { span.quiet { (words) } } @else { a href="/alerts" { (words) } }
    }
}

fn row(frame: &Frame, open: &OpenAlert, now: Timestamp) -> Markup {
    let alert = &open.alert.clone().in_language(frame.language);
    let name = person(frame, alert.user_name.as_deref(), &alert.device_sn);
    let what = what(frame, alert);
    let number = (!frame.is_private()).then_some(alert.alert_id);
    let word = frame.text(&text!("severity", severity = alert.severity.name()));
    html! {
        li class={ "open-alert is-" (alert.severity.name()) } data-historical=[alert.historical.then_some("")] data-alert=[number] data-severity=(alert.severity.name())
            data-status=(alert.status.name()) data-announce={ (word) ": " (name) ", " (what) } {
            (severity(frame, alert.severity))
            div.open-alert-what {
                h3 {
                    (person_link(frame, alert.user_id, alert.user_name.as_deref(), &alert.device_sn))
                    @if let Some(place) = place(frame, alert.org_name.as_deref(), alert.room.as_deref()) {
                        " " span.chip { (place) }
                    }
                }
                p.open-alert-value {
                    span class=(alert.severity.name()) { (what) }
                    @if let Some(limit) = limit(frame, open) { " " span.quiet { (limit) } }
                }
                p.quiet { (details(frame, alert)) }
            }
            div.open-alert-who {
                p class={ "elapsed " (alert.severity.name()) } { (format::since(alert.fired_ts, now)) }
                p.quiet { (holder(frame, alert)) }
                @if frame.can_respond() && alert.status == AlertStatus::Firing {
                    form method="post" action=(link::alert_step(alert.alert_id, "acknowledge")) {
                        input type="hidden" name="back" value="/wall";
                        button type="submit" {
                            (frame.text(&text!("page-acknowledge")))
                            span.visually-hidden { " " (name) ", " (what) }
                        }
                    }
                }
            }
        }
    }
}

/// The value that breaches, else what the rule is called. A private screen shows no name that somebody gave a rule: it may be that of a
/// person.
fn what(frame: &Frame, alert: &Alert) -> String {
    if let (Some(metric), Some(value)) = (&alert.metric, last_value(alert)) {
        return frame.text(&text!("reading", metric = metric.as_str(), value = value));
    }
    match (frame.is_private(), alert.kind, &alert.event_type) {
        (false, ..) => alert.rule_name.clone(),
        (true, AlertKind::Event, Some(event)) => frame.text(&text!("page-alert-type", type = event.as_str())),
        (true, kind, _) => frame.text(&text!("page-alert-type", type = kind.name())),
    }
}

fn decimals(metric: Option<&str>) -> usize {
    let found = Metric::ALL.into_iter().find(|each| Some(each.column()) == metric);
    found.map_or(1, |metric| usize::from(metric.definition().decimals))
}

fn last_value(alert: &Alert) -> Option<String> {
    let value = alert.last_value.as_ref()?.as_f64()?;
    Some(format::decimal(value, decimals(alert.metric.as_deref())))
}

/// The bound that the value breaks; none is shown if it is within its bounds again.
fn limit(frame: &Frame, open: &OpenAlert) -> Option<String> {
    let value = open.alert.last_value.as_ref()?.as_f64()?;
    let below = open.min_value.filter(|min| value < *min);
    let bound = below.or_else(|| open.max_value.filter(|max| value > *max))?;
    let shown = format::decimal(bound, decimals(open.alert.metric.as_deref()));
    Some(frame.text(&text!("page-limit", value = shown)))
}

/// How often it breached, how far, and whether it was graver.
fn details(frame: &Frame, alert: &Alert) -> String {
    let mut parts = Vec::new();
    if alert.breach_count > 1 {
        parts.push(frame.text(&text!("page-breaches", count = i64::from(alert.breach_count))));
    }
    let peak = alert.peak_value.as_ref().and_then(serde_json::Number::as_f64);
    if let Some(peak) =
        peak.filter(|peak| alert.last_value.as_ref().and_then(serde_json::Number::as_f64) != Some(*peak))
    {
        parts.push(
            frame.text(&text!("page-peak", value = format::decimal(peak, decimals(alert.metric.as_deref())))),
        );
    }
    if alert.peak_severity != alert.severity {
        let severity = frame.text(&text!("severity", severity = alert.peak_severity.name()));
        parts.push(frame.text(&text!("page-was", severity = severity)));
    }
    if alert.last_ts > alert.fired_ts {
        parts.push(frame.text(&text!("page-last-at", time = format::clock(alert.last_ts, &frame.zone))));
    }
    parts.join(" · ")
}

/// Who takes care of it.
fn holder(frame: &Frame, alert: &Alert) -> String {
    let holder = alert.assigned_name.as_deref().or(alert.acknowledged_by.as_deref());
    match holder {
        Some(holder) if frame.is_private() => initials(holder),
        Some(holder) => holder.to_owned(),
        None => frame.text(&text!("page-nobody-yet")),
    }
}
