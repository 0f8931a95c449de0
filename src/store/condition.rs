//! How far the reaction and the notifications are behind.
//!
//! Before: `monitor`. After: nobody.

use std::time::Duration;

use super::{Store, StoreError, statement};

/// What waits, and for how long the oldest of it has.
#[derive(Debug, Clone, Copy)]
pub struct Waiting {
    /// So many.
    pub count: i64,
    /// Zero where nothing waits.
    pub oldest: Duration,
}

/// What waits in the database.
#[derive(Debug, Clone, Copy)]
pub struct Backlog {
    /// Committed transactions that were not reacted to.
    pub transactions: Waiting,
    /// Notifications that are due.
    pub notifications: Waiting,
}

/// Counts what waits.
///
/// # Errors
/// The database is away.
pub async fn backlog(store: &Store) -> Result<Backlog, StoreError> {
    let client = store.client().await?;
    let rows = statement!("condition", "backlog").query_unprepared(&**client, &[]).await?;
    let row = rows.first().ok_or_else(|| StoreError::State("condition.backlog gave no row".into()))?;
    let waiting = |count, oldest| Waiting {
        count: row.get(count),
        oldest: Duration::try_from_secs_f64(row.get(oldest)).unwrap_or_default(),
    };
    Ok(Backlog {
        transactions: waiting("transactions", "transaction_seconds"),
        notifications: waiting("notifications", "notification_seconds"),
    })
}
