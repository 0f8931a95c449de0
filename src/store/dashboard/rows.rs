//! Rows of a statement: all at once for a page, or one portal after the other for an export.
//!
//! Before: the files of this folder, one per kind of row, say which statement. After: `http` writes the rows as JSON, NDJSON or CSV.
//! Promise: an export takes the memory of a few hundred rows, whatever its size and however slowly it is received. It reads one
//! snapshot. It begins on a standby or, where none is good enough, on the primary; after the first rows an error ends it.

use std::time::Duration;

use deadpool_postgres::Transaction;
use futures_util::{FutureExt, Stream, StreamExt, stream};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use tokio::sync::mpsc;
use tokio_postgres::Row;
use tokio_postgres::types::{FromSql, ToSql, Type};

use super::Viewer;
use crate::store::reads::Reads;
use crate::store::statement::timed;
use crate::store::{Statement, Store, StoreError};

/// Rows that are fetched at a time.
const FETCH: i32 = 500;

/// Longest time in which an export may run: its snapshot keeps the server from removing old rows.
const LONGEST: Duration = Duration::from_secs(15 * 60);

/// The value of a parameter, and its type.
pub(super) type Parameter = (Box<dyn ToSql + Sync + Send>, Type);

/// Reads a row. It may keep where the columns are from one row to the next.
pub(super) type ReadRow<T> = Box<dyn FnMut(&Row) -> Result<T, StoreError> + Send>;

/// A statement with its parameters, and how its rows are read.
pub struct Query<T> {
    statement: Statement,
    parameters: Vec<Parameter>,
    read_row: ReadRow<T>,
}

impl<T> std::fmt::Debug for Query<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Query").field("statement", &self.statement.name).finish_non_exhaustive()
    }
}

/// Rows of an export, some at a time.
pub type RowStream<T> = std::pin::Pin<Box<dyn Stream<Item = Result<Vec<T>, StoreError>> + Send>>;

impl<T: Send + 'static> Query<T> {
    pub(super) fn new(statement: Statement, parameters: Vec<Parameter>, read_row: ReadRow<T>) -> Self {
        Self { statement, parameters, read_row }
    }

    /// All rows.
    pub(super) async fn read(&mut self, transaction: &Transaction<'_>) -> Result<Vec<T>, StoreError> {
        let parameters: Vec<(&(dyn ToSql + Sync), Type)> = self
            .parameters
            .iter()
            .map(|(value, kind)| (&**value as &(dyn ToSql + Sync), kind.clone()))
            .collect();
        let rows = self.statement.query_unprepared(&**transaction, &parameters).await?;
        rows.iter().map(&mut self.read_row).collect()
    }

    /// All rows, as they are received.
    pub fn export(self, reads: Reads, viewer: Viewer) -> RowStream<T> {
        let (sender, mut receiver) = mpsc::channel(1);
        let exporting = async move {
            let query = tokio::sync::Mutex::new(self);
            let attempt = async |store: Store| query.lock().await.fetch(&store, viewer, &sender).await;
            let exported = tokio::time::timeout(LONGEST, reads.run(attempt)).await;
            if let Err(error) = exported.unwrap_or(Err(StoreError::Timeout("dashboard.export"))) {
                // Nobody receives it: the client has gone.
                let _ = sender.send(Err(error)).await;
            }
        };
        let received = stream::poll_fn(move |context| receiver.poll_recv(context));
        // The query runs while its rows are received, and ends with the stream.
        let running = exporting.into_stream().filter_map(async |()| None);
        Box::pin(stream::select(received, running))
    }

    /// Sends all rows. Once some were sent, an error is sent too: another attempt would repeat them.
    async fn fetch(
        &mut self,
        store: &Store,
        viewer: Viewer,
        sender: &mpsc::Sender<Result<Vec<T>, StoreError>>,
    ) -> Result<(), StoreError> {
        let mut has_sent = false;
        match self.fetch_each(store, viewer, sender, &mut has_sent).await {
            Err(error) if has_sent => {
                let _ = sender.send(Err(error)).await;
                Ok(())
            }
            outcome => outcome,
        }
    }

    async fn fetch_each(
        &mut self,
        store: &Store,
        viewer: Viewer,
        sender: &mpsc::Sender<Result<Vec<T>, StoreError>>,
        has_sent: &mut bool,
    ) -> Result<(), StoreError> {
        let name = self.statement.name;
        let failed = |source| StoreError::Postgres { statement: name, source };
        let mut client = store.client().await?;
        let transaction = viewer.begin_export(&mut client).await?;
        let types: Vec<Type> = self.parameters.iter().map(|(_, kind)| kind.clone()).collect();
        let values: Vec<&(dyn ToSql + Sync)> =
            self.parameters.iter().map(|(value, _)| &**value as &(dyn ToSql + Sync)).collect();
        let prepared = transaction.prepare_typed(self.statement.sql, &types).await.map_err(failed)?;
        let portal = transaction.bind(&prepared, &values).await.map_err(failed)?;
        loop {
            let rows = timed(name, transaction.query_portal(&portal, FETCH)).await.map_err(failed)?;
            let is_last = rows.len() < usize::try_from(FETCH).unwrap_or(usize::MAX);
            let read: Vec<T> = rows.iter().map(&mut self.read_row).collect::<Result<_, _>>()?;
            // The first rows are sent even if there are none: then the answer can begin.
            if sender.send(Ok(read)).await.is_err() {
                return Ok(());
            }
            *has_sent = true;
            if is_last {
                break;
            }
        }
        drop(portal);
        transaction.commit().await.map_err(failed)
    }
}

/// The value of a column.
pub(super) fn column<'a, T: FromSql<'a>>(row: &'a Row, name: &str) -> Result<T, StoreError> {
    row.try_get(name).map_err(|error| StoreError::State(format!("{name}: {error}")))
}

/// The row of a statement that gives one.
pub(super) fn only_row(statement: &Statement, mut rows: Vec<Row>) -> Result<Row, StoreError> {
    rows.pop().ok_or_else(|| StoreError::State(format!("{} gave no row", statement.name)))
}

/// A day as a time: its midnight in UTC.
pub(super) fn midnight(day: Date) -> Timestamp {
    // Only the last days of the calendar have none.
    day.to_zoned(TimeZone::UTC).map_or(Timestamp::MAX, |midnight| midnight.timestamp())
}

/// The value of a column that holds a word of an enumeration.
pub(super) fn word<T: std::str::FromStr>(row: &Row, name: &str) -> Result<T, StoreError> {
    optional_word(row, name)?.ok_or_else(|| StoreError::State(format!("{name} is NULL")))
}

/// The same, where it may be NULL.
pub(super) fn optional_word<T: std::str::FromStr>(row: &Row, name: &str) -> Result<Option<T>, StoreError> {
    let text: Option<&str> = column(row, name)?;
    let parsed = text.map(|text| {
        text.parse().map_err(|_| StoreError::State(format!("{name} holds {text:?}, which is unknown")))
    });
    parsed.transpose()
}
