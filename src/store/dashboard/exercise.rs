//! Days of exercise.
//!
//! Before: `…/exercise`, pages. After: view `dashboard.exercise_day`.

use tokio_postgres::Row;

use super::record::{self, PageEnd, Record};
use super::rows::{column, midnight};
use super::{Span, Subject, Viewer};
use crate::model::{DayOfExercise, Exact, Id64};
use crate::store::{Statement, Store, StoreError, statement};

impl Record for DayOfExercise {
    const STATEMENT: Statement = statement!("dashboard", "exercise");

    fn of_row(row: &Row) -> Result<Self, StoreError> {
        Ok(Self {
            device_sn: column(row, "device_sn")?,
            day: column(row, "day")?,
            strength_minutes: column::<Option<_>>(row, "strength_minutes")?.map(Exact),
            active_hours: column::<Option<_>>(row, "active_hours")?.map(Exact),
            steps: column(row, "steps")?,
            user_id: column::<Option<i64>>(row, "user_id")?.map(Id64),
        })
    }

    fn page_end(&self) -> PageEnd {
        PageEnd { ts: midnight(self.day), device_sn: self.device_sn.clone(), tie: String::new() }
    }
}

/// Days that begin in the span, in the zone of the rollups, in their order; `limit` at most.
///
/// # Errors
/// The database cannot be asked.
pub async fn list(
    store: &Store,
    viewer: Viewer,
    subject: &Subject,
    span: Span,
    limit: i64,
) -> Result<Vec<DayOfExercise>, StoreError> {
    record::list(store, viewer, subject, span, limit).await
}
