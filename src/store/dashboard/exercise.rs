//! Days of exercise in the span.
use crate::model::DayOfExercise;
use crate::store::{Store, StoreError};
use super::{Span, Subject, Viewer};
/// Days of exercise in the span, in the order of time; `limit` at most.
pub async fn list(store: &Store, viewer: Viewer, subject: &Subject, span: Span, limit: i64) -> Result<Vec<DayOfExercise>, StoreError> { unimplemented!() }
