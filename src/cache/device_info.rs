//! The information about each device, as dashboards read it: hash `device_info:{sn}`, channel `device_info_channel:{sn}` (the wire contract, section 6).
//!
//! Before: `react` hands over what was read back from the database. After: dashboards.
//! Promise: that of [`super::newest`]. Names are those dashboards have always read (snake case; what is worn is `WORN` or
//! `NOT_WORN`), followed by the columns of `device` in camel case.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::newest::{self, LatestEntry, Shown, local, text};
use super::{Cache, CacheError};
use crate::model::{ChargingStatus, DeviceInfo};

/// Shows what was read at `read_version`, in as few round trips as it needs.
///
/// # Errors
/// Redis did not answer; any part may have been written. The call can be repeated.
pub async fn show(cache: &Cache, infos: &[DeviceInfo], read_version: i64) -> Result<Shown, CacheError> {
    newest::show(cache, infos, read_version).await
}

impl LatestEntry for DeviceInfo {
    const NAME: &'static str = "device_info";

    fn device_sn(&self) -> &str {
        &self.device_sn
    }

    fn effective_ts(&self) -> Timestamp {
        self.ts
    }

    fn is_bound(&self) -> bool {
        self.owner.user_id.is_some()
    }

    /// What is not known is absent; an unknown tenant is 0.
    fn encode(&self, zone: &TimeZone, fields: &mut Vec<(&'static str, String)>) {
        self.encode_old(zone, fields);
        let mut field = |name, text: Option<String>| fields.extend(text.map(|text| (name, text)));
        field("systemVersion", self.system_version.clone());
        field("model", self.model.clone());
        field("wifiAddress", self.wifi_address.clone());
        field("bluetoothAddress", self.bluetooth_address.clone());
        field("ipAddress", self.ip_address.clone());
        field("networkMode", self.network_mode.clone());
        field("deviceName", self.device_name.clone());
        field("batteryLevel", text(self.battery_level));
        field("chargingStatus", text(self.charging_status.map(ChargingStatus::name)));
        field("wearState", self.wear_state.clone());
        field("customerId", text(self.owner.customer_id.or(Some(0))));
        field("orgId", text(self.owner.org_id));
        field("userId", text(self.owner.user_id));
    }
}

impl DeviceInfo {
    /// The names of the server before this one.
    fn encode_old(&self, zone: &TimeZone, fields: &mut Vec<(&'static str, String)>) {
        let mut field = |name, text: Option<String>| fields.extend(text.map(|text| (name, text)));
        field("serial_number", Some(self.device_sn.clone()));
        field("device_sn", Some(self.device_sn.clone()));
        field("system_version", self.system_version.clone());
        field("system_software_version", self.system_version.clone());
        field("wifi_address", self.wifi_address.clone());
        field("bluetooth_address", self.bluetooth_address.clone());
        field("ip_address", self.ip_address.clone());
        field("network_mode", self.network_mode.clone());
        field("network_access_mode", self.network_mode.clone());
        field("device_name", self.device_name.clone());
        field("imei", self.imei.clone());
        field("battery_level", text(self.battery_level));
        field("voltage", text(self.voltage));
        field("charging_status", text(self.charging_status.map(ChargingStatus::name)));
        field("wearable_status", self.wear_state.as_deref().map(wearable_status));
        field("status", self.status.clone());
        field("timestamp", Some(local(self.ts, zone)));
        field("customer_id", text(self.owner.customer_id.or(Some(0))));
        field("org_id", text(self.owner.org_id));
        field("user_id", text(self.owner.user_id));
    }
}

fn wearable_status(wear_state: &str) -> String {
    match wear_state {
        "1" => "WORN".to_owned(),
        "0" => "NOT_WORN".to_owned(),
        other => other.to_owned(),
    }
}
