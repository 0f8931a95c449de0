//! What is stored of some records, compared with the records themselves.
//!
//! Before: `ingest::compare` has an upload of shadow mode. After: counts.
//! Promise: nothing is changed. A column that a record leaves NULL counts as the same, whatever the row has: another record may have filled it.

use deadpool_postgres::Object;
use tokio_postgres::types::ToSql;

use super::batch::{BEGIN, BatchSession, control};
use super::{Statement, StoreError, copy, rejected_upload, statement};
use crate::model::{
    ChargingStatus, DeviceInfo, DeviceInfoItem, Event, EventItem, Item, Reject, ShadowCounts,
};

const COMPARE_READINGS: Statement = statement!("shadow", "compare_readings");
const COMPARE_EVENTS: Statement = statement!("shadow", "compare_events");
const COMPARE_DEVICE_INFOS: Statement = statement!("shadow", "compare_device_infos");

/// A plan that goes from the records to their rows, whatever the statistics of a chunk that is being filled say.
const FROM_RECORDS: &str = "set local enable_seqscan = off; set local enable_hashjoin = off; \
     set local enable_mergejoin = off; set local jit = off";

/// Compares records with the rows of their keys. After an error the session must be dropped.
///
/// # Errors
/// The database is away, or refuses a record.
pub async fn compare(
    session: &BatchSession,
    items: &[Item],
    events: &[EventItem],
    device_infos: &[DeviceInfoItem],
    rejects: &[&Reject],
) -> Result<ShadowCounts, StoreError> {
    let client = &*session.client;
    control(client, "shadow.begin", BEGIN).await?;
    control(client, "shadow.plan", FROM_RECORDS).await?;
    let mut counts = readings(client, items).await?;
    counts = counts.plus(compare_events(client, events).await?);
    counts = counts.plus(compare_device_infos(client, device_infos).await?);
    counts = counts.plus(compare_rejects(client, rejects).await?);
    // Empties the temporary table.
    control(client, "shadow.rollback", "rollback").await?;
    Ok(counts)
}

async fn readings(client: &Object, items: &[Item]) -> Result<ShadowCounts, StoreError> {
    let times = items.iter().map(|item| item.reading.ts);
    let (Some(first), Some(last)) = (times.clone().min(), times.max()) else {
        return Ok(ShadowCounts::default());
    };
    let items: Vec<&Item> = items.iter().collect();
    copy::copy_in(client, copy::REPEATS, &items).await?;
    counts(client, COMPARE_READINGS, &[&first, &last]).await
}

async fn compare_events(client: &Object, items: &[EventItem]) -> Result<ShadowCounts, StoreError> {
    fn column<'a, T>(items: &'a [EventItem], value: impl Fn(&'a Event) -> T) -> Vec<T> {
        items.iter().map(|item| value(&item.event)).collect()
    }
    if items.is_empty() {
        return Ok(ShadowCounts::default());
    }
    let parameters: [&(dyn ToSql + Sync); 7] = [
        &column(items, |event| event.device_sn.as_str()),
        &column(items, |event| event.event_type.as_str()),
        &column(items, |event| event.ts),
        &column(items, |event| event.value.as_deref()),
        &column(items, |event| event.latitude),
        &column(items, |event| event.longitude),
        &column(items, |event| event.altitude),
    ];
    counts(client, COMPARE_EVENTS, &parameters).await
}

async fn compare_device_infos(client: &Object, items: &[DeviceInfoItem]) -> Result<ShadowCounts, StoreError> {
    fn column<'a, T>(items: &'a [DeviceInfoItem], value: impl Fn(&'a DeviceInfo) -> T) -> Vec<T> {
        items.iter().map(|item| value(&item.info)).collect()
    }
    if items.is_empty() {
        return Ok(ShadowCounts::default());
    }
    let parameters: [&(dyn ToSql + Sync); 8] = [
        &column(items, |info| info.device_sn.as_str()),
        &column(items, |info| info.ts),
        &column(items, |info| info.system_version.as_deref()),
        &column(items, |info| info.battery_level),
        &column(items, |info| info.voltage),
        &column(items, |info| info.charging_status.map(ChargingStatus::name)),
        &column(items, |info| info.wear_state.as_deref()),
        &column(items, |info| info.status.as_deref()),
    ];
    counts(client, COMPARE_DEVICE_INFOS, &parameters).await
}

async fn compare_rejects(client: &Object, rejects: &[&Reject]) -> Result<ShadowCounts, StoreError> {
    if rejects.is_empty() {
        return Ok(ShadowCounts::default());
    }
    let same = u64::try_from(rejected_upload::count_kept(client, rejects).await?).unwrap_or_default();
    let not_rejected = (rejects.len() as u64).saturating_sub(same);
    Ok(ShadowCounts { same, not_rejected, ..ShadowCounts::default() })
}

/// The counts that a statement answers: same, missing, different.
async fn counts(
    client: &Object,
    statement: Statement,
    parameters: &[&(dyn ToSql + Sync)],
) -> Result<ShadowCounts, StoreError> {
    let rows = statement.query(client, parameters).await?;
    let count = |column: &str| {
        let count: i64 = rows.first().map_or(0, |row| row.get(column));
        u64::try_from(count).unwrap_or_default()
    };
    Ok(ShadowCounts {
        same: count("same"),
        missing: count("missing"),
        different: count("different"),
        ..ShadowCounts::default()
    })
}
