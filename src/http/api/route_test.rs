//! `POST /api/notification_routes/{id}/test`: a test message to whomever a route would notify at this moment.
//!
//! Before: administrators and their programs; `/admin/contacts`. After: `store::notification_route` finds the addresses, `contact_address` sends to
//! each. Promise: each address as by its own test, not more often and with its outcome kept; all of them side by side, and so many at most.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Extension, State as Shared};
use futures_util::future::join_all;
use utoipa::IntoParams;

use super::query::Parameters;
use super::{ApiError, PathId, contact_address, own};
use crate::http::State;
use crate::http::access::Caller;
use crate::http::error::{AccessError, BodyErrors};
use crate::language::{Language, Text, text};
use crate::model::{Audience, Id64, RouteDraft, RouteTest, TestedAddress};
use crate::store::dashboard::person;
use crate::store::notification_route::{self, RouteAddress};

/// Addresses that are tested at a time.
const MOST: usize = 20;

/// Whose alert is imagined
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "the document has to tell what is read from pairs")]
pub(in crate::http) struct TestParameters {
    /// Person whose alert is imagined. The audience wearer needs one; missing: an alert of nobody in the tenant and the unit of the route
    user_id: Option<Id64>,
}

/// Sends a test message to whoever the route would notify now
///
/// As if the least severe alert that matches the route fired at this moment: with the shifts and the addresses of now, but without silences, quiet
/// hours and the time of an escalation. Each address is sent what `POST /api/contact_addresses/{id}/test` sends, at most every ten seconds. The
/// answer waits for the channels.
#[utoipa::path(post, path = "/api/notification_routes/{id}/test", tag = "alerts",
    params(("id" = Id64, Path, description = "Number of the route"), TestParameters),
    security(("bearer" = ["admin", "own_tenant"]), ("basic" = ["admin", "own_tenant"])),
    responses((status = 200, description = "What became of it", body = RouteTest), BodyErrors))]
pub(in crate::http) async fn post_api_notification_routes_id_test(
    Shared(state): Shared<Arc<State>>,
    Extension(caller): Extension<Caller>,
    Extension(language): Extension<Language>,
    PathId(route_id): PathId,
    mut parameters: Parameters,
) -> Result<Json<RouteTest>, ApiError> {
    let user_id = parameters.one::<Id64>("user_id")?;
    parameters.end()?;
    test(&state, &caller, language, route_id, user_id).await.map(Json)
}

/// Tests a route in the name of a caller, who reads this language.
pub(in crate::http) async fn test(
    state: &State,
    caller: &Caller,
    language: Language,
    route_id: i64,
    user_id: Option<Id64>,
) -> Result<RouteTest, ApiError> {
    let draft = own::route(state, caller, route_id).await?.route;
    let user_id = user_id.map(|Id64(id)| id);
    check_person(state, caller, &draft, user_id).await?;
    let limit = i64::try_from(MOST + 1).unwrap_or(i64::MAX);
    let reading = notification_route::audience(&state.store, route_id, user_id, limit);
    let mut found = state.query(reading).await?;
    let has_more = found.len() > MOST;
    found.truncate(MOST);
    let contacts = &own::OwnContacts::of(state, caller).await?;
    let tests = found.into_iter().map(|to| async move {
        let error = outcome(state, caller, to.address_id).await.map(|text| text.in_language(language));
        let is_shown = contacts.has(Id64(to.contact_id));
        let RouteAddress { address_id, contact, channel, address, .. } = to;
        let address = if is_shown { address } else { "…".to_owned() };
        TestedAddress {
            address_id: Id64(address_id),
            contact,
            channel,
            address,
            delivered: error.is_none(),
            error,
        }
    });
    let addresses = join_all(tests).await;
    let nobody = addresses.is_empty().then(|| nobody(&draft).in_language(language));
    Ok(RouteTest { addresses, has_more, nobody })
}

/// Refuses a person whom the caller does not see, and nobody where somebody is needed.
async fn check_person(
    state: &State,
    caller: &Caller,
    draft: &RouteDraft,
    user_id: Option<i64>,
) -> Result<(), ApiError> {
    let Some(user_id) = user_id else {
        let needs_person = draft.audience == Audience::Wearer;
        return if needs_person { Err(ApiError::Bad(text!("route-test-person"))) } else { Ok(()) };
    };
    let viewer = caller.viewer();
    match state.query(person::read(&state.store, viewer, user_id)).await? {
        Some(_) => Ok(()),
        None => Err(ApiError::Absent(text!("person-absent"))),
    }
}

/// Why the address was not reached, in words; `None`: it was.
async fn outcome(state: &State, caller: &Caller, address_id: i64) -> Option<Text> {
    match contact_address::test(state, caller, address_id).await {
        Ok(test) => test.error.map(Text::Verbatim),
        Err(ApiError::Access(AccessError::TooMany { .. })) => Some(text!("page-test-too-soon")),
        Err(error) => Some(error.parts().1),
    }
}

fn nobody(draft: &RouteDraft) -> Text {
    if draft.enabled { text!("route-test-nobody") } else { text!("route-test-off") }
}
