//! `GET` and `POST /api/alerts/silences`, `DELETE /api/alerts/silences/{id}`.
//!
//! Before: care staff and their programs. After: `store::alert_silence`.
//! Promise: a silenced alert is raised and stored like any other.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Extension, Request, State as Shared};
use axum::http::StatusCode;
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

use super::query::{Limit, Parameters};
use super::{ApiError, DONE, Done, PathId, acting, own};
use crate::http::State;
use crate::http::access::Caller;
use crate::http::error::{AccessError, BodyErrors, ListErrors, OneErrors};
use crate::language::text;
use crate::model::{AlertSilence, Id64, SilenceDraft};
use crate::store::alert::Reach;
use crate::store::alert_silence::{self, SilenceOutcome};

/// Silences in an answer, unless a limit is named.
const MOST: i64 = 500;

/// Silences
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct AlertSilences {
    /// Those that end last first
    #[schema(max_items = 500)]
    silences: Vec<AlertSilence>,
}

/// A silence that is kept
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct KeptSilence {
    #[serde(flatten)]
    silence: AlertSilence,
    /// What it names that nobody knows; null: everything is known
    warning: Option<String>,
}

/// Which silences
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "the document has to tell what is read from pairs")]
pub(in crate::http) struct SilenceFilter {
    /// Those that are over, too
    all: Option<bool>,
    /// How many at most
    #[param(minimum = 1, maximum = 500, default = 500)]
    limit: Option<i64>,
}

/// Silences in force, and those to come
#[utoipa::path(get, path = "/api/alerts/silences", tag = "alerts", params(SilenceFilter),
    security(("bearer" = ["read", "own_tenant", "own_unit"]), ("basic" = ["read", "own_tenant", "own_unit"])),
    responses((status = 200, description = "The silences", body = AlertSilences), ListErrors))]
pub(in crate::http) async fn get_api_alerts_silences(
    Shared(state): Shared<Arc<State>>,
    Extension(caller): Extension<Caller>,
    mut parameters: Parameters,
) -> Result<Json<AlertSilences>, ApiError> {
    let over_too = parameters.one("all")?.unwrap_or(false);
    let limit = parameters.one::<Limit>("limit")?.map_or(MOST, |Limit(limit)| limit);
    parameters.end()?;
    let silences =
        state.list(async |store| alert_silence::list(&store, caller.reach(), over_too, limit).await).await?;
    Ok(Json(AlertSilences { silences }))
}

/// For a while nobody is notified of alerts that match every given field
#[utoipa::path(post, path = "/api/alerts/silences", tag = "alerts", security(("bearer" = ["respond", "own_tenant", "own_unit"]), ("basic" = ["respond", "own_tenant", "own_unit"])),
    request_body(content = SilenceDraft,
        example = json!({ "device_sn": "CRFTQ23409001890", "for_seconds": 7200, "actor": "nurse Li", "note": "in the bath" })),
    responses((status = 201, description = "The silence", body = KeptSilence), BodyErrors))]
pub(in crate::http) async fn post_api_alerts_silences(
    Shared(state): Shared<Arc<State>>,
    Extension(caller): Extension<Caller>,
    request: Request,
) -> Result<(StatusCode, Json<KeptSilence>), ApiError> {
    let draft: SilenceDraft = state.json(request).await?;
    Ok((StatusCode::CREATED, Json(add(&state, &caller, draft).await?)))
}

/// Keeps a silence in the name of the caller, or of the person whom the draft names.
pub(in crate::http) async fn add(
    state: &State,
    caller: &Caller,
    mut draft: SilenceDraft,
) -> Result<KeptSilence, ApiError> {
    let acting = acting(caller, draft.actor.take(), draft.note.as_deref())?;
    let reach = caller.reach();
    limit(state, &mut draft, reach).await?;
    if let Some(Id64(rule_id)) = draft.rule_id {
        check_rule(state, caller, rule_id).await?;
    }
    // Before it is kept: who is answered 503 may ask again. To a key of one tenant it would say what others have.
    let unknown = if reach.is_limited() {
        Vec::new()
    } else {
        state.query(alert_silence::unknown(&state.store, &draft)).await?
    };
    let warning = (!unknown.is_empty()).then(|| format!("nobody knows {}", unknown.join(", ")));
    match state.query(alert_silence::add(&state.store, &draft, &acting)).await? {
        SilenceOutcome::Created(silence) => Ok(KeptSilence { silence, warning }),
        SilenceOutcome::Invalid(reason) => Err(ApiError::Bad(reason)),
    }
}

/// Answers a rule of another tenant like one that does not exist. Whoever reaches everything is answered by the database.
async fn check_rule(state: &State, caller: &Caller, rule_id: i64) -> Result<(), ApiError> {
    if caller.customer_id().is_none() {
        return Ok(());
    }
    own::rule(state, caller, rule_id).await.map(drop).map_err(|error| match error {
        ApiError::Absent(reason) => ApiError::Bad(reason),
        other => other,
    })
}

/// Keeps the silence of a caller to its tenant and its unit.
async fn limit(state: &State, draft: &mut SilenceDraft, reach: Reach) -> Result<(), ApiError> {
    let other = || Err(AccessError::OtherTenant.counted().into());
    if let Some(own) = reach.customer_id {
        if draft.customer_id.is_some_and(|named| named != Id64(own)) {
            return other();
        }
        draft.customer_id = Some(Id64(own));
    }
    if let Some(own) = reach.org_id {
        let named = draft.org_id.map_or(own, |Id64(named)| named);
        if !state.query(alert_silence::is_sub_unit(&state.store, named, own)).await? {
            return other();
        }
        draft.org_id = Some(Id64(named));
    }
    Ok(())
}

/// Ends a silence now, if it is not over
#[utoipa::path(delete, path = "/api/alerts/silences/{id}", tag = "alerts",
    params(("id" = Id64, Path, description = "Number of the silence")), security(("bearer" = ["respond", "own_tenant", "own_unit"]), ("basic" = ["respond", "own_tenant", "own_unit"])),
    responses((status = 200, description = "It is over", body = Done), OneErrors))]
pub(in crate::http) async fn delete_api_alerts_silences_id(
    Shared(state): Shared<Arc<State>>,
    Extension(caller): Extension<Caller>,
    PathId(silence_id): PathId,
) -> Result<Json<Done>, ApiError> {
    match state.query(alert_silence::stop(&state.store, caller.reach(), silence_id)).await? {
        true => Ok(Json(DONE)),
        false => Err(ApiError::Absent(text!("silence-absent", id = silence_id.to_string()))),
    }
}
