//! `GET /api/contacts`: who can be notified, be on duty, and have alerts assigned.
//!
//! Before: care staff and their programs. After: `store::contact`.
//! Promise: addresses are not shown; a key of one unit sees those to whom it may assign alerts.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Extension, State as Shared};
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

use super::ApiError;
use super::query::{Limit, Parameters};
use crate::http::State;
use crate::http::access::Caller;
use crate::http::error::ListErrors;
use crate::model::{ContactSummary, Id64};
use crate::store::alert::Reach;
use crate::store::contact;

/// Contacts in an answer, unless a limit is named.
const MOST: i64 = 500;

/// Contacts
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct Contacts {
    /// In the order of their numbers
    #[schema(max_items = 500)]
    contacts: Vec<ContactSummary>,
}

/// Which contacts
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "the document has to tell what is read from pairs")]
pub(in crate::http) struct ContactFilter {
    /// Only those of this tenant: managers, people with shifts, wearers, and those named by a route
    customer_id: Option<Id64>,
    /// Only those with larger numbers
    after: Option<Id64>,
    /// How many at most
    #[param(minimum = 1, maximum = 500, default = 500)]
    limit: Option<i64>,
}

/// Contacts
///
/// A key of one unit sees those who manage that unit or a sub-unit, have shifts there, are wearers there, or are named by a route for it, for
/// its tenant or for everybody.
#[utoipa::path(get, path = "/api/contacts", tag = "alerts", params(ContactFilter),
    security(("bearer" = ["read", "own_tenant", "own_unit"]), ("basic" = ["read", "own_tenant", "own_unit"])),
    responses((status = 200, description = "The contacts", body = Contacts), ListErrors))]
pub(in crate::http) async fn get_api_contacts(
    Shared(state): Shared<Arc<State>>,
    Extension(caller): Extension<Caller>,
    mut parameters: Parameters,
) -> Result<Json<Contacts>, ApiError> {
    let reach = Reach { customer_id: super::tenant(&mut parameters, &caller)?, ..caller.reach() };
    let after = parameters.one::<Id64>("after")?.map_or(0, |Id64(id)| id);
    let limit = parameters.one::<Limit>("limit")?.map_or(MOST, |Limit(limit)| limit);
    parameters.end()?;
    let contacts = state.list(async |store| contact::list(&store, reach, after, limit).await).await?;
    Ok(Json(Contacts { contacts }))
}
