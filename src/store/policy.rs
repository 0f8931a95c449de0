//! `policy`: what DBAs decided about lifetimes.

use super::{Statement, Store, StoreError, statement};

const RAW_KEEP_SECONDS: Statement = statement!("policy", "raw_keep_seconds");

/// Age in seconds from which raw rows may be dropped. `None`: they are kept for ever.
///
/// # Errors
/// The database is away.
pub async fn raw_keep_seconds(store: &Store) -> Result<Option<i64>, StoreError> {
    let client = store.client().await?;
    let rows = RAW_KEEP_SECONDS.query(&client, &[]).await?;
    Ok(rows.first().and_then(|row| row.get("keep_seconds")))
}
