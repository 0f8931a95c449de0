//! `POST /upload_watch_log`.
//!
//! Before: a watch, a phone. After: `store::watch_log`.
//! Promise: 200 is sent after the commit. Logs use few connections, and delay no other upload.
//! Source: the wire contract, section 7.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State as Shared};
use serde::Serialize;
use tokio::time::timeout_at;
use utoipa::ToSchema;

use super::error::AccessError;
use super::openapi::WatchLogUpload;
use super::submit::UploadTerms;
use super::{HttpError, State, body};
use crate::ingest::IngestError;
use crate::model::{Owner, OwnerSlot, WatchLogLine};
use crate::store::{Kind, watch_log};
use crate::wire;

/// Most uploads of logs that are written at the same time.
pub(super) const MAX_CONCURRENT: usize = 2;

/// Answer to lines of a log
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct WatchLogAnswer {
    /// "success", or "error" if no line is kept
    #[schema(value_type = String, examples("success"))]
    status: &'static str,
    #[schema(value_type = String)]
    message: &'static str,
    /// Lines that are kept, those that were there already among them
    lines: usize,
    /// Lines without content, or of another tenant or another device than the key: they are not kept
    #[serde(skip_serializing_if = "is_zero")]
    left_out: usize,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
const fn is_zero(number: &usize) -> bool {
    *number == 0
}

/// What a watch says of its own working
///
/// Kept for a week (table `policy`), each line once. A line of more than 16 KiB is cut.
#[utoipa::path(post, path = "/upload_watch_log", tag = "devices", request_body = WatchLogUpload,
    security(("bearer" = ["upload", "own_tenant"]), ("basic" = ["upload", "own_tenant"])),
    params(body::ContentEncoding), responses((status = 200, description = "Every line is accounted for", body = WatchLogAnswer), HttpError, AccessError))]
pub(super) async fn upload_watch_log(
    Shared(state): Shared<Arc<State>>,
    request: Request,
) -> Result<Json<WatchLogAnswer>, HttpError> {
    let (upload, terms) = state.read(request, body::BudgetPool::Shared, wire::watch_log::parse).await?;
    let sent = upload.lines.len() + upload.empty;
    let deadline = terms.deadline;
    let lines = match timeout_at(deadline, store(&state, upload.lines, &terms)).await {
        Ok(kept) => kept?,
        Err(_) => return Err(IngestError::Unavailable.into()),
    };
    let (status, message) = match lines {
        0 => ("error", "没有日志被保存"),
        _ => ("success", "日志已保存"),
    };
    Ok(Json(WatchLogAnswer { status, message, lines, left_out: sent - lines }))
}

/// Stores the lines. With a key of one tenant or of one device: those of its own devices, and those without a device.
async fn store(state: &State, mut lines: Vec<WatchLogLine>, terms: &UploadTerms) -> Result<usize, HttpError> {
    let received_at = state.time.now();
    if let Some(key) = &terms.device {
        let own = key.device_sn();
        lines.retain_mut(|line| line.device_sn.get_or_insert_with(|| own.into()).as_str() == own);
    }
    let lines = with_tenants(state, lines, terms).await?;
    if lines.is_empty() {
        return Ok(0);
    }
    let _permit = state.log_uploads.acquire().await.expect("the semaphore is never closed");
    match watch_log::add(&state.store, &lines, received_at).await {
        Ok(_new) => Ok(lines.len()),
        Err(error) if matches!(error.kind(), Kind::Down | Kind::Retry) => {
            Err(IngestError::Unavailable.into())
        }
        Err(error) => {
            tracing::error!(%error, "lines of a watch log are not stored");
            Err(IngestError::Failed.into())
        }
    }
}

async fn with_tenants(
    state: &State,
    mut lines: Vec<WatchLogLine>,
    terms: &UploadTerms,
) -> Result<Vec<WatchLogLine>, HttpError> {
    let mut owners = vec![Owner::default(); lines.len()];
    let slots = lines.iter().zip(&mut owners).filter_map(|(line, owner)| {
        let device_sn = line.device_sn.as_deref()?;
        Some(OwnerSlot { device_sn, ts: line.ts, owner })
    });
    match terms.customer_id {
        // Who owns a device decides here what is kept.
        Some(_) => state.owners.fill_verified(slots).await?,
        None => state.owners.fill(slots).await?,
    }
    for (line, owner) in lines.iter_mut().zip(owners) {
        line.customer_id = owner.customer_id;
    }
    // A key of one device has the tenant that the directory gives the device.
    if let Some(key) = terms.customer_id.filter(|_| terms.device.is_none()) {
        lines.retain_mut(|line| *line.customer_id.get_or_insert(key) == key);
    }
    Ok(lines)
}
