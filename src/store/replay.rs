//! A replay: rejected items go the way of every item, and leave `rejected_upload` in the transaction that stores them.
//!
//! Before: `ingest::replay` reads what was claimed once more, and hands over what became of it. After: as for
//! `store::batch`: the relay finds the outbox row.
//! Promise: an item is stored and out of `rejected_upload`, or neither; of any number of replays at once one has it.
//!
//! The account: a replay receives nothing. Its row of `vitals.ingest_batch` moves records from rejected to stored or
//! duplicate, so that over all rows received stays what devices sent, and rejected what `rejected_upload` holds.

use super::StoreError;
use super::accounting::{self, BatchAccount};
use super::batch::{self, Batch, BatchSession, Written};
use super::rejected_upload::{self, RejectedUpload};
use crate::config::Duplicates;
use crate::model::Reject;

/// What became of claimed rejects.
#[derive(Debug)]
pub struct ReplayBatch<'a> {
    /// What can be stored now: all of it under `repeats`, nothing under `fresh` and `rejects`.
    pub batch: Batch<'a>,
    /// Numbers of the rejects the batch is made of.
    pub taken: &'a [i64],
    /// The others, and what is wrong with them now.
    pub refused: &'a [(i64, Reject)],
}

/// Records of a kind that a replay moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MovedRecords {
    /// Kind of record, as in `vitals.ingest_batch`.
    pub kind: &'static str,
    /// New rows.
    pub stored: usize,
    /// Was there already, or twice among the claimed.
    pub duplicate: usize,
}

impl BatchSession {
    /// Begins a transaction and takes those of `ids` that are still there and that nobody else is at.
    ///
    /// # Errors
    /// The transaction is rolled back; after [`super::Kind::Down`] the session must be dropped.
    pub async fn claim(&self, ids: &[i64]) -> Result<Vec<RejectedUpload>, StoreError> {
        let claimed = async {
            batch::control(&self.client, "replay.begin", batch::BEGIN).await?;
            rejected_upload::claim(&*self.client, ids).await
        };
        self.or_roll_back(claimed.await).await
    }

    /// Gives the claimed back as they were.
    pub async fn release(&self) {
        // When the connection is gone there is nothing to undo.
        let _ = batch::control(&self.client, "replay.rollback", "rollback").await;
    }

    /// Writes what became of the claimed in the same transaction, which is left open for [`BatchSession::commit`]; `settle`
    /// tells from what was written how the claimed are counted.
    ///
    /// # Errors
    /// The transaction is rolled back, and the claim with it. [`super::Kind::Refused`]: the database refuses a row.
    /// After [`super::Kind::Down`] the session must be dropped.
    pub async fn write_replayed(
        &self,
        replayed: &ReplayBatch<'_>,
        duplicates: Duplicates,
        settle: impl FnOnce(&Written) -> Vec<MovedRecords>,
    ) -> Result<(), StoreError> {
        self.or_roll_back(self.move_claimed(replayed, duplicates, settle).await).await
    }

    async fn move_claimed(
        &self,
        replayed: &ReplayBatch<'_>,
        duplicates: Duplicates,
        settle: impl FnOnce(&Written) -> Vec<MovedRecords>,
    ) -> Result<(), StoreError> {
        let (client, batch) = (&*self.client, &replayed.batch);
        if !replayed.refused.is_empty() {
            rejected_upload::update_refusal(client, replayed.refused).await?;
        }
        let Some(range) = batch::range(batch) else {
            return Ok(());
        };
        let transaction = batch::announce(client, batch, range).await?;
        let written = batch::write_rows(client, batch, transaction, duplicates).await?;
        batch::documents::add(client, &batch.documents).await?;
        let left = rejected_upload::remove(client, replayed.taken).await?;
        if u64::try_from(replayed.taken.len()) != Ok(left) {
            let taken = replayed.taken.len();
            return Err(StoreError::State(format!("{left} rejects left the table, {taken} were taken")));
        }
        for MovedRecords { kind, stored, duplicate } in settle(&written) {
            let (instance, shard, replayed) = (batch.instance, batch.shard, stored + duplicate);
            let account = BatchAccount { instance, shard, kind, stored, duplicate, rejected: 0, replayed };
            accounting::add(client, account).await?;
        }
        Ok(())
    }

    async fn or_roll_back<T>(&self, result: Result<T, StoreError>) -> Result<T, StoreError> {
        if result.is_err() {
            self.release().await;
        }
        result
    }
}
