//! `vitals.notification_step`: what the routes of firing alerts are still to do, such as an escalation or a repeat.
//!
//! Before: `vitals.notify_alerts` adds rows with the alert. After: rows of `notification`, which the sender loops send.
//! Promise: a step is done once, by one instance, and moved on in the same transaction.

use super::{Store, StoreError, statement};

/// Does at most `limit` steps that are due. Gives how many.
///
/// # Errors
/// The database cannot be asked; what was not committed is done by the next call.
pub async fn notify_due(store: &Store, limit: i32) -> Result<i32, StoreError> {
    let client = store.client().await?;
    let rows = statement!("notification_step", "notify_due").query(&client, &[&limit]).await?;
    Ok(rows.first().map(|row| row.get("steps")).unwrap_or_default())
}
