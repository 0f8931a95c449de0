//! `POST /upload_common_event`.
//!
//! Before: a watch, a phone. After: `wire` reads the body, `ingest` commits it with the writer for its type.
//! Promise: 200 is sent after the commit, and for every event: any other status blocks the event queue of a watch, and the watch drops
//! the queue at its next success. What could not be stored is in the answer, and in `rejected_upload`.
//! Source: the wire contract, section 3.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State as Shared};
use serde::Serialize;
use utoipa::ToSchema;

use super::error::AccessError;
use super::item_errors::{ItemError, item_errors};
use super::openapi::EventUpload;
use super::submit::{DurableAnswer, SubmittedUpload};
use super::{HttpError, State, body};
use crate::model::{EventItem, NameKind, Source};
use crate::wire;

/// Answer to an event
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct EventAnswer {
    /// "success", or "error" if the first event is not stored
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
    /// At most ten names that have no meaning here: of fields, and of types of events that neither `event_type` nor a rule
    /// names; absent when every name is known
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 10)]
    ignored: Vec<String>,
}

/// An event, and the sample it may carry
///
/// Answered 200 after the commit, whatever the event: any other status would block the queue of a watch. SOS, one-key alarm
/// and fall never wait behind other uploads.
#[utoipa::path(post, path = "/upload_common_event", tag = "devices", request_body = EventUpload,
    security(("bearer" = ["upload", "own_tenant"]), ("basic" = ["upload", "own_tenant"])),
    params(body::ContentEncoding), responses((status = 200, description = "The event is accounted for", body = EventAnswer,
        headers(("Vitals-Durability" = String, description = "committed: in PostgreSQL; buffered: in the buffer, until PostgreSQL can store it"))), HttpError, AccessError))]
pub(super) async fn upload_common_event(
    Shared(state): Shared<Arc<State>>,
    request: Request,
) -> Result<DurableAnswer<Json<EventAnswer>>, HttpError> {
    let (mut event, terms) = state.read(request, body::BudgetPool::Reserved, wire::event::parse).await?;
    let mut unknown = std::mem::take(&mut event.upload.unknown);
    let mut has_known_type = false;
    for EventItem { event, .. } in &event.upload.events {
        if state.name_counts.knows_event_type(&event.event_type) {
            has_known_type = true;
        } else {
            unknown.add(NameKind::EventType, event.event_type.as_bytes(), Some(&event.device_sn));
        }
    }
    let is_event = event.event_type.is_some() && event.device_sn.is_some();
    let SubmittedUpload { outcome, durability } = state.submit(Source::Event, event.upload, terms).await?;
    let (status, message) = if !is_event || outcome.stored + outcome.duplicate == 0 {
        ("error", "事件未能处理，已保留原文")
    } else if has_known_type {
        ("success", "事件处理成功")
    } else {
        ("success", "事件已保存，但没有规则认识这种类型")
    };
    let answer = EventAnswer {
        status,
        message,
        alert_id: None,
        event_type: event.event_type,
        device_sn: event.device_sn,
        health_id: None,
        errors: item_errors(&outcome.rejected),
        ignored: state.name_counts.count(&unknown),
    };
    Ok(DurableAnswer(durability, Json(answer)))
}
