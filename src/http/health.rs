//! `POST /upload_health_data` and `POST /upload_health_data_batch`.
//!
//! Before: a watch, a phone, a gateway. After: `wire` reads the body, `ingest` commits it.
//! Promise: 200 is sent after the commit. The first answer is what watches know: exactly 200, whatever was in it.
//! Source: the wire contract, section 1.

use std::sync::Arc;
use std::time::Instant;

use axum::Json;
use axum::extract::{Request, State as Shared};
use jiff::Timestamp;
use serde::Serialize;

use super::{HttpError, State, body};
use crate::model::{Refusal, UploadOutcome};
use crate::wire::{self, Context};

/// Refusals named in an answer; the rest is in `rejected_upload`.
const MAX_ERRORS_TOLD: usize = 10;

/// Answer to an upload.
#[derive(Debug, Serialize)]
pub(super) struct UploadAnswer {
    status: &'static str,
    message: &'static str,
    details: Details,
    errors: Vec<ItemError>,
}

#[derive(Debug, Serialize)]
struct Details {
    success: u32,
    duplicate: u32,
    error: usize,
}

/// Why an item was not stored.
#[derive(Debug, Serialize)]
struct ItemError {
    index: u32,
    reason: &'static str,
    message: String,
}

/// Answer to a batch.
#[derive(Debug, Serialize)]
pub(super) struct BatchAnswer {
    status: &'static str,
    batch_id: String,
    total_records: usize,
    valid_records: u32,
    errors: usize,
    processing_time_ms: u64,
    error_details: Vec<ItemError>,
}

pub(super) async fn upload(
    Shared(state): Shared<Arc<State>>,
    request: Request,
) -> Result<Json<UploadAnswer>, HttpError> {
    let body = body::read(request, state.limits).await?;
    let upload = wire::health::parse(&body, &state.context())?;
    let outcome = state.submit(upload).await?;
    Ok(Json(UploadAnswer {
        status: "success",
        message: "数据已接收并处理",
        details: Details {
            success: outcome.stored,
            duplicate: outcome.duplicate,
            error: outcome.rejected.len(),
        },
        errors: told(&outcome.rejected),
    }))
}

pub(super) async fn upload_batch(
    Shared(state): Shared<Arc<State>>,
    request: Request,
) -> Result<Json<BatchAnswer>, HttpError> {
    let started = Instant::now();
    let body = body::read(request, state.limits).await?;
    let batch = wire::batch::parse(&body, &state.context())?;
    let outcome = state.submit(batch.upload).await?;
    let answer = batch_answer(batch.batch_id, &outcome, started);
    if answer.valid_records == 0 {
        let account = serde_json::to_value(answer).expect("the answer has no maps with odd keys");
        return Err(HttpError::NoValidRecord(account));
    }
    Ok(Json(answer))
}

fn batch_answer(named: Option<String>, outcome: &UploadOutcome, started: Instant) -> BatchAnswer {
    let valid_records = outcome.stored + outcome.duplicate;
    BatchAnswer {
        status: if valid_records == 0 { "error" } else { "accepted" },
        batch_id: named.or(outcome.batch_id.map(|id| id.to_string())).unwrap_or_default(),
        total_records: valid_records as usize + outcome.rejected.len(),
        valid_records,
        errors: outcome.rejected.len(),
        processing_time_ms: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
        error_details: told(&outcome.rejected),
    }
}

fn told(refusals: &[Refusal]) -> Vec<ItemError> {
    let error = |refusal: &Refusal| ItemError {
        index: refusal.index,
        reason: refusal.reason.name(),
        message: refusal.detail.clone(),
    };
    refusals.iter().take(MAX_ERRORS_TOLD).map(error).collect()
}

impl State {
    /// What the parsers need to know of now and here.
    fn context(&self) -> Context {
        let received_at = Timestamp::now();
        Context {
            received_at,
            device_zone: self.device_zone.clone(),
            oldest: self.retention.oldest(received_at),
        }
    }
}
