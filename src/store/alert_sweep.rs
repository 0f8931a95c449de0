//! What the clock does to alerts: `vitals.expire_alerts()` and `vitals.evaluate_silence()`.
//!
//! Before: `schedule::alerts`. After: rows of `notification`, for whoever is to be told.
//! Promise: one sweep at a time, of all instances; a sweep that finds another at work leaves it to that.

use super::{Patience, Store, StoreError, statement};

/// Lets alerts expire and judges silence. True: somebody is to be told.
///
/// # Errors
/// The database is away; the next sweep does the same work.
pub async fn sweep(store: &Store) -> Result<bool, StoreError> {
    let mut client = store.client().await?;
    // Thousands of devices are looked at; nobody waits for it.
    let transaction = Patience::Unlimited.begin(&mut client, "").await?;
    let row = statement!("alert_sweep", "sweep").query(&transaction, &[]).await?;
    transaction
        .commit()
        .await
        .map_err(|source| StoreError::Postgres { statement: "alert_sweep.sweep", source })?;
    Ok(row.first().is_some_and(|row| row.get("told")))
}
