//! One transaction per batch: announcement, rows, documents, rejects, accounting, commit.
//!
//! Before: `ingest::writer` hands over sorted rows, told apart into fresh ones and likely repeats.
//! After: the relay finds the outbox row.
//! Promise: all of it is committed or nothing, and which of the two can be found out even when the connection
//! broke in the commit.

use std::collections::HashSet;

use deadpool_postgres::Object;
use jiff::Timestamp;
use tokio::time::timeout;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use super::accounting;
use super::connect::OwnClient;
use super::pipeline::pipeline;
use super::statement::timed;
use super::{Statement, Store, StoreError, copy, device_event, device_info, rejected_upload, statement};
use crate::config::Duplicates;
use crate::model::{DeviceInfoItem, EventItem, Item, Partitions, Reject, SampleDocument};
use crate::telemetry::trace::TraceContext;

mod account;
mod confirm;
pub(super) mod documents;
mod few;

pub use account::kind_of;
pub use confirm::confirm;

const ANNOUNCE: Statement = statement!("batch", "announce");
const MERGE_FILL: Statement = statement!("batch", "merge_fill");
const MERGE_KEEP: Statement = statement!("batch", "merge_keep");
const MERGE_REPLACE: Statement = statement!("batch", "merge_replace");

/// Statements that are pipelined behind it must not run outside of a transaction if it fails. So outside of a transaction an error
/// ends the session (`sql/queries/batch/incoming.sql`); inside, the first error does not. A second error, of a statement behind the
/// first, does end it, because the failed transaction has reset the setting. The commit of a batch waits for a synchronous standby if
/// the server's settings say so, unlike everything else in such a session.
pub(super) const BEGIN: &str =
    "begin; set local exit_on_error = off; set local synchronous_commit to default";

/// What one transaction writes.
#[derive(Debug)]
pub struct Batch<'a> {
    /// Rows sorted by (device_sn, ts), no key twice, expected to be new: copied straight in.
    pub fresh: Vec<&'a Item>,
    /// Rows sorted by (device_sn, ts), no key twice and none of `fresh`: merged by way of a temporary table.
    pub repeats: Vec<&'a Item>,
    /// Events, no key twice.
    pub events: Vec<&'a EventItem>,
    /// Device information, no key twice.
    pub device_infos: Vec<&'a DeviceInfoItem>,
    /// Records folded into one of the rows above.
    pub folded: Folded,
    /// Nested documents of all these readings that are not known to be stored, no content of a device twice.
    pub documents: Vec<SampleDocument<'a>>,
    /// Items that cannot be stored.
    pub rejects: &'a [Reject],
    /// Who writes.
    pub instance: &'a str,
    /// Which of its writers.
    pub shard: i16,
}

/// Records that share the row of another.
#[derive(Debug, Clone, Copy, Default)]
pub struct Folded {
    /// Readings.
    pub readings: usize,
    /// Events.
    pub events: usize,
    /// Device information.
    pub device_infos: usize,
}

/// Which transaction. Its number alone does not tell: after a crash of the server another may have it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Transaction {
    /// Its number.
    pub batch_id: i64,
    /// When it began, by the server's clock.
    pub began_at: Timestamp,
}

/// What a transaction did.
#[derive(Debug, Default)]
pub struct Written {
    /// The transaction.
    pub transaction: Transaction,
    /// For each of `repeats`: it was new after all.
    pub inserted: Vec<bool>,
    /// For each of `events`: it was new.
    pub events: Vec<bool>,
    /// For each of `device_infos`: it was new.
    pub device_infos: Vec<bool>,
}

/// A connection of one's own for batches, with the temporary table repeats go through. Dropped, it is closed: it may be in the
/// middle of a transaction, and it has settings of its own.
pub struct BatchSession {
    pub(super) client: OwnClient,
}

impl BatchSession {
    /// Takes a connection.
    ///
    /// # Errors
    /// [`super::Kind::Down`] when none can be had that answers within `connect_timeout_ms`.
    pub async fn open(store: &Store) -> Result<Self, StoreError> {
        let session = Self { client: store.own_client().await? };
        let preparing = session.client.batch_execute(include_str!("../../sql/queries/batch/incoming.sql"));
        match timeout(store.connect_timeout(), preparing).await {
            Ok(Ok(())) => Ok(session),
            Ok(Err(source)) => {
                let error = StoreError::Postgres { statement: "batch.incoming", source };
                store.note_refusal(&error);
                Err(error)
            }
            Err(_) => Err(StoreError::Timeout("batch.incoming")),
        }
    }

    /// Prepares what a batch of a few rows needs, so that the first of them need not wait for it.
    ///
    /// # Errors
    /// The session is of no use.
    pub async fn prepare(&self, duplicates: Duplicates) -> Result<(), StoreError> {
        few::prepare(&self.client, duplicates).await
    }

    /// The server has closed it.
    pub fn is_closed(&self) -> bool {
        self.client.is_closed()
    }

    /// Writes the batch in a transaction that is left open for [`BatchSession::account_and_commit`].
    ///
    /// # Errors
    /// The transaction is rolled back. [`super::Kind::Conflict`]: a row of `fresh` is a repeat;
    /// [`super::Kind::Refused`]: a row will never be taken. After [`super::Kind::Down`] the session must be dropped.
    pub async fn write(&self, batch: &Batch<'_>, duplicates: Duplicates) -> Result<Written, StoreError> {
        let written = write_open(&self.client, batch, duplicates).await;
        if written.is_err() {
            // Leaves the session usable after a refusal; when the connection is gone there is nothing to undo.
            let _ = control(&self.client, "batch.rollback", "rollback").await;
        }
        written
    }

    /// Adds the account of what [`BatchSession::write`] wrote, and commits; both leave in one packet.
    ///
    /// # Errors
    /// It is unknown whether the commit took place: ask [`confirm`].
    pub async fn account_and_commit(&self, batch: &Batch<'_>, written: &Written) -> Result<(), StoreError> {
        let client = &*self.client;
        accounting::ADD.prepare(client).await?;
        let [readings, events, device_infos] = account::of(batch, written);
        pipeline! {
            readings = accounting::add(client, readings),
            events = accounting::add(client, events),
            device_infos = accounting::add(client, device_infos),
            committed = self.commit(),
        }
        // After a failed statement, a commit is a rollback and no error.
        readings.and(events).and(device_infos).and(committed)
    }

    /// Commits a transaction whose account was added.
    ///
    /// # Errors
    /// It is unknown whether the commit took place: ask [`confirm`].
    pub async fn commit(&self) -> Result<(), StoreError> {
        control(&self.client, "batch.commit", "commit").await
    }
}

async fn write_open(
    client: &Object,
    batch: &Batch<'_>,
    duplicates: Duplicates,
) -> Result<Written, StoreError> {
    let written = match range(batch) {
        None => {
            control(client, "batch.begin", BEGIN).await?;
            Written { transaction: transaction_number(client).await?, ..Written::default() }
        }
        Some(range) if few::are_few(batch) => few::write(client, batch, range, duplicates).await?,
        Some(range) => write_many(client, batch, range, duplicates).await?,
    };
    documents::add(client, &batch.documents).await?;
    if !batch.rejects.is_empty() {
        rejected_upload::add(client, batch.rejects).await?;
    }
    Ok(written)
}

async fn write_many(
    client: &Object,
    batch: &Batch<'_>,
    range: Range,
    duplicates: Duplicates,
) -> Result<Written, StoreError> {
    ANNOUNCE.prepare(client).await?;
    copy::FRESH.prepare(client).await?;
    pipeline! {
        begun = control(client, "batch.begin", BEGIN),
        announced = announce(client, batch, range),
        copied = copy::copy_in(client, copy::FRESH, &batch.fresh),
    }
    begun?;
    let transaction = announced?;
    copied?;
    write_rest(client, batch, transaction, duplicates).await
}

/// Every row of the batch, in this open transaction.
pub(super) async fn write_rows(
    client: &Object,
    batch: &Batch<'_>,
    transaction: Transaction,
    duplicates: Duplicates,
) -> Result<Written, StoreError> {
    copy::copy_in(client, copy::FRESH, &batch.fresh).await?;
    write_rest(client, batch, transaction, duplicates).await
}

/// All but the rows that are copied straight in.
async fn write_rest(
    client: &Object,
    batch: &Batch<'_>,
    transaction: Transaction,
    duplicates: Duplicates,
) -> Result<Written, StoreError> {
    copy::copy_in(client, copy::REPEATS, &batch.repeats).await?;
    let inserted = merge(client, &batch.repeats, duplicates).await?;
    let events = device_event::add(client, &batch.events).await?;
    // Last of the rows: it locks rows of device, which others may wait for until the commit.
    let device_infos = device_info::add(client, &batch.device_infos).await?;
    Ok(Written { transaction, inserted, events, device_infos })
}

/// The outbox row; tells the transaction.
pub(super) async fn announce(
    client: &Object,
    batch: &Batch<'_>,
    (first, last): Range,
) -> Result<Transaction, StoreError> {
    let readings = count(batch.fresh.len() + batch.repeats.len());
    let (events, device_infos) = (count(batch.events.len()), count(batch.device_infos.len()));
    let trace = TraceContext::current().map(|trace| trace.traceparent());
    let urgent = batch.events.iter().any(|item| item.event.is_urgent());
    let partitions = partitions(batch).bits();
    let values: [&(dyn ToSql + Sync); 8] =
        [&first, &last, &readings, &events, &device_infos, &trace, &urgent, &partitions];
    let announced = ANNOUNCE.query(client, &values).await?;
    Ok(transaction(&announced[0]))
}

/// Those of its devices.
fn partitions(batch: &Batch<'_>) -> Partitions {
    let readings = batch.fresh.iter().chain(&batch.repeats).map(|item| item.reading.device_sn.as_str());
    let events = batch.events.iter().map(|item| item.event.device_sn.as_str());
    let device_infos = batch.device_infos.iter().map(|item| item.info.device_sn.as_str());
    readings.chain(events).chain(device_infos).collect()
}

fn count(records: usize) -> i32 {
    i32::try_from(records).expect("bounded by the queue")
}

/// Oldest and newest event time.
type Range = (Timestamp, Timestamp);

/// That of the rows; `None` when there are only rejects.
pub(super) fn range(batch: &Batch<'_>) -> Option<Range> {
    let readings = batch.fresh.iter().chain(&batch.repeats).map(|item| item.reading.ts);
    let events = batch.events.iter().map(|item| item.event.ts);
    let device_infos = batch.device_infos.iter().map(|item| item.info.ts);
    let times = readings.chain(events).chain(device_infos);
    times.fold(None, |range, ts| match range {
        None => Some((ts, ts)),
        Some((first, last)) => Some((ts.min(first), ts.max(last))),
    })
}

/// What is in `pg_temp.incoming` goes into the table; tells for each of `repeats` whether it was new.
async fn merge(client: &Object, repeats: &[&Item], duplicates: Duplicates) -> Result<Vec<bool>, StoreError> {
    if repeats.is_empty() {
        return Ok(Vec::new());
    }
    let new = merge_statement(duplicates).query(client, &[]).await?;
    let new: HashSet<(&str, Timestamp)> = new.iter().map(|row| (row.get(0), row.get(1))).collect();
    Ok(repeats.iter().map(|item| new.contains(&(item.reading.device_sn.as_str(), item.reading.ts))).collect())
}

const fn merge_statement(duplicates: Duplicates) -> Statement {
    match duplicates {
        Duplicates::Fill => MERGE_FILL,
        Duplicates::Keep => MERGE_KEEP,
        Duplicates::Replace => MERGE_REPLACE,
    }
}

pub(super) async fn control(client: &Object, statement: &'static str, sql: &str) -> Result<(), StoreError> {
    timed(statement, client.batch_execute(sql))
        .await
        .map_err(|source| StoreError::Postgres { statement, source })
}

async fn transaction_number(client: &Object) -> Result<Transaction, StoreError> {
    const NUMBER: Statement = statement!("batch", "transaction_number");
    Ok(transaction(&NUMBER.query(client, &[]).await?[0]))
}

fn transaction(row: &Row) -> Transaction {
    Transaction { batch_id: row.get("batch_id"), began_at: row.get("began_at") }
}
