//! `/people` and `/devices`: lists to search.
//!
//! Before: a browser. After: `store::dashboard`, which shows what the reader may see.
//! Promise: pages neither miss nor repeat anybody who is there all the while.

use std::sync::Arc;

use axum::extract::State as Shared;
use axum::response::{IntoResponse, Response};

use super::super::State;
use super::super::error::{ApiError, ListErrors};
use super::PageReader;
use super::alerts::units;
use super::form::PageQuery;
use crate::language::text;
use crate::model::{DeviceState, Id64, PersonSummary};
use crate::page::people::{self, SearchChoice};
use crate::store::dashboard;
use crate::store::dashboard::device::DeviceFilter;
use crate::store::dashboard::person::{PersonCursor, PersonFilter};

/// Rows of a page.
const PAGE: usize = 100;

/// The people whom the reader may see, by name
#[utoipa::path(get, path = "/people", tag = "pages",
    params(
        ("search" = Option<String>, Query, description = "Part of the name or the room, or the number of the person"),
        ("org_id" = Option<Id64>, Query, description = "Organisation unit, its sub-units too"),
        ("state" = Option<String>, Query, description = "`online`, `offline` or `alerting`"),
        ("cursor" = Option<String>, Query, description = "Where the page before ended, as its link says"),
    ),
    security(("bearer" = ["read", "own_tenant", "own_people"]), ("basic" = ["read", "own_tenant", "own_people"])),
    responses((status = 200, description = "A page", content_type = "text/html", body = String), ListErrors))]
pub(in crate::http) async fn get_people(
    Shared(state): Shared<Arc<State>>,
    reader: PageReader,
    query: PageQuery,
) -> Response {
    match people_found(&state, &reader, &query).await {
        Ok((choice, found)) => {
            reader.page(&people::people_title(), &people::people(&reader.frame, &choice, &found))
        }
        Err(error) => error.into_response(),
    }
}

/// The devices that the reader may see, by serial
#[utoipa::path(get, path = "/devices", tag = "pages",
    params(
        ("search" = Option<String>, Query, description = "Part of the serial or of the name of the wearer"),
        ("org_id" = Option<Id64>, Query, description = "Organisation unit, its sub-units too"),
        ("state" = Option<String>, Query, description = "`online`, `offline` or `alerting`"),
        ("cursor" = Option<String>, Query, description = "Where the page before ended, as its link says"),
    ),
    security(("bearer" = ["read", "own_tenant", "own_people"]), ("basic" = ["read", "own_tenant", "own_people"])),
    responses((status = 200, description = "A page", content_type = "text/html", body = String), ListErrors))]
pub(in crate::http) async fn get_devices(
    Shared(state): Shared<Arc<State>>,
    reader: PageReader,
    query: PageQuery,
) -> Response {
    match devices_found(&state, &reader, &query).await {
        Ok((choice, found)) => {
            reader.page(&people::devices_title(), &people::devices(&reader.frame, &choice, &found))
        }
        Err(error) => error.into_response(),
    }
}

async fn people_found(
    state: &State,
    reader: &PageReader,
    query: &PageQuery,
) -> Result<(SearchChoice, Vec<PersonSummary>), ApiError> {
    let mut choice = choice(state, reader, query).await?;
    let filter = PersonFilter {
        search: choice.search.clone(),
        org_id: choice.org_id.map(|Id64(id)| id),
        state: choice.state,
    };
    let (viewer, after) = (reader.caller.viewer(), person_cursor(query)?);
    let mut found = state
        .list(async |store| {
            dashboard::person::list(&store, viewer, &filter, after.clone(), PAGE as i64 + 1).await
        })
        .await?;
    choice.cursor = next(&mut found, |person| {
        format!("{}.{}", person.user_id, person.name.as_deref().unwrap_or_default())
    });
    Ok((choice, found))
}

async fn devices_found(
    state: &State,
    reader: &PageReader,
    query: &PageQuery,
) -> Result<(SearchChoice, Vec<DeviceState>), ApiError> {
    let mut choice = choice(state, reader, query).await?;
    let filter = DeviceFilter {
        search: choice.search.clone(),
        org_id: choice.org_id.map(|Id64(id)| id),
        user_id: None,
        state: choice.state,
    };
    let (viewer, after) = (reader.caller.viewer(), query.value::<String>("cursor"));
    let mut found = state
        .list(async |store| {
            dashboard::device::list(&store, viewer, &filter, after.as_deref(), PAGE as i64 + 1).await
        })
        .await?;
    choice.cursor = next(&mut found, |device| device.device_sn.clone());
    Ok((choice, found))
}

async fn choice(state: &State, reader: &PageReader, query: &PageQuery) -> Result<SearchChoice, ApiError> {
    Ok(SearchChoice {
        search: query.value::<String>("search").map(|words| words.trim().to_owned()),
        org_id: query.value("org_id"),
        state: query.value("state"),
        units: units(state, reader).await?,
        cursor: None,
    })
}

/// The number, a point, the name.
fn person_cursor(query: &PageQuery) -> Result<Option<PersonCursor>, ApiError> {
    let Some(text) = query.value::<String>("cursor") else { return Ok(None) };
    let cursor =
        text.split_once('.').and_then(|(number, name)| Some((name.to_owned(), number.parse().ok()?)));
    cursor.map(Some).ok_or_else(|| ApiError::Bad(text!("parameter-no-cursor")))
}

/// Cuts off what is on the next page, and says where this one ends; `None`: it is the last.
fn next<T>(found: &mut Vec<T>, cursor: impl Fn(&T) -> String) -> Option<String> {
    if found.len() <= PAGE {
        return None;
    }
    found.truncate(PAGE);
    found.last().map(cursor)
}
