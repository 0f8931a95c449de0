//! Nights.
//!
//! Before: `…/nights`, pages. After: view `dashboard.sleep_night`.

use tokio_postgres::Row;

use super::record::{self, PageEnd, Record};
use super::rows::{column, midnight};
use super::{Span, Subject, Viewer};
use crate::model::{Exact, Id64, Night};
use crate::store::{Statement, Store, StoreError, statement};

impl Record for Night {
    const STATEMENT: Statement = statement!("dashboard", "night");

    fn of_row(row: &Row) -> Result<Self, StoreError> {
        Ok(Self {
            device_sn: column(row, "device_sn")?,
            night: column(row, "night")?,
            start_ts: column(row, "start_ts")?,
            end_ts: column(row, "end_ts")?,
            sleeps: column(row, "sleeps")?,
            light_hours: Exact(column(row, "light_hours")?),
            deep_hours: Exact(column(row, "deep_hours")?),
            unknown_hours: Exact(column(row, "unknown_hours")?),
            total_hours: Exact(column(row, "total_hours")?),
            user_id: column::<Option<i64>>(row, "user_id")?.map(Id64),
        })
    }

    fn page_end(&self) -> PageEnd {
        PageEnd { ts: midnight(self.night), device_sn: self.device_sn.clone(), tie: String::new() }
    }
}

/// Nights that end on days that begin in the span, in the zone of the rollups, in the order of days; `limit` at most.
///
/// # Errors
/// The database cannot be asked.
pub async fn list(
    store: &Store,
    viewer: Viewer,
    subject: &Subject,
    span: Span,
    limit: i64,
) -> Result<Vec<Night>, StoreError> {
    record::list(store, viewer, subject, span, limit).await
}
