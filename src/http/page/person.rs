//! `/people/{id}`, `/devices/{sn}`, `/fragments/person-now`: one person, one device.
//!
//! Before: a browser. After: `store::dashboard` by `record`. Promise: whoever the reader may not see is answered like one who is not there.

use std::sync::Arc;

use axum::extract::{Path, State as Shared};
use axum::response::{IntoResponse, Response};

use super::super::State;
use super::super::api::PathId;
use super::super::error::{ApiError, OneErrors};
use super::form::PageQuery;
use super::record::{self, Watched};
use super::{Flash, PageReader};
use crate::language::text;
use crate::model::{Device, Id64, Person};
use crate::page::device::{self, DeviceView};
use crate::page::person::{self, PersonView};
use crate::page::record::now;
use crate::store::alert_rule::EvaluatedOwner;
use crate::store::dashboard::device::DeviceFilter;
use crate::store::dashboard::{self, Subject};

/// Devices that are shown with a person.
const MOST_DEVICES: i64 = 20;

/// A person now, over a day, a week or a month
#[utoipa::path(get, path = "/people/{id}", tag = "pages",
    params(
        ("id" = Id64, Path, description = "Number of the person"),
        ("range" = Option<String>, Query, description = "`day`, `week` or `month`"),
        ("at" = Option<String>, Query, description = "A date in it; missing: today", format = Date),
    ),
    security(("bearer" = ["read", "own_tenant", "own_people"]), ("basic" = ["read", "own_tenant", "own_people"])),
    responses((status = 200, description = "A page", content_type = "text/html", body = String), OneErrors))]
pub(in crate::http) async fn get_people_id(
    Shared(state): Shared<Arc<State>>,
    mut reader: PageReader,
    PathId(user_id): PathId,
    query: PageQuery,
    flash: Flash,
) -> Response {
    match person_record(&state, &reader, user_id, &query).await {
        Ok(mut page) => {
            page.flash = reader.shown_once(flash);
            reader.page(&person::title(&page.person.summary), &person::body(&reader.frame, &page))
        }
        Err(error) => error.into_response(),
    }
}

/// A device now, over a day, a week or a month
#[utoipa::path(get, path = "/devices/{sn}", tag = "pages",
    params(
        ("sn" = String, Path, description = "Serial number of the device"),
        ("range" = Option<String>, Query, description = "`day`, `week` or `month`"),
        ("at" = Option<String>, Query, description = "A date in it; missing: today", format = Date),
    ),
    security(("bearer" = ["read", "own_tenant", "own_people"]), ("basic" = ["read", "own_tenant", "own_people"])),
    responses((status = 200, description = "A page", content_type = "text/html", body = String), OneErrors))]
pub(in crate::http) async fn get_devices_sn(
    Shared(state): Shared<Arc<State>>,
    reader: PageReader,
    Path(device_sn): Path<String>,
    query: PageQuery,
) -> Response {
    match device_record(&state, &reader, &device_sn, &query).await {
        Ok(page) => reader.page(&device::title(&device_sn), &device::body(&reader.frame, &page)),
        Err(error) => error.into_response(),
    }
}

/// The newest values of a person or a device alone, to replace those that are shown
#[utoipa::path(get, path = "/fragments/person-now", tag = "pages",
    params(
        ("user_id" = Option<Id64>, Query, description = "Number of the person"),
        ("device_sn" = Option<String>, Query, description = "Serial number of the device"),
    ),
    security(("bearer" = ["read", "own_tenant", "own_people"]), ("basic" = ["read", "own_tenant", "own_people"])),
    responses((status = 200, description = "The values", content_type = "text/html", body = String), OneErrors))]
pub(in crate::http) async fn get_fragments_person_now(
    Shared(state): Shared<Arc<State>>,
    reader: PageReader,
    query: PageQuery,
) -> Response {
    match fragment(&state, &reader, &query).await {
        Ok(part) => reader.fragment(part),
        Err(error) => error.into_response(),
    }
}

async fn fragment(state: &State, reader: &PageReader, query: &PageQuery) -> Result<String, ApiError> {
    let (watched, named) = match (query.value("user_id"), query.value::<String>("device_sn")) {
        (Some(Id64(user_id)), _) => {
            let person = find_person(state, reader, user_id).await?;
            (of_person(&person), person::now_query(&person))
        }
        (None, Some(device_sn)) => {
            let device = find_device(state, reader, &device_sn).await?;
            (of_device(&device), device::now_query(&device_sn))
        }
        (None, None) => return Err(ApiError::Absent(text!("number-absent"))),
    };
    let (newest, rules) = record::read_now(state, reader, &watched).await?;
    Ok(now(&reader.frame, &newest, &rules, &named).into_string())
}

async fn person_record(
    state: &State,
    reader: &PageReader,
    user_id: i64,
    query: &PageQuery,
) -> Result<PersonView, ApiError> {
    let window = record::window(reader, query)?;
    let person = find_person(state, reader, user_id).await?;
    let viewer = reader.caller.viewer();
    let worn = DeviceFilter { user_id: Some(user_id), ..DeviceFilter::default() };
    let devices = state
        .list(async |store| dashboard::device::list(&store, viewer, &worn, None, MOST_DEVICES).await)
        .await?;
    let record = record::read(state, reader, &of_person(&person), window).await?;
    Ok(PersonView { person, devices, record, flash: None })
}

async fn device_record(
    state: &State,
    reader: &PageReader,
    device_sn: &str,
    query: &PageQuery,
) -> Result<DeviceView, ApiError> {
    let window = record::window(reader, query)?;
    let device = find_device(state, reader, device_sn).await?;
    let record = record::read(state, reader, &of_device(&device), window).await?;
    Ok(DeviceView { device, record })
}

/// A person whom the reader may see.
pub(super) async fn find_person(
    state: &State,
    reader: &PageReader,
    user_id: i64,
) -> Result<Person, ApiError> {
    let viewer = reader.caller.viewer();
    let found = state.list(async |store| dashboard::person::read(&store, viewer, user_id).await).await?;
    found.ok_or_else(|| ApiError::Absent(text!("page-no-person")))
}

async fn find_device(state: &State, reader: &PageReader, device_sn: &str) -> Result<Device, ApiError> {
    let viewer = reader.caller.viewer();
    let found = state.list(async |store| dashboard::device::read(&store, viewer, device_sn).await).await?;
    found.ok_or_else(|| ApiError::Absent(text!("page-no-device")))
}

pub(super) fn of_person(person: &Person) -> Watched {
    let summary = &person.summary;
    Watched {
        subject: Subject::Person(summary.user_id.0),
        owner: EvaluatedOwner {
            customer_id: summary.customer_id.map(|Id64(id)| id),
            org_id: summary.org_id.map(|Id64(id)| id),
            user_id: Some(summary.user_id.0),
            device_sn: summary.device_sn.clone(),
        },
    }
}

fn of_device(device: &Device) -> Watched {
    let state = &device.state;
    Watched {
        subject: Subject::Device(state.device_sn.clone()),
        owner: EvaluatedOwner {
            customer_id: state.customer_id.map(|Id64(id)| id),
            org_id: state.org_id.map(|Id64(id)| id),
            user_id: state.user_id.map(|Id64(id)| id),
            device_sn: Some(state.device_sn.clone()),
        },
    }
}
