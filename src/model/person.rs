//! A person who wears devices, as readers see them.
//!
//! Before: `store::dashboard::person` reads views `dashboard.person` and `dashboard.device_binding`. After: `/api/people`, pages.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::alert::words;
use super::{Id64, Latest, Severity};

/// A person, as a list shows them
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct PersonSummary {
    /// Number of the person
    pub user_id: Id64,
    /// Name; null: the directory has none
    pub name: Option<String>,
    /// Room; null: the directory has none
    pub room: Option<String>,
    /// Organisation unit
    pub org_id: Option<Id64>,
    /// Its name; null: the directory has none
    pub org_name: Option<String>,
    /// Tenant
    pub customer_id: Option<Id64>,
    /// Its name; null: the directory has none
    pub customer_name: Option<String>,
    /// Devices that the person wears now
    pub devices: i64,
    /// Serial number of the one that sent the newest sample; null: the person wears none
    pub device_sn: Option<String>,
    /// Event time of the newest sample of these devices within a week, while the person wore them; null: there is none
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_ts: Option<Timestamp>,
    /// Whether that is at most a quarter hour ago
    pub online: bool,
    /// Whether that device is worn, as it sends it: 1 worn, 0 not; null: not sent
    pub wear_state: Option<String>,
    /// Charge of its battery, percent; null: not sent
    pub battery_level: Option<i16>,
    /// Alerts of the person that are not resolved
    pub open_alerts: i64,
    /// The gravest severity of them; null: there is none
    pub severity: Option<Severity>,
}

/// A person with their devices and newest values
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Person {
    /// What a list shows
    #[serde(flatten)]
    pub summary: PersonSummary,
    /// Which devices the person wore when, the newest first
    pub bindings: Vec<Binding>,
    /// Newest values of the devices that the person wears now, the newest first
    pub latest: Vec<Latest>,
}

/// A period in which a person wears a device
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Binding {
    /// Serial number of the device
    pub device_sn: String,
    /// Who wears it; null: nobody whom the directory knows
    pub user_id: Option<Id64>,
    /// Name of the person; null: the directory has none
    pub user_name: Option<String>,
    /// From when; null: it is the first of the device, and what the device sent before belongs to it too
    #[schema(value_type = Option<String>, format = DateTime)]
    pub valid_from: Option<Timestamp>,
    /// Until when, exclusive; null: it has not ended
    #[schema(value_type = Option<String>, format = DateTime)]
    pub valid_until: Option<Timestamp>,
}

words! {
    /// State of a person or a device
    ReadState {
        /// A sample within the last quarter hour.
        Online = "online",
        /// None.
        Offline = "offline",
        /// An alert is open.
        Alerting = "alerting",
    }
}
