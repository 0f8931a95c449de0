//! Tracks.
//!
//! Before: `…/track`, pages. After: view `dashboard.position`.

use tokio_postgres::Row;

use super::record::{self, PageEnd, Record};
use super::rows::column;
use super::{Span, Subject, Viewer};
use crate::model::{Id64, TrackPoint};
use crate::store::{Statement, Store, StoreError, statement};

impl Record for TrackPoint {
    const STATEMENT: Statement = statement!("dashboard", "track");

    fn of_row(row: &Row) -> Result<Self, StoreError> {
        Ok(Self {
            device_sn: column(row, "device_sn")?,
            ts: column(row, "ts")?,
            latitude: column(row, "latitude")?,
            longitude: column(row, "longitude")?,
            altitude: column(row, "altitude")?,
            user_id: column::<Option<i64>>(row, "user_id")?.map(Id64),
        })
    }

    fn page_end(&self) -> PageEnd {
        PageEnd { ts: self.ts, device_sn: self.device_sn.clone(), tie: String::new() }
    }
}

/// Positions of the span, in the order of time; `limit` at most.
///
/// # Errors
/// The database cannot be asked.
pub async fn list(
    store: &Store,
    viewer: Viewer,
    subject: &Subject,
    span: Span,
    limit: i64,
) -> Result<Vec<TrackPoint>, StoreError> {
    record::list(store, viewer, subject, span, limit).await
}
