//! `POST /upload_device_info`.
//!
//! Before: a watch, a phone. After: `wire` reads the body, `ingest` commits it.
//! Promise: 200 is sent after the commit.
//! Source: the wire contract, section 2.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State as Shared};
use serde::Serialize;

use super::told::{ItemError, told};
use super::{HttpError, State, body};
use crate::wire;

/// Answer to device information.
#[derive(Debug, Serialize)]
pub(super) struct DeviceInfoAnswer {
    status: &'static str,
    message: &'static str,
    /// Number of the transaction that holds it: `device_info.batch_id`. `0`: there was nothing to hold.
    request_id: String,
    /// Absent when everything was stored.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<ItemError>,
}

pub(super) async fn upload(
    Shared(state): Shared<Arc<State>>,
    request: Request,
) -> Result<Json<DeviceInfoAnswer>, HttpError> {
    let body = body::read(request, state.limits).await?;
    let upload = wire::device_info::parse(&body, &state.context())?;
    let outcome = state.ingest.submit(upload).await?;
    Ok(Json(DeviceInfoAnswer {
        status: "success",
        message: "设备信息已接收，正在批量处理",
        request_id: outcome.batch_id.unwrap_or_default().to_string(),
        errors: told(&outcome.rejected),
    }))
}
