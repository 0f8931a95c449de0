//! `GET` and `POST /api/shifts`, `DELETE /api/shifts/{id}`: who is on duty when.
//!
//! Before: care staff and their programs. After: `store::shift`.
//! Promise: a change is in force at once; a message that is due afterwards goes to whoever is on duty then.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Extension, Request, State as Shared};
use axum::http::StatusCode;
use jiff::Timestamp;
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

use super::query::{Instant, Limit, Parameters};
use super::{ApiError, DONE, Done, PathId, check_words};
use crate::http::State;
use crate::http::access::Caller;
use crate::http::error::{BodyErrors, ListErrors, OneErrors};
use crate::language::text;
use crate::model::{Id64, Shift, ShiftDraft};
use crate::store::shift::{self, ShiftOutcome};

/// Shifts in an answer, unless a limit is named.
const MOST: i64 = 500;

/// Shifts
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct Shifts {
    /// In the order of their numbers
    #[schema(max_items = 500)]
    shifts: Vec<Shift>,
}

/// Which shifts
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "the document has to tell what is read from pairs")]
pub(in crate::http) struct ShiftFilter {
    /// Of this tenant and its units; absences of its contacts
    customer_id: Option<Id64>,
    /// Of this organisation unit
    org_id: Option<Id64>,
    /// Of this contact
    contact_id: Option<Id64>,
    /// Those that are over, too
    all: Option<bool>,
    /// Only those on duty at this time
    #[param(value_type = Option<String>, format = DateTime)]
    on_duty_at: Option<Timestamp>,
    /// How many at most
    #[param(minimum = 1, maximum = 500, default = 500)]
    limit: Option<i64>,
}

/// Shifts and absences that are not over
#[utoipa::path(get, path = "/api/shifts", tag = "alerts", params(ShiftFilter),
    security(("bearer" = ["read", "own_tenant"]), ("basic" = ["read", "own_tenant"])),
    responses((status = 200, description = "The shifts", body = Shifts), ListErrors))]
pub(in crate::http) async fn get_api_shifts(
    Shared(state): Shared<Arc<State>>,
    Extension(caller): Extension<Caller>,
    mut parameters: Parameters,
) -> Result<Json<Shifts>, ApiError> {
    let id = |id: Option<Id64>| id.map(|Id64(id)| id);
    let filter = shift::ShiftFilter {
        customer_id: super::tenant(&mut parameters, &caller)?,
        org_id: id(parameters.one("org_id")?),
        contact_id: id(parameters.one("contact_id")?),
        is_over_too: parameters.one("all")?.unwrap_or(false),
        on_duty_at: parameters.one("on_duty_at")?.map(|Instant(time)| time),
    };
    let limit = parameters.one::<Limit>("limit")?.map_or(MOST, |Limit(limit)| limit);
    parameters.end()?;
    let shifts = state.list(async |store| shift::list(&store, &filter, limit).await).await?;
    Ok(Json(Shifts { shifts }))
}

/// A contact is on duty: by hours that recur each week, or in a single period; or is absent
#[utoipa::path(post, path = "/api/shifts", tag = "alerts", security(("bearer" = ["admin"]), ("basic" = ["admin"])),
    request_body(content = ShiftDraft, example = json!({
        "org_id": "300", "contact_id": "5", "weekly_days": [1, 2, 3, 4, 5], "from_time": "19:00", "until_time": "07:00",
        "time_zone": "Asia/Shanghai"
    })),
    responses((status = 201, description = "The shift", body = Shift), BodyErrors))]
pub(in crate::http) async fn post_api_shifts(
    Shared(state): Shared<Arc<State>>,
    request: Request,
) -> Result<(StatusCode, Json<Shift>), ApiError> {
    let draft: ShiftDraft = state.json(request).await?;
    check_words(None, draft.note.as_deref())?;
    match state.query(shift::add(&state.store, &draft)).await? {
        ShiftOutcome::Created(shift) => Ok((StatusCode::CREATED, Json(shift))),
        ShiftOutcome::Invalid(reason) => Err(ApiError::Bad(reason)),
    }
}

/// Ends a shift or an absence now, if it is not over
#[utoipa::path(delete, path = "/api/shifts/{id}", tag = "alerts",
    params(("id" = Id64, Path, description = "Number of the shift")), security(("bearer" = ["admin"]), ("basic" = ["admin"])),
    responses((status = 200, description = "It is over", body = Done), OneErrors))]
pub(in crate::http) async fn delete_api_shifts_id(
    Shared(state): Shared<Arc<State>>,
    PathId(shift_id): PathId,
) -> Result<Json<Done>, ApiError> {
    match state.query(shift::end(&state.store, shift_id)).await? {
        true => Ok(Json(DONE)),
        false => Err(ApiError::Absent(text!("shift-absent", id = shift_id.to_string()))),
    }
}
