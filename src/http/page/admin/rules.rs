//! `/admin/rules`, `/admin/rules/{id}`: rules are listed, switched, edited and tried out.
//!
//! Before: a browser. After: the functions that answer `/api/alerts/rules`, and `try_out`.
//! Promise: what was typed is still there where it is refused. An administrator of one tenant sees the rules for everybody and those within the
//! tenant, and changes the latter.

use std::sync::Arc;

use axum::extract::State as Shared;
use axum::response::{IntoResponse, Response};

use super::super::super::State;
use super::super::super::api::{PathId, alert_rule as api, own};
use super::super::super::error::{ApiError, BodyErrors, ListErrors, OneErrors};
use super::super::form::FormFields;
use super::super::{Flash, PageReader};
use super::rule_form::columns;
use super::try_out::try_out;
use super::{done, show};
use crate::language::{Text, text};
use crate::model::{AlertKind, AlertRule, Id64, RuleDraft};
use crate::page::admin::AdminSection;
use crate::page::admin::rule_form::{self, RuleChoices};
use crate::page::admin::rules::{self, RuleEditor, TryOutResult};
use crate::page::field::FieldValues;
use crate::store::alert_rule;

const LIST: &str = "/admin/rules";

/// The rules, and forms for a new one
#[utoipa::path(get, path = "/admin/rules", tag = "pages",
    security(("bearer" = ["admin", "own_tenant"]), ("basic" = ["admin", "own_tenant"])),
    responses((status = 200, description = "A page", content_type = "text/html", body = String), ListErrors))]
pub(in crate::http) async fn get_admin_rules(
    Shared(state): Shared<Arc<State>>,
    mut reader: PageReader,
    flash: Flash,
) -> Response {
    let reading = async {
        let found = concerning(&state, &reader).await?;
        let choices = choices(&state, &reader, &found).await?;
        Ok(rules::list(&reader.frame, &found, &choices))
    };
    match reading.await {
        Ok(content) => show(&mut reader, AdminSection::Rules, flash, &content),
        Err(error) => ApiError::into_response(error),
    }
}

/// A rule: its columns, its versions, a try-out
#[utoipa::path(get, path = "/admin/rules/{id}", tag = "pages",
    params(("id" = Id64, Path, description = "Number of the rule")),
    security(("bearer" = ["admin", "own_tenant"]), ("basic" = ["admin", "own_tenant"])),
    responses((status = 200, description = "A page", content_type = "text/html", body = String), OneErrors))]
pub(in crate::http) async fn get_admin_rules_id(
    Shared(state): Shared<Arc<State>>,
    mut reader: PageReader,
    PathId(rule_id): PathId,
    flash: Flash,
) -> Response {
    let reading = async {
        let rule = own::rule(&state, &reader.caller, rule_id).await?;
        editor(&state, &reader, Some(rule), None).await
    };
    match reading.await {
        Ok(editor) => {
            let content = rules::editor(&reader.frame, &editor);
            show(&mut reader, AdminSection::Rules, flash, &content)
        }
        Err(error) => ApiError::into_response(error),
    }
}

/// A new rule is kept or tried out, by the form of a page
#[utoipa::path(post, path = "/admin/rules", tag = "pages",
    security(("bearer" = ["admin", "own_tenant"]), ("basic" = ["admin", "own_tenant"])),
    responses((status = 303, description = "Back to the rules"),
        (status = 200, description = "What it would have raised, or why it is refused", content_type = "text/html", body = String), BodyErrors))]
pub(in crate::http) async fn post_admin_rules(
    Shared(state): Shared<Arc<State>>,
    mut reader: PageReader,
    fields: FormFields,
) -> Response {
    if fields.text("action") == Some("try") {
        let result = try_typed(&state, &reader, None, &fields).await;
        return typed(&state, &mut reader, None, &fields, result).await;
    }
    let adding = async {
        let draft = draft(&reader, &fields, None)?;
        api::add(&state, &reader.caller, draft, reader.actor()).await
    };
    let outcome = adding.await.map(|rule| kept(&rule));
    answer(&state, &mut reader, None, &fields, LIST, outcome).await
}

/// A rule is switched, changed, deleted or tried out, by the form of a page
#[utoipa::path(post, path = "/admin/rules/{id}", tag = "pages",
    params(("id" = Id64, Path, description = "Number of the rule")),
    security(("bearer" = ["admin", "own_tenant"]), ("basic" = ["admin", "own_tenant"])),
    responses((status = 303, description = "Back to the page of the form"),
        (status = 200, description = "What it would have raised, or why it is refused", content_type = "text/html", body = String), BodyErrors))]
pub(in crate::http) async fn post_admin_rules_id(
    Shared(state): Shared<Arc<State>>,
    mut reader: PageReader,
    PathId(rule_id): PathId,
    fields: FormFields,
) -> Response {
    let action = fields.text("action").unwrap_or("save");
    let back = if action == "remove" { LIST.to_owned() } else { fields.back(format!("{LIST}/{rule_id}")) };
    let rule = match own::changed_rule(&state, &reader.caller, rule_id).await {
        Ok(rule) => rule,
        Err(error) => return done(&state, &reader, LIST, Err(error)),
    };
    let outcome = match action {
        "enable" | "disable" => switch(&state, &reader, rule_id, action == "enable").await,
        "remove" => {
            let removing = api::remove(&state, &reader.caller, rule_id).await;
            removing.map(|()| text!("rule-deleted", id = rule_id.to_string()))
        }
        "try" => {
            let result = try_typed(&state, &reader, Some(&rule), &fields).await;
            return typed(&state, &mut reader, Some(rule), &fields, result).await;
        }
        _ => {
            let outcome = save(&state, &reader, &rule, &fields).await;
            return answer(&state, &mut reader, Some(rule), &fields, &back, outcome).await;
        }
    };
    done(&state, &reader, &back, outcome)
}

async fn switch(state: &State, reader: &PageReader, rule_id: i64, enabled: bool) -> Result<Text, ApiError> {
    let switching = alert_rule::set_enabled(&state.store, rule_id, enabled, reader.actor());
    let rule = api::changed(rule_id, state.query(switching).await?)?;
    let (state, version) = (if rule.enabled { "on" } else { "off" }, i64::from(rule.version));
    Ok(text!("rule-switched", id = rule_id.to_string(), state = state, version = version))
}

async fn save(
    state: &State,
    reader: &PageReader,
    rule: &AlertRule,
    fields: &FormFields,
) -> Result<Text, ApiError> {
    let draft = draft(reader, fields, Some(rule))?;
    // What the form does not hold is taken from the version that was read.
    let version = fields.value("version")?.unwrap_or(rule.version);
    let id = rule.rule_id.0;
    api::replace(state, &reader.caller, id, draft, Some(version), reader.actor())
        .await
        .map(|rule| kept(&rule))
}

async fn try_typed(
    state: &State,
    reader: &PageReader,
    stored: Option<&AlertRule>,
    fields: &FormFields,
) -> Result<TryOutResult, ApiError> {
    let draft = draft(reader, fields, stored)?;
    try_out(state, &reader.caller, draft, stored, fields.value("days")?).await
}

fn kept(rule: &AlertRule) -> Text {
    text!("rule-stored", id = rule.rule_id.to_string(), version = i64::from(rule.version))
}

fn draft(
    reader: &PageReader,
    fields: &FormFields,
    stored: Option<&AlertRule>,
) -> Result<RuleDraft, ApiError> {
    api::draft(columns(fields, stored, reader.caller.customer_id())?)
}

/// The rules that concern the reader.
async fn concerning(state: &State, reader: &PageReader) -> Result<Vec<AlertRule>, ApiError> {
    let filter =
        alert_rule::Filter { concerns: reader.caller.customer_id(), ..alert_rule::Filter::default() };
    state.list(async |store| alert_rule::list(&store, &filter).await).await
}

async fn choices(state: &State, reader: &PageReader, rules: &[AlertRule]) -> Result<RuleChoices, ApiError> {
    let (reach, units) = own::reach(state, &reader.caller).await?;
    let replaceable = rules.iter().filter(|rule| rule.scope().is_everybody());
    Ok(RuleChoices {
        units,
        is_limited: reach.is_limited(),
        replaceable: replaceable.map(|rule| (rule.kind, rule.rule_id, rule.name.clone())).collect(),
    })
}

/// The page of a rule, with what is stored or, if something is, `typed`.
async fn editor(
    state: &State,
    reader: &PageReader,
    rule: Option<AlertRule>,
    typed: Option<FieldValues>,
) -> Result<RuleEditor, ApiError> {
    let choices = choices(state, reader, &concerning(state, reader).await?).await?;
    let can_change = rule.as_ref().is_none_or(|rule| own::changes(&reader.caller, rule));
    let versions = match &rule {
        Some(AlertRule { rule_id: Id64(rule_id), .. }) => {
            state.list(async |store| alert_rule::versions(&store, *rule_id).await).await?
        }
        None => Vec::new(),
    };
    let values = match (typed, &rule) {
        (Some(typed), _) => typed,
        (None, Some(rule)) if can_change => rule_form::values(rule, &choices.units),
        (None, Some(rule)) => rule_form::in_place_of(rule),
        (None, None) => FieldValues::default(),
    };
    let typed_kind = values.get("kind").parse().unwrap_or(AlertKind::Threshold);
    let kind = rule.as_ref().map_or(typed_kind, |rule| rule.kind);
    Ok(RuleEditor { rule, kind, values, choices, can_change, versions, result: None })
}

/// Leads back; where the rule is refused, the form is shown as it was typed.
async fn answer(
    state: &State,
    reader: &mut PageReader,
    rule: Option<AlertRule>,
    fields: &FormFields,
    back: &str,
    outcome: Result<Text, ApiError>,
) -> Response {
    match outcome {
        Err(refused @ (ApiError::InTheWay(_) | ApiError::Bad(_))) => {
            typed(state, reader, rule, fields, Err(refused)).await
        }
        outcome => done(state, reader, back, outcome),
    }
}

/// The form as it was typed, and what the rule would have raised or why it is refused.
async fn typed(
    state: &State,
    reader: &mut PageReader,
    rule: Option<AlertRule>,
    fields: &FormFields,
    result: Result<TryOutResult, ApiError>,
) -> Response {
    let (result, refusal) = match result {
        Ok(result) => (Some(result), None),
        Err(ApiError::Bad(reason) | ApiError::InTheWay(reason)) => (None, Some(reader.frame.text(&reason))),
        Err(error) => return error.into_response(),
    };
    match editor(state, reader, rule, Some(fields.typed())).await {
        Ok(editor) => {
            let content = rules::editor(&reader.frame, &RuleEditor { result, ..editor });
            show(reader, AdminSection::Rules, Flash::of(refusal), &content)
        }
        Err(error) => error.into_response(),
    }
}
