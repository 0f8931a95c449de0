//! `POST /people/{id}/limits`: a limit of one person is set, added or removed.
//!
//! Before: the form of `/people/{id}`. After: `store::alert_rule`: the next batch is evaluated by the rule as it is stored.
//! Promise: only rules that hold for the person can be named, and only rules of the person are changed. A rule for more people is not: a rule
//! of the person takes its place. Two people who change one limit at once do not overwrite each other.

use std::sync::Arc;

use axum::extract::{Request, State as Shared};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use super::super::State;
use super::super::api::{PathId, alert_rule as alert_rule_api};
use super::super::error::{ApiError, BodyErrors};
use super::PageReader;
use super::form::{FormFields, put};
use super::person::{find_person, of_person};
use crate::language::{Text, text};
use crate::model::{AlertRule, Id64, Person, RuleDraft};
use crate::page::limits::{can_replace, level_fields};
use crate::page::link;
use crate::store::alert_rule::{self, Removal};

/// A limit of one person is set, added or removed, by the form of a page
#[utoipa::path(post, path = "/people/{id}/limits", tag = "pages",
    params(("id" = Id64, Path, description = "Number of the person")),
    security(("bearer" = ["admin", "own_tenant", "own_unit"]), ("basic" = ["admin", "own_tenant", "own_unit"])),
    responses((status = 303, description = "Back to the page of the person, which shows what became of it"), BodyErrors))]
pub(in crate::http) async fn post_people_id_limits(
    Shared(state): Shared<Arc<State>>,
    reader: PageReader,
    PathId(user_id): PathId,
    request: Request,
) -> Response {
    let changed = async {
        let fields = FormFields::read(&state, request).await?;
        let person = find_person(&state, &reader, user_id).await?;
        change(&state, &reader, &person, &fields).await
    };
    let outcome = match changed.await {
        Ok(done) => done,
        Err(ApiError::InTheWay(reason) | ApiError::Bad(reason)) => reason,
        Err(error) => return error.into_response(),
    };
    let back = link::person(Id64(user_id)) + "#limits";
    state.pages.go_back(&back, &reader.frame.text(&outcome))
}

async fn change(
    state: &State,
    reader: &PageReader,
    person: &Person,
    fields: &FormFields,
) -> Result<Text, ApiError> {
    let user_id = person.summary.user_id;
    match fields.text("action") {
        Some("add") => add(state, reader, added(user_id, fields)?).await,
        Some("remove") => remove(state, reader, &named_rule(state, person, fields).await?, user_id).await,
        _ => set(state, reader, &named_rule(state, person, fields).await?, user_id, fields).await,
    }
}

/// The rule that the form names, if it holds for the person.
async fn named_rule(state: &State, person: &Person, fields: &FormFields) -> Result<AlertRule, ApiError> {
    let rule_id: Option<Id64> = fields.value("rule_id")?;
    let owner = of_person(person).owner;
    let rules = state.query(alert_rule::in_force(&state.store, &owner)).await?;
    let id = rule_id.map(|id| id.to_string()).unwrap_or_default();
    let rule = rules.into_iter().find(|rule| Some(rule.rule_id) == rule_id);
    let rule = rule.ok_or_else(|| ApiError::Bad(text!("rule-absent", id = id.as_str())))?;
    if can_replace(&rule) { Ok(rule) } else { Err(ApiError::Bad(text!("page-limit-not-replaced", id = id))) }
}

async fn set(
    state: &State,
    reader: &PageReader,
    rule: &AlertRule,
    user_id: Id64,
    fields: &FormFields,
) -> Result<Text, ApiError> {
    let mut columns = columns(rule);
    set_bounds(&mut columns, rule, fields)?;
    if rule.user_id == Some(user_id) {
        let version = fields.value("version")?;
        return replace(state, reader, rule, columns, version).await.map(|rule| done("set", rule.name));
    }
    let replaced = rule.replaces_rule_id.unwrap_or(rule.rule_id);
    for scope in ["customer_id", "org_id", "device_sn"] {
        columns.remove(scope);
    }
    columns.insert("user_id".to_owned(), json!(user_id));
    columns.insert("replaces_rule_id".to_owned(), json!(replaced));
    columns.insert("enabled".to_owned(), json!(true));
    add(state, reader, alert_rule_api::draft(columns)?).await
}

/// What holds for others holds again. A rule that has raised alerts stays, switched off, and takes the place of no other.
async fn remove(
    state: &State,
    reader: &PageReader,
    rule: &AlertRule,
    user_id: Id64,
) -> Result<Text, ApiError> {
    let id = rule.rule_id.to_string();
    if rule.user_id != Some(user_id) {
        return Err(ApiError::Bad(text!("rule-absent", id = id)));
    }
    match state.query(alert_rule::remove(&state.store, rule.rule_id.0)).await? {
        Removal::Done => Ok(done("removed", rule.name.clone())),
        Removal::NotFound => Err(ApiError::Bad(text!("rule-absent", id = id))),
        Removal::IsReplaced => Err(ApiError::InTheWay(text!("rule-is-replaced", id = id))),
        Removal::HasAlerts => {
            let mut columns = columns(rule);
            columns.insert("enabled".to_owned(), json!(false));
            columns.remove("replaces_rule_id");
            let kept = replace(state, reader, rule, columns, Some(rule.version)).await?;
            Ok(done("kept", kept.name))
        }
    }
}

async fn add(state: &State, reader: &PageReader, draft: RuleDraft) -> Result<Text, ApiError> {
    let adding = alert_rule_api::add(state, &reader.caller, draft, reader.actor());
    adding.await.map(|rule| done("set", rule.name))
}

async fn replace(
    state: &State,
    reader: &PageReader,
    rule: &AlertRule,
    columns: Map<String, Value>,
    version: Option<i32>,
) -> Result<AlertRule, ApiError> {
    let draft = alert_rule_api::draft(columns)?;
    alert_rule_api::replace(state, &reader.caller, rule.rule_id.0, draft, version, reader.actor()).await
}

fn done(what: &'static str, name: String) -> Text {
    text!("page-limit-done", what = what, name = name)
}

fn columns(rule: &AlertRule) -> Map<String, Value> {
    let Value::Object(mut columns) = rule.columns() else { return Map::new() };
    columns.retain(|_, value| !value.is_null());
    columns
}

/// The bounds of the form in place of those of the rule. A reading recovers at the new bounds, as the old ones for that may not fit.
fn set_bounds(
    columns: &mut Map<String, Value>,
    rule: &AlertRule,
    fields: &FormFields,
) -> Result<(), ApiError> {
    for (column, field, recovery) in
        [("min_value", "min", "recovery_min_value"), ("max_value", "max", "recovery_max_value")]
    {
        let bound = fields.number(field)?;
        if columns.get(column) != bound.as_ref() {
            columns.remove(recovery);
        }
        put(columns, column, bound);
    }
    let levels = rule.levels.iter().flatten().enumerate().map(|(place, level)| {
        let (min, max) = level_fields(place);
        let mut bounds = Map::from_iter([("severity".to_owned(), json!(level.severity))]);
        put(&mut bounds, "min", fields.number(&min)?);
        put(&mut bounds, "max", fields.number(&max)?);
        Ok(Value::Object(bounds))
    });
    let levels: Vec<Value> = levels.collect::<Result<_, ApiError>>()?;
    if !levels.is_empty() {
        columns.insert("levels".to_owned(), Value::Array(levels));
    }
    Ok(())
}

/// A new limit of the person.
fn added(user_id: Id64, fields: &FormFields) -> Result<RuleDraft, ApiError> {
    let mut columns = Map::new();
    for name in ["name", "severity", "metric"] {
        columns.insert(name.to_owned(), json!(fields.text(name).unwrap_or_default()));
    }
    columns.insert("kind".to_owned(), json!("threshold"));
    columns.insert("user_id".to_owned(), json!(user_id));
    put(&mut columns, "min_value", fields.number("min")?);
    put(&mut columns, "max_value", fields.number("max")?);
    alert_rule_api::draft(columns)
}
