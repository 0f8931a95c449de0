//! `vitals.ingest_batch`: what became of the records of a transaction.

use deadpool_postgres::Object;

use super::{Statement, StoreError, statement};

pub(super) const ADD: Statement = statement!("accounting", "add");

/// Who wrote, and how many records of a kind went where. `received = stored + duplicate + rejected` is a constraint.
#[derive(Debug, Clone, Copy)]
pub struct BatchAccount<'a> {
    /// Instance of the service.
    pub instance: &'a str,
    /// Its writer, or [`REPLAY_SHARD`].
    pub shard: i16,
    /// Kind of record.
    pub kind: &'static str,
    /// New rows.
    pub stored: usize,
    /// Repeats.
    pub duplicate: usize,
    /// Kept in `rejected_upload`.
    pub rejected: usize,
    /// Left `rejected_upload`, and count as stored or duplicate from now on; a replay receives nothing.
    pub replayed: usize,
}

/// In place of the writer's number: a replay of rejected items.
pub const REPLAY_SHARD: i16 = -1;

/// In place of the writer's number: history from a file.
pub const BACKFILL_SHARD: i16 = -2;

/// Adds the account; nothing is written of no records.
pub(crate) async fn add(client: &Object, account: BatchAccount<'_>) -> Result<(), StoreError> {
    let count = |records: usize| i32::try_from(records).expect("bounded by the queue");
    let records = account.stored + account.duplicate + account.rejected;
    if records == 0 {
        return Ok(());
    }
    let received = count(records) - count(account.replayed);
    ADD.execute(
        client,
        &[
            &account.instance,
            &account.shard,
            &account.kind,
            &received,
            &count(account.stored),
            &count(account.duplicate),
            &(count(account.rejected) - count(account.replayed)),
        ],
    )
    .await
    .map(drop)
}
