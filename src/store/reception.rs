//! When the service could receive and store uploads: periods between its outages.
//!
//! Before: `schedule::reception`, in every instance. After: `vitals.silent_devices`, which counts no silence from before the present period.

use super::{Store, StoreError, statement};

/// Records that this instance can receive and store uploads now.
///
/// # Errors
/// The database is away, so it cannot.
pub async fn record(store: &Store) -> Result<(), StoreError> {
    let client = store.client().await?;
    statement!("reception", "record").query(&client, &[]).await.map(drop)
}
