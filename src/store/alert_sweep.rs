//! Changes of alerts that time causes (`vitals.expire_alerts()`, `vitals.evaluate_silence()`), or a rule that was disabled.
//!
//! Before: `schedule::alerts`. After: rows of `notification`.
//! Promise: one sweep runs at a time in all instances; a sweep that finds another one running does nothing.

use tokio_postgres::Row;

use super::{StatementTimeout, Store, StoreError, statement};

/// Expires alerts and evaluates the silence rules. True: there are new notifications.
///
/// # Errors
/// The database is away; the next sweep does the same work.
pub async fn sweep(store: &Store) -> Result<bool, StoreError> {
    let mut client = store.client().await?;
    // It reads the newest sample of every device, and nobody waits for it.
    let transaction = StatementTimeout::None.begin(&mut client, "").await?;
    let row = statement!("alert_sweep", "sweep").query(&transaction, &[]).await?;
    transaction
        .commit()
        .await
        .map_err(|source| StoreError::Postgres { statement: "alert_sweep.sweep", source })?;
    Ok(row.first().is_some_and(|row| row.get("notified")))
}

/// Resolves the open alerts of disabled rules now, for a caller who has disabled one; others are resolved by the next sweep.
///
/// # Errors
/// The database is away; the next sweep does the same work.
pub(super) async fn resolve_disabled(store: &Store) -> Result<(), StoreError> {
    let client = store.client().await?;
    let is_any = |rows: &[Row]| rows.first().is_some_and(|row| row.get("is_any"));
    while is_any(&statement!("alert_sweep", "resolve_disabled").query(&client, &[]).await?) {}
    Ok(())
}
