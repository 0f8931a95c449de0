//! Workouts.
//!
//! Before: `…/workouts`, pages. After: view `dashboard.workout`.

use tokio_postgres::Row;

use super::record::{self, PageEnd, Record};
use super::rows::column;
use super::{Span, Subject, Viewer};
use crate::model::{Exact, Id64, WorkoutEntry};
use crate::store::{Statement, Store, StoreError, statement};

impl Record for WorkoutEntry {
    const STATEMENT: Statement = statement!("dashboard", "workout");

    fn of_row(row: &Row) -> Result<Self, StoreError> {
        Ok(Self {
            device_sn: column(row, "device_sn")?,
            start_ts: column(row, "start_ts")?,
            end_ts: column(row, "end_ts")?,
            workout_type: column(row, "workout_type")?,
            type_name: column(row, "type_name")?,
            calorie: column::<Option<_>>(row, "calorie")?.map(Exact),
            distance: column::<Option<_>>(row, "distance")?.map(Exact),
            user_id: column::<Option<i64>>(row, "user_id")?.map(Id64),
        })
    }

    fn page_end(&self) -> PageEnd {
        let tie = self.workout_type.map_or_else(String::new, |code| code.to_string());
        PageEnd { ts: self.start_ts, device_sn: self.device_sn.clone(), tie }
    }
}

/// Workouts that begin in the span, in the order of time; `limit` at most.
///
/// # Errors
/// The database cannot be asked.
pub async fn list(
    store: &Store,
    viewer: Viewer,
    subject: &Subject,
    span: Span,
    limit: i64,
) -> Result<Vec<WorkoutEntry>, StoreError> {
    record::list(store, viewer, subject, span, limit).await
}
