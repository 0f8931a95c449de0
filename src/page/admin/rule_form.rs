//! The form of a rule: what its fields hold, and the fields of each kind.
//!
//! Before: `rules`. After: `http::page::admin::rule_form` reads it.
//! Promise: every column of a rule has a field.

use maud::{Markup, html};

use super::words;
use crate::language::text;
use crate::model::alert_rule::{Condition, Level};
use crate::model::{AlertKind, AlertRule, Id64, Severity};
use crate::page::Frame;
use crate::page::field::{self, FieldPen, FieldValues, Options};
use crate::page::limits::level_fields;

/// Most levels of a rule.
pub const LEVELS: usize = 3;

/// Most conditions of a rule.
pub const CONDITIONS: usize = 10;

/// Conditions of a form that has none yet; a filled form has two more than are filled.
const EMPTY_CONDITIONS: usize = 2;

/// What a rule is made of, to choose from.
#[derive(Debug, Default)]
pub struct RuleChoices {
    /// The units of a reader who is limited to a tenant.
    pub units: Vec<(Id64, String)>,
    /// The reader is limited to a tenant.
    pub is_limited: bool,
    /// Rules for everybody, in whose place another one can be.
    pub replaceable: Vec<(AlertKind, Id64, String)>,
}

/// Names of the fields of a level: severity and bounds.
pub fn level_names(place: usize) -> [String; 3] {
    let (min, max) = level_fields(place);
    [format!("level_{place}_severity"), min, max]
}

/// Names of the fields of a condition: vital sign, bounds and duration.
pub fn condition_names(place: usize) -> [String; 4] {
    ["metric", "min", "max", "duration"].map(|name| format!("condition_{place}_{name}"))
}

/// What the form of a new rule holds.
pub fn new_rule(kind: AlertKind, is_limited: bool) -> FieldValues {
    let mut values = FieldValues::default();
    values.put("kind", Some(kind.name()));
    values.put("severity", Some(Severity::Major.name()));
    values.put("scope", Some(if is_limited { "tenant" } else { "everybody" }));
    values.tick("enabled", true);
    values
}

/// What the form of a stored rule holds: a field for each column.
pub fn values(rule: &AlertRule, units: &[(Id64, String)]) -> FieldValues {
    // Without `..`: a new column has no field until it stands here.
    let AlertRule {
        rule_id: _,
        changed_at: _,
        changed_by: _,
        customer_id: _,
        org_id: _,
        user_id: _,
        device_sn: _,
        version,
        name,
        kind,
        severity,
        replaces_rule_id,
        metric,
        min_value,
        max_value,
        recovery_min_value,
        recovery_max_value,
        levels,
        combine,
        conditions,
        event_type,
        event_values,
        recovery_values,
        silent_seconds,
        expire_seconds,
        effective_from,
        effective_until,
        effective_days,
        time_zone,
        enabled,
        consecutive,
        window_seconds,
        cooldown_seconds,
        recovery_count,
        late_after_seconds,
        message,
    } = rule;
    let mut values = FieldValues::default();
    values.put("version", Some(version));
    values.put("name", Some(name));
    values.put("kind", Some(kind.name()));
    values.put("severity", Some(severity.name()));
    values.put("replaces_rule_id", replaces_rule_id.as_ref());
    values.put("metric", metric.map(|vital| vital.metric().column()));
    for (name, bound) in [
        ("min_value", min_value),
        ("max_value", max_value),
        ("recovery_min_value", recovery_min_value),
        ("recovery_max_value", recovery_max_value),
    ] {
        values.put(name, bound.as_ref());
    }
    for (place, Level { severity, min, max }) in levels.iter().flatten().enumerate() {
        let [severity_field, min_field, max_field] = level_names(place);
        values.put(&severity_field, Some(severity.name()));
        values.put(&min_field, min.as_ref());
        values.put(&max_field, max.as_ref());
    }
    values.put("combine", combine.map(|combine| combine.name()));
    for (place, Condition { metric, min, max, duration_seconds }) in conditions.iter().flatten().enumerate() {
        let [metric_field, min_field, max_field, duration_field] = condition_names(place);
        values.put(&metric_field, Some(metric.metric().column()));
        values.put(&min_field, min.as_ref());
        values.put(&max_field, max.as_ref());
        values.put(&duration_field, duration_seconds.as_ref());
    }
    for (name, list) in [("event_values", event_values), ("recovery_values", recovery_values)] {
        values.put(name, list.as_ref().map(|list| list.join("\n")));
    }
    for (name, text) in [
        ("event_type", event_type),
        ("effective_from", effective_from),
        ("effective_until", effective_until),
        ("time_zone", time_zone),
    ] {
        values.put(name, text.as_ref());
    }
    for day in effective_days.iter().flatten() {
        values.put("effective_days", Some(day));
    }
    values.put("consecutive", Some(consecutive));
    values.put("recovery_count", Some(recovery_count));
    for (name, seconds) in [
        ("silent_seconds", *silent_seconds),
        ("expire_seconds", *expire_seconds),
        ("window_seconds", Some(*window_seconds)),
        ("cooldown_seconds", Some(*cooldown_seconds)),
        ("late_after_seconds", Some(*late_after_seconds)),
    ] {
        values.put_seconds(name, seconds);
    }
    values.put("message", Some(message));
    values.tick("enabled", *enabled);
    put_scope(&mut values, rule, units);
    values
}

/// What the form of a rule in place of one for everybody holds, for an administrator of a tenant.
pub fn in_place_of(rule: &AlertRule) -> FieldValues {
    let mut values = values(rule, &[]);
    values.put("version", Some(""));
    values.put("scope", Some("tenant"));
    values.put("replaces_rule_id", Some(rule.rule_id));
    values
}

/// For whom it is: a word and a number, in one where the unit can be chosen by its name.
fn put_scope(values: &mut FieldValues, rule: &AlertRule, units: &[(Id64, String)]) {
    let scope = rule.scope();
    if let Some(org_id) = scope.org_id.filter(|id| units.iter().any(|(each, _)| each == id)) {
        return values.put("scope", Some(format!("unit {org_id}")));
    }
    let number = scope.user_id.or(scope.org_id).or(scope.customer_id).map(|id| id.to_string());
    values.put("scope", Some(scope.name()));
    values.put("scope_id", scope.device_sn.map(str::to_owned).or(number));
}

/// The fields of a rule of a kind. `form`: so that no two fields of a page have the same id.
pub fn fields(
    frame: &Frame,
    form: &str,
    kind: AlertKind,
    values: &FieldValues,
    choices: &RuleChoices,
) -> Markup {
    let pen = FieldPen { frame, values, form };
    let replaceable: Options = choices
        .replaceable
        .iter()
        .filter(|(each, ..)| *each == kind)
        .map(|(_, id, name)| (id.to_string(), name.clone()))
        .collect();
    html! {
        input type="hidden" name="kind" value=(kind.name());
        @if !values.get("version").is_empty() { input type="hidden" name="version" value=(values.get("version")); }
        (pen.line("name", 200, true))
        (pen.choice("severity", &field::severities(frame)))
        (evaluated(pen, kind))
        (pen.choice("scope", &scopes(frame, choices)))
        (pen.line("scope_id", 64, false))
        (pen.choice_or_none("replaces_rule_id", &replaceable, &words(frame, "no-value")))
        (pen.tick_box("enabled"))
        details.more {
            summary { (words(frame, "more")) }
            div.stacked { (details(pen, kind)) }
        }
    }
}

/// For whom a rule can be. The administrator of a tenant has its units by name.
fn scopes(frame: &Frame, choices: &RuleChoices) -> Options {
    let title = |scope: &str| frame.text(&text!("page-rule-for", scope = scope));
    let all = ["everybody", "tenant", "unit", "person", "device"];
    let offered =
        all.into_iter().filter(|scope| !choices.is_limited || !["everybody", "unit"].contains(scope));
    let units =
        choices.units.iter().map(|(id, name)| (format!("unit {id}"), format!("{} {name}", title("unit"))));
    offered.map(|scope| (scope.to_owned(), title(scope))).chain(units).collect()
}

/// What a rule of a kind evaluates.
fn evaluated(pen: FieldPen<'_>, kind: AlertKind) -> Markup {
    match kind {
        AlertKind::Threshold => html! {
            (pen.choice("metric", &field::vital_signs(pen.frame)))
            (pen.number("min_value"))
            (pen.number("max_value"))
            @for place in 0..LEVELS { (level(pen, place)) }
        },
        AlertKind::Composite => {
            let all = ["all", "any"]
                .map(|each| (each.to_owned(), pen.frame.text(&text!("page-combine", combine = each))));
            let filled = (0..CONDITIONS).filter(|place| is_filled(pen.values, *place)).count();
            let rows = (filled + EMPTY_CONDITIONS).min(CONDITIONS);
            html! {
                (pen.choice("combine", &all))
                @for place in 0..rows { (condition(pen, place)) }
            }
        }
        AlertKind::Event => html! {
            (pen.line("event_type", 64, true))
            (pen.lines("event_values", 2))
            (pen.lines("recovery_values", 2))
        },
        AlertKind::Silence => html! { (pen.seconds("silent_seconds")) },
    }
}

/// What can stay as it is.
fn details(pen: FieldPen<'_>, kind: AlertKind) -> Markup {
    let days = [1_i64, 2, 3, 4, 5, 6, 7];
    let days = days.map(|day| (day.to_string(), pen.frame.text(&text!("page-day-of-week", day = day))));
    html! {
        (pen.count("consecutive", (1, 100)))
        (pen.seconds("window_seconds"))
        (pen.count("recovery_count", (1, 100)))
        @if kind == AlertKind::Threshold {
            (pen.number("recovery_min_value"))
            (pen.number("recovery_max_value"))
        }
        (pen.seconds("expire_seconds"))
        (pen.seconds("cooldown_seconds"))
        (pen.seconds("late_after_seconds"))
        (pen.time("effective_from"))
        (pen.time("effective_until"))
        (pen.tick_boxes("effective_days", &days))
        (pen.line("time_zone", 100, false))
        (pen.lines("message", 3))
    }
}

/// Whether a condition has a vital sign or a bound.
fn is_filled(values: &FieldValues, place: usize) -> bool {
    condition_names(place).iter().any(|name| !values.get(name).is_empty())
}

fn level(pen: FieldPen<'_>, place: usize) -> Markup {
    let [severity, min, max] = level_names(place);
    let title = pen.frame.text(&text!("page-rule-level", place = place + 1));
    let all = field::severities(pen.frame);
    html! {
        fieldset.bounds {
            legend { (title) }
            (chosen(pen, "severity", &severity, &all))
            (bound(pen, "below", &min))
            (bound(pen, "above", &max))
        }
    }
}

fn condition(pen: FieldPen<'_>, place: usize) -> Markup {
    let [metric, min, max, duration] = condition_names(place);
    let title = pen.frame.text(&text!("page-rule-condition", place = place + 1));
    html! {
        fieldset.bounds {
            legend { (title) }
            (chosen(pen, "metric", &metric, &field::vital_signs(pen.frame)))
            (bound(pen, "below", &min))
            (bound(pen, "above", &max))
            (bound(pen, "duration", &duration))
        }
    }
}

fn chosen(pen: FieldPen<'_>, what: &str, name: &str, all: &[(String, String)]) -> Markup {
    html! {
        label { (part(pen, what)) " "
            select name=(name) { option value="" { "–" } (field::options(all, pen.values.get(name))) }
        }
    }
}

fn bound(pen: FieldPen<'_>, what: &str, name: &str) -> Markup {
    html! { label { (part(pen, what)) " " input type="number" step="any" name=(name) value=(pen.values.get(name)); } }
}

fn part(pen: FieldPen<'_>, what: &str) -> String {
    pen.frame.text(&text!("page-limit-form", what = what))
}
