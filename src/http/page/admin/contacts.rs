//! `/admin/contacts`: addresses and routes are listed, added, switched and removed.
//!
//! Before: a browser. After: `store::contact_address`, `store::notification_route`; a test goes as `http::api::contact_address` has it.
//! Promise: an administrator of one tenant sees and changes the addresses of contacts that belong to it alone, and the routes for its alerts alone.

use std::sync::Arc;

use axum::extract::{Request, State as Shared};
use axum::response::{IntoResponse, Response};

use super::super::super::State;
use super::super::super::api::{PathId, contact_address as api};
use super::super::super::error::{AccessError, ApiError, BodyErrors, ListErrors};
use super::super::form::FormFields;
use super::super::{Flash, PageReader};
use super::{done, own_reach, show};
use crate::language::{Text, text};
use crate::model::{
    AddressChange, AddressDraft, AddressSummary, AddressTest, ContactSummary, Id64, NotificationRoute,
    RouteDraft,
};
use crate::page::admin::{AdminSection, contacts};
use crate::store::alert::Reach;
use crate::store::contact;
use crate::store::contact_address::{self, AddressFilter, AddressOutcome};
use crate::store::notification_route::{self, RouteFilter, RouteOutcome};

/// Rows of a page.
const MOST: i64 = 500;

/// Contacts with their addresses, and routes
#[utoipa::path(get, path = "/admin/contacts", tag = "pages",
    security(("bearer" = ["admin", "own_tenant"]), ("basic" = ["admin", "own_tenant"])),
    responses((status = 200, description = "A page", content_type = "text/html", body = String), ListErrors))]
pub(in crate::http) async fn get_admin_contacts(
    Shared(state): Shared<Arc<State>>,
    mut reader: PageReader,
    flash: Flash,
) -> Response {
    match read(&state, &reader).await {
        Ok(found) => {
            let content = contacts::body(&reader.frame, &found.contacts, &found.addresses, &found.routes);
            show(&mut reader, AdminSection::Contacts, flash, &content)
        }
        Err(error) => error.into_response(),
    }
}

/// What the reader administers.
struct Directory {
    contacts: Vec<ContactSummary>,
    addresses: Vec<AddressSummary>,
    routes: Vec<NotificationRoute>,
}

async fn read(state: &State, reader: &PageReader) -> Result<Directory, ApiError> {
    let customer_id = reader.caller.customer_id();
    let reading = state.list(async |store| {
        let filter = AddressFilter { customer_id, ..AddressFilter::default() };
        let routes = RouteFilter { customer_id, ..RouteFilter::default() };
        let mut found = Directory {
            contacts: contact::list(&store, Reach { customer_id, org_id: None }, 0, MOST).await?,
            addresses: contact_address::list(&store, filter, 0, MOST).await?,
            routes: notification_route::list(&store, &routes, MOST).await?,
        };
        if let Some(customer_id) = customer_id {
            let own = contact::own(&store, customer_id).await?;
            found.contacts.retain(|contact| own.contains(&contact.contact_id.0));
            found.addresses.retain(|address| own.contains(&address.contact_id.0));
        }
        Ok(found)
    });
    reading.await
}

/// An address is added, by the form of a page
#[utoipa::path(post, path = "/admin/contacts/addresses", tag = "pages",
    security(("bearer" = ["admin", "own_tenant"]), ("basic" = ["admin", "own_tenant"])),
    responses((status = 303, description = "Back to the contacts"), BodyErrors))]
pub(in crate::http) async fn post_admin_contacts_addresses(
    Shared(state): Shared<Arc<State>>,
    reader: PageReader,
    request: Request,
) -> Response {
    let outcome = add_address(&state, &reader, request).await;
    done(&state, &reader, AdminSection::Contacts.path(), outcome)
}

/// An address is switched or removed, by the form of a page
#[utoipa::path(post, path = "/admin/contacts/addresses/{id}", tag = "pages",
    params(("id" = Id64, Path, description = "Number of the address")),
    security(("bearer" = ["admin", "own_tenant"]), ("basic" = ["admin", "own_tenant"])),
    responses((status = 303, description = "Back to the contacts"), BodyErrors))]
pub(in crate::http) async fn post_admin_contacts_addresses_id(
    Shared(state): Shared<Arc<State>>,
    reader: PageReader,
    PathId(address_id): PathId,
    request: Request,
) -> Response {
    let outcome = change_address(&state, &reader, address_id, request).await;
    done(&state, &reader, AdminSection::Contacts.path(), outcome)
}

/// A route is added, by the form of a page
#[utoipa::path(post, path = "/admin/contacts/routes", tag = "pages",
    security(("bearer" = ["admin", "own_tenant"]), ("basic" = ["admin", "own_tenant"])),
    responses((status = 303, description = "Back to the contacts"), BodyErrors))]
pub(in crate::http) async fn post_admin_contacts_routes(
    Shared(state): Shared<Arc<State>>,
    reader: PageReader,
    request: Request,
) -> Response {
    let outcome = add_route(&state, &reader, request).await;
    done(&state, &reader, AdminSection::Contacts.path(), outcome)
}

/// A route is removed, by the form of a page
#[utoipa::path(post, path = "/admin/contacts/routes/{id}", tag = "pages",
    params(("id" = Id64, Path, description = "Number of the route")),
    security(("bearer" = ["admin", "own_tenant"]), ("basic" = ["admin", "own_tenant"])),
    responses((status = 303, description = "Back to the contacts"), BodyErrors))]
pub(in crate::http) async fn post_admin_contacts_routes_id(
    Shared(state): Shared<Arc<State>>,
    reader: PageReader,
    PathId(route_id): PathId,
) -> Response {
    let outcome = remove_route(&state, &reader, route_id).await;
    done(&state, &reader, AdminSection::Contacts.path(), outcome)
}

async fn add_address(state: &State, reader: &PageReader, request: Request) -> Result<Text, ApiError> {
    let fields = FormFields::read(state, request).await?;
    let Some(contact_id) = fields.value("contact_id")? else {
        return Err(ApiError::Bad(text!("address-of-unknown")));
    };
    check_contact(state, reader, contact_id).await?;
    let draft = AddressDraft {
        contact_id,
        channel: fields.text("channel").unwrap_or_default().to_owned(),
        address: fields.text("address").unwrap_or_default().to_owned(),
        secret: fields.text("secret").map(str::to_owned),
        enabled: true,
    };
    kept(state.query(contact_address::add(&state.store, &draft)).await?, 0)
}

/// Refuses a contact that does not belong to the tenant of the reader alone.
async fn check_contact(state: &State, reader: &PageReader, contact_id: Id64) -> Result<(), ApiError> {
    let Some(customer_id) = reader.caller.customer_id() else { return Ok(()) };
    match state.query(contact::own(&state.store, customer_id)).await?.contains(&contact_id.0) {
        true => Ok(()),
        false => Err(ApiError::Bad(text!("address-of-unknown"))),
    }
}

async fn change_address(
    state: &State,
    reader: &PageReader,
    address_id: i64,
    request: Request,
) -> Result<Text, ApiError> {
    let fields = FormFields::read(state, request).await?;
    let id = address_id.to_string();
    let absent = || ApiError::Absent(text!("address-absent", id = id.as_str()));
    if reader.caller.customer_id().is_some() {
        let shown = read(state, reader).await?.addresses;
        shown.iter().find(|address| address.address_id.0 == address_id).ok_or_else(absent)?;
    }
    match fields.text("action") {
        Some("test") => test_address(state, reader, address_id).await,
        Some("remove") => match state.query(contact_address::remove(&state.store, address_id)).await? {
            true => Ok(text!("address-removed", id = id)),
            false => Err(absent()),
        },
        action => {
            let change =
                AddressChange { enabled: Some(action == Some("enable")), ..AddressChange::default() };
            kept(state.query(contact_address::change(&state.store, address_id, &change)).await?, address_id)
        }
    }
}

async fn test_address(state: &State, reader: &PageReader, address_id: i64) -> Result<Text, ApiError> {
    match api::test(state, &reader.caller, address_id).await {
        Ok(AddressTest { error: None, .. }) => Ok(text!("page-test-delivered")),
        Ok(AddressTest { error: Some(reason), .. }) => Ok(text!("page-test-failed", reason = reason)),
        Err(ApiError::Access(AccessError::TooMany { .. })) => {
            Err(ApiError::InTheWay(text!("page-test-too-soon")))
        }
        Err(error) => Err(error),
    }
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

async fn add_route(state: &State, reader: &PageReader, request: Request) -> Result<Text, ApiError> {
    let fields = FormFields::read(state, request).await?;
    let typed = fields.text("columns").unwrap_or_default();
    let refused = |error: serde_json::Error| ApiError::Bad(text!("body-refused", reason = error.to_string()));
    let mut draft: RouteDraft = serde_json::from_str(typed).map_err(refused)?;
    let (reach, _) = own_reach(state, reader).await?;
    if reach.is_limited() {
        draft.customer_id = draft.customer_id.or(reach.customer_id.map(Id64));
        if !reach.may_give(draft.customer_id, draft.org_id) {
            return Err(ApiError::Bad(text!("page-other-tenant")));
        }
    }
    if let Some(contact_id) = draft.contact_id {
        check_contact(state, reader, contact_id).await?;
    }
    match state.query(notification_route::add(&state.store, &draft)).await? {
        RouteOutcome::Stored(route) => Ok(text!("route-kept", id = route.route_id.to_string())),
        RouteOutcome::NotFound => Err(ApiError::Absent(text!("number-absent"))),
        RouteOutcome::Invalid(reason) => Err(ApiError::Bad(reason)),
    }
}

async fn remove_route(state: &State, reader: &PageReader, route_id: i64) -> Result<Text, ApiError> {
    let id = route_id.to_string();
    let absent = || ApiError::Absent(text!("route-absent", id = id.as_str()));
    let filter = RouteFilter {
        customer_id: reader.caller.customer_id(),
        route_id: Some(route_id),
        ..RouteFilter::default()
    };
    if state.query(notification_route::list(&state.store, &filter, 1)).await?.is_empty() {
        return Err(absent());
    }
    match state.query(notification_route::remove(&state.store, route_id)).await? {
        true => Ok(text!("route-removed", id = id)),
        false => Err(absent()),
    }
}
