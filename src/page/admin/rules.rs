//! `/admin/rules`, `/admin/rules/{id}`: what raises alerts, and a try-out over stored history.
//!
//! Before: `store::alert_rule` has read them. After: `http::page::admin::rules` reads the forms.

use std::collections::BTreeMap;

use maud::{Markup, html};

use super::rule_form::{self, RuleChoices};
use super::{switch, words};
use crate::language::text;
use crate::model::{AlertKind, AlertRule};
use crate::page::alerts::severity;
use crate::page::field::FieldValues;
use crate::page::limits::bounds;
use crate::page::record_tables::table;
use crate::page::{Frame, format, link, when};

/// For how many days before now a rule can be tried out.
pub const TRY_OUT_DAYS: [i64; 3] = [1, 3, 7];

/// What a rule would have raised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TryOutResult {
    /// Over so many days before now.
    pub days: i64,
    /// Devices that were evaluated.
    pub devices: usize,
    /// There are more devices.
    pub has_more: bool,
    /// Devices with an alert.
    pub affected: usize,
    /// Alerts by the gravest severity that they would have had.
    pub alerts: BTreeMap<String, usize>,
    /// Alerts that the stored rule did raise for the same devices; `None`: it is not stored.
    pub stored: Option<usize>,
}

/// A rule that is looked at, or edited.
#[derive(Debug)]
pub struct RuleEditor {
    /// The rule as it is stored; `None`: a new one.
    pub rule: Option<AlertRule>,
    /// What it evaluates.
    pub kind: AlertKind,
    /// What the fields hold, as it is stored or was typed.
    pub values: FieldValues,
    /// What there is to choose from.
    pub choices: RuleChoices,
    /// The reader may change it; else the form makes one in its place.
    pub can_change: bool,
    /// Every version, newest first.
    pub versions: Vec<AlertRule>,
    /// What it would have raised.
    pub result: Option<TryOutResult>,
}

/// The list, and a form for each kind of a new rule.
pub fn list(frame: &Frame, rules: &[AlertRule], choices: &RuleChoices) -> Markup {
    let rows: Vec<Markup> = rules.iter().map(|rule| row(frame, rule, choices)).collect();
    html! {
        section.panel { (table(frame, &["rule", "severity", "scope", "value", "state"], &rows)) }
        section.panel {
            h2 { (words(frame, "new-rule")) }
            @for kind in AlertKind::ALL {
                details {
                    summary { (frame.text(&text!("page-kind", kind = kind.name()))) }
                    (editor_form(frame, "/admin/rules", kind.name(), *kind, &rule_form::new_rule(*kind, choices.is_limited), choices))
                }
            }
        }
    }
}

fn row(frame: &Frame, rule: &AlertRule, choices: &RuleChoices) -> Markup {
    let can_change = !choices.is_limited || !rule.scope().is_everybody();
    html! {
        tr {
            th scope="row" { a href={ "/admin/rules/" (rule.rule_id) } { (rule.name) } }
            td { (severity(frame, rule.severity)) }
            td { (rule_scope(frame, rule)) }
            td { (bounds(frame, rule)) }
            td {
                form.inline method="post" action={ "/admin/rules/" (rule.rule_id) } {
                    input type="hidden" name="back" value="/admin/rules";
                    (frame.text(&text!("on-off", value = if rule.enabled { "on" } else { "off" })))
                    @if can_change { " " (switch(frame, rule.enabled)) }
                }
            }
        }
    }
}

/// For whom a rule is, with the number or a link.
fn rule_scope(frame: &Frame, rule: &AlertRule) -> Markup {
    let number = rule.org_id.or(rule.customer_id).map(|id| id.to_string()).unwrap_or_default();
    html! {
        (frame.text(&text!("page-rule-for", scope = rule.scope().name()))) " "
        @match (&rule.device_sn, rule.user_id) {
            (Some(device_sn), _) => { a href=(link::device(device_sn)) { (device_sn) } }
            (None, Some(user_id)) => { a href=(link::person(user_id)) { (user_id) } }
            (None, None) => { (number) }
        }
    }
}

/// A rule, its form, its versions. Who may not change it makes one in its place.
pub fn editor(frame: &Frame, editor: &RuleEditor) -> Markup {
    let RuleEditor { rule, kind, values, choices, can_change, .. } = editor;
    let own = rule.as_ref().filter(|_| *can_change);
    let action =
        own.map_or_else(|| "/admin/rules".to_owned(), |rule| format!("/admin/rules/{}", rule.rule_id));
    html! {
        @if let Some(rule) = rule {
            p.under-title { strong { (rule.name) } " · " (bounds(frame, rule)) " · " (rule_scope(frame, rule)) }
        }
        @if let Some(result) = &editor.result { (try_out(frame, result)) }
        section.panel {
            @if rule.is_some() && !can_change { p { (words(frame, "rule-of-everybody")) } }
            (editor_form(frame, &action, "rule", *kind, values, choices))
        }
        @if !editor.versions.is_empty() {
            section.panel {
                h2 { (frame.text(&text!("rule-versions"))) }
                ol.history {
                    @for version in &editor.versions {
                        li {
                            (version.version) " · " (when::at(version.changed_at, &frame.zone, frame.language)) " · " (version.changed_by)
                            " · " (bounds(frame, version))
                        }
                    }
                }
            }
        }
    }
}

/// `form`: so that no two fields of a page have the same id.
fn editor_form(
    frame: &Frame,
    action: &str,
    form: &str,
    kind: AlertKind,
    values: &FieldValues,
    choices: &RuleChoices,
) -> Markup {
    let days_id = format!("{form}-days");
    let is_stored = action != "/admin/rules";
    html! {
        form.stacked method="post" action=(action) {
            (rule_form::fields(frame, form, kind, values, choices))
            label for=(days_id) { (words(frame, "try-out-days")) }
            select id=(days_id) name="days" {
                @for days in TRY_OUT_DAYS {
                    option value=(days) selected[values.has("days", &days.to_string())] { (frame.text(&text!("days", days = days))) }
                }
            }
            p.buttons {
                button type="submit" name="action" value="try" { (words(frame, "try-out")) }
                button.primary type="submit" name="action" value="save" { (words(frame, "save")) }
                @if is_stored {
                    button type="submit" name="action" value="remove" { (words(frame, "remove")) }
                }
            }
        }
    }
}

fn try_out(frame: &Frame, result: &TryOutResult) -> Markup {
    let total: usize = result.alerts.values().sum();
    html! {
        section.panel #result role="status" {
            h2 { (words(frame, "try-out-result")) }
            p { (frame.text(&text!("page-try-out", alerts = total, affected = result.affected, devices = result.devices, days = result.days))) }
            ul.rows {
                @for (severity, count) in &result.alerts {
                    li { (frame.text(&text!("severity", severity = severity.as_str()))) ": " (format::count(i64::try_from(*count).unwrap_or(i64::MAX))) }
                }
            }
            @if let Some(stored) = result.stored { p.quiet { (frame.text(&text!("page-try-out-stored", alerts = stored))) } }
            @if result.has_more { p.quiet { (frame.text(&text!("page-try-out-more", devices = result.devices))) } }
        }
    }
}
