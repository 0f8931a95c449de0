//! `GET /api/people`, `/api/people/{id}`, `/api/people/{id}/latest`.
//!
//! Before: `inquiry` has read who asks. After: `store::dashboard::person`.

use std::sync::Arc;

use axum::extract::State as Shared;
use axum::response::Response;
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

use super::super::query::Limit;
use super::super::{ApiError, PathId, cut_page};
use super::form::Form;
use super::inquiry::Inquiry;
use super::parameter::Cursor;
use super::record::absent;
use super::table::FieldTable;
use crate::http::State;
use crate::http::error::ReadErrors;
use crate::model::{Id64, Latest, Person, PersonSummary, ReadState};
use crate::store::dashboard::Subject;
use crate::store::dashboard::person::{self, PersonCursor, PersonFilter};

/// People of a page, unless a limit is named.
const PAGE: i64 = 100;

/// A page of people
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct PersonPage {
    /// By name
    #[schema(max_items = 500)]
    people: Vec<PersonSummary>,
    /// What to ask for the next page with; null: this is the last
    cursor: Option<String>,
}

/// Which people, and which page of them
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "the document has to tell what is read from pairs")]
pub(in crate::http) struct PersonParameters {
    /// Part of the name or the room, in any case; or the number of the person
    search: Option<String>,
    /// Organisation unit, its sub-units too
    org_id: Option<Id64>,
    /// online: a device of theirs sent a sample within the last quarter hour; offline: none did; alerting: an alert is open
    #[param(inline)]
    state: Option<ReadState>,
    /// Where the page before ended, as its answer says; JSON only
    cursor: Option<String>,
    /// Most people of a page; JSON only
    #[param(minimum = 1, maximum = 500, default = 100)]
    limit: Option<i64>,
    /// Instead of the header Accept
    #[param(inline)]
    format: Option<Form>,
    /// Of this tenant only
    customer_id: Option<Id64>,
}

/// People who wear devices, by name
#[utoipa::path(get, path = "/api/people", tag = "reading", params(PersonParameters),
    security(("bearer" = ["read", "own_tenant", "own_people"]), ("basic" = ["read", "own_tenant", "own_people"])),
    responses((status = 200, description = "A page of them as JSON, or all of them as NDJSON or CSV",
        content((PersonPage = "application/json"), (PersonSummary = "application/x-ndjson"), (String = "text/csv"))), ReadErrors))]
pub(in crate::http) async fn get_api_people(
    Shared(state): Shared<Arc<State>>,
    mut inquiry: Inquiry,
) -> Result<Response, ApiError> {
    let parameters = &mut inquiry.parameters;
    let filter = PersonFilter {
        search: parameters.one("search")?,
        org_id: parameters.one::<Id64>("org_id")?.map(|Id64(id)| id),
        state: parameters.one("state")?,
    };
    let after = parameters.one::<Cursor<PersonCursor>>("cursor")?.map(|Cursor(place)| place);
    let limit = parameters.one::<Limit>("limit")?.map_or(PAGE, |Limit(limit)| limit);
    std::mem::take(parameters).end()?;
    if inquiry.form != Form::Json {
        let query = person::query(&filter, after, None);
        return inquiry.export(&state, "people", &Subject::Everyone, query, FieldTable).await;
    }
    let viewer = inquiry.viewer;
    let read =
        state.list(async |store| person::list(&store, viewer, &filter, after.clone(), limit + 1).await);
    let mut people = read.await?;
    let last = cut_page(&mut people, limit);
    let cursor =
        last.map(|person| Cursor((person.name.clone().unwrap_or_default(), person.user_id.0)).text());
    inquiry.json(&PersonPage { people, cursor })
}

/// A person, the devices that they have worn, and the newest values
#[utoipa::path(get, path = "/api/people/{id}", tag = "reading",
    params(("id" = Id64, Path, description = "Number of the person")),
    security(("bearer" = ["read", "own_tenant", "own_people"]), ("basic" = ["read", "own_tenant", "own_people"])),
    responses((status = 200, description = "The person", body = Person), ReadErrors))]
pub(in crate::http) async fn get_api_people_id(
    Shared(state): Shared<Arc<State>>,
    PathId(user_id): PathId,
    mut inquiry: Inquiry,
) -> Result<Response, ApiError> {
    inquiry.only_json()?;
    let viewer = inquiry.viewer;
    let found = state.list(async |store| person::read(&store, viewer, user_id).await).await?;
    inquiry.json(&found.ok_or_else(|| absent(&Subject::Person(user_id)))?)
}

/// The newest sample of each device that a person wears now, the newest first
#[utoipa::path(get, path = "/api/people/{id}/latest", tag = "reading",
    params(("id" = Id64, Path, description = "Number of the person"), super::device::LatestParameters),
    security(("bearer" = ["read", "own_tenant", "own_people"]), ("basic" = ["read", "own_tenant", "own_people"])),
    responses((status = 200, description = "The samples, none of them older than a week",
        content((super::device::LatestPage = "application/json"), (Latest = "application/x-ndjson"), (String = "text/csv"))), ReadErrors))]
pub(in crate::http) async fn get_api_people_id_latest(
    Shared(state): Shared<Arc<State>>,
    PathId(user_id): PathId,
    inquiry: Inquiry,
) -> Result<Response, ApiError> {
    super::device::latest(&state, inquiry, Subject::Person(user_id)).await
}
