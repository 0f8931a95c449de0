//! Events of the span.
use crate::model::EventEntry;
use crate::store::{Store, StoreError};
use super::{Span, Subject, Viewer};
/// Events of the span, in the order of time; `limit` at most.
pub async fn list(store: &Store, viewer: Viewer, subject: &Subject, span: Span, limit: i64) -> Result<Vec<EventEntry>, StoreError> { unimplemented!() }
