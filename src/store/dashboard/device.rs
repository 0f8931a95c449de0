//! Devices.
//!
//! Before: `/api/devices`, pages. After: views `dashboard.device`, `device_binding`, `latest` and `alert`.

use tokio_postgres::Row;
use tokio_postgres::types::Type;

use super::rows::{Parameter, Query, column, optional_word};
use super::{Subject, Viewer, binding, latest};
use crate::model::{Device, DeviceState, Id64, ReadState};
use crate::store::{Statement, Store, StoreError, statement};

const DEVICE: Statement = statement!("dashboard", "device");

/// Which devices; `None` is any.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeviceFilter {
    /// Part of the serial or of the name of the wearer, in any case.
    pub search: Option<String>,
    /// Of this organisation unit and its sub-units.
    pub org_id: Option<i64>,
    /// Worn by this person now.
    pub user_id: Option<i64>,
    /// Online, offline, or with an open alert.
    pub state: Option<ReadState>,
}

/// Devices by serial, behind `after`, `limit` at most.
#[must_use]
pub fn query(filter: &DeviceFilter, after: Option<String>, limit: Option<i64>) -> Query<DeviceState> {
    of(filter, None, after, limit)
}

fn of(
    filter: &DeviceFilter,
    device_sn: Option<String>,
    after: Option<String>,
    limit: Option<i64>,
) -> Query<DeviceState> {
    let parameters: Vec<Parameter> = vec![
        (Box::new(filter.search.clone()), Type::TEXT),
        (Box::new(filter.org_id), Type::INT8),
        (Box::new(filter.state.map(ReadState::name)), Type::TEXT),
        (Box::new(device_sn), Type::TEXT),
        (Box::new(filter.user_id), Type::INT8),
        (Box::new(after), Type::TEXT),
        (Box::new(limit), Type::INT8),
    ];
    Query::new(DEVICE, parameters, Box::new(of_row))
}

/// Devices by serial, behind `after`.
///
/// # Errors
/// The database cannot be asked.
pub async fn list(
    store: &Store,
    viewer: Viewer,
    filter: &DeviceFilter,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<DeviceState>, StoreError> {
    viewer.read(store, query(filter, after.map(str::to_owned), Some(limit))).await
}

/// `None`: there is none, or the viewer may not see it. A device that somebody else owns now is not seen, although what it sent before is.
///
/// # Errors
/// The database cannot be asked.
pub async fn read(store: &Store, viewer: Viewer, device_sn: &str) -> Result<Option<Device>, StoreError> {
    let subject = Subject::Device(device_sn.to_owned());
    let mut client = store.client().await?;
    let transaction = viewer.begin(&mut client).await?;
    let filter = DeviceFilter::default();
    let mut found = of(&filter, Some(device_sn.to_owned()), None, None).read(&transaction).await?;
    let Some(state) = found.pop() else { return Ok(None) };
    let bindings = binding::query(&subject).read(&transaction).await?;
    let latest = latest::query(&subject, 1).read(&transaction).await?.pop();
    Viewer::end(transaction).await?;
    Ok(Some(Device { state, bindings, latest }))
}

fn of_row(row: &Row) -> Result<DeviceState, StoreError> {
    Ok(DeviceState {
        device_sn: column(row, "device_sn")?,
        user_id: column::<Option<i64>>(row, "user_id")?.map(Id64),
        user_name: column(row, "user_name")?,
        room: column(row, "room")?,
        org_id: column::<Option<i64>>(row, "org_id")?.map(Id64),
        org_name: column(row, "org_name")?,
        customer_id: column::<Option<i64>>(row, "customer_id")?.map(Id64),
        customer_name: column(row, "customer_name")?,
        last_ts: column(row, "last_ts")?,
        online: column(row, "online")?,
        open_alerts: column(row, "open_alerts")?,
        severity: optional_word(row, "severity")?,
        model: column(row, "model")?,
        system_version: column(row, "system_version")?,
        battery_level: column(row, "battery_level")?,
        voltage: column(row, "voltage")?,
        charging_status: column(row, "charging_status")?,
        wear_state: column(row, "wear_state")?,
        network_mode: column(row, "network_mode")?,
        status: column(row, "status")?,
        clock_offset_seconds: column(row, "clock_offset_seconds")?,
        info_ts: column(row, "info_ts")?,
        first_seen_at: column(row, "first_seen_at")?,
    })
}
