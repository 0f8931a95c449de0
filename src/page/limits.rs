//! The limits of a person: the rules that hold for them, and a form that changes, adds or removes those of the person alone.
//!
//! Before: `store::alert_rule` has read the rules. After: `http::page::limits` reads the form.
//! Promise: a rule of everybody, a tenant or a unit is not changed here: a limit of the person takes its place.

use maud::{Markup, html};

use super::alerts::severity;
use super::field::{options, severities, vital_signs};
use super::{Frame, link, vital};
use crate::language::text;
use crate::model::alert_rule::Level;
use crate::model::{AlertKind, AlertRule, Id64, Severity};

/// Names of the fields of the bounds of a level.
pub fn level_fields(place: usize) -> (String, String) {
    (format!("level_{place}_min"), format!("level_{place}_max"))
}

/// Whether a limit of one person can take the place of a rule: it is the person's, is for everybody, or takes the place of one that is.
pub fn can_replace(rule: &AlertRule) -> bool {
    let is_for_all = rule.customer_id.is_none() && rule.org_id.is_none() && rule.device_sn.is_none();
    rule.kind == AlertKind::Threshold
        && (rule.user_id.is_some() || is_for_all || rule.replaces_rule_id.is_some())
}

/// The rules of a person, with forms for an admin.
pub fn of_person(frame: &Frame, user_id: Id64, rules: &[AlertRule]) -> Markup {
    let can_admin = frame.viewer.as_ref().is_some_and(|viewer| viewer.can_admin);
    let action = link::person(user_id) + "/limits";
    html! {
        (list(frame, rules, |rule| html! { @if can_admin && can_replace(rule) { (change_form(frame, rule, &action)) } }))
        @if can_admin { (add_form(frame, &action)) }
    }
}

/// The rules that hold for a device.
pub fn of_device(frame: &Frame, rules: &[AlertRule]) -> Markup {
    list(frame, rules, |_| html! {})
}

fn list(frame: &Frame, rules: &[AlertRule], form: impl Fn(&AlertRule) -> Markup) -> Markup {
    html! {
        @if rules.is_empty() { p.empty { (frame.text(&text!("page-no-rules"))) } }
        ul.limits {
            @for rule in rules {
                li.disabled[!rule.enabled] {
                    (severity(frame, rule.severity)) " "
                    strong { (rule.name) } " "
                    span.chip { (frame.text(&text!("page-rule-scope", scope = rule.scope().name()))) }
                    @if !rule.enabled { " " span.chip { (frame.text(&text!("on-off", value = "off"))) } }
                    p { (bounds(frame, rule)) }
                    (form(rule))
                }
            }
        }
    }
}

/// What a rule evaluates, in words.
pub fn bounds(frame: &Frame, rule: &AlertRule) -> String {
    let Some(metric) = rule.metric.map(|vital| vital.metric()) else {
        return match (rule.kind, &rule.event_type, rule.silent_seconds) {
            (AlertKind::Event, Some(event), _) => event.clone(),
            (AlertKind::Silence, _, Some(seconds)) => {
                frame.text(&text!("rule-silence", seconds = seconds.to_string()))
            }
            _ => frame.text(&text!("page-kind", kind = rule.kind.name())),
        };
    };
    let bound = |sign: &str, value: &Option<serde_json::Number>| {
        value.as_ref().map(|value| format!("{sign} {value}"))
    };
    let both =
        |min, max| [bound("<", min), bound(">", max)].into_iter().flatten().collect::<Vec<_>>().join(", ");
    let levels = rule.levels.iter().flatten().map(|Level { severity, min, max }| {
        format!("{}: {}", frame.text(&text!("severity", severity = severity.name())), both(min, max))
    });
    let own = both(&rule.min_value, &rule.max_value);
    let all: Vec<String> = std::iter::once(own).chain(levels).filter(|bounds| !bounds.is_empty()).collect();
    format!("{} {} ({})", vital::name(frame, metric), all.join(" · "), vital::unit(frame, metric))
}

fn change_form(frame: &Frame, rule: &AlertRule, action: &str) -> Markup {
    let is_own = rule.user_id.is_some();
    let words = |what: &str| frame.text(&text!("page-limit-form", what = what));
    html! {
        details.limit-form {
            summary { (words(if is_own { "change" } else { "own" })) }
            form method="post" action=(action) {
                input type="hidden" name="rule_id" value=(rule.rule_id);
                input type="hidden" name="version" value=(rule.version);
                (bound_inputs(frame, "min", rule.min_value.as_ref(), "max", rule.max_value.as_ref(), rule.severity))
                @for (place, level) in rule.levels.iter().flatten().enumerate() {
                    @let (min, max) = level_fields(place);
                    (bound_inputs(frame, &min, level.min.as_ref(), &max, level.max.as_ref(), level.severity))
                }
                p.buttons {
                    button type="submit" name="action" value="set" { (words("set")) }
                    @if is_own {
                        button type="submit" name="action" value="remove" { (words("remove")) }
                    }
                }
            }
        }
    }
}

fn bound_inputs(
    frame: &Frame,
    min_name: &str,
    min: Option<&serde_json::Number>,
    max_name: &str,
    max: Option<&serde_json::Number>,
    graveness: Severity,
) -> Markup {
    let words = |what: &str| frame.text(&text!("page-limit-form", what = what));
    html! {
        p.bounds {
            (severity(frame, graveness)) " "
            label { (words("below")) " " input type="number" step="any" name=(min_name) value=[min]; }
            label { (words("above")) " " input type="number" step="any" name=(max_name) value=[max]; }
        }
    }
}

/// A new limit of the person, besides the rules that hold anyway.
fn add_form(frame: &Frame, action: &str) -> Markup {
    let words = |what: &str| frame.text(&text!("page-limit-form", what = what));
    html! {
        details.limit-form {
            summary { (words("add")) }
            form method="post" action=(action) {
                label { (words("name")) " " input type="text" name="name" maxlength="200" required; }
                label { (words("metric")) " "
                    select name="metric" {
                        (options(&vital_signs(frame), ""))
                    }
                }
                label { (words("severity")) " "
                    select name="severity" {
                        (options(&severities(frame), Severity::Major.name()))
                    }
                }
                label { (words("below")) " " input type="number" step="any" name="min"; }
                label { (words("above")) " " input type="number" step="any" name="max"; }
                button type="submit" name="action" value="add" { (words("add")) }
            }
        }
    }
}
