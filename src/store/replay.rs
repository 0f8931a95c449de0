//! A replay: rejected items go the way of every item, and leave `rejected_upload` in the transaction that stores them.
//!
//! Before: `ingest::replay` reads what was claimed once more, and hands over what became of it. After: as for
//! `store::batch`: the relay finds the outbox row.
//! Promise: an item is stored and out of `rejected_upload`, or neither; of any number of replays at once one has it.
//!
//! The account: a replay receives nothing. Its row of `vitals.ingest_batch` moves records from rejected to stored or
//! duplicate, so that over all rows received stays what devices sent, and rejected what `rejected_upload` holds.

use super::StoreError;
use super::accounting::{self, Account};
use super::batch::{self, Batch, Session};
use super::rejected_upload::{self, RejectedUpload};
use crate::config::Duplicates;
use crate::model::Reject;

/// What became of claimed rejects.
#[derive(Debug)]
pub struct Replayed<'a> {
    /// What can be stored now: all of it under `repeats`, nothing under `fresh` and `rejects`.
    pub batch: Batch<'a>,
    /// Numbers of the rejects the batch is made of.
    pub taken: &'a [i64],
    /// The others, and what is wrong with them now.
    pub refused: &'a [(i64, Reject)],
}

/// What a replay's transaction did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moved {
    /// New rows.
    pub stored: u32,
    /// Was there already, or twice among the claimed.
    pub duplicate: u32,
}

impl Session {
    /// Begins a transaction and takes those of `ids` that are still there and that nobody else is at.
    ///
    /// # Errors
    /// The transaction is rolled back; after [`super::Kind::Down`] the session must be discarded.
    pub async fn claim(&self, ids: &[i64]) -> Result<Vec<RejectedUpload>, StoreError> {
        let claimed = async {
            batch::control(&self.client, "replay.begin", "begin").await?;
            rejected_upload::claim(&self.client, ids).await
        };
        self.or_roll_back(claimed.await).await
    }

    /// Writes what became of the claimed in the same transaction, which is left open for [`Session::commit`].
    ///
    /// # Errors
    /// The transaction is rolled back, and the claim with it. [`super::Kind::Refused`]: the database refuses a row.
    /// After [`super::Kind::Down`] the session must be discarded.
    pub async fn write_replayed(
        &self,
        replayed: &Replayed<'_>,
        duplicates: Duplicates,
    ) -> Result<Moved, StoreError> {
        self.or_roll_back(self.move_claimed(replayed, duplicates).await).await
    }

    async fn move_claimed(
        &self,
        replayed: &Replayed<'_>,
        duplicates: Duplicates,
    ) -> Result<Moved, StoreError> {
        let client = &self.client;
        if !replayed.refused.is_empty() {
            rejected_upload::refuse_again(client, replayed.refused).await?;
        }
        let Some((first, last)) = batch::range(&replayed.batch) else {
            return Ok(Moved { stored: 0, duplicate: 0 });
        };
        let rows = i32::try_from(replayed.batch.repeats.len()).expect("bounded by a page");
        batch::ANNOUNCE.query(client, &[&first, &last, &rows]).await?;
        let inserted = batch::write_rows(client, &replayed.batch, duplicates).await?;
        let left = rejected_upload::remove(client, replayed.taken).await?;
        let account = batch::account(&replayed.batch, &inserted);
        let moved = account.stored + account.duplicate;
        if u64::try_from(moved) != Ok(left) {
            return Err(StoreError::State(format!("{left} rejects left the table as {moved} records")));
        }
        accounting::add(client, Account { rejected: -moved, ..account }).await?;
        Ok(Moved { stored: account.stored.unsigned_abs(), duplicate: account.duplicate.unsigned_abs() })
    }

    async fn or_roll_back<T>(&self, result: Result<T, StoreError>) -> Result<T, StoreError> {
        if result.is_err() {
            // When the connection is gone there is nothing to undo.
            let _ = batch::control(&self.client, "replay.rollback", "rollback").await;
        }
        result
    }
}
