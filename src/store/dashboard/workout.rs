//! Workouts that begin in the span.
use crate::model::WorkoutEntry;
use crate::store::{Store, StoreError};
use super::{Span, Subject, Viewer};
/// Workouts that begin in the span, in the order of time; `limit` at most.
pub async fn list(store: &Store, viewer: Viewer, subject: &Subject, span: Span, limit: i64) -> Result<Vec<WorkoutEntry>, StoreError> { unimplemented!() }
