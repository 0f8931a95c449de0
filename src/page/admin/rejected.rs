//! `/admin/rejected`: uploaded items that could not be stored, and a form that reads them once more.
//!
//! Before: `store::rejected_upload` has read them. After: `http::page::admin::rejected` reads the form.

use jiff::Timestamp;
use maud::{Markup, html};

use super::words;
use crate::language::text;
use crate::page::record_tables::table;
use crate::page::{Frame, format, when};

/// An item that could not be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RejectedItemRow {
    /// Its number.
    pub id: i64,
    /// When it was received last.
    pub received_at: Timestamp,
    /// How often.
    pub times: i64,
    /// Serial that it names.
    pub device_sn: Option<String>,
    /// Kind of refusal.
    pub reason: String,
    /// What exactly was wrong.
    pub detail: String,
    /// The beginning of the item as it was sent.
    pub excerpt: String,
}

/// The section: the newest of `count` items.
pub fn body(frame: &Frame, items: &[RejectedItemRow], count: u64) -> Markup {
    let rows: Vec<Markup> = items.iter().map(|item| row(frame, item)).collect();
    let shown = text!("page-rejected-count", count = count, shown = items.len());
    html! {
        p.under-title { (frame.text(&shown)) }
        form method="post" action="/admin/rejected" {
            section.panel { (table(frame, &["choose", "when", "device", "reason", "detail", "item"], &rows)) }
            @if !items.is_empty() {
                p.buttons { button.primary type="submit" { (words(frame, "replay")) } }
            }
        }
    }
}

fn row(frame: &Frame, item: &RejectedItemRow) -> Markup {
    let number = item.id.to_string();
    html! {
        tr {
            td { input type="checkbox" name="id" value=(number) aria-label=(frame.text(&text!("page-choose", what = number.as_str()))); }
            th scope="row" {
                (when::at(item.received_at, &frame.zone, frame.language))
                @if item.times > 1 { br; span.quiet { (format::count(item.times)) " ×" } }
            }
            td { (item.device_sn.as_deref().unwrap_or_default()) }
            td { (item.reason) }
            td { (item.detail) }
            td { code { (item.excerpt) } }
        }
    }
}
