//! `/admin/contacts`: addresses are listed, added, switched, tested and removed; `routes` has the forms of routes.
//!
//! Before: a browser. After: `store::contact_address`; a test goes as `http::api::contact_address` has it.
//! Promise: an administrator of one tenant sees and changes the addresses of contacts that belong to it alone, and the routes for its alerts alone.

use std::sync::Arc;

use axum::extract::{Request, State as Shared};
use axum::response::{IntoResponse, Response};

use super::super::super::State;
use super::super::super::api::{PathId, contact_address as api, own};
use super::super::super::error::{AccessError, ApiError, BodyErrors, ListErrors};
use super::super::form::{FormFields, PageQuery};
use super::super::{Flash, PageReader};
use super::{done, routes, show};
use crate::language::{Text, text};
use crate::model::{AddressChange, AddressDraft, AddressTest, Id64, RouteTest};
use crate::page::Markup;
use crate::page::admin::routes::RouteForm;
use crate::page::admin::{AdminSection, contacts};
use crate::store::alert::Reach;
use crate::store::contact;
use crate::store::contact_address::{self, AddressFilter, AddressOutcome};

/// Rows of a page.
pub(super) const MOST: i64 = 500;

/// Contacts with their addresses, and routes
#[utoipa::path(get, path = "/admin/contacts", tag = "pages",
    params(("route" = Option<Id64>, Query, description = "Number of the route that is in the form, to change it")),
    security(("bearer" = ["admin", "own_tenant"]), ("basic" = ["admin", "own_tenant"])),
    responses((status = 200, description = "A page", content_type = "text/html", body = String), ListErrors))]
pub(in crate::http) async fn get_admin_contacts(
    Shared(state): Shared<Arc<State>>,
    mut reader: PageReader,
    query: PageQuery,
    flash: Flash,
) -> Response {
    let form = match query.value("route") {
        Some(Id64(route_id)) => match routes::stored_form(&state, &reader, route_id).await {
            Ok(form) => Some(form),
            Err(error) => return error.into_response(),
        },
        None => None,
    };
    page(&state, &mut reader, flash, form.as_ref(), None).await
}

/// The whole section. `form`: the form of a route, filled in; `tested`: what became of a test of a route.
pub(super) async fn page(
    state: &State,
    reader: &mut PageReader,
    flash: Flash,
    form: Option<&RouteForm>,
    tested: Option<&RouteTest>,
) -> Response {
    match read(state, reader, form, tested).await {
        Ok(content) => show(reader, AdminSection::Contacts, flash, &content),
        Err(error) => error.into_response(),
    }
}

async fn read(
    state: &State,
    reader: &PageReader,
    form: Option<&RouteForm>,
    tested: Option<&RouteTest>,
) -> Result<Markup, ApiError> {
    let customer_id = reader.caller.customer_id();
    let addresses = own::addresses(state, &reader.caller, AddressFilter::default(), 0, MOST).await?;
    let reach = Reach { customer_id, org_id: None };
    let mut contacts = state.list(async |store| contact::list(&store, reach, 0, MOST).await).await?;
    let own = own::OwnContacts::of(state, &reader.caller).await?;
    contacts.retain(|contact| own.has(contact.contact_id));
    let routes = routes::section(state, reader, &contacts, form, tested).await?;
    Ok(contacts::body(&reader.frame, &contacts, &addresses, &routes))
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

/// An address is switched, tested or removed, by the form of a page
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

async fn add_address(state: &State, reader: &PageReader, request: Request) -> Result<Text, ApiError> {
    let fields = FormFields::read(state, request).await?;
    let Some(contact_id) = fields.value("contact_id")? else {
        return Err(ApiError::Bad(text!("address-of-unknown")));
    };
    own::check_contact(state, &reader.caller, contact_id).await?;
    let draft = AddressDraft {
        contact_id,
        channel: fields.text("channel").unwrap_or_default().to_owned(),
        address: fields.text("address").unwrap_or_default().to_owned(),
        secret: fields.text("secret").map(str::to_owned),
        enabled: true,
    };
    kept(state.query(contact_address::add(&state.store, &draft)).await?, 0)
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
    own::check_address(state, &reader.caller, address_id).await?;
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
