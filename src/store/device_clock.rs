//! The clocks of devices, as far as they are off.
//!
//! Before: `relay` reports devices whose newest row is far from its receipt. After: the columns of `device`; the judgement of lateness
//! reads rows instead (`vitals.derive_alerts`), so that it does not change with time.

use jiff::Timestamp;
use tokio_postgres::types::ToSql;

use super::{Store, StoreError, statement};
use crate::model::{DeviceClock, Id64};

/// Measures the clocks of devices, given the time of a row that each sent lately. One that was measured lately is left out.
///
/// # Errors
/// The database is away; the next row of the device causes the same measurement.
pub async fn measure(store: &Store, seen: &[(String, Timestamp)]) -> Result<(), StoreError> {
    let (device_sns, seen_ts): (Vec<&str>, Vec<Timestamp>) =
        seen.iter().map(|(device_sn, ts)| (device_sn.as_str(), *ts)).unzip();
    let client = store.client().await?;
    statement!("device_clock", "measure").query(&client, &[&device_sns, &seen_ts]).await.map(drop)
}

/// Devices whose clock is off by more than `seconds`, of a tenant or of any, the farthest first, at most `limit`.
///
/// # Errors
/// The database is away.
pub async fn list(
    store: &Store,
    seconds: u32,
    customer_id: Option<i64>,
    limit: i64,
) -> Result<Vec<DeviceClock>, StoreError> {
    let client = store.client().await?;
    let parameters: [&(dyn ToSql + Sync); 3] = [&i64::from(seconds), &customer_id, &limit];
    let rows = statement!("device_clock", "list").query(&client, &parameters).await?;
    let clock = |row: &tokio_postgres::Row| DeviceClock {
        device_sn: row.get("device_sn"),
        clock_offset_seconds: row.get("clock_offset_seconds"),
        clock_measured_at: row.get("clock_measured_at"),
        customer_id: row.get::<_, Option<i64>>("customer_id").map(Id64),
        user_name: row.get("user_name"),
    };
    Ok(rows.iter().map(clock).collect())
}

/// How many devices have a clock that is off by more than `seconds`.
///
/// # Errors
/// The database is away.
pub async fn count(store: &Store, seconds: u32) -> Result<i64, StoreError> {
    let client = store.client().await?;
    let rows = statement!("device_clock", "count").query(&client, &[&i64::from(seconds)]).await?;
    Ok(rows.first().map_or(0, |row| row.get("devices")))
}
