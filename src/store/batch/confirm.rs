//! Whether a commit that was not answered took place.
//!
//! Before: `ingest::writer` had no answer. After: it acknowledges, or writes the batch again.
//! Promise: what is confirmed is where every commit has to be before it is answered, on the synchronous standby too.

use super::{Transaction, control};
use crate::store::{Statement, Store, StoreError, statement};

/// Whether the transaction, whose account was added, was committed for good; `None` while its old session is still at it. That the
/// row is there says nothing of a synchronous standby, which may be promoted without it: so a small write is committed behind it,
/// on the same server, and waits for the standby as every commit does.
///
/// # Errors
/// The database is away. Dropped before it has ended, it was not found out.
pub async fn confirm(store: &Store, transaction: Transaction) -> Result<Option<bool>, StoreError> {
    const STATUS: Statement = statement!("batch", "status");
    const CONFIRM: Statement = statement!("batch", "confirm");
    let client = store.own_client().await?;
    // The session that was to commit may hang in that very commit.
    store.terminate_abandoned(&client).await;
    control(&client, "batch.begin", "begin").await?;
    let rows = STATUS.query(&*client, &[&transaction.batch_id, &transaction.began_at]).await?;
    let state = |column| rows.first().is_some_and(|row| row.get(column));
    if !state("is_committed") {
        return Ok((!state("is_running")).then_some(false));
    }
    CONFIRM.query(&*client, &[]).await?;
    control(&client, "batch.commit", "commit").await?;
    Ok(Some(true))
}
