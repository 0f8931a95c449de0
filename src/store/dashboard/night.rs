//! Nights that end on days of the span.
use crate::model::Night;
use crate::store::{Store, StoreError};
use super::{Span, Subject, Viewer};
/// Nights that end on days of the span, in the zone of the rollups, in the order of time; `limit` at most.
pub async fn list(store: &Store, viewer: Viewer, subject: &Subject, span: Span, limit: i64) -> Result<Vec<Night>, StoreError> { unimplemented!() }
