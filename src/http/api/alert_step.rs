//! `POST /api/alerts/{id}/acknowledge`, `/resolve`, `/note`: what a person does about an alert.
//!
//! Before: care staff and their programs. After: `store::alert`, which calls the same functions as a DBA.
//! Promise: the person and the time are recorded; the answer is the alert after the action.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Extension, Request, State as Shared};
use serde::Deserialize;
use utoipa::ToSchema;

use super::alert::{alert_not_found, check_reach, detail};
use super::{ApiError, PathId, acting};
use crate::http::State;
use crate::http::access::Caller;
use crate::http::error::BodyErrors;
use crate::model::{AlertDetail, Id64};
use crate::store::alert::{self, ActionOutcome};

/// Who does it, and what they say
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct AlertStep {
    /// Who; missing: the person to whom the key belongs. A key that may not vouch for others names no other person
    #[schema(min_length = 1, max_length = 200, pattern = r"\S")]
    actor: Option<String>,
    /// What they say, or why
    #[schema(max_length = 2000)]
    note: Option<String>,
}

/// Who says it, and what
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct AlertNote {
    /// Who; missing: the person to whom the key belongs. A key that may not vouch for others names no other person
    #[schema(min_length = 1, max_length = 200, pattern = r"\S")]
    actor: Option<String>,
    /// What
    #[schema(min_length = 1, max_length = 2000, pattern = r"\S")]
    note: String,
}

/// A person takes an alert on
///
/// The same person again changes nothing. 409: another has taken it on, or it is resolved.
#[utoipa::path(post, path = "/api/alerts/{id}/acknowledge", tag = "alerts",
    params(("id" = Id64, Path, description = "Number of the alert")), security(("bearer" = ["respond", "own_tenant", "own_unit"]), ("basic" = ["respond", "own_tenant", "own_unit"])),
    request_body(content = AlertStep, example = json!({ "actor": "nurse Li", "note": "on my way" })),
    responses((status = 200, description = "The alert as it is now", body = AlertDetail), BodyErrors))]
pub(in crate::http) async fn post_api_alerts_id_acknowledge(
    Shared(state): Shared<Arc<State>>,
    Extension(caller): Extension<Caller>,
    PathId(alert_id): PathId,
    request: Request,
) -> Result<Json<AlertDetail>, ApiError> {
    let AlertStep { actor, note } = state.json(request).await?;
    acknowledge(&state, &caller, alert_id, actor, note.as_deref()).await?;
    detail(&state, alert_id).await
}

/// A person ends an alert
///
/// Until its rule has cooled down, the device is not judged by it. 409: it is resolved already.
#[utoipa::path(post, path = "/api/alerts/{id}/resolve", tag = "alerts",
    params(("id" = Id64, Path, description = "Number of the alert")), security(("bearer" = ["respond", "own_tenant", "own_unit"]), ("basic" = ["respond", "own_tenant", "own_unit"])),
    request_body(content = AlertStep, example = json!({ "actor": "nurse Li", "note": "the sensor was loose" })),
    responses((status = 200, description = "The alert as it is now", body = AlertDetail), BodyErrors))]
pub(in crate::http) async fn post_api_alerts_id_resolve(
    Shared(state): Shared<Arc<State>>,
    Extension(caller): Extension<Caller>,
    PathId(alert_id): PathId,
    request: Request,
) -> Result<Json<AlertDetail>, ApiError> {
    let AlertStep { actor, note } = state.json(request).await?;
    resolve(&state, &caller, alert_id, actor, note.as_deref()).await?;
    detail(&state, alert_id).await
}

/// A person says something about an alert, open or not
#[utoipa::path(post, path = "/api/alerts/{id}/note", tag = "alerts",
    params(("id" = Id64, Path, description = "Number of the alert")), security(("bearer" = ["respond", "own_tenant", "own_unit"]), ("basic" = ["respond", "own_tenant", "own_unit"])),
    request_body(content = AlertNote, example = json!({ "actor": "nurse Li", "note": "will look again at noon" })),
    responses((status = 200, description = "The alert as it is now", body = AlertDetail), BodyErrors))]
pub(in crate::http) async fn post_api_alerts_id_note(
    Shared(state): Shared<Arc<State>>,
    Extension(caller): Extension<Caller>,
    PathId(alert_id): PathId,
    request: Request,
) -> Result<Json<AlertDetail>, ApiError> {
    let AlertNote { actor, note: words } = state.json(request).await?;
    note(&state, &caller, alert_id, actor, &words).await?;
    detail(&state, alert_id).await
}

/// Acknowledges an alert in the name of the caller, or of the person whom the request names.
pub(in crate::http) async fn acknowledge(
    state: &State,
    caller: &Caller,
    alert_id: i64,
    actor: Option<String>,
    note: Option<&str>,
) -> Result<(), ApiError> {
    let acting = acting(caller, actor, note)?;
    check_reach(state, caller, alert_id).await?;
    done(alert_id, state.query(alert::acknowledge(&state.store, alert_id, &acting, note)).await?)
}

/// Resolves an alert in the name of the caller, or of the person whom the request names.
pub(in crate::http) async fn resolve(
    state: &State,
    caller: &Caller,
    alert_id: i64,
    actor: Option<String>,
    note: Option<&str>,
) -> Result<(), ApiError> {
    let acting = acting(caller, actor, note)?;
    check_reach(state, caller, alert_id).await?;
    done(alert_id, state.query(alert::resolve(&state.store, alert_id, &acting, note)).await?)
}

/// Adds a note to an alert in the name of the caller, or of the person whom the request names.
pub(in crate::http) async fn note(
    state: &State,
    caller: &Caller,
    alert_id: i64,
    actor: Option<String>,
    note: &str,
) -> Result<(), ApiError> {
    let acting = acting(caller, actor, Some(note))?;
    check_reach(state, caller, alert_id).await?;
    done(alert_id, state.query(alert::note(&state.store, alert_id, &acting, note)).await?)
}

/// Whether an action was taken, or why not.
pub(super) fn done(alert_id: i64, step: ActionOutcome) -> Result<(), ApiError> {
    match step {
        ActionOutcome::Done => Ok(()),
        ActionOutcome::NotFound => Err(alert_not_found(alert_id)),
        ActionOutcome::Conflict(reason) => Err(ApiError::InTheWay(reason)),
        ActionOutcome::Invalid(reason) => Err(ApiError::Bad(reason)),
    }
}
