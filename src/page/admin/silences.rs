//! `/admin/silences`: the silences in force and to come.
//!
//! Before: `store::alert_silence` has read them. After: `http::page::admin::silences` reads the forms.

use maud::{Markup, html};

use super::words;
use crate::model::AlertSilence;
use crate::page::record_tables::table;
use crate::page::{Frame, link, when};

/// The section.
pub fn body(frame: &Frame, silences: &[AlertSilence]) -> Markup {
    let rows: Vec<Markup> = silences.iter().map(|silence| row(frame, silence)).collect();
    html! { section.panel { (table(frame, &["device", "rule", "tenant", "unit", "until", "by", "note", "action"], &rows)) } }
}

fn row(frame: &Frame, silence: &AlertSilence) -> Markup {
    let number = |id: Option<crate::model::Id64>| id.map(|id| id.to_string()).unwrap_or_default();
    html! {
        tr {
            th scope="row" {
                @if let Some(device_sn) = &silence.device_sn { a href=(link::device(device_sn)) { (device_sn) } }
            }
            td { (number(silence.rule_id)) }
            td { (number(silence.customer_id)) }
            td { (number(silence.org_id)) }
            td { (when::span(Some(silence.starts_at), Some(silence.ends_at), &frame.zone, frame.language)) }
            td { (silence.actor) }
            td { (silence.note.as_deref().unwrap_or_default()) }
            td {
                form.inline method="post" action={ "/admin/silences/" (silence.silence_id) } {
                    button type="submit" { (words(frame, "end")) }
                }
            }
        }
    }
}
