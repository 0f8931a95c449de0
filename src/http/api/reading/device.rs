//! `GET /api/devices`, `/api/devices/{sn}`, `/api/devices/{sn}/latest`.
//!
//! Before: `inquiry` has read who asks. After: `store::dashboard::device` and `latest`.

use std::sync::Arc;

use axum::extract::State as Shared;
use axum::response::Response;
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

use super::super::query::Limit;
use super::super::{ApiError, cut_page};
use super::form::Form;
use super::inquiry::{Inquiry, PathSerial};
use super::parameter::Cursor;
use super::record::absent;
use super::table::FieldTable;
use crate::http::State;
use crate::http::error::ReadErrors;
use crate::model::{Device, DeviceState, Id64, Latest, ReadState};
use crate::store::dashboard::device::{self, DeviceFilter};
use crate::store::dashboard::{self, Subject};

/// Devices of a page, unless a limit is named.
const PAGE: i64 = 100;

/// Devices that a person wears at a time, at most.
const MOST_LATEST: i64 = 100;

/// A page of devices
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct DevicePage {
    /// By serial
    #[schema(max_items = 500)]
    devices: Vec<DeviceState>,
    /// What to ask for the next page with; null: this is the last
    cursor: Option<String>,
}

/// Newest samples
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct LatestPage {
    /// The newest first; none older than a week
    #[schema(max_items = 100)]
    latest: Vec<Latest>,
}

/// Which devices, and which page of them
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "the document has to tell what is read from pairs")]
pub(in crate::http) struct DeviceParameters {
    /// Part of the serial or of the name of the wearer, in any case
    search: Option<String>,
    /// Organisation unit of the wearer, its sub-units too
    org_id: Option<Id64>,
    /// Who wears it now
    user_id: Option<Id64>,
    /// online: it sent a sample within the last quarter hour; offline: it did not; alerting: an alert is open
    #[param(inline)]
    state: Option<ReadState>,
    /// Where the page before ended, as its answer says; JSON only
    cursor: Option<String>,
    /// Most devices of a page; JSON only
    #[param(minimum = 1, maximum = 500, default = 100)]
    limit: Option<i64>,
    /// Instead of the header Accept
    #[param(inline)]
    format: Option<Form>,
    /// Of this tenant only
    customer_id: Option<Id64>,
}

/// In which form
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "the document has to tell what is read from pairs")]
pub(in crate::http) struct LatestParameters {
    /// Instead of the header Accept
    #[param(inline)]
    format: Option<Form>,
    /// Of this tenant only
    customer_id: Option<Id64>,
}

/// Devices, by serial
#[utoipa::path(get, path = "/api/devices", tag = "reading", params(DeviceParameters),
    security(("bearer" = ["read", "own_tenant", "own_people"]), ("basic" = ["read", "own_tenant", "own_people"])),
    responses((status = 200, description = "A page of them as JSON, or all of them as NDJSON or CSV",
        content((DevicePage = "application/json"), (DeviceState = "application/x-ndjson"), (String = "text/csv"))), ReadErrors))]
pub(in crate::http) async fn get_api_devices(
    Shared(state): Shared<Arc<State>>,
    mut inquiry: Inquiry,
) -> Result<Response, ApiError> {
    let parameters = &mut inquiry.parameters;
    let id = |id: Option<Id64>| id.map(|Id64(id)| id);
    let filter = DeviceFilter {
        search: parameters.one("search")?,
        org_id: id(parameters.one("org_id")?),
        user_id: id(parameters.one("user_id")?),
        state: parameters.one("state")?,
    };
    let after = parameters.one::<Cursor<String>>("cursor")?.map(|Cursor(place)| place);
    let limit = parameters.one::<Limit>("limit")?.map_or(PAGE, |Limit(limit)| limit);
    std::mem::take(parameters).end()?;
    if inquiry.form != Form::Json {
        let query = device::query(&filter, after, None);
        return inquiry.export(&state, "devices", &Subject::Everyone, query, FieldTable).await;
    }
    let viewer = inquiry.viewer;
    let read =
        state.list(async |store| device::list(&store, viewer, &filter, after.as_deref(), limit + 1).await);
    let mut devices = read.await?;
    let last = cut_page(&mut devices, limit);
    let cursor = last.map(|device| Cursor(device.device_sn.clone()).text());
    inquiry.json(&DevicePage { devices, cursor })
}

/// A device, who wore it when, and its newest values
#[utoipa::path(get, path = "/api/devices/{sn}", tag = "reading",
    params(("sn" = String, Path, description = "Serial number of the device")),
    security(("bearer" = ["read", "own_tenant", "own_people"]), ("basic" = ["read", "own_tenant", "own_people"])),
    responses((status = 200, description = "The device", body = Device), ReadErrors))]
pub(in crate::http) async fn get_api_devices_sn(
    Shared(state): Shared<Arc<State>>,
    PathSerial(device_sn): PathSerial,
    mut inquiry: Inquiry,
) -> Result<Response, ApiError> {
    inquiry.only_json()?;
    let viewer = inquiry.viewer;
    let found = state.list(async |store| device::read(&store, viewer, &device_sn).await).await?;
    inquiry.json(&found.ok_or_else(|| absent(&Subject::Device(device_sn)))?)
}

/// The newest sample of a device
#[utoipa::path(get, path = "/api/devices/{sn}/latest", tag = "reading",
    params(("sn" = String, Path, description = "Serial number of the device"), LatestParameters),
    security(("bearer" = ["read", "own_tenant", "own_people"]), ("basic" = ["read", "own_tenant", "own_people"])),
    responses((status = 200, description = "The sample; none, if it is older than a week",
        content((LatestPage = "application/json"), (Latest = "application/x-ndjson"), (String = "text/csv"))), ReadErrors))]
pub(in crate::http) async fn get_api_devices_sn_latest(
    Shared(state): Shared<Arc<State>>,
    PathSerial(device_sn): PathSerial,
    inquiry: Inquiry,
) -> Result<Response, ApiError> {
    latest(&state, inquiry, Subject::Device(device_sn)).await
}

/// Answers with the newest samples of a device or a person.
pub(super) async fn latest(
    state: &State,
    mut inquiry: Inquiry,
    subject: Subject,
) -> Result<Response, ApiError> {
    std::mem::take(&mut inquiry.parameters).end()?;
    if inquiry.form != Form::Json {
        let query = dashboard::latest::query(&subject, MOST_LATEST);
        return inquiry.export(state, "latest", &subject, query, FieldTable).await;
    }
    let viewer = inquiry.viewer;
    let read = state.list(async |store| {
        let query = dashboard::latest::query(&subject, MOST_LATEST);
        dashboard::read(&store, viewer, &subject, query).await
    });
    inquiry.json(&LatestPage { latest: read.await?.ok_or_else(|| absent(&subject))? })
}
