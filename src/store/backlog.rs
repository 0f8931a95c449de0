//! How far the relay, the notifications and the rollups are behind.
//!
//! Before: `monitor`. After: nobody.

use std::time::Duration;

use super::{Store, StoreError, statement};

/// Work that waits longer than this is late.
pub const LATE: Duration = Duration::from_secs(300);

/// Number of waiting entries, and the age of the oldest.
#[derive(Debug, Clone, Copy)]
pub struct QueueBacklog {
    /// Number of entries.
    pub count: i64,
    /// How long the oldest has waited; zero if none waits.
    pub oldest: Duration,
}

/// The work that waits in the database.
#[derive(Debug, Clone, Copy)]
pub struct Backlog {
    /// Committed transactions that the relay has not processed.
    pub transactions: QueueBacklog,
    /// Notifications that are due.
    pub notifications: QueueBacklog,
    /// How long a refresh of the rollups has been due; zero: it is not due.
    pub refresh_due: Duration,
}

/// Counts the work that waits.
///
/// # Errors
/// The database is away.
pub async fn read(store: &Store) -> Result<Backlog, StoreError> {
    let client = store.client().await?;
    let rows = statement!("backlog", "read").query_unprepared(&**client, &[]).await?;
    let row = rows.first().ok_or_else(|| StoreError::State("backlog.read returned no row".into()))?;
    let seconds = |column| Duration::try_from_secs_f64(row.get(column)).unwrap_or_default();
    let waiting = |count, oldest| QueueBacklog { count: row.get(count), oldest: seconds(oldest) };
    Ok(Backlog {
        transactions: waiting("transactions", "transaction_seconds"),
        notifications: waiting("notifications", "notification_seconds"),
        refresh_due: seconds("refresh_due_seconds"),
    })
}
