//! What the form of a rule says: the columns of the rule.
//!
//! Before: `rules` has the fields. After: `http::api::alert_rule` makes a draft of the columns.
//! Promise: a column whose field was not touched, or that has none, stays as it is stored.

use serde_json::{Map, Value, json};

use super::super::super::error::ApiError;
use super::super::form::{FormFields, put};
use crate::language::text;
use crate::model::AlertRule;
use crate::page::admin::rule_form::{CONDITIONS, LEVELS, condition_names, level_names, values};
use crate::page::field::FieldValues;

/// Columns that a field holds as they are.
const WORDS: [&str; 9] = [
    "name",
    "severity",
    "metric",
    "combine",
    "event_type",
    "effective_from",
    "effective_until",
    "time_zone",
    "message",
];

const NUMBERS: [&str; 4] = ["min_value", "max_value", "recovery_min_value", "recovery_max_value"];

const SECONDS: [&str; 5] =
    ["silent_seconds", "expire_seconds", "window_seconds", "cooldown_seconds", "late_after_seconds"];

/// The columns that the form describes; `stored`: the rule that it changes, `own`: the only tenant of the reader.
pub(super) fn columns(
    fields: &FormFields,
    stored: Option<&AlertRule>,
    own: Option<i64>,
) -> Result<Map<String, Value>, ApiError> {
    let mut columns = stored.map(stored_columns).unwrap_or_default();
    let shown = stored.map(|rule| values(rule, &[])).unwrap_or_default();
    columns.insert("kind".to_owned(), json!(fields.text("kind").unwrap_or_default()));
    for name in WORDS.into_iter().filter(|name| !is_untouched(fields, &shown, name)) {
        put(&mut columns, name, fields.text(name).map(|text| json!(text)));
    }
    put(&mut columns, "replaces_rule_id", fields.text("replaces_rule_id").map(|id| json!(id)));
    for name in NUMBERS {
        put(&mut columns, name, fields.number(name)?);
    }
    for name in SECONDS {
        put(&mut columns, name, fields.seconds(name)?.map(|seconds| json!(seconds)));
    }
    for name in ["consecutive", "recovery_count"] {
        put(&mut columns, name, fields.value::<i32>(name)?.map(|count| json!(count)));
    }
    for name in ["event_values", "recovery_values"] {
        if !is_untouched(fields, &shown, name) {
            let lines = fields.text(name).map(|typed| typed.lines().map(str::trim).collect::<Vec<_>>());
            put(&mut columns, name, lines.map(|lines| json!(lines)));
        }
    }
    let days: Vec<i16> = fields.values("effective_days");
    put(&mut columns, "effective_days", (!days.is_empty()).then(|| json!(days)));
    put(&mut columns, "levels", levels(fields)?);
    put(&mut columns, "conditions", conditions(fields)?);
    columns.insert("enabled".to_owned(), json!(fields.is_ticked("enabled")));
    put_scope(&mut columns, fields, own)?;
    Ok(columns)
}

/// The columns of a rule that are set.
fn stored_columns(rule: &AlertRule) -> Map<String, Value> {
    let Value::Object(mut columns) = rule.columns() else { return Map::new() };
    columns.retain(|_, value| !value.is_null());
    columns
}

/// Whether a field of text holds what is stored: browsers send their own ends of lines.
fn is_untouched(fields: &FormFields, shown: &FieldValues, name: &str) -> bool {
    fields.text(name).unwrap_or_default().replace("\r\n", "\n") == shown.get(name).trim()
}

fn levels(fields: &FormFields) -> Result<Option<Value>, ApiError> {
    let mut levels = Vec::new();
    for (place, [severity, min, max]) in (0..LEVELS).map(level_names).enumerate() {
        let mut level = Map::new();
        put(&mut level, "severity", fields.text(&severity).map(|word| json!(word)));
        put(&mut level, "min", fields.number(&min)?);
        put(&mut level, "max", fields.number(&max)?);
        if !level.is_empty() && !level.contains_key("severity") {
            return Err(ApiError::Bad(text!("page-rule-level-incomplete", place = place + 1)));
        }
        levels.extend((!level.is_empty()).then_some(Value::Object(level)));
    }
    Ok((!levels.is_empty()).then_some(Value::Array(levels)))
}

fn conditions(fields: &FormFields) -> Result<Option<Value>, ApiError> {
    let mut conditions = Vec::new();
    for (place, [metric, min, max, duration]) in (0..CONDITIONS).map(condition_names).enumerate() {
        let mut condition = Map::new();
        put(&mut condition, "metric", fields.text(&metric).map(|word| json!(word)));
        put(&mut condition, "min", fields.number(&min)?);
        put(&mut condition, "max", fields.number(&max)?);
        put(&mut condition, "duration_seconds", fields.number(&duration)?);
        if !condition.is_empty() && !condition.contains_key("metric") {
            return Err(ApiError::Bad(text!("page-rule-condition-incomplete", place = place + 1)));
        }
        conditions.extend((!condition.is_empty()).then_some(Value::Object(condition)));
    }
    Ok((!conditions.is_empty()).then_some(Value::Array(conditions)))
}

/// A word, with the number that it needs: of the list (`unit 50`), of the tenant of the reader (`own`), else of the field beside it.
fn put_scope(
    columns: &mut Map<String, Value>,
    fields: &FormFields,
    own: Option<i64>,
) -> Result<(), ApiError> {
    for column in ["customer_id", "org_id", "user_id", "device_sn"] {
        columns.remove(column);
    }
    let (chosen, typed) = (fields.text("scope").unwrap_or("everybody"), fields.text("scope_id"));
    let (scope, listed) = chosen.split_once(' ').map_or((chosen, None), |(scope, id)| (scope, Some(id)));
    let own = own.filter(|_| scope == "tenant").map(|own| own.to_string());
    let known = listed.map(str::to_owned).or(own);
    let column = match scope {
        "tenant" => Some("customer_id"),
        "unit" => Some("org_id"),
        "person" => Some("user_id"),
        "device" => Some("device_sn"),
        _ => None,
    };
    // A number that is typed and not needed is a scope that was forgotten.
    let differs = known.as_deref().is_some_and(|known| typed.is_some_and(|typed| typed != known));
    match (column, known.as_deref().or(typed)) {
        (Some(column), Some(id)) if !differs => put(columns, column, Some(json!(id))),
        (None, None) => {}
        _ => return Err(ApiError::Bad(text!("page-rule-scope-unclear"))),
    }
    Ok(())
}
