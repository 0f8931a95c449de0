//! `/admin/rules`, `/admin/rules/{id}`: rules are listed, switched, edited and tried out.
//!
//! Before: a browser. After: the functions that answer `/api/alerts/rules`; a try-out runs `vitals.replay_rule`, as
//! `vitals alerts replay-rule` does, over a part of the devices.
//! Promise: a try-out changes nothing, and ends.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::extract::State as Shared;
use axum::response::{IntoResponse, Response};
use jiff::{Timestamp, ToSpan};
use serde_json::{Map, Value};

use super::super::super::State;
use super::super::super::api::{PathId, alert_rule as api};
use super::super::super::error::{ApiError, BodyErrors, ListErrors, OneErrors};
use super::super::form::FormFields;
use super::super::{Flash, PageReader};
use super::{done, show};
use crate::language::{Text, text};
use crate::model::alert_rule::KEPT_COLUMNS;
use crate::model::{AlertRule, Id64};
use crate::page::admin::AdminSection;
use crate::page::admin::rules::{self, RuleEditor, TRY_OUT_DAYS, TryOutResult};
use crate::store::{alert_replay, alert_rule};

const LIST: &str = "/admin/rules";

/// Devices of a try-out: as many as are evaluated well within the time that a page may take.
const MOST_DEVICES: i64 = 300;

/// The rules, and a form for a new one
#[utoipa::path(get, path = "/admin/rules", tag = "pages", security(("bearer" = ["admin"]), ("basic" = ["admin"])),
    responses((status = 200, description = "A page", content_type = "text/html", body = String), ListErrors))]
pub(in crate::http) async fn get_admin_rules(
    Shared(state): Shared<Arc<State>>,
    mut reader: PageReader,
    flash: Flash,
) -> Response {
    let filter = alert_rule::Filter::default();
    match state.list(async |store| alert_rule::list(&store, &filter).await).await {
        Ok(found) => {
            let content = rules::list(&reader.frame, &found);
            show(&mut reader, AdminSection::Rules, flash, &content)
        }
        Err(error) => error.into_response(),
    }
}

/// A rule: its columns, its versions, a try-out
#[utoipa::path(get, path = "/admin/rules/{id}", tag = "pages",
    params(("id" = Id64, Path, description = "Number of the rule")),
    security(("bearer" = ["admin"]), ("basic" = ["admin"])),
    responses((status = 200, description = "A page", content_type = "text/html", body = String), OneErrors))]
pub(in crate::http) async fn get_admin_rules_id(
    Shared(state): Shared<Arc<State>>,
    mut reader: PageReader,
    PathId(rule_id): PathId,
    flash: Flash,
) -> Response {
    match stored(&state, rule_id).await {
        Ok(editor) => {
            let content = rules::editor(&reader.frame, &editor);
            show(&mut reader, AdminSection::Rules, flash, &content)
        }
        Err(error) => error.into_response(),
    }
}

/// A new rule is kept or tried out, by the form of a page
#[utoipa::path(post, path = "/admin/rules", tag = "pages", security(("bearer" = ["admin"]), ("basic" = ["admin"])),
    responses((status = 303, description = "Back to the rules"), (status = 200, description = "What it would have raised"), BodyErrors))]
pub(in crate::http) async fn post_admin_rules(
    Shared(state): Shared<Arc<State>>,
    mut reader: PageReader,
    fields: FormFields,
) -> Response {
    if fields.text("action") == Some("try") {
        return tried(&state, &mut reader, None, &fields).await;
    }
    let added = async {
        let draft = api::draft(typed_columns(&fields)?)?;
        let rule = api::add(&state, &draft, actor(&reader)).await?;
        Ok(text!("rule-stored", id = rule.rule_id.to_string(), version = i64::from(rule.version)))
    };
    let outcome = added.await;
    done(&state, &reader, LIST, outcome)
}

/// A rule is switched, changed, deleted or tried out, by the form of a page
#[utoipa::path(post, path = "/admin/rules/{id}", tag = "pages",
    params(("id" = Id64, Path, description = "Number of the rule")),
    security(("bearer" = ["admin"]), ("basic" = ["admin"])),
    responses((status = 303, description = "Back to the page of the form"), (status = 200, description = "What it would have raised"), BodyErrors))]
pub(in crate::http) async fn post_admin_rules_id(
    Shared(state): Shared<Arc<State>>,
    mut reader: PageReader,
    PathId(rule_id): PathId,
    fields: FormFields,
) -> Response {
    let action = fields.text("action").unwrap_or("save");
    if action == "try" {
        return tried(&state, &mut reader, Some(rule_id), &fields).await;
    }
    let back = if action == "remove" { LIST.to_owned() } else { fields.back(format!("{LIST}/{rule_id}")) };
    let outcome = change(&state, &reader, rule_id, action, &fields).await;
    done(&state, &reader, &back, outcome)
}

async fn change(
    state: &State,
    reader: &PageReader,
    rule_id: i64,
    action: &str,
    fields: &FormFields,
) -> Result<Text, ApiError> {
    match action {
        "enable" | "disable" => {
            let enabled = action == "enable";
            let switching = alert_rule::set_enabled(&state.store, rule_id, enabled, actor(reader));
            let rule = api::changed(rule_id, state.query(switching).await?)?;
            let (state, version) = (if rule.enabled { "on" } else { "off" }, i64::from(rule.version));
            Ok(text!("rule-switched", id = rule_id.to_string(), state = state, version = version))
        }
        "remove" => {
            api::remove(state, rule_id).await?;
            Ok(text!("rule-deleted", id = rule_id.to_string()))
        }
        _ => {
            let draft = api::draft(typed_columns(fields)?)?;
            let version = fields.value("version")?;
            let rule = api::replace(state, rule_id, &draft, version, actor(reader)).await?;
            Ok(text!("rule-stored", id = rule_id.to_string(), version = i64::from(rule.version)))
        }
    }
}

async fn stored(state: &State, rule_id: i64) -> Result<RuleEditor, ApiError> {
    let rule = api::read(state, rule_id).await?;
    let versions = state.list(async |store| alert_rule::versions(&store, rule_id).await).await?;
    Ok(RuleEditor { columns: shown_columns(&rule), rule: Some(rule), versions, result: None })
}

/// The form as it was typed, and what the rule would have raised.
async fn tried(
    state: &State,
    reader: &mut PageReader,
    rule_id: Option<i64>,
    fields: &FormFields,
) -> Response {
    let typed = fields.text("columns").unwrap_or_default().to_owned();
    let trying = async {
        let editor = match rule_id {
            Some(rule_id) => stored(state, rule_id).await?,
            None => RuleEditor { rule: None, columns: String::new(), versions: Vec::new(), result: None },
        };
        Ok((editor, try_out(state, rule_id, fields).await))
    };
    let (mut editor, result) = match trying.await {
        Ok(found) => found,
        Err(error) => return ApiError::into_response(error),
    };
    editor.columns = typed;
    let refusal = match result {
        Ok(result) => {
            editor.result = Some(result);
            None
        }
        Err(ApiError::Bad(reason) | ApiError::InTheWay(reason)) => Some(reader.frame.text(&reason)),
        Err(error) => return error.into_response(),
    };
    let content = rules::editor(&reader.frame, &editor);
    show(reader, AdminSection::Rules, Flash::of(refusal), &content)
}

async fn try_out(state: &State, rule_id: Option<i64>, fields: &FormFields) -> Result<TryOutResult, ApiError> {
    let columns = Value::Object(typed_columns(fields)?);
    let days = fields.value("days")?.filter(|days| TRY_OUT_DAYS.contains(days)).unwrap_or(1);
    let (mut rule, refusal) = state.query(alert_rule::try_out(&state.store, &columns)).await?;
    if let Some(reason) = refusal {
        return Err(ApiError::Bad(text!("rule-impossible", reason = reason)));
    }
    // What is switched off is tried out all the same.
    rule["enabled"] = true.into();
    let to = state.time.now();
    let from: Timestamp = to.checked_sub((24 * days).hours()).unwrap_or(to);
    state
        .list(async |store| {
            let devices = alert_replay::devices(&store, None, "", MOST_DEVICES).await?;
            let all = alert_replay::measure(&store, None).await?;
            let episodes = alert_replay::replay(&store, &rule, &devices, from, to).await?;
            let raised = match rule_id {
                Some(rule_id) => {
                    Some(alert_replay::stored(&store, rule_id, &devices, from, to, None).await?.len())
                }
                None => None,
            };
            let affected: BTreeSet<&str> =
                episodes.iter().map(|episode| episode.device_sn.as_str()).collect();
            let mut alerts: BTreeMap<String, usize> = BTreeMap::new();
            for episode in &episodes {
                *alerts.entry(episode.peak_severity.clone()).or_default() += 1;
            }
            Ok(TryOutResult {
                days,
                devices: devices.len(),
                has_more: all > devices.len() as u64,
                affected: affected.len(),
                alerts,
                stored: raised,
            })
        })
        .await
}

/// The columns that can be set, as JSON for a person.
fn shown_columns(rule: &AlertRule) -> String {
    let Value::Object(mut columns) = rule.columns() else { return String::new() };
    columns.retain(|name, value| !KEPT_COLUMNS.contains(&name.as_str()) && !value.is_null());
    serde_json::to_string_pretty(&columns).unwrap_or_default()
}

fn typed_columns(fields: &FormFields) -> Result<Map<String, Value>, ApiError> {
    let typed = fields.text("columns").unwrap_or_default();
    let columns = serde_json::from_str(typed);
    columns.map_err(|error| ApiError::Bad(text!("body-refused", reason = error.to_string())))
}

fn actor(reader: &PageReader) -> Option<&str> {
    reader.frame.viewer.as_ref().map(|viewer| viewer.name.as_str())
}
