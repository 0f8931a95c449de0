//! Positions of the span.
use crate::model::TrackPoint;
use crate::store::{Store, StoreError};
use super::{Span, Subject, Viewer};
/// Positions of the span, in the order of time; `limit` at most.
pub async fn list(store: &Store, viewer: Viewer, subject: &Subject, span: Span, limit: i64) -> Result<Vec<TrackPoint>, StoreError> { unimplemented!() }
