//! `POST /upload_health_data` and `POST /upload_health_data_batch`.
//!
//! Before: a watch, a phone, a gateway. After: `wire` reads the body, `ingest` commits it.
//! Promise: 200 is sent after the commit, or when the buffer has it (`http::submit`). The first route answers exactly 200 to every upload, because watches expect it.
//! Source: the wire contract, section 1.

use std::sync::Arc;
use std::time::Instant;

use axum::Json;
use axum::extract::{Request, State as Shared};
use serde::Serialize;
use utoipa::ToSchema;

use super::error::{AccessError, ErrorAnswer};
use super::item_errors::{ItemError, item_errors};
use super::openapi::{HealthBatch, HealthUpload};
use super::submit::{Durability, DurableAnswer, SubmittedUpload};
use super::{HttpError, State, body};
use crate::model::{Source, UploadOutcome};
use crate::wire;

/// Answer to an upload
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct UploadAnswer {
    /// "success", "error" if no item is stored, or "empty" if there was none
    #[schema(value_type = String, examples("success"))]
    status: &'static str,
    #[schema(value_type = String)]
    message: &'static str,
    details: Details,
    /// At most ten of the items that were not stored
    #[schema(max_items = 10)]
    errors: Vec<ItemError>,
    /// At most ten names of fields that have no meaning here; absent when every name is known
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 10)]
    ignored: Vec<String>,
}

/// What became of the items
#[derive(Debug, Serialize, ToSchema)]
struct Details {
    /// New rows
    success: u32,
    /// There already, by device and time
    duplicate: u32,
    /// Kept as rejected, with their reason
    error: usize,
}

/// Answer to a batch
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct BatchAnswer {
    /// "accepted", or "error" if no record is valid
    #[schema(value_type = String, examples("accepted"))]
    status: &'static str,
    /// The sender's name of the batch; without one, the number of the transaction
    batch_id: String,
    total_records: usize,
    /// Records that are stored now, those that were already among them
    valid_records: u32,
    /// Records kept as rejected
    errors: usize,
    /// "committed", or "buffered" until PostgreSQL can store it: the figures are then those before it is stored
    durability: Durability,
    processing_time_ms: u64,
    /// At most ten of the records that were not stored
    #[schema(max_items = 10)]
    error_details: Vec<ItemError>,
    /// At most ten names of fields that have no meaning here; absent when every name is known
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 10)]
    ignored: Vec<String>,
}

/// Why a batch is answered 400: it is none, or it has no valid record
#[derive(ToSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "the document has to tell two answers in one")]
enum BatchRefusal {
    NoBatch(ErrorAnswer),
    NoValidRecord(BatchAnswer),
}

/// Samples of a watch or a phone
///
/// Answered after every item is committed: as a row, as a repeat of one, or as rejected with its reason.
#[utoipa::path(post, path = "/upload_health_data", tag = "devices", request_body = HealthUpload,
    security(("bearer" = ["upload", "own_tenant"]), ("basic" = ["upload", "own_tenant"])),
    params(body::ContentEncoding), responses((status = 200, description = "Every item is accounted for", body = UploadAnswer,
        headers(("Vitals-Durability" = String, description = "committed: in PostgreSQL; buffered: in the buffer, until PostgreSQL can store it"))), HttpError, AccessError))]
pub(super) async fn upload_health_data(
    Shared(state): Shared<Arc<State>>,
    request: Request,
) -> Result<DurableAnswer<Json<UploadAnswer>>, HttpError> {
    let (mut upload, terms) = state.read_readings(request, wire::health::parse).await?;
    let unknown = std::mem::take(&mut upload.unknown);
    let SubmittedUpload { outcome, durability } = state.submit(Source::Health, upload, terms).await?;
    let (status, message) = match (outcome.stored + outcome.duplicate, outcome.rejected.len()) {
        (0, 0) => ("empty", "没有收到数据"),
        (0, _) => ("error", "没有数据被保存"),
        _ => ("success", "数据已接收并处理"),
    };
    let answer = UploadAnswer {
        status,
        message,
        details: Details {
            success: outcome.stored,
            duplicate: outcome.duplicate,
            error: outcome.rejected.len(),
        },
        errors: item_errors(&outcome.rejected),
        ignored: state.name_counts.count(&unknown),
    };
    Ok(DurableAnswer(durability, Json(answer)))
}

/// Samples of a gateway
///
/// As `/upload_health_data`, but for stricter records; and a batch of which no record is valid is answered 400.
#[utoipa::path(post, path = "/upload_health_data_batch", tag = "devices", request_body = HealthBatch,
    security(("bearer" = ["upload", "own_tenant"]), ("basic" = ["upload", "own_tenant"])),
    params(body::ContentEncoding), responses(
        (status = 200, description = "Every record is accounted for", body = BatchAnswer,
            headers(("Vitals-Durability" = String, description = "committed: in PostgreSQL; buffered: in the buffer, until PostgreSQL can store it"))),
        HttpError,
        AccessError,
        (status = 400, description = "No batch, or no valid record in it", body = BatchRefusal),
    ))]
pub(super) async fn upload_health_data_batch(
    Shared(state): Shared<Arc<State>>,
    request: Request,
) -> Result<DurableAnswer<Json<BatchAnswer>>, HttpError> {
    let started = Instant::now();
    let (mut batch, terms) = state.read_readings(request, wire::batch::parse).await?;
    let unknown = std::mem::take(&mut batch.upload.unknown);
    let SubmittedUpload { outcome, durability } =
        state.submit(Source::HealthBatch, batch.upload, terms).await?;
    let answer = BatchAnswer {
        ignored: state.name_counts.count(&unknown),
        durability,
        ..batch_answer(batch.batch_id, &outcome, started)
    };
    if answer.valid_records == 0 {
        let account = serde_json::to_value(answer).expect("the answer has no maps with odd keys");
        return Err(HttpError::NoValidRecord(account));
    }
    Ok(DurableAnswer(durability, Json(answer)))
}

fn batch_answer(named: Option<String>, outcome: &UploadOutcome, started: Instant) -> BatchAnswer {
    let valid_records = outcome.stored + outcome.duplicate;
    BatchAnswer {
        status: if valid_records == 0 { "error" } else { "accepted" },
        batch_id: named.or(outcome.batch_id.map(|id| id.to_string())).unwrap_or_default(),
        total_records: valid_records as usize + outcome.rejected.len(),
        valid_records,
        errors: outcome.rejected.len(),
        durability: Durability::Committed,
        processing_time_ms: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
        error_details: item_errors(&outcome.rejected),
        ignored: Vec::new(),
    }
}
