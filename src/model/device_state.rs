//! A device, as readers see it: what it reported of itself, who wears it, when it last sent a sample.
//!
//! Before: `store::dashboard::device` reads views `dashboard.device`, `dashboard.latest` and `dashboard.alert`. After: `/api/devices`,
//! pages.

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::{Binding, Id64, Latest, Severity};

/// A device, as a list shows it
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct DeviceState {
    /// Serial number
    pub device_sn: String,
    /// Who wears it; null: nobody
    pub user_id: Option<Id64>,
    /// Name of the wearer; null: nobody, or the directory has none
    pub user_name: Option<String>,
    /// Room of the wearer; null: the directory has none
    pub room: Option<String>,
    /// Organisation unit of the wearer
    pub org_id: Option<Id64>,
    /// Its name
    pub org_name: Option<String>,
    /// Tenant
    pub customer_id: Option<Id64>,
    /// Its name
    pub customer_name: Option<String>,
    /// Event time of the newest sample within a week; null: there is none
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_ts: Option<Timestamp>,
    /// Whether that is at most a quarter hour ago
    pub online: bool,
    /// Alerts of the device that are not resolved
    pub open_alerts: i64,
    /// The gravest severity of them; null: there is none
    pub severity: Option<Severity>,
    /// Model; null: not sent
    pub model: Option<String>,
    /// Firmware; null: not sent
    pub system_version: Option<String>,
    /// Charge of the battery, percent; null: not sent
    pub battery_level: Option<i16>,
    /// Battery, millivolts; null: not sent
    pub voltage: Option<i32>,
    /// CHARGING, NOT_CHARGING or UNKNOWN; null: not sent
    pub charging_status: Option<String>,
    /// 1 worn, 0 not, else the word of the device; null: not sent
    pub wear_state: Option<String>,
    /// How it reaches the network, as sent; null: not sent
    pub network_mode: Option<String>,
    /// State that it reports, as sent; null: not sent
    pub status: Option<String>,
    /// How far its clock is behind, seconds; negative: ahead; null: at most a minute, or not known
    pub clock_offset_seconds: Option<i32>,
    /// Effective time of the newest device information; null: none was sent
    #[schema(value_type = Option<String>, format = DateTime)]
    pub info_ts: Option<Timestamp>,
    /// When the service first processed data of it
    #[schema(value_type = String, format = DateTime)]
    pub first_seen_at: Timestamp,
}

/// A device with its wearers and newest values
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Device {
    /// What a list shows
    #[serde(flatten)]
    pub state: DeviceState,
    /// Who wore it when, the newest first: what the caller may see of it
    pub bindings: Vec<Binding>,
    /// Newest values; null: no sample within a week
    pub latest: Option<Latest>,
}
