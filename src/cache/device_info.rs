//! What is known of each device, as dashboards read it: hash `device_info:{sn}`, channel `device_info_channel:{sn}` (the wire contract, section 6).
//!
//! Before: `react` hands over what was read back from the database. After: dashboards.
//! Promise: that of [`super::newest`]. Names are the columns of `device`, in camel case.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::newest::{self, Newest, Shown, local, text};
use super::{Cache, CacheError};
use crate::model::{ChargingStatus, DeviceInfo};

/// Shows what was read at `read_version`, in as few round trips as it needs.
///
/// # Errors
/// Redis did not answer; any part may have been written. The same again is harmless.
pub async fn show(cache: &Cache, infos: &[DeviceInfo], read_version: i64) -> Result<Shown, CacheError> {
    newest::show(cache, infos, read_version).await
}

impl Newest for DeviceInfo {
    const NAME: &'static str = "device_info";

    fn device_sn(&self) -> &str {
        &self.device_sn
    }

    fn ts(&self) -> Timestamp {
        self.ts
    }

    fn is_bound(&self) -> bool {
        self.owner.user_id.is_some()
    }

    /// What was never said is absent; an unknown tenant is 0.
    fn encode(&self, zone: &TimeZone, fields: &mut Vec<(&'static str, String)>) {
        let mut field = |name, text: Option<String>| fields.extend(text.map(|text| (name, text)));
        field("systemVersion", self.system_version.clone());
        field("model", self.model.clone());
        field("wifiAddress", self.wifi_address.clone());
        field("bluetoothAddress", self.bluetooth_address.clone());
        field("ipAddress", self.ip_address.clone());
        field("networkMode", self.network_mode.clone());
        field("deviceName", self.device_name.clone());
        field("imei", self.imei.clone());
        field("batteryLevel", text(self.battery_level));
        field("voltage", text(self.voltage));
        field("chargingStatus", text(self.charging_status.map(ChargingStatus::name)));
        field("wearState", self.wear_state.clone());
        field("status", self.status.clone());
        field("timestamp", Some(local(self.ts, zone)));
        field("customerId", text(self.owner.customer_id.or(Some(0))));
        field("orgId", text(self.owner.org_id));
        field("userId", text(self.owner.user_id));
    }
}
