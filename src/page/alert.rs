//! `/alerts/{id}`: an alert, what happened to it, and who was notified when by which channel.
//!
//! Before: `http::page::alerts` has read it. After: the browser.

use maud::{Markup, html};

use super::alerts::{flash, place, severity, state, subject};
use super::{Frame, alert_steps, format, link, when};
use crate::language::{Text, text};
use crate::model::{Alert, AlertDetail, AlertNotification, ContactSummary, Id64};

/// The title of the page.
pub fn title(alert_id: Id64) -> Text {
    text!("page-alert", id = alert_id.to_string())
}

/// The page. `notice`: what became of the last action.
pub fn body(
    frame: &Frame,
    detail: &AlertDetail,
    contacts: &[ContactSummary],
    notice: Option<&str>,
) -> Markup {
    let alert = &detail.alert;
    html! {
        h1 {
            (severity(frame, alert.severity)) " "
            // Most messages begin with who it is about.
            @if !alert.message.starts_with(subject(alert)) { (subject(alert)) ": " }
            (alert.message)
        }
        (flash(notice))
        div.columns {
            (facts(frame, alert))
            @if frame.can_respond() {
                section.panel {
                    h2 { (frame.text(&text!("page-what-to-do"))) }
                    (alert_steps::form(frame, alert, contacts))
                }
            }
            (actions(frame, detail))
            (notifications(frame, &detail.notifications))
        }
    }
}

fn facts(frame: &Frame, alert: &Alert) -> Markup {
    let label = |name: &str| frame.text(&text!("page-fact", name = name));
    let at = |instant| when::at(instant, &frame.zone, frame.language);
    html! {
        section.panel {
            h2 { (frame.text(&title(alert.alert_id))) }
            dl.facts {
                dt { (label("state")) } dd { (state(frame, alert)) }
                dt { (label("person")) }
                dd {
                    @match alert.user_id {
                        Some(user_id) => { a href=(link::person(user_id)) { (subject(alert)) } }
                        None => { (subject(alert)) }
                    }
                    @if let Some(place) = place(frame, alert) { " · " (place) }
                }
                dt { (label("device")) } dd { a href=(link::device(&alert.device_sn)) { (alert.device_sn) } }
                dt { (label("rule")) } dd { (alert.rule_name) " · " (frame.text(&text!("page-kind", kind = alert.kind.name()))) }
                @if let Some(value) = &alert.last_value { dt { (label("last")) } dd { (value) } }
                @if let Some(value) = &alert.peak_value { dt { (label("peak")) } dd { (value) } }
                @if let Some(words) = &alert.last_text { dt { (label("last")) } dd { (words) } }
                dt { (label("breaches")) } dd { (format::count(i64::from(alert.breach_count))) }
                dt { (label("started")) } dd { (at(alert.started_ts)) }
                dt { (label("fired")) } dd { (at(alert.fired_ts)) " · " (when::age(alert.fired_ts, frame.now, frame.language)) }
                dt { (label("received")) } dd { (at(alert.fired_at)) }
                @if let Some(ended) = alert.ended_ts { dt { (label("ended")) } dd { (at(ended)) } }
                @if let (Some(latitude), Some(longitude)) = (alert.latitude, alert.longitude) {
                    dt { (label("position")) } dd { (format::decimal(latitude, 5)) "°, " (format::decimal(longitude, 5)) "°" }
                }
            }
            @if alert.historical { p.quiet { (frame.text(&text!("page-historical"))) } }
        }
    }
}

fn actions(frame: &Frame, detail: &AlertDetail) -> Markup {
    html! {
        section.panel #history {
            h2 { (frame.text(&text!("alert-actions"))) }
            @if detail.actions.is_empty() { p.empty { (frame.text(&text!("page-nothing-yet"))) } }
            ol.history {
                @for action in &detail.actions {
                    li {
                        (when::at(action.acted_at, &frame.zone, frame.language)) " "
                        strong { (frame.text(&text!("alert-action", action = action.action.as_str()))) }
                        @if let Some(graveness) = action.severity { " " (severity(frame, graveness)) }
                        @if let Some(actor) = &action.actor { " · " (actor) }
                        @if let Some(note) = &action.note_text() { blockquote { (frame.text(note)) } }
                    }
                }
            }
        }
    }
}

fn notifications(frame: &Frame, notifications: &[AlertNotification]) -> Markup {
    let column = |name: &str| frame.text(&text!("page-column", name = name));
    html! {
        section.panel #notifications {
            h2 { (frame.text(&text!("alert-notifications"))) }
            @if notifications.is_empty() {
                p.empty { (frame.text(&text!("page-nobody-notified"))) }
            } @else {
                div.scroll { table {
                    thead { tr { @for name in ["when", "contact", "channel", "reason", "status"] { th scope="col" { (column(name)) } } } }
                    tbody { @for notification in notifications { (notification_row(frame, notification)) } }
                } }
            }
        }
    }
}

fn notification_row(frame: &Frame, notification: &AlertNotification) -> Markup {
    let at = notification.sent_at.unwrap_or(notification.due_at);
    let contact = |Id64(id): Id64| frame.text(&text!("page-contact-deleted", id = id.to_string()));
    let name = notification.contact.clone().unwrap_or_else(|| contact(notification.contact_id));
    html! {
        tr {
            td { (when::at(at, &frame.zone, frame.language)) }
            th scope="row" { (name) }
            td { (frame.text(&text!("page-channel", channel = notification.channel.as_str()))) " " (notification.address) }
            td { (frame.text(&text!("page-notification-kind", kind = notification.kind.as_str()))) }
            td {
                (frame.text(&text!("page-notification-status", status = notification.status.as_str())))
                @if let Some(error) = &notification.error { br; span.quiet { (error) } }
            }
        }
    }
}
