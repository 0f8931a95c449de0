//! Events.
//!
//! Before: `…/events`, pages. After: view `dashboard.event`.

use tokio_postgres::Row;

use super::record::{self, PageEnd, Record};
use super::rows::{column, word};
use super::{Span, Subject, Viewer};
use crate::model::{EventEntry, Id64};
use crate::store::{Statement, Store, StoreError, statement};

impl Record for EventEntry {
    const STATEMENT: Statement = statement!("dashboard", "event");

    fn of_row(row: &Row) -> Result<Self, StoreError> {
        Ok(Self {
            device_sn: column(row, "device_sn")?,
            ts: column(row, "ts")?,
            event_type: column(row, "event_type")?,
            severity: word(row, "severity")?,
            value: column(row, "value")?,
            latitude: column(row, "latitude")?,
            longitude: column(row, "longitude")?,
            altitude: column(row, "altitude")?,
            received_at: column(row, "received_at")?,
            user_id: column::<Option<i64>>(row, "user_id")?.map(Id64),
        })
    }

    fn page_end(&self) -> PageEnd {
        PageEnd { ts: self.ts, device_sn: self.device_sn.clone(), tie: self.event_type.clone() }
    }
}

/// Events of the span, in the order of time; `limit` at most.
///
/// # Errors
/// The database cannot be asked.
pub async fn list(
    store: &Store,
    viewer: Viewer,
    subject: &Subject,
    span: Span,
    limit: i64,
) -> Result<Vec<EventEntry>, StoreError> {
    record::list(store, viewer, subject, span, limit).await
}
