//! `GET` and `POST /api/alerts/silences`, `DELETE /api/alerts/silences/{id}`.
//!
//! Before: care staff and their programs. After: `store::alert_silence`.
//! Promise: a silenced alert is raised and stored like any other.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State as Shared};
use axum::http::StatusCode;
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

use super::query::{Limit, Parameters};
use super::{ApiError, DONE, Done, PathId, check_words};
use crate::http::State;
use crate::http::error::{BodyErrors, ListErrors, OneErrors};
use crate::language::text;
use crate::model::{AlertSilence, Id64, SilenceDraft};
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
    security(("bearer" = ["read"]), ("basic" = ["read"])),
    responses((status = 200, description = "The silences", body = AlertSilences), ListErrors))]
pub(in crate::http) async fn get_api_alerts_silences(
    Shared(state): Shared<Arc<State>>,
    mut parameters: Parameters,
) -> Result<Json<AlertSilences>, ApiError> {
    let over_too = parameters.one("all")?.unwrap_or(false);
    let limit = parameters.one::<Limit>("limit")?.map_or(MOST, |Limit(limit)| limit);
    parameters.end()?;
    let silences = state.query(alert_silence::list(&state.store, over_too, limit)).await?;
    Ok(Json(AlertSilences { silences }))
}

/// For a while nobody is notified of alerts that match every given field
#[utoipa::path(post, path = "/api/alerts/silences", tag = "alerts", security(("bearer" = ["admin"]), ("basic" = ["admin"])),
    request_body(content = SilenceDraft,
        example = json!({ "device_sn": "CRFTQ23409001890", "for_seconds": 7200, "actor": "nurse Li", "note": "in the bath" })),
    responses((status = 201, description = "The silence", body = KeptSilence), BodyErrors))]
pub(in crate::http) async fn post_api_alerts_silences(
    Shared(state): Shared<Arc<State>>,
    request: Request,
) -> Result<(StatusCode, Json<KeptSilence>), ApiError> {
    let draft: SilenceDraft = state.json(request).await?;
    check_words(Some(&draft.actor), draft.note.as_deref())?;
    // Before it is kept: who is answered 503 may ask again.
    let unknown = state.query(alert_silence::unknown(&state.store, &draft)).await?;
    let warning = (!unknown.is_empty()).then(|| format!("nobody knows {}", unknown.join(", ")));
    match state.query(alert_silence::add(&state.store, &draft)).await? {
        SilenceOutcome::Created(silence) => Ok((StatusCode::CREATED, Json(KeptSilence { silence, warning }))),
        SilenceOutcome::Invalid(reason) => Err(ApiError::Bad(reason)),
    }
}

/// Ends a silence now, if it is not over
#[utoipa::path(delete, path = "/api/alerts/silences/{id}", tag = "alerts",
    params(("id" = Id64, Path, description = "Number of the silence")), security(("bearer" = ["admin"]), ("basic" = ["admin"])),
    responses((status = 200, description = "It is over", body = Done), OneErrors))]
pub(in crate::http) async fn delete_api_alerts_silences_id(
    Shared(state): Shared<Arc<State>>,
    PathId(silence_id): PathId,
) -> Result<Json<Done>, ApiError> {
    match state.query(alert_silence::stop(&state.store, silence_id)).await? {
        true => Ok(Json(DONE)),
        false => Err(ApiError::Absent(text!("silence-absent", id = silence_id.to_string()))),
    }
}
