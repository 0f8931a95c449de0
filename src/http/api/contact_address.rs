//! `GET` and `POST /api/contact_addresses`, `PATCH` and `DELETE /api/contact_addresses/{id}`,
//! `POST /api/contact_addresses/{id}/test`: where contacts are reached.
//!
//! Before: administrators and their programs. After: `store::contact_address`.
//! Promise: a change is in force at once, also for messages that wait; no answer holds a secret, the token of a robot or the path of a webhook.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Extension, Request, State as Shared};
use axum::http::StatusCode;
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

use super::query::{Limit, Parameters};
use super::{ApiError, DONE, Done, PathId, own};
use crate::http::State;
use crate::http::access::Caller;
use crate::http::error::{AccessError, BodyErrors, ListErrors, OneErrors};
use crate::language::text;
use crate::model::{AddressChange, AddressDraft, AddressSummary, AddressTest, Id64};
use crate::store::contact_address::{self, AddressOutcome, TestStart};

/// Addresses in an answer, unless a limit is named.
const MOST: i64 = 500;

/// Addresses
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct ContactAddresses {
    /// In the order of their numbers
    #[schema(max_items = 500)]
    addresses: Vec<AddressSummary>,
}

/// Which addresses
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "the document has to tell what is read from pairs")]
pub(in crate::http) struct AddressFilter {
    /// Of this contact
    contact_id: Option<Id64>,
    /// Of the contacts of this tenant, as in /api/contacts
    customer_id: Option<Id64>,
    /// Only those with larger numbers
    after: Option<Id64>,
    /// How many at most
    #[param(minimum = 1, maximum = 500, default = 500)]
    limit: Option<i64>,
}

/// Addresses of contacts
///
/// Of the callers of one tenant only its administrators read and change them: those of contacts that belong to it alone.
#[utoipa::path(get, path = "/api/contact_addresses", tag = "alerts", params(AddressFilter),
    security(("bearer" = ["read", "own_tenant"]), ("basic" = ["read", "own_tenant"])),
    responses((status = 200, description = "The addresses", body = ContactAddresses), ListErrors))]
pub(in crate::http) async fn get_api_contact_addresses(
    Shared(state): Shared<Arc<State>>,
    Extension(caller): Extension<Caller>,
    mut parameters: Parameters,
) -> Result<Json<ContactAddresses>, ApiError> {
    own::check_reader(&caller)?;
    let id = |id: Option<Id64>| id.map(|Id64(id)| id);
    let filter = contact_address::AddressFilter {
        contact_id: id(parameters.one("contact_id")?),
        customer_id: super::tenant(&mut parameters, &caller)?,
    };
    let after = id(parameters.one("after")?).unwrap_or(0);
    let limit = parameters.one::<Limit>("limit")?.map_or(MOST, |Limit(limit)| limit);
    parameters.end()?;
    let addresses = own::addresses(&state, &caller, filter, after, limit).await?;
    Ok(Json(ContactAddresses { addresses }))
}

/// A contact can be reached at a further address
///
/// 409: it has this address already.
#[utoipa::path(post, path = "/api/contact_addresses", tag = "alerts", security(("bearer" = ["admin", "own_tenant"]), ("basic" = ["admin", "own_tenant"])),
    request_body(content = AddressDraft, example = json!({
        "contact_id": "5", "channel": "sms", "address": "+8613800138000"
    })),
    responses((status = 201, description = "The address", body = AddressSummary), BodyErrors))]
pub(in crate::http) async fn post_api_contact_addresses(
    Shared(state): Shared<Arc<State>>,
    Extension(caller): Extension<Caller>,
    request: Request,
) -> Result<(StatusCode, Json<AddressSummary>), ApiError> {
    let draft: AddressDraft = state.json(request).await?;
    own::check_contact(&state, &caller, draft.contact_id).await?;
    let outcome = state.query(contact_address::add(&state.store, &draft)).await?;
    Ok((StatusCode::CREATED, stored(outcome, 0)?))
}

/// Changes an address, or whether it is used: what is missing stays as it is
///
/// Notifications that wait for the former address, or for one that is not used any more, are cancelled. 409: the contact has the new
/// address already.
#[utoipa::path(patch, path = "/api/contact_addresses/{id}", tag = "alerts",
    params(("id" = Id64, Path, description = "Number of the address")), security(("bearer" = ["admin", "own_tenant"]), ("basic" = ["admin", "own_tenant"])),
    request_body(content = AddressChange, example = json!({ "enabled": false })),
    responses((status = 200, description = "The address", body = AddressSummary), BodyErrors))]
pub(in crate::http) async fn patch_api_contact_addresses_id(
    Shared(state): Shared<Arc<State>>,
    Extension(caller): Extension<Caller>,
    PathId(address_id): PathId,
    request: Request,
) -> Result<Json<AddressSummary>, ApiError> {
    own::check_address(&state, &caller, address_id).await?;
    let change: AddressChange = state.json(request).await?;
    stored(state.query(contact_address::change(&state.store, address_id, &change)).await?, address_id)
}

/// The contact is no longer reached there
///
/// Notifications that wait for the address are cancelled.
#[utoipa::path(delete, path = "/api/contact_addresses/{id}", tag = "alerts",
    params(("id" = Id64, Path, description = "Number of the address")), security(("bearer" = ["admin", "own_tenant"]), ("basic" = ["admin", "own_tenant"])),
    responses((status = 200, description = "It is removed", body = Done), OneErrors))]
pub(in crate::http) async fn delete_api_contact_addresses_id(
    Shared(state): Shared<Arc<State>>,
    Extension(caller): Extension<Caller>,
    PathId(address_id): PathId,
) -> Result<Json<Done>, ApiError> {
    own::check_address(&state, &caller, address_id).await?;
    match state.query(contact_address::remove(&state.store, address_id)).await? {
        true => Ok(Json(DONE)),
        false => Err(absent(address_id)),
    }
}

/// Sends a test message to an address
///
/// It goes by the same settings as notifications, also to an address that is not used, says that it is a test, and touches no alert. The
/// answer waits for the channel. 429: the address was tested less than ten seconds ago.
#[utoipa::path(post, path = "/api/contact_addresses/{id}/test", tag = "alerts",
    params(("id" = Id64, Path, description = "Number of the address")), security(("bearer" = ["admin", "own_tenant"]), ("basic" = ["admin", "own_tenant"])),
    responses((status = 200, description = "What became of it", body = AddressTest), OneErrors))]
pub(in crate::http) async fn post_api_contact_addresses_id_test(
    Shared(state): Shared<Arc<State>>,
    Extension(caller): Extension<Caller>,
    PathId(address_id): PathId,
) -> Result<Json<AddressTest>, ApiError> {
    own::check_address(&state, &caller, address_id).await?;
    test(&state, &caller, address_id).await.map(Json)
}

/// Sends a test message in the name of a caller, and records what became of it.
pub(in crate::http) async fn test(
    state: &State,
    caller: &Caller,
    address_id: i64,
) -> Result<AddressTest, ApiError> {
    let tested_by = caller.page_viewer().map_or_else(String::new, |viewer| viewer.name);
    let to = match state.query(contact_address::begin_test(&state.store, address_id, &tested_by)).await? {
        TestStart::Begun(to) => to,
        TestStart::TooSoon(wait) => return Err(AccessError::TooMany { wait }.into()),
        TestStart::NotFound => return Err(absent(address_id)),
    };
    let failure = state.test_sender.send(to).await.err();
    let ending = contact_address::end_test(&state.store, address_id, failure.as_deref());
    state.query(ending).await?.ok_or_else(|| absent(address_id))
}

fn stored(outcome: AddressOutcome, address_id: i64) -> Result<Json<AddressSummary>, ApiError> {
    match outcome {
        AddressOutcome::Stored(address) => Ok(Json(address)),
        AddressOutcome::NotFound => Err(absent(address_id)),
        AddressOutcome::Conflict(reason) => Err(ApiError::InTheWay(reason)),
        AddressOutcome::Invalid(reason) => Err(ApiError::Bad(reason)),
    }
}

fn absent(address_id: i64) -> ApiError {
    ApiError::Absent(text!("address-absent", id = address_id.to_string()))
}
