//! `POST /api/alerts/{id}/assign`: an alert is given to a person.
//!
//! Before: care staff and their programs. After: `store::alert`, which calls the same function as a DBA.
//! Promise: the contact is notified; who assigned it and when are recorded.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Extension, Request, State as Shared};
use serde::Deserialize;
use utoipa::ToSchema;

use super::alert::{check_reach, detail};
use super::alert_step::done;
use super::{ApiError, PathId, acting};
use crate::http::State;
use crate::http::access::Caller;
use crate::http::error::BodyErrors;
use crate::language::text;
use crate::model::{AlertDetail, Id64};
use crate::store::{alert, contact};

/// To whom, and who does it
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct AlertAssignment {
    /// The contact; null: to nobody
    #[serde(deserialize_with = "Option::deserialize")]
    #[schema(required)]
    contact_id: Option<Id64>,
    /// Who assigns it; missing: the person to whom the key belongs. A key that may not vouch for others names no other person
    #[schema(min_length = 1, max_length = 200, pattern = r"\S")]
    actor: Option<String>,
    /// What they say
    #[schema(max_length = 2000)]
    note: Option<String>,
}

/// An alert is given to a person, who is notified
///
/// It is acknowledged by nobody yet. The same contact again changes nothing. A key of one tenant or unit assigns to the contacts that
/// /api/contacts shows it. 409: it is resolved.
#[utoipa::path(post, path = "/api/alerts/{id}/assign", tag = "alerts",
    params(("id" = Id64, Path, description = "Number of the alert")), security(("bearer" = ["respond", "own_tenant", "own_unit"]), ("basic" = ["respond", "own_tenant", "own_unit"])),
    request_body(content = AlertAssignment, example = json!({ "contact_id": "5", "actor": "nurse Li", "note": "please take over" })),
    responses((status = 200, description = "The alert as it is now", body = AlertDetail), BodyErrors))]
pub(in crate::http) async fn post_api_alerts_id_assign(
    Shared(state): Shared<Arc<State>>,
    Extension(caller): Extension<Caller>,
    PathId(alert_id): PathId,
    request: Request,
) -> Result<Json<AlertDetail>, ApiError> {
    let AlertAssignment { contact_id, actor, note } = state.json(request).await?;
    assign(&state, &caller, alert_id, contact_id, actor, note.as_deref()).await?;
    detail(&state, alert_id).await
}

/// Assigns an alert in the name of the caller, or of the person whom the request names.
pub(in crate::http) async fn assign(
    state: &State,
    caller: &Caller,
    alert_id: i64,
    contact_id: Option<Id64>,
    actor: Option<String>,
    note: Option<&str>,
) -> Result<(), ApiError> {
    let acting = acting(caller, actor, note)?;
    check_reach(state, caller, alert_id).await?;
    let (contact_id, reach) = (contact_id.map(|Id64(id)| id), caller.reach());
    if let Some(id) = contact_id.filter(|_| reach.is_limited())
        && !state.query(contact::is_within(&state.store, id, reach)).await?
    {
        return Err(ApiError::Bad(text!("contact-outside", id = id.to_string())));
    }
    done(alert_id, state.query(alert::assign(&state.store, alert_id, contact_id, &acting, note)).await?)
}
