//! `POST /upload_device_info`.
//!
//! Before: a watch, a phone. After: `wire` reads the body, `ingest` commits it.
//! Promise: 200 is sent after the commit.
//! Source: the wire contract, section 2.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State as Shared};
use serde::Serialize;
use utoipa::ToSchema;

use super::error::AccessError;
use super::item_errors::{ItemError, item_errors};
use super::openapi::DeviceInfoUpload;
use super::submit::{DurableAnswer, SubmittedUpload};
use super::{HttpError, State, body};
use crate::model::Source;
use crate::wire;

/// Answer to device information
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct DeviceInfoAnswer {
    /// "success", "error" if no record is stored, or "empty" if there was none
    #[schema(value_type = String, examples("success"))]
    status: &'static str,
    #[schema(value_type = String)]
    message: &'static str,
    /// Number of the transaction that holds it; "0" if there was nothing to hold
    request_id: String,
    /// At most ten of the records that were not stored; absent when everything was stored
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 10)]
    errors: Vec<ItemError>,
    /// At most ten names of fields that have no meaning here; absent when every name is known
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 10)]
    ignored: Vec<String>,
}

/// What a device says of itself
///
/// Answered after it is committed. The device's row is brought up to date by event time, its history is kept.
#[utoipa::path(post, path = "/upload_device_info", tag = "devices", request_body = DeviceInfoUpload,
    security(("bearer" = ["upload", "own_tenant"]), ("basic" = ["upload", "own_tenant"])),
    params(body::ContentEncoding), responses((status = 200, description = "Every record is accounted for", body = DeviceInfoAnswer,
        headers(("Vitals-Durability" = String, description = "committed: in PostgreSQL; buffered: in the buffer, until PostgreSQL can store it"))), HttpError, AccessError))]
pub(super) async fn upload_device_info(
    Shared(state): Shared<Arc<State>>,
    request: Request,
) -> Result<DurableAnswer<Json<DeviceInfoAnswer>>, HttpError> {
    let (mut upload, terms) = state.read(request, body::BudgetPool::Shared, wire::device_info::parse).await?;
    let unknown = std::mem::take(&mut upload.unknown);
    let SubmittedUpload { outcome, durability } = state.submit(Source::DeviceInfo, upload, terms).await?;
    let (status, message) = match (outcome.stored + outcome.duplicate, outcome.rejected.len()) {
        (0, 0) => ("empty", "没有收到设备信息"),
        (0, _) => ("error", "没有设备信息被保存"),
        _ => ("success", "设备信息已接收，正在批量处理"),
    };
    let answer = DeviceInfoAnswer {
        status,
        message,
        request_id: outcome.batch_id.unwrap_or_default().to_string(),
        errors: item_errors(&outcome.rejected),
        ignored: state.name_counts.count(&unknown),
    };
    Ok(DurableAnswer(durability, Json(answer)))
}
