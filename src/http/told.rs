//! What an answer tells of the items that were not stored.
//!
//! Before: `ingest` says what became of an upload. After: the answers of the upload routes.
//! Promise: at most [`MAX_ERRORS_TOLD`]; all of them are in `rejected_upload`.

use serde::Serialize;
use utoipa::ToSchema;

use crate::model::Refusal;

/// Refusals named in an answer.
const MAX_ERRORS_TOLD: usize = 10;

/// Why an item was not stored
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ItemError {
    /// Its place in the upload, from 0
    index: u32,
    /// The kind of refusal
    #[schema(value_type = String, examples("future"))]
    reason: &'static str,
    /// What exactly is wrong with it
    message: String,
}

/// The first of `refusals`.
pub(super) fn told(refusals: &[Refusal]) -> Vec<ItemError> {
    let error = |refusal: &Refusal| ItemError {
        index: refusal.index,
        reason: refusal.reason.name(),
        message: refusal.detail.clone(),
    };
    refusals.iter().take(MAX_ERRORS_TOLD).map(error).collect()
}
