//! Statistics of today: records, devices, people.
//!
//! Before: `http::api::stats`. After: nobody. Promise: what it costs goes with the devices and with the time since it was last
//! asked, not with what `health_data` holds.

use jiff::Timestamp;
use tokio_postgres::types::Type;

use super::{Store, StoreError, statement};

/// Records of the day that were counted already.
#[derive(Debug, Clone, Copy)]
pub struct CountedRecords {
    today: Timestamp,
    until: Timestamp,
    records: i64,
}

/// The day so far.
#[derive(Debug, Clone, Copy)]
pub struct Today {
    /// Its start, in the zone of the rollups.
    pub from: Timestamp,
    /// Readings stored in it.
    pub records: i64,
    /// Devices that sent a sample of it.
    pub devices: i64,
    /// People who wear them.
    pub users: i64,
}

/// Counts; `counted` is what the last call gave, and spares counting it again.
///
/// # Errors
/// The database is away.
pub async fn today(
    store: &Store,
    counted: Option<CountedRecords>,
) -> Result<(Today, CountedRecords), StoreError> {
    let client = store.client().await?;
    let since = counted.map(|counted| counted.until);
    // Planned with the time, which leaves out chunks.
    let rows =
        statement!("stats", "records").query_unprepared(&**client, &[(&since, Type::TIMESTAMPTZ)]).await?;
    let row =
        rows.first().ok_or_else(|| StoreError::State("there are no rollups: run `vitals migrate`".into()))?;
    let from: Timestamp = row.get("today");
    let before = counted.filter(|counted| counted.today == from).map_or(0, |counted| counted.records);
    let counted = CountedRecords {
        today: from,
        until: row.get("settled_at"),
        records: before + row.get::<_, i64>("settled"),
    };
    let records = counted.records + row.get::<_, i64>("recent");
    let rows =
        statement!("stats", "active").query_unprepared(&**client, &[(&from, Type::TIMESTAMPTZ)]).await?;
    let count = |column| rows.first().map_or(0, |row| row.get(column));
    Ok((Today { from, records, devices: count("devices"), users: count("users") }, counted))
}
