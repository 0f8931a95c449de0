//! `/alerts`: the alerts that match, to be acknowledged, noted, assigned, resolved and silenced, one or several.
//!
//! Before: `http::page::alerts` has read them. After: the browser; the part `alert-list` is also sent alone when an alert changes.
//! Promise: it works without a script: the list is one form, and each of its buttons says what is to be done.

use jiff::civil::Date;
use maud::{Markup, html};

use super::chart::severity_mark;
use super::{Frame, alert_steps, format, link, when};
use crate::language::{Text, text};
use crate::model::{Alert, AlertKind, AlertStatus, ContactSummary, Id64, Severity};

/// What is chosen of the alerts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AlertChoice {
    /// Of these statuses; empty: open ones.
    pub statuses: Vec<AlertStatus>,
    /// That grave or graver.
    pub lowest: Option<Severity>,
    /// Of this unit and its sub-units.
    pub org_id: Option<Id64>,
    /// Raised by rules of this kind.
    pub kind: Option<AlertKind>,
    /// Assigned to the viewer.
    pub is_mine: bool,
    /// Fired on this day or later.
    pub from: Option<Date>,
    /// Fired on this day or before.
    pub to: Option<Date>,
}

/// A page of alerts.
#[derive(Debug)]
pub struct AlertListing {
    /// What is chosen.
    pub choice: AlertChoice,
    /// Newest first.
    pub alerts: Vec<Alert>,
    /// Where the next page begins; `None`: this is the last.
    pub cursor: Option<String>,
    /// Units that can be chosen, with their names.
    pub units: Vec<(Id64, String)>,
    /// To whom alerts can be assigned.
    pub contacts: Vec<ContactSummary>,
    /// What became of the last action; shown once.
    pub flash: Option<String>,
}

/// The title of the page.
pub fn title() -> Text {
    text!("page-alerts")
}

/// The page.
pub fn body(frame: &Frame, listing: &AlertListing) -> Markup {
    html! {
        h1 { (frame.text(&title())) }
        (flash(listing.flash.as_deref()))
        (choice_form(frame, listing))
        (list(frame, listing))
    }
}

/// What became of the last action.
pub fn flash(flash: Option<&str>) -> Markup {
    html! { @if let Some(flash) = flash { p.flash role="status" { (flash) } } }
}

/// The part `alert-list`.
pub fn list(frame: &Frame, listing: &AlertListing) -> Markup {
    let can_respond = frame.can_respond();
    html! {
        section #alert-list data-live="alert-list" aria-label=(frame.text(&text!("page-alerts"))) {
            @if listing.alerts.is_empty() {
                p.empty { (frame.text(&text!("alerts-none"))) }
            } @else {
                form method="post" action="/alerts/actions" {
                    input type="hidden" name="back" value=(frame.path);
                    ol.alert-rows {
                        @for alert in &listing.alerts { (row(frame, alert)) }
                    }
                    @if can_respond {
                        fieldset.alert-actions {
                            legend { (frame.text(&text!("page-with-chosen"))) }
                            (alert_steps::fields(frame, &listing.contacts))
                            (alert_steps::buttons(frame))
                        }
                    }
                }
            }
            @if let Some(cursor) = &listing.cursor {
                p { a rel="next" href=(link::with(&frame.path, &[("cursor", Some(cursor))])) { (frame.text(&text!("page-older"))) } }
            }
        }
    }
}

fn row(frame: &Frame, alert: &Alert) -> Markup {
    let is_open = alert.status != AlertStatus::Resolved;
    let name = subject(alert);
    html! {
        li class={ "alert-row is-" (alert.severity.name()) " " (alert.status.name()) } data-alert=(alert.alert_id) {
            @if frame.can_respond() {
                input type="checkbox" name="alert" value=(alert.alert_id)
                    aria-label=(frame.text(&text!("page-choose", what = format!("{name}: {}", alert.message))));
            }
            (severity(frame, alert.severity))
            div.what {
                p.who {
                    a href=(link::alert(alert.alert_id)) { strong { (name) } }
                    @if let Some(place) = place(frame, alert) { " " span.chip { (place) } }
                }
                p { (alert.message) }
                p.quiet { (state(frame, alert)) }
            }
            div.when {
                @if is_open { (format::since(alert.fired_ts, frame.now)) } @else { (when::at(alert.fired_ts, &frame.zone, frame.language)) }
                @if frame.can_respond() && alert.status == AlertStatus::Firing {
                    button type="submit" formaction=(link::alert_step(alert.alert_id, "acknowledge")) {
                        (frame.text(&text!("page-step", step = "acknowledge")))
                        span.visually-hidden { " " (name) }
                    }
                }
            }
        }
    }
}

/// The severity as a mark and as a word that is read aloud.
pub fn severity(frame: &Frame, severity: Severity) -> Markup {
    let word = frame.text(&text!("severity", severity = severity.name()));
    html! {
        span class={ "severity " (severity.name()) } title=(word) {
            span aria-hidden="true" { (severity_mark(severity)) }
            span.visually-hidden { (word) }
        }
    }
}

/// The person, else the device.
pub fn subject(alert: &Alert) -> &str {
    alert.user_name.as_deref().filter(|name| !name.trim().is_empty()).unwrap_or(&alert.device_sn)
}

/// Unit and room; `None`: neither is known.
pub fn place(frame: &Frame, alert: &Alert) -> Option<String> {
    let room = alert.room.as_deref().map(|room| frame.text(&text!("details-room", room = room)));
    let known: Vec<String> = alert.org_name.clone().into_iter().chain(room).collect();
    (!known.is_empty()).then(|| known.join(" · "))
}

/// Where the alert is in its life, and who has it.
pub fn state(frame: &Frame, alert: &Alert) -> String {
    let time = |at: Option<jiff::Timestamp>| {
        at.map(|at| when::moment(at, &frame.zone, frame.language)).unwrap_or_default()
    };
    let state = match (alert.status, &alert.acknowledged_by, &alert.resolved_by) {
        (AlertStatus::Resolved, _, Some(by)) => {
            text!("page-resolved-by", by = by.as_str(), at = time(alert.resolved_at))
        }
        (AlertStatus::Resolved, ..) => {
            let resolution = alert.resolution.as_deref().unwrap_or_default();
            let reason = text!("resolution", resolution = resolution, words = resolution);
            text!("page-resolved", reason = reason, at = time(alert.resolved_at))
        }
        (AlertStatus::Acknowledged, Some(by), _) => {
            text!("page-acknowledged-by", by = by.as_str(), at = time(alert.acknowledged_at))
        }
        _ => text!("page-nobody-yet"),
    };
    let assigned =
        alert.assigned_name.as_deref().map(|name| frame.text(&text!("page-assigned-to", name = name)));
    [Some(frame.text(&state)), assigned].into_iter().flatten().collect::<Vec<_>>().join(" · ")
}

fn choice_form(frame: &Frame, listing: &AlertListing) -> Markup {
    let choice = &listing.choice;
    let is_shown = |status: AlertStatus| match choice.statuses.as_slice() {
        [] => status != AlertStatus::Resolved,
        chosen => chosen.contains(&status),
    };
    let label = |name: &str| frame.text(&text!("page-filter", name = name));
    html! {
        form.filters method="get" action="/alerts" role="search" {
            fieldset {
                legend { (label("status")) }
                @for status in AlertStatus::ALL {
                    label {
                        input type="checkbox" name="status" value=(status.name()) checked[is_shown(*status)];
                        (frame.text(&text!("alert-status", status = status.name(), late = "no")))
                    }
                }
            }
            label { (label("severity"))
                select name="min_severity" {
                    option value="" { (label("any")) }
                    @for severity in Severity::ALL {
                        option value=(severity.name()) selected[choice.lowest == Some(*severity)] {
                            (frame.text(&text!("page-at-least", severity = text!("severity", severity = severity.name()))))
                        }
                    }
                }
            }
            @if !listing.units.is_empty() {
                label { (label("unit"))
                    select name="org_id" {
                        option value="" { (label("any")) }
                        @for (org_id, name) in &listing.units {
                            option value=(org_id) selected[choice.org_id == Some(*org_id)] { (name) }
                        }
                    }
                }
            }
            label { (label("kind"))
                select name="kind" {
                    option value="" { (label("any")) }
                    @for kind in AlertKind::ALL {
                        option value=(kind.name()) selected[choice.kind == Some(*kind)] {
                            (frame.text(&text!("page-kind", kind = kind.name())))
                        }
                    }
                }
            }
            label { (label("from")) input type="date" name="from" value=[choice.from]; }
            label { (label("to")) input type="date" name="to" value=[choice.to]; }
            label { input type="checkbox" name="mine" value="true" checked[choice.is_mine]; (label("mine")) }
            button type="submit" { (label("show")) }
        }
    }
}

#[cfg(test)]
mod tests;
