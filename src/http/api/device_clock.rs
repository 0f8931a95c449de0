//! `GET /api/device_clocks`: the devices whose clock is behind or ahead.
//!
//! Before: operators, care staff and their programs. After: `store::device_clock`.

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
use crate::model::{DeviceClock, Id64};
use crate::store::device_clock;

/// Devices in an answer, unless a limit is named.
const MOST: i64 = 100;

/// Devices whose clock is off
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct DeviceClocks {
    /// The farthest first
    #[schema(max_items = 500)]
    clocks: Vec<DeviceClock>,
}

/// Which devices
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "the document has to tell what is read from pairs")]
pub(in crate::http) struct ClockFilter {
    /// Seconds beyond which a clock is off; default: the setting clock_off_seconds
    #[param(minimum = 60)]
    over: Option<u32>,
    /// Of this tenant
    customer_id: Option<Id64>,
    /// How many at most
    #[param(minimum = 1, maximum = 500, default = 100)]
    limit: Option<i64>,
}

/// Devices whose clock is behind or ahead
///
/// Their alerts are judged by the corrected time. Times that are stored and shown are those of the device.
#[utoipa::path(get, path = "/api/device_clocks", tag = "alerts", params(ClockFilter),
    security(("bearer" = ["read", "own_tenant"]), ("basic" = ["read", "own_tenant"])),
    responses((status = 200, description = "The devices", body = DeviceClocks), ListErrors))]
pub(in crate::http) async fn get_api_device_clocks(
    Shared(state): Shared<Arc<State>>,
    Extension(caller): Extension<Caller>,
    mut parameters: Parameters,
) -> Result<Json<DeviceClocks>, ApiError> {
    let customer_id = super::tenant(&mut parameters, &caller)?;
    let over = parameters.one("over")?.unwrap_or(state.clock_off_seconds);
    let limit = parameters.one::<Limit>("limit")?.map_or(MOST, |Limit(limit)| limit);
    parameters.end()?;
    let clocks = state.list(async |store| device_clock::list(&store, over, customer_id, limit).await).await?;
    Ok(Json(DeviceClocks { clocks }))
}
