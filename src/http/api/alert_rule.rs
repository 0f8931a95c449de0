//! `/api/alerts/rules`: what raises alerts.
//!
//! Before: care staff and their programs. After: `store::alert_rule`; the next batch is evaluated by the rule as it is stored.
//! Promise: an administrator of one tenant reads the rules for everybody and those within the tenant, and changes the latter. An impossible rule is refused with the reason. A request with a `version` changes no version that the client has not
//! seen. A client may send back an answer with changes.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Extension, Request, State as Shared};
use axum::http::StatusCode;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::openapi::{RefOr, SchemaFormat, schema::KnownFormat};
use utoipa::{IntoParams, PartialSchema, ToSchema};

use super::query::Parameters;
use super::{ApiError, DONE, Done, PathId, check_words, own};
use crate::http::State;
use crate::http::access::Caller;
use crate::http::error::{BodyErrors, ErrorAnswer, ListErrors, OneErrors};
use crate::language::{Text, text};
use crate::model::alert_rule::KEPT_COLUMNS;
use crate::model::{AlertKind, AlertRule, Id64, RuleDraft};
use crate::store::alert_rule::{self, ChangeOutcome, Filter, Removal};

/// Rules
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct AlertRules {
    /// In the order of their numbers
    rules: Vec<AlertRule>,
}

/// Versions of a rule
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct AlertRuleVersions {
    /// Newest first
    versions: Vec<AlertRule>,
}

/// Which rules
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "the document has to tell what is read from pairs")]
pub(in crate::http) struct RuleFilter {
    /// Of this tenant; 0: those for everybody
    customer_id: Option<Id64>,
    /// Of this organisation unit
    org_id: Option<Id64>,
    /// Of this wearer
    user_id: Option<Id64>,
    /// Of this device
    device_sn: Option<String>,
    /// Of these kinds
    kind: Option<Vec<AlertKind>>,
    /// Those that are switched on, or off
    enabled: Option<bool>,
}

/// A rule as it should be, who says so, and which version they saw.
#[derive(Debug)]
pub(in crate::http) struct RuleChange {
    draft: RuleDraft,
    actor: Option<String>,
    rule_id: Option<Id64>,
    version: Option<i32>,
}

/// The rules
///
/// Of the callers of one tenant only its administrators read rules: those for everybody, and those within the tenant, which they change.
#[utoipa::path(get, path = "/api/alerts/rules", tag = "alerts", params(RuleFilter),
    security(("bearer" = ["read", "own_tenant"]), ("basic" = ["read", "own_tenant"])),
    responses((status = 200, description = "Those that match", body = AlertRules), ListErrors))]
pub(in crate::http) async fn get_api_alerts_rules(
    Shared(state): Shared<Arc<State>>,
    Extension(caller): Extension<Caller>,
    mut parameters: Parameters,
) -> Result<Json<AlertRules>, ApiError> {
    own::check_reader(&caller)?;
    let filter = Filter {
        ids: None,
        customer_id: parameters.one("customer_id")?.map(|Id64(id)| id),
        org_id: parameters.one("org_id")?.map(|Id64(id)| id),
        user_id: parameters.one("user_id")?.map(|Id64(id)| id),
        device_sn: parameters.one("device_sn")?,
        kinds: parameters.several("kind")?,
        enabled: parameters.one("enabled")?,
        concerns: caller.customer_id(),
    };
    parameters.end()?;
    Ok(Json(AlertRules { rules: state.list(async |store| alert_rule::list(&store, &filter).await).await? }))
}

/// A new rule
#[utoipa::path(post, path = "/api/alerts/rules", tag = "alerts", security(("bearer" = ["admin", "own_tenant"]), ("basic" = ["admin", "own_tenant"])),
    request_body(content = RuleChange, example = json!({
        "name": "Oxygen low at night", "kind": "threshold", "severity": "major", "metric": "blood_oxygen",
        "min_value": 88, "levels": [{ "severity": "critical", "min": 82 }], "user_id": "42", "consecutive": 3,
        "effective_from": "22:00", "effective_until": "06:00", "actor": "Dr. Wu"
    })),
    responses((status = 201, description = "The rule as it is kept", body = AlertRule), BodyErrors))]
pub(in crate::http) async fn post_api_alerts_rules(
    Shared(state): Shared<Arc<State>>,
    Extension(caller): Extension<Caller>,
    request: Request,
) -> Result<(StatusCode, Json<AlertRule>), ApiError> {
    let RuleChange { draft, actor, .. } = RuleChange::read(state.json(request).await?)?;
    let actor = caller.acting(actor)?.map(|acting| acting.actor);
    Ok((StatusCode::CREATED, Json(add(&state, &caller, draft, actor.as_deref()).await?)))
}

/// Adds a rule of the caller.
pub(in crate::http) async fn add(
    state: &State,
    caller: &Caller,
    mut draft: RuleDraft,
    actor: Option<&str>,
) -> Result<AlertRule, ApiError> {
    own::check_rule(state, caller, &mut draft).await?;
    changed(0, state.query(alert_rule::add(&state.store, &draft, actor)).await?)
}

/// Makes a rule of the caller what the draft says, if it has the version that is expected (`None`: any).
pub(in crate::http) async fn replace(
    state: &State,
    caller: &Caller,
    rule_id: i64,
    mut draft: RuleDraft,
    version: Option<i32>,
    actor: Option<&str>,
) -> Result<AlertRule, ApiError> {
    own::changed_rule(state, caller, rule_id).await?;
    own::check_rule(state, caller, &mut draft).await?;
    changed(rule_id, state.query(alert_rule::replace(&state.store, rule_id, &draft, version, actor)).await?)
}

/// A rule
#[utoipa::path(get, path = "/api/alerts/rules/{id}", tag = "alerts",
    params(("id" = Id64, Path, description = "Number of the rule")), security(("bearer" = ["read", "own_tenant"]), ("basic" = ["read", "own_tenant"])),
    responses((status = 200, description = "The rule", body = AlertRule), OneErrors))]
pub(in crate::http) async fn get_api_alerts_rules_id(
    Shared(state): Shared<Arc<State>>,
    Extension(caller): Extension<Caller>,
    PathId(rule_id): PathId,
) -> Result<Json<AlertRule>, ApiError> {
    own::check_reader(&caller)?;
    own::rule(&state, &caller, rule_id).await.map(Json)
}

/// Makes a rule what the body says, the whole of it
///
/// With `version`, only if that is still its version; else 409. Open alerts of a rule that is switched off are resolved.
#[utoipa::path(put, path = "/api/alerts/rules/{id}", tag = "alerts",
    params(("id" = Id64, Path, description = "Number of the rule")), security(("bearer" = ["admin", "own_tenant"]), ("basic" = ["admin", "own_tenant"])),
    request_body(content = RuleChange, example = json!({
        "name": "Oxygen saturation low", "kind": "threshold", "severity": "major", "metric": "blood_oxygen",
        "min_value": 91, "version": 1, "actor": "Dr. Wu"
    })),
    responses((status = 200, description = "The rule as it is kept", body = AlertRule), BodyErrors))]
pub(in crate::http) async fn put_api_alerts_rules_id(
    Shared(state): Shared<Arc<State>>,
    Extension(caller): Extension<Caller>,
    PathId(rule_id): PathId,
    request: Request,
) -> Result<Json<AlertRule>, ApiError> {
    let change = RuleChange::read(state.json(request).await?)?;
    if change.rule_id.is_some_and(|Id64(id)| id != rule_id) {
        return Err(ApiError::Bad(text!("rule-id-differs")));
    }
    let actor = caller.acting(change.actor)?.map(|acting| acting.actor);
    replace(&state, &caller, rule_id, change.draft, change.version, actor.as_deref()).await.map(Json)
}

/// Deletes a rule that never raised an alert
///
/// 409: it has alerts, which keep it, or other rules replace it; switch it off (`"enabled": false`). Its silences and its routes go
/// with it; its versions stay.
#[utoipa::path(delete, path = "/api/alerts/rules/{id}", tag = "alerts",
    params(("id" = Id64, Path, description = "Number of the rule")), security(("bearer" = ["admin", "own_tenant"]), ("basic" = ["admin", "own_tenant"])),
    responses(
        (status = 200, description = "It is gone", body = Done),
        (status = 409, description = "It has alerts, or is replaced", body = ErrorAnswer),
        OneErrors,
    ))]
pub(in crate::http) async fn delete_api_alerts_rules_id(
    Shared(state): Shared<Arc<State>>,
    Extension(caller): Extension<Caller>,
    PathId(rule_id): PathId,
) -> Result<Json<Done>, ApiError> {
    remove(&state, &caller, rule_id).await?;
    Ok(Json(DONE))
}

/// Deletes a rule of the caller that never raised an alert.
pub(in crate::http) async fn remove(state: &State, caller: &Caller, rule_id: i64) -> Result<(), ApiError> {
    own::changed_rule(state, caller, rule_id).await?;
    match state.query(alert_rule::remove(&state.store, rule_id)).await? {
        Removal::Done => Ok(()),
        Removal::NotFound => Err(own::rule_absent(rule_id)),
        Removal::HasAlerts => Err(ApiError::InTheWay(text!("rule-has-alerts", id = rule_id.to_string()))),
        Removal::IsReplaced => Err(ApiError::InTheWay(text!("rule-is-replaced", id = rule_id.to_string()))),
    }
}

/// Every version a rule ever had; it may be deleted
#[utoipa::path(get, path = "/api/alerts/rules/{id}/versions", tag = "alerts",
    params(("id" = Id64, Path, description = "Number of the rule")), security(("bearer" = ["read", "own_tenant"]), ("basic" = ["read", "own_tenant"])),
    responses((status = 200, description = "The versions", body = AlertRuleVersions), OneErrors))]
pub(in crate::http) async fn get_api_alerts_rules_id_versions(
    Shared(state): Shared<Arc<State>>,
    Extension(caller): Extension<Caller>,
    PathId(rule_id): PathId,
) -> Result<Json<AlertRuleVersions>, ApiError> {
    own::check_reader(&caller)?;
    let versions = state.list(async |store| alert_rule::versions(&store, rule_id).await).await?;
    match versions.first() {
        Some(newest) if own::concerns(&state, &caller, newest.scope()).await? => {
            Ok(Json(AlertRuleVersions { versions }))
        }
        _ => Err(own::rule_absent(rule_id)),
    }
}

/// The rule after a change, or why it is not changed.
pub(in crate::http) fn changed(rule_id: i64, change: ChangeOutcome) -> Result<AlertRule, ApiError> {
    match change {
        ChangeOutcome::Done(rule) => Ok(*rule),
        ChangeOutcome::NotFound => Err(own::rule_absent(rule_id)),
        ChangeOutcome::Invalid(reason) => Err(ApiError::Bad(reason)),
        ChangeOutcome::Conflict(reason) => Err(ApiError::InTheWay(reason)),
    }
}

/// The columns of a rule as somebody wrote them, without those that cannot be set.
pub(in crate::http) fn draft(mut columns: Map<String, Value>) -> Result<RuleDraft, ApiError> {
    columns.retain(|name, _| !KEPT_COLUMNS.contains(&name.as_str()));
    RuleDraft::read(columns).map_err(|reason| ApiError::Bad(Text::Verbatim(reason)))
}

impl RuleChange {
    fn read(mut columns: Map<String, Value>) -> Result<Self, ApiError> {
        fn take_field<T: serde::de::DeserializeOwned>(
            columns: &mut Map<String, Value>,
            name: &str,
        ) -> Result<Option<T>, ApiError> {
            let value = columns.remove(name).unwrap_or_default();
            serde_json::from_value(value).map_err(|error| {
                ApiError::Bad(text!("parameter-refused", name = name, reason = error.to_string()))
            })
        }
        let actor: Option<String> = take_field(&mut columns, "actor")?;
        check_words(actor.as_deref(), None)?;
        let rule_id = take_field(&mut columns, "rule_id")?;
        let version = take_field(&mut columns, "version")?;
        Ok(Self { draft: draft(columns)?, actor, rule_id, version })
    }
}

impl PartialSchema for RuleChange {
    fn schema() -> RefOr<Schema> {
        let RefOr::T(Schema::Object(mut rule)) = RuleDraft::schema() else { return RuleDraft::schema() };
        let text = |about: &str| ObjectBuilder::new().schema_type(Type::String).description(Some(about));
        let more: [(&str, RefOr<Schema>); 5] = [
            (
                "actor",
                text("Who says so").min_length(Some(1)).max_length(Some(200)).pattern(Some(r"\S")).into(),
            ),
            (
                "version",
                ObjectBuilder::new()
                    .schema_type(Type::Integer)
                    .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int32)))
                    .description(Some(
                        "PUT: the version it must still have; missing: any. POST: not looked at",
                    ))
                    .into(),
            ),
            ("rule_id", Id64::schema()),
            ("changed_at", text("As an answer tells it; not looked at").into()),
            ("changed_by", text("As an answer tells it; not looked at").into()),
        ];
        rule.properties.extend(more.map(|(name, schema)| (name.to_owned(), schema)));
        rule.into()
    }
}

impl ToSchema for RuleChange {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        RuleDraft::schemas(schemas);
    }
}
