//! `POST /upload_common_event`.
//!
//! Before: a watch, a phone. After: `wire` reads the body, `ingest` commits it in the lane of its type.
//! Promise: 200 is sent after the commit, and for every event: any other status blocks the queue of a watch, and its next
//! success wipes what is in it. What could not be stored of an event is told, and kept.
//! Source: the wire contract, section 3.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State as Shared};
use serde::Serialize;
use utoipa::ToSchema;

use super::error::AccessError;
use super::openapi::EventUpload;
use super::told::{ItemError, told};
use super::{HttpError, State, body};
use crate::wire;

/// Answer to an event
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct EventAnswer {
    #[schema(value_type = String, examples("success"))]
    status: &'static str,
    #[schema(value_type = String)]
    message: &'static str,
    /// Alerts are judged after the commit, so there is none yet
    alert_id: Option<String>,
    /// The short type; null when none can be read
    event_type: Option<String>,
    /// The serial; null when none can be read
    device_sn: Option<String>,
    /// Readings have no number of their own
    health_id: Option<String>,
    /// At most ten of what could not be stored; absent when everything was stored
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 10)]
    errors: Vec<ItemError>,
}

/// An event, and the sample it may carry
///
/// Answered 200 after the commit, whatever the event: any other status would block the queue of a watch. SOS, one-key alarm
/// and fall never wait behind other uploads.
#[utoipa::path(post, path = "/upload_common_event", tag = "devices", request_body = EventUpload,
    security(("bearer" = ["upload", "own_tenant"]), ("basic" = ["upload", "own_tenant"])),
    params(body::Packing), responses((status = 200, description = "The event is accounted for", body = EventAnswer), HttpError, AccessError))]
pub(super) async fn upload_common_event(
    Shared(state): Shared<Arc<State>>,
    request: Request,
) -> Result<Json<EventAnswer>, HttpError> {
    let (event, terms) = state.read(request, body::Room::Reserved, wire::event::parse).await?;
    let outcome = state.submit(event.upload, terms).await?;
    Ok(Json(EventAnswer {
        status: "success",
        message: "事件处理成功",
        alert_id: None,
        event_type: event.event_type,
        device_sn: event.device_sn,
        health_id: None,
        errors: told(&outcome.rejected),
    }))
}
