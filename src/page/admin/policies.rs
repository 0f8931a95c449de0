//! `/admin/policies`: how long rows are kept, what the next enforcement would remove, and a change of one value with its plan.
//!
//! Before: `store::policy` has read them. After: `http::page::admin::policies` reads the forms.

use jiff::Timestamp;
use maud::{Markup, html};

use super::words;
use crate::language::text;
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
    /// How often a rollup is refreshed; `None`: it is no rollup.
    pub refresh_every: Option<String>,
    /// How far behind now its materialisation stays; `None`: it is no rollup.
    pub refresh_lag: Option<String>,
    /// Bytes of text that are kept; `None`: any number.
    pub keep_bytes: Option<i64>,
    /// When it was last changed, and by whom.
    pub changed: Option<(Timestamp, String)>,
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

/// A change that was asked for, and is not in force yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyPreview {
    /// What it is about.
    pub relation: String,
    /// Name of the value.
    pub value: String,
    /// As it is; empty: none.
    pub from: String,
    /// As it was typed; empty: none.
    pub to: String,
    /// What the next enforcement would do to the relation as it is.
    pub before: Vec<PolicyStepRow>,
    /// What it would do after the change.
    pub after: Vec<PolicyStepRow>,
    /// It would remove more.
    pub drops_more: bool,
}

/// Names of the values of a policy.
pub const VALUES: [&str; 5] = ["keep_for", "compress_after", "refresh_every", "refresh_lag", "keep_bytes"];

impl PolicyRow {
    /// A value as it is; empty: none.
    pub fn value(&self, name: &str) -> String {
        let value = match name {
            "keep_for" => self.keep_for.clone(),
            "compress_after" => self.compress_after.clone(),
            "refresh_every" => self.refresh_every.clone(),
            "refresh_lag" => self.refresh_lag.clone(),
            _ => self.keep_bytes.map(|bytes| bytes.to_string()),
        };
        value.unwrap_or_default()
    }
}

/// The section.
pub fn body(
    frame: &Frame,
    policies: &[PolicyRow],
    plan: &[PolicyStepRow],
    preview: Option<&PolicyPreview>,
) -> Markup {
    const COLUMNS: [&str; 9] =
        ["relation", "keep", "bytes", "compress", "refresh", "refresh-lag", "changed", "applied", "held"];
    let rows: Vec<Markup> = policies.iter().map(|policy| row(frame, policy)).collect();
    html! {
        @if let Some(preview) = preview { (preview_of(frame, preview)) }
        section.panel {
            (table(frame, &COLUMNS, &rows))
            details {
                summary { (words(frame, "meaning")) }
                dl {
                    @for name in VALUES {
                        dt { (value_name(frame, name)) }
                        dd { (frame.text(&text!("page-policy-meaning", value = name))) }
                    }
                }
            }
        }
        section.panel { h2 { (words(frame, "change-policy")) } (form(frame, policies, preview)) }
        section.panel { h2 { (words(frame, "plan")) } (steps(frame, plan)) }
    }
}

/// The name of a value, as the heads of the table have it.
fn value_name(frame: &Frame, value: &str) -> String {
    let column = match value {
        "keep_for" => "keep",
        "compress_after" => "compress",
        "refresh_every" => "refresh",
        "refresh_lag" => "refresh-lag",
        _ => "bytes",
    };
    frame.text(&text!("page-column", name = column))
}

fn row(frame: &Frame, policy: &PolicyRow) -> Markup {
    let at = |instant: Timestamp| when::moment(instant, &frame.zone, frame.language);
    let ever = words(frame, "for-ever");
    let interval =
        |words: &Option<String>| words.as_deref().map(|words| when::interval(words, frame.language));
    let of = frame.text(&text!("page-policy-of", relation = policy.relation.replace('.', "-")));
    html! {
        tr {
            th scope="row" { (policy.relation) br; span.quiet { (of) } }
            td { (interval(&policy.keep_for).unwrap_or(ever)) }
            td.number { @if let Some(bytes) = policy.keep_bytes { (format::count(bytes)) } }
            td { (interval(&policy.compress_after).unwrap_or_default()) }
            td { (interval(&policy.refresh_every).unwrap_or_default()) }
            td { (interval(&policy.refresh_lag).unwrap_or_default()) }
            td { @if let Some((changed_at, by)) = &policy.changed { (at(*changed_at)) br; span.quiet { (by) } } }
            td { (policy.applied_at.map(at).unwrap_or_default()) }
            td { (policy.held.as_deref().unwrap_or_default()) }
        }
    }
}

fn form(frame: &Frame, policies: &[PolicyRow], preview: Option<&PolicyPreview>) -> Markup {
    let chosen =
        |is: fn(&PolicyPreview) -> &str, each: &str| preview.is_some_and(|preview| is(preview) == each);
    html! {
        form.stacked method="post" action="/admin/policies" {
            label for="relation" { (frame.text(&text!("page-column", name = "relation"))) }
            select #relation name="relation" {
                @for policy in policies {
                    option value=(policy.relation) selected[chosen(|preview| preview.relation.as_str(), &policy.relation)] { (policy.relation) }
                }
            }
            label for="value" { (words(frame, "policy-value")) }
            select #value name="value" {
                @for name in VALUES {
                    option value=(name) selected[chosen(|preview| preview.value.as_str(), name)] { (value_name(frame, name)) }
                }
            }
            label for="to" { (words(frame, "policy-to")) }
            input #to type="text" name="to" maxlength="100" autocomplete="off" value=[preview.map(|preview| &preview.to)];
            button.primary type="submit" name="action" value="preview" { (words(frame, "preview")) }
        }
    }
}

fn preview_of(frame: &Frame, preview: &PolicyPreview) -> Markup {
    let none = words(frame, "no-value");
    let shown = |value: &str| if value.is_empty() { none.clone() } else { value.to_owned() };
    html! {
        section.panel #preview role="status" {
            h2 { (words(frame, "preview-title")) }
            p { strong { (preview.relation) } " · " (value_name(frame, &preview.value)) ": " (shown(&preview.from)) " → " strong { (shown(&preview.to)) } }
            @if preview.drops_more { p.critical { (words(frame, "drops-more")) } }
            h3 { (words(frame, "plan-after")) }
            (steps(frame, &preview.after))
            h3 { (words(frame, "plan-before")) }
            (steps(frame, &preview.before))
            form.inline method="post" action="/admin/policies" {
                input type="hidden" name="relation" value=(preview.relation);
                input type="hidden" name="value" value=(preview.value);
                input type="hidden" name="from" value=(preview.from);
                input type="hidden" name="to" value=(preview.to);
                button.primary type="submit" name="action" value="save" { (words(frame, "confirm")) }
            }
        }
    }
}

fn steps(frame: &Frame, plan: &[PolicyStepRow]) -> Markup {
    let rows: Vec<Markup> = plan.iter().map(|step| step_row(frame, step)).collect();
    table(frame, &["relation", "action", "until", "rows", "bytes", "note"], &rows)
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
