//! Which history of the database this is, and how far.
//!
//! Before: PostgreSQL. After: `timeline` sees whether it went back behind what Redis was shown.

use super::{Store, StoreError, statement};

/// Where the database is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimelinePosition {
    /// Which history of which database; opaque, compared for equality.
    pub origin: String,
    /// Number of a transaction that only rises within one history.
    pub number: i64,
}

/// Where it is now.
///
/// # Errors
/// The database cannot be asked.
pub async fn position(store: &Store) -> Result<TimelinePosition, StoreError> {
    let client = store.client().await?;
    let rows = statement!("timeline", "position").query(&client, &[]).await?;
    let row = rows.first().ok_or_else(|| StoreError::State("timeline.position gave no row".into()))?;
    Ok(TimelinePosition { origin: row.get("origin"), number: row.get("position") })
}
