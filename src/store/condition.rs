//! How far the reaction, the notifications and the rollups are behind.
//!
//! Before: `monitor`. After: nobody.

use std::time::Duration;

use super::{Store, StoreError, statement};

/// What waits longer than this is late.
pub const LATE: Duration = Duration::from_secs(300);

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
    /// For how long a refresh of the rollups has been due; zero: it is not.
    pub refresh_due: Duration,
}

/// Counts what waits.
///
/// # Errors
/// The database is away.
pub async fn backlog(store: &Store) -> Result<Backlog, StoreError> {
    let client = store.client().await?;
    let rows = statement!("condition", "backlog").query_unprepared(&**client, &[]).await?;
    let row = rows.first().ok_or_else(|| StoreError::State("condition.backlog gave no row".into()))?;
    let seconds = |column| Duration::try_from_secs_f64(row.get(column)).unwrap_or_default();
    let waiting = |count, oldest| Waiting { count: row.get(count), oldest: seconds(oldest) };
    Ok(Backlog {
        transactions: waiting("transactions", "transaction_seconds"),
        notifications: waiting("notifications", "notification_seconds"),
        refresh_due: seconds("refresh_due_seconds"),
    })
}
