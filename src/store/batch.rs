//! One transaction per batch: announcement, rows, documents, rejects, accounting, commit.
//!
//! Before: `ingest::writer` hands over sorted rows, told apart into fresh ones and likely repeats.
//! After: the relay finds the outbox row.
//! Promise: all of it is committed or nothing, and which of the two can be found out even when the connection
//! broke in the commit.

use std::collections::HashSet;

use deadpool_postgres::Object;
use jiff::Timestamp;

use super::accounting::{self, Account};
use super::{Statement, Store, StoreError, copy, health_document, rejected_upload, statement};
use crate::config::Duplicates;
use crate::model::{Item, Reject};

pub(super) const ANNOUNCE: Statement = statement!("batch", "announce");
const MERGE_FILL: Statement = statement!("batch", "merge_fill");
const MERGE_KEEP: Statement = statement!("batch", "merge_keep");
const MERGE_REPLACE: Statement = statement!("batch", "merge_replace");

/// What one transaction writes.
#[derive(Debug)]
pub struct Batch<'a> {
    /// Rows sorted by (device_sn, ts), no key twice, expected to be new: copied straight in.
    pub fresh: Vec<&'a Item>,
    /// Rows sorted by (device_sn, ts), no key twice and none of `fresh`: merged by way of a temporary table.
    pub repeats: Vec<&'a Item>,
    /// Records folded into one of the rows above.
    pub folded: usize,
    /// Items that cannot be stored.
    pub rejects: &'a [Reject],
    /// Who writes.
    pub instance: &'a str,
    /// Which of its writers.
    pub shard: i16,
}

/// What a transaction did.
#[derive(Debug)]
pub struct Written {
    /// The transaction.
    pub batch_id: i64,
    /// For each of `repeats`: it was new after all.
    pub inserted: Vec<bool>,
}

/// A connection of one's own for batches, with the temporary table repeats go through.
pub struct Session {
    pub(super) client: Object,
}

impl Session {
    /// Takes a connection.
    ///
    /// # Errors
    /// [`super::Kind::Down`] when none can be had.
    pub async fn open(store: &Store) -> Result<Self, StoreError> {
        let client = store.client().await?;
        client
            .batch_execute(include_str!("../../sql/queries/batch/incoming.sql"))
            .await
            .map_err(|source| StoreError::Postgres { statement: "batch.incoming", source })?;
        Ok(Self { client })
    }

    /// The server has closed it.
    pub fn is_closed(&self) -> bool {
        self.client.is_closed()
    }

    /// Closes it instead of giving it back: it may be in the middle of a transaction, and it has settings of its own.
    pub fn discard(self) {
        drop(Object::take(self.client));
    }

    /// Writes the batch in a transaction that is left open for [`Session::commit`].
    ///
    /// # Errors
    /// The transaction is rolled back. [`super::Kind::Conflict`]: a row of `fresh` is a repeat;
    /// [`super::Kind::Refused`]: a row will never be taken. After [`super::Kind::Down`] the session must be discarded.
    pub async fn write(&self, batch: &Batch<'_>, duplicates: Duplicates) -> Result<Written, StoreError> {
        let written = write_open(&self.client, batch, duplicates).await;
        if written.is_err() {
            // Leaves the session usable after a refusal; when the connection is gone there is nothing to undo.
            let _ = control(&self.client, "batch.rollback", "rollback").await;
        }
        written
    }

    /// Commits what [`Session::write`] wrote.
    ///
    /// # Errors
    /// It is unknown whether the commit took place: ask [`is_committed`].
    pub async fn commit(&self) -> Result<(), StoreError> {
        control(&self.client, "batch.commit", "commit").await
    }
}

/// Whether the transaction was committed; `None` while its old session is still at it.
///
/// # Errors
/// The database is away.
pub async fn is_committed(store: &Store, batch_id: i64) -> Result<Option<bool>, StoreError> {
    const STATUS: Statement = statement!("batch", "status");
    let client = store.client().await?;
    let rows = STATUS.query(&client, &[&batch_id]).await?;
    Ok(match rows[0].get::<_, Option<&str>>(0) {
        Some("committed") => Some(true),
        Some("in progress") => None,
        _ => Some(false),
    })
}

async fn write_open(
    client: &Object,
    batch: &Batch<'_>,
    duplicates: Duplicates,
) -> Result<Written, StoreError> {
    let batch_id = match range(batch) {
        Some((first, last)) => {
            let rows = i32::try_from(batch.fresh.len() + batch.repeats.len()).expect("bounded by the queue");
            let parameters: [&(dyn tokio_postgres::types::ToSql + Sync); 3] = [&first, &last, &rows];
            // Both leave in one packet: the second needs nothing of the first's answer.
            let (begun, announced) = futures_util::join!(
                control(client, "batch.begin", "begin"),
                ANNOUNCE.query(client, &parameters)
            );
            begun?;
            announced?[0].get(0)
        }
        None => {
            control(client, "batch.begin", "begin").await?;
            transaction_number(client).await?
        }
    };
    let inserted = write_rows(client, batch, duplicates).await?;
    if !batch.rejects.is_empty() {
        rejected_upload::add(client, batch.rejects).await?;
    }
    accounting::add(client, account(batch, &inserted)).await?;
    Ok(Written { batch_id, inserted })
}

/// The rows and what they carry, in the open transaction; for each of `repeats`: it was new after all.
pub(super) async fn write_rows(
    client: &Object,
    batch: &Batch<'_>,
    duplicates: Duplicates,
) -> Result<Vec<bool>, StoreError> {
    if !batch.fresh.is_empty() {
        copy::copy_in(client, "batch.copy_fresh", &copy_sql("health_data"), &batch.fresh).await?;
    }
    let inserted = merge(client, &batch.repeats, duplicates).await?;
    let rows = batch.fresh.iter().chain(&batch.repeats).copied();
    health_document::add(client, rows).await?;
    Ok(inserted)
}

pub(super) fn account<'a>(batch: &Batch<'a>, inserted: &[bool]) -> Account<'a> {
    let count = |records: usize| i32::try_from(records).expect("bounded by the queue");
    let new_after_all = inserted.iter().filter(|new| **new).count();
    Account {
        instance: batch.instance,
        shard: batch.shard,
        stored: count(batch.fresh.len() + new_after_all),
        duplicate: count(batch.folded + inserted.len() - new_after_all),
        rejected: count(batch.rejects.len()),
    }
}

/// Oldest and newest event time of the rows; `None` when there are only rejects.
pub(super) fn range(batch: &Batch<'_>) -> Option<(Timestamp, Timestamp)> {
    let times = || batch.fresh.iter().chain(&batch.repeats).map(|item| item.reading.ts);
    Some((times().min()?, times().max()?))
}

async fn merge(client: &Object, repeats: &[&Item], duplicates: Duplicates) -> Result<Vec<bool>, StoreError> {
    if repeats.is_empty() {
        return Ok(Vec::new());
    }
    copy::copy_in(client, "batch.copy_repeats", &copy_sql("pg_temp.incoming"), repeats).await?;
    let merge = match duplicates {
        Duplicates::Fill => MERGE_FILL,
        Duplicates::Keep => MERGE_KEEP,
        Duplicates::Replace => MERGE_REPLACE,
    };
    let new = merge.query(client, &[]).await?;
    let new: HashSet<(&str, Timestamp)> = new.iter().map(|row| (row.get(0), row.get(1))).collect();
    Ok(repeats.iter().map(|item| new.contains(&(item.reading.device_sn.as_str(), item.reading.ts))).collect())
}

fn copy_sql(table: &str) -> String {
    format!("copy {table} ({}) from stdin (format binary)", copy::COLUMNS)
}

pub(super) async fn control(client: &Object, statement: &'static str, sql: &str) -> Result<(), StoreError> {
    client.batch_execute(sql).await.map_err(|source| StoreError::Postgres { statement, source })
}

async fn transaction_number(client: &Object) -> Result<i64, StoreError> {
    const NUMBER: Statement = statement!("batch", "transaction_number");
    Ok(NUMBER.query(client, &[]).await?[0].get(0))
}
