//! Records that devices made at a time: nights, days of exercise, workouts, events, positions.
//!
//! Before: `http` and pages name the device or the person and the time. After: views of schema dashboard.
//! Promise: pages neither miss nor repeat a record that is there all the while.

use deadpool_postgres::Transaction;
use jiff::Timestamp;
use tokio_postgres::Row;
use tokio_postgres::types::Type;

use super::rows::{Query, column};
use super::{Span, Subject, Viewer};
use crate::store::{Statement, Store, StoreError, statement};

const IS_VISIBLE: Statement = statement!("dashboard", "is_visible");

/// Where a page ended: time and device of its last record, and what tells apart records of one device and time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageEnd {
    /// Time; of a day midnight in UTC.
    pub ts: Timestamp,
    /// Serial of the device.
    pub device_sn: String,
    /// Type of an event or a workout; else empty.
    pub tie: String,
}

/// A kind of record.
pub(crate) trait Record: Sized + Send + 'static {
    /// Reads them; its parameters are in each file.
    const STATEMENT: Statement;

    /// A row of the statement.
    fn of_row(row: &Row) -> Result<Self, StoreError>;

    /// Where a page ends that ends with this one.
    fn page_end(&self) -> PageEnd;
}

/// Records in the order of time, behind `after`, `limit` at most.
pub(crate) fn query<R: Record>(
    subject: &Subject,
    span: Span,
    after: Option<PageEnd>,
    limit: Option<i64>,
) -> Query<R> {
    let (device_sn, user_id) = subject.parameters();
    let (after_ts, after_device_sn, after_tie) =
        after.map_or((None, None, None), |end| (Some(end.ts), Some(end.device_sn), Some(end.tie)));
    let parameters: Vec<super::rows::Parameter> = vec![
        (Box::new(device_sn), Type::TEXT),
        (Box::new(user_id), Type::INT8),
        (Box::new(span.from), Type::TIMESTAMPTZ),
        (Box::new(span.to), Type::TIMESTAMPTZ),
        (Box::new(after_ts), Type::TIMESTAMPTZ),
        (Box::new(after_device_sn), Type::TEXT),
        (Box::new(after_tie), Type::TEXT),
        (Box::new(limit), Type::INT8),
    ];
    Query::new(R::STATEMENT, parameters, Box::new(R::of_row))
}

/// The rows of a query about a device or a person. `None`: there is none such, or the viewer may not see it.
///
/// # Errors
/// The database cannot be asked.
pub(crate) async fn read<T: Send + 'static>(
    store: &Store,
    viewer: Viewer,
    subject: &Subject,
    mut query: Query<T>,
) -> Result<Option<Vec<T>>, StoreError> {
    let mut client = store.client().await?;
    let transaction = viewer.begin(&mut client).await?;
    let rows = query.read(&transaction).await?;
    let is_visible = !rows.is_empty() || sees(&transaction, subject).await?;
    Viewer::end(transaction).await?;
    Ok(is_visible.then_some(rows))
}

/// Whether the viewer may see the device or the person, now or of any time.
///
/// # Errors
/// The database cannot be asked.
pub(crate) async fn is_visible(store: &Store, viewer: Viewer, subject: &Subject) -> Result<bool, StoreError> {
    let mut client = store.client().await?;
    let transaction = viewer.begin(&mut client).await?;
    let is_visible = sees(&transaction, subject).await?;
    Viewer::end(transaction).await?;
    Ok(is_visible)
}

async fn sees(transaction: &Transaction<'_>, subject: &Subject) -> Result<bool, StoreError> {
    if *subject == Subject::Everyone {
        return Ok(true);
    }
    let (device_sn, user_id) = subject.parameters();
    let found = IS_VISIBLE.query(transaction, &[&device_sn, &user_id]).await?;
    found.first().map_or(Ok(false), |row| column(row, "is_visible"))
}

/// The same, where a person or a device that is not seen has no rows.
pub(super) async fn list<R: Record>(
    store: &Store,
    viewer: Viewer,
    subject: &Subject,
    span: Span,
    limit: i64,
) -> Result<Vec<R>, StoreError> {
    let rows = read(store, viewer, subject, query::<R>(subject, span, None, Some(limit))).await?;
    Ok(rows.unwrap_or_default())
}
