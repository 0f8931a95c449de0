//! `unknown_name`: names in uploads that have no meaning here, counted.
//!
//! Before: `http` and `command::backfill` met them in uploads. After: `vitals rejected names` and `events` list them.
//! Promise: at most [`MAX_ROWS`] names and what one call adds; of more, the ones that came least often go.

use jiff::Timestamp;
use tokio_postgres::Row;

use super::{Statement, Store, StoreError, statement};
use crate::model::{NameKind, UnknownName};

const ADD: Statement = statement!("unknown_name", "add");
const LIST: Statement = statement!("unknown_name", "list");
const KNOWN_EVENT_TYPES: Statement = statement!("event_type", "known");

/// Most names the table keeps.
const MAX_ROWS: i64 = 1000;

/// A row of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NameCount {
    /// The name, how often it came, and the first device that sent it.
    pub name: UnknownName,
    /// When it first came.
    pub first_seen_at: Timestamp,
    /// When it last came.
    pub last_seen_at: Timestamp,
}

/// Counts names that came at `seen_at`; none of a kind may be there twice.
///
/// # Errors
/// Nothing was counted, or (when the connection broke) it may have been.
pub async fn add(store: &Store, names: &[UnknownName], seen_at: Timestamp) -> Result<(), StoreError> {
    let kind: Vec<&str> = names.iter().map(|name| name.kind.name()).collect();
    let name: Vec<&str> = names.iter().map(|name| name.name.as_str()).collect();
    let count: Vec<i64> = names.iter().map(|name| i64::try_from(name.count).unwrap_or(i64::MAX)).collect();
    let device_sn: Vec<Option<&str>> = names.iter().map(|name| name.device_sn.as_deref()).collect();
    let client = store.client().await?;
    ADD.execute(&client, &[&kind, &name, &count, &device_sn, &seen_at, &MAX_ROWS]).await.map(drop)
}

/// The `limit` most frequent names of these kinds; of event types, those that neither `event_type` nor a rule names now.
///
/// # Errors
/// The database cannot be asked.
pub async fn list(store: &Store, kinds: &[NameKind], limit: i64) -> Result<Vec<NameCount>, StoreError> {
    let kinds: Vec<&str> = kinds.iter().map(|kind| kind.name()).collect();
    let client = store.client().await?;
    LIST.query(&client, &[&kinds, &limit]).await?.iter().map(read).collect()
}

/// The types of events that `event_type` or a rule names.
///
/// # Errors
/// The database cannot be asked.
pub async fn known_event_types(store: &Store) -> Result<Vec<String>, StoreError> {
    let client = store.client().await?;
    Ok(KNOWN_EVENT_TYPES.query(&client, &[]).await?.iter().map(|row| row.get("event_type")).collect())
}

fn read(row: &Row) -> Result<NameCount, StoreError> {
    let kind: &str = row.get("kind");
    let kind = NameKind::of_name(kind)
        .ok_or_else(|| StoreError::State(format!("unknown_name.kind is {kind:?}, which is none")))?;
    let count = u64::try_from(row.get::<_, i64>("count")).unwrap_or_default();
    Ok(NameCount {
        name: UnknownName { kind, name: row.get("name"), count, device_sn: row.get("device_sn") },
        first_seen_at: row.get("first_seen_at"),
        last_seen_at: row.get("last_seen_at"),
    })
}
