//! `vitals.ingest_batch`: what became of the records of a transaction.

use deadpool_postgres::Object;

use super::{Statement, StoreError, statement};

const ADD: Statement = statement!("accounting", "add");

/// Who wrote, and how many records went where. `received = stored + duplicate + rejected` is a constraint.
#[derive(Debug, Clone, Copy)]
pub struct Account<'a> {
    /// Instance of the service.
    pub instance: &'a str,
    /// Its writer, or [`REPLAY_SHARD`].
    pub shard: i16,
    /// New rows.
    pub stored: i32,
    /// Repeats.
    pub duplicate: i32,
    /// Kept in `rejected_upload`; negative: as many left it, and count as stored or duplicate from now on.
    pub rejected: i32,
}

/// In place of the writer's number: a replay of rejected items.
pub const REPLAY_SHARD: i16 = -1;

pub(crate) async fn add(client: &Object, account: Account<'_>) -> Result<(), StoreError> {
    let received = account.stored + account.duplicate + account.rejected;
    ADD.execute(
        client,
        &[
            &account.instance,
            &account.shard,
            &received,
            &account.stored,
            &account.duplicate,
            &account.rejected,
        ],
    )
    .await
    .map(drop)
}
