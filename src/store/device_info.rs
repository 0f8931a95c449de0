//! `device_info`: what devices say of themselves, and what it amounts to in the rows of `device`.
//!
//! Before: `store::batch` writes a batch that holds device information; `relay` and `react` ask what is known of devices.
//! After: `cache::device_info` shows it. Promise: whatever order messages come in, each column of `device` is the newest that
//! was said (trigger `update_device_from_info`); what is read comes with a version that orders reads of the same row.

use std::collections::HashSet;

use deadpool_postgres::Object;
use jiff::Timestamp;
use tokio_postgres::Row;
use tokio_postgres::types::{FromSql, Type};

use super::outbox::{TimeRange, bounds};
use super::{Statement, StatementTimeout, Store, StoreError, statement};
use crate::model::{ChargingStatus, DeviceInfo, DeviceInfoItem, Owner};

pub(super) const ADD: Statement = statement!("device_info", "add");

/// A plan that goes from the batches to their devices, whatever the statistics of a chunk that is being filled say.
const FROM_BATCHES: &str = "set local enable_seqscan = off; set local enable_hashjoin = off; \
     set local enable_mergejoin = off; set local jit = off";

/// Keeps messages, no key twice; tells for each whether it is new.
pub(crate) async fn add(client: &Object, items: &[&DeviceInfoItem]) -> Result<Vec<bool>, StoreError> {
    if items.is_empty() {
        return Ok(Vec::new());
    }
    let received_at: Vec<Timestamp> = items.iter().map(|item| item.received_at).collect();
    let rows = ADD
        .query(
            client,
            &[
                &column(items, |info| info.device_sn.as_str()),
                &column(items, |info| info.ts),
                &received_at,
                &column(items, |info| info.owner.customer_id),
                &column(items, |info| info.owner.org_id),
                &column(items, |info| info.owner.user_id),
                &column(items, |info| info.system_version.as_deref()),
                &column(items, |info| info.model.as_deref()),
                &column(items, |info| info.wifi_address.as_deref()),
                &column(items, |info| info.bluetooth_address.as_deref()),
                &column(items, |info| info.ip_address.as_deref()),
                &column(items, |info| info.network_mode.as_deref()),
                &column(items, |info| info.device_name.as_deref()),
                &column(items, |info| info.imei.as_deref()),
                &column(items, |info| info.battery_level),
                &column(items, |info| info.voltage),
                &column(items, |info| info.charging_status.map(ChargingStatus::name)),
                &column(items, |info| info.wear_state.as_deref()),
                &column(items, |info| info.status.as_deref()),
            ],
        )
        .await?;
    let new: HashSet<(&str, Timestamp)> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
    Ok(column(items, |info| new.contains(&(info.device_sn.as_str(), info.ts))))
}

fn column<'a, T>(items: &[&'a DeviceInfoItem], value: impl Fn(&'a DeviceInfo) -> T) -> Vec<T> {
    items.iter().map(|item| value(&item.info)).collect()
}

/// What is known of some devices.
#[derive(Debug, Default)]
pub struct LatestInfos {
    /// One of each device; `ts` is `device.info_ts`.
    pub infos: Vec<DeviceInfo>,
    /// Of two reads of one device the later has at least this version.
    pub read_version: i64,
}

/// What is known of each device that has a message in some batches, at most `limit` devices.
///
/// # Errors
/// The database cannot be asked.
pub async fn latest_of_batches(
    store: &Store,
    statement_timeout: StatementTimeout,
    batch_ids: &[i64],
    range: Option<TimeRange>,
    limit: usize,
) -> Result<LatestInfos, StoreError> {
    let mut client = store.client().await?;
    let transaction = statement_timeout.begin(&mut client, FROM_BATCHES).await?;
    let (first, last) = bounds(range);
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let rows = statement!("device_info", "latest_of_batches")
        .query_unprepared(
            &*transaction,
            &[
                (&batch_ids, Type::INT8_ARRAY),
                (&first, Type::TIMESTAMPTZ),
                (&last, Type::TIMESTAMPTZ),
                (&limit, Type::INT8),
            ],
        )
        .await?;
    Ok(latest(&rows))
}

/// A page of devices with what is known of them.
#[derive(Debug)]
pub struct Page {
    /// What is known.
    pub latest: LatestInfos,
    /// Serial after which the next page begins; `None`: this was the last.
    pub next: Option<String>,
}

/// What is known of each of the `limit` devices that follow `after` in the order of serials, of those that ever said
/// something of themselves.
///
/// # Errors
/// The database cannot be asked.
pub async fn latest_of_devices(store: &Store, after: &str, limit: u32) -> Result<Page, StoreError> {
    let client = store.client().await?;
    let rows = statement!("device_info", "latest_of_devices")
        .query_unprepared(&**client, &[(&after, Type::TEXT), (&i64::from(limit), Type::INT8)])
        .await?;
    let full = rows.len() >= limit as usize;
    let next = rows.last().filter(|_| full).map(|row| row.get("device_sn"));
    Ok(Page { latest: latest(&rows), next })
}

fn latest(rows: &[Row]) -> LatestInfos {
    LatestInfos {
        infos: rows.iter().filter_map(info).collect(),
        read_version: rows.first().map_or(0, |row| row.get("read_version")),
    }
}

/// Columns in the order of both statements. `None`: its time is out of range.
fn info(row: &Row) -> Option<DeviceInfo> {
    Some(DeviceInfo {
        device_sn: row.get(0),
        ts: value(row, 1)?,
        owner: Owner { customer_id: value(row, 2), org_id: value(row, 3), user_id: value(row, 4) },
        system_version: value(row, 5),
        model: value(row, 6),
        wifi_address: value(row, 7),
        bluetooth_address: value(row, 8),
        ip_address: value(row, 9),
        network_mode: value(row, 10),
        device_name: value(row, 11),
        imei: value(row, 12),
        battery_level: value(row, 13),
        voltage: value(row, 14),
        charging_status: value(row, 15).and_then(ChargingStatus::of_name),
        wear_state: value(row, 16),
        status: value(row, 17),
    })
}

/// A row written by hand may have a time out of range ('infinity'): it is left out, and delays nothing.
fn value<'a, T: FromSql<'a>>(row: &'a Row, index: usize) -> Option<T> {
    row.try_get::<_, Option<T>>(index).ok().flatten()
}
