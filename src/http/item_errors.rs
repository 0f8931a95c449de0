//! The errors in an answer: items that were not stored.
//!
//! Before: `ingest` returns the outcome of an upload. After: the answers of the upload routes.
//! Promise: at most [`MAX_ITEM_ERRORS`]; all of the items are in `rejected_upload`.

use serde::Serialize;
use utoipa::ToSchema;

use crate::model::Refusal;

/// Most errors in one answer.
const MAX_ITEM_ERRORS: usize = 10;

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

/// The first of these refusals.
pub(super) fn item_errors(refusals: &[Refusal]) -> Vec<ItemError> {
    let error = |refusal: &Refusal| ItemError {
        index: refusal.index,
        reason: refusal.reason.name(),
        message: refusal.detail.clone(),
    };
    refusals.iter().take(MAX_ITEM_ERRORS).map(error).collect()
}
