//! `/admin/policies`: how long rows are kept, and what the next enforcement would remove.
//!
//! Before: `store::policy` has read them. After: the browser; `vitals policy set` changes them.

use jiff::Timestamp;
use maud::{Markup, html};

use super::words;
use crate::page::record_tables::table;
use crate::page::{Frame, format, when};

/// A policy. Lengths of time as PostgreSQL writes them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyRow {
    /// What it is about.
    pub relation: String,
    /// How long rows live; `None`: for ever.
    pub keep_for: Option<String>,
    /// When chunks are compressed; `None`: never.
    pub compress_after: Option<String>,
    /// How often a rollup is refreshed.
    pub refresh_every: Option<String>,
    /// When it was last enforced.
    pub applied_at: Option<Timestamp>,
    /// Why rows that are old enough were not dropped.
    pub held: Option<String>,
}

/// A step of the next enforcement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyStepRow {
    /// What it is about.
    pub relation: String,
    /// `drop`, `delete` or `compress`.
    pub action: String,
    /// Rows older than this.
    pub until: Option<Timestamp>,
    /// Rows; those of chunks are estimated.
    pub rows: i64,
    /// Bytes that they take.
    pub bytes: i64,
    /// What it would leave out, and why.
    pub note: Option<String>,
}

/// The section.
pub fn body(frame: &Frame, policies: &[PolicyRow], plan: &[PolicyStepRow]) -> Markup {
    let rows: Vec<Markup> = policies.iter().map(|policy| row(frame, policy)).collect();
    let steps: Vec<Markup> = plan.iter().map(|step| step_row(frame, step)).collect();
    html! {
        section.panel { (table(frame, &["relation", "keep", "compress", "refresh", "applied", "held"], &rows)) }
        section.panel {
            h2 { (words(frame, "plan")) }
            (table(frame, &["relation", "action", "until", "rows", "bytes", "note"], &steps))
        }
        p.quiet { (words(frame, "policy-hint")) " " code { "vitals policy set" } }
    }
}

fn row(frame: &Frame, policy: &PolicyRow) -> Markup {
    let at = |instant: Option<Timestamp>| {
        instant.map(|instant| when::moment(instant, &frame.zone, frame.language))
    };
    let ever = words(frame, "for-ever");
    html! {
        tr {
            th scope="row" { (policy.relation) }
            td { (policy.keep_for.as_deref().unwrap_or(&ever)) }
            td { (policy.compress_after.as_deref().unwrap_or_default()) }
            td { (policy.refresh_every.as_deref().unwrap_or_default()) }
            td { (at(policy.applied_at).unwrap_or_default()) }
            td { (policy.held.as_deref().unwrap_or_default()) }
        }
    }
}

fn step_row(frame: &Frame, step: &PolicyStepRow) -> Markup {
    let until = step.until.map(|until| when::moment(until, &frame.zone, frame.language));
    html! {
        tr {
            th scope="row" { (step.relation) }
            td { (step.action) }
            td { (until.unwrap_or_default()) }
            td.number { (format::count(step.rows)) }
            td.number { (format::count(step.bytes)) }
            td { (step.note.as_deref().unwrap_or_default()) }
        }
    }
}
