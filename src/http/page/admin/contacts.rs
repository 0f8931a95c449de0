//! `/admin/contacts`: addresses and routes are listed, added, switched and removed.
//!
//! Before: a browser. After: `store::contact_address`, `store::notification_route`.

use std::sync::Arc;

use axum::extract::{Request, State as Shared};
use axum::response::{IntoResponse, Response};

use super::super::super::State;
use super::super::super::api::PathId;
use super::super::super::error::{ApiError, BodyErrors, ListErrors};
use super::super::form::FormFields;
use super::super::{Flash, PageReader};
use super::{done, show};
use crate::language::{Text, text};
use crate::model::{AddressChange, AddressDraft, Id64, RouteDraft};
use crate::page::admin::{AdminSection, contacts};
use crate::store::alert::Reach;
use crate::store::contact_address::{self, AddressFilter, AddressOutcome};
use crate::store::notification_route::{self, RouteFilter, RouteOutcome};
use crate::store::{Store, StoreError, contact};

/// Rows of a page.
const MOST: i64 = 500;

/// Contacts with their addresses, and routes
#[utoipa::path(get, path = "/admin/contacts", tag = "pages", security(("bearer" = ["admin"]), ("basic" = ["admin"])),
    responses((status = 200, description = "A page", content_type = "text/html", body = String), ListErrors))]
pub(in crate::http) async fn get_admin_contacts(
    Shared(state): Shared<Arc<State>>,
    mut reader: PageReader,
    flash: Flash,
) -> Response {
    match state.list(async |store| read(&store).await).await {
        Ok((people, addresses, routes)) => {
            let content = contacts::body(&reader.frame, &people, &addresses, &routes);
            show(&mut reader, AdminSection::Contacts, flash, &content)
        }
        Err(error) => error.into_response(),
    }
}

type Directory = (
    Vec<crate::model::ContactSummary>,
    Vec<crate::model::AddressSummary>,
    Vec<crate::model::NotificationRoute>,
);

async fn read(store: &Store) -> Result<Directory, StoreError> {
    Ok((
        contact::list(store, Reach::default(), 0, MOST).await?,
        contact_address::list(store, AddressFilter::default(), 0, MOST).await?,
        notification_route::list(store, &RouteFilter::default(), MOST).await?,
    ))
}

/// An address is added, by the form of a page
#[utoipa::path(post, path = "/admin/contacts/addresses", tag = "pages", security(("bearer" = ["admin"]), ("basic" = ["admin"])),
    responses((status = 303, description = "Back to the contacts"), BodyErrors))]
pub(in crate::http) async fn post_admin_contacts_addresses(
    Shared(state): Shared<Arc<State>>,
    reader: PageReader,
    request: Request,
) -> Response {
    let outcome = add_address(&state, request).await;
    done(&state, &reader, AdminSection::Contacts.path(), outcome)
}

/// An address is switched or removed, by the form of a page
#[utoipa::path(post, path = "/admin/contacts/addresses/{id}", tag = "pages",
    params(("id" = Id64, Path, description = "Number of the address")),
    security(("bearer" = ["admin"]), ("basic" = ["admin"])),
    responses((status = 303, description = "Back to the contacts"), BodyErrors))]
pub(in crate::http) async fn post_admin_contacts_addresses_id(
    Shared(state): Shared<Arc<State>>,
    reader: PageReader,
    PathId(address_id): PathId,
    request: Request,
) -> Response {
    let outcome = change_address(&state, address_id, request).await;
    done(&state, &reader, AdminSection::Contacts.path(), outcome)
}

/// A route is added, by the form of a page
#[utoipa::path(post, path = "/admin/contacts/routes", tag = "pages", security(("bearer" = ["admin"]), ("basic" = ["admin"])),
    responses((status = 303, description = "Back to the contacts"), BodyErrors))]
pub(in crate::http) async fn post_admin_contacts_routes(
    Shared(state): Shared<Arc<State>>,
    reader: PageReader,
    request: Request,
) -> Response {
    let outcome = add_route(&state, request).await;
    done(&state, &reader, AdminSection::Contacts.path(), outcome)
}

/// A route is removed, by the form of a page
#[utoipa::path(post, path = "/admin/contacts/routes/{id}", tag = "pages",
    params(("id" = Id64, Path, description = "Number of the route")),
    security(("bearer" = ["admin"]), ("basic" = ["admin"])),
    responses((status = 303, description = "Back to the contacts"), BodyErrors))]
pub(in crate::http) async fn post_admin_contacts_routes_id(
    Shared(state): Shared<Arc<State>>,
    reader: PageReader,
    PathId(route_id): PathId,
) -> Response {
    let id = route_id.to_string();
    let outcome = match state.query(notification_route::remove(&state.store, route_id)).await {
        Ok(true) => Ok(text!("route-removed", id = id)),
        Ok(false) => Err(ApiError::Absent(text!("route-absent", id = id))),
        Err(error) => Err(error),
    };
    done(&state, &reader, AdminSection::Contacts.path(), outcome)
}

async fn add_address(state: &State, request: Request) -> Result<Text, ApiError> {
    let fields = FormFields::read(state, request).await?;
    let Some(contact_id) = fields.value("contact_id")? else {
        return Err(ApiError::Bad(text!("address-of-unknown")));
    };
    let draft = AddressDraft {
        contact_id,
        channel: fields.text("channel").unwrap_or_default().to_owned(),
        address: fields.text("address").unwrap_or_default().to_owned(),
        secret: fields.text("secret").map(str::to_owned),
        enabled: true,
    };
    kept(state.query(contact_address::add(&state.store, &draft)).await?, 0)
}

async fn change_address(state: &State, address_id: i64, request: Request) -> Result<Text, ApiError> {
    let fields = FormFields::read(state, request).await?;
    let id = address_id.to_string();
    if fields.text("action") == Some("remove") {
        return match state.query(contact_address::remove(&state.store, address_id)).await? {
            true => Ok(text!("address-removed", id = id)),
            false => Err(ApiError::Absent(text!("address-absent", id = id))),
        };
    }
    let enabled = Some(fields.text("action") == Some("enable"));
    let change = AddressChange { enabled, ..AddressChange::default() };
    kept(state.query(contact_address::change(&state.store, address_id, &change)).await?, address_id)
}

fn kept(outcome: AddressOutcome, address_id: i64) -> Result<Text, ApiError> {
    match outcome {
        AddressOutcome::Stored(address) => {
            Ok(text!("address-kept", id = address.address_id.to_string(), name = address.contact))
        }
        AddressOutcome::NotFound => {
            Err(ApiError::Absent(text!("address-absent", id = address_id.to_string())))
        }
        AddressOutcome::Conflict(reason) => Err(ApiError::InTheWay(reason)),
        AddressOutcome::Invalid(reason) => Err(ApiError::Bad(reason)),
    }
}

async fn add_route(state: &State, request: Request) -> Result<Text, ApiError> {
    let fields = FormFields::read(state, request).await?;
    let typed = fields.text("columns").unwrap_or_default();
    let refused = |error: serde_json::Error| ApiError::Bad(text!("body-refused", reason = error.to_string()));
    let draft: RouteDraft = serde_json::from_str(typed).map_err(refused)?;
    match state.query(notification_route::add(&state.store, &draft)).await? {
        RouteOutcome::Stored(route) => Ok(text!("route-kept", id = route.route_id.to_string())),
        RouteOutcome::NotFound => Err(ApiError::Absent(text!("number-absent"))),
        RouteOutcome::Invalid(reason) => Err(ApiError::Bad(reason)),
    }
}
