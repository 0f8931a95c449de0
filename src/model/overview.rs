//! What a wall shows: counters against yesterday, people online, alerts, batteries, newest values and positions.
//!
//! Before: `store::dashboard::overview` reads it in one transaction. After: `/api/overview`, the page `/wall`.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Id64, Latest, Severity};

/// What a wall shows, at one time
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Overview {
    /// When it was so
    #[schema(value_type = String, format = DateTime)]
    pub as_of: Timestamp,
    /// Zone in which days are cut
    pub time_zone: String,
    /// Counters, each with its value at the same time yesterday
    pub counters: Counters,
    /// People by organisation unit, by the names of the units
    pub units: Vec<UnitPresence>,
    /// Alerts that are not resolved, by severity, the gravest first; each severity is there
    pub open_alerts: Vec<OpenAlerts>,
    /// Alerts that fired in each of the last 24 hours, the current one included, the oldest first
    pub alerts_by_hour: Vec<AlertHour>,
    /// Alerts that fired within the same time by subject: type of the event, vital sign, or kind of the rule; the most frequent first
    pub alerts_by_type: Vec<AlertTypeCount>,
    /// Devices by charge of the battery, in steps of ten percent; steps without devices are left out
    pub batteries: Vec<BatteryStep>,
    /// Devices by whether they are worn
    pub wear: WearCounts,
    /// Newest values of the devices that sent most recently, the newest first, 50 at most
    pub latest: Vec<Latest>,
    /// Where devices are whose newest sample is of the last 24 hours and has a position, the newest first, 5 000 at most
    pub positions: Vec<Position>,
}

/// Counters of a day, each with its value at the same time yesterday
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Counters {
    /// Devices that sent a sample within the last quarter hour
    pub devices_online: i64,
    /// Yesterday
    pub devices_online_yesterday: i64,
    /// Samples today
    pub samples_today: i64,
    /// Until the same time yesterday, the current hour included
    pub samples_yesterday: i64,
    /// Alerts that fired today
    pub alerts_today: i64,
    /// Until the same time yesterday
    pub alerts_yesterday: i64,
    /// People whose device sent a sample today
    pub active_users_today: i64,
    /// Until the same time yesterday, the current hour included
    pub active_users_yesterday: i64,
    /// Devices, all of them
    pub devices: i64,
}

/// People of an organisation unit
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UnitPresence {
    /// Organisation unit; null: people without one
    pub org_id: Option<Id64>,
    /// Its name; null: the directory has none
    pub org_name: Option<String>,
    /// People of the unit itself, without its sub-units, who wear a device that has ever sent data
    pub people: i64,
    /// Those whose device sent a sample within the last quarter hour
    pub online: i64,
}

/// Open alerts of a severity
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OpenAlerts {
    /// The severity
    pub severity: Severity,
    /// Nobody has taken them on
    pub firing: i64,
    /// A person has taken them on
    pub acknowledged: i64,
}

/// Alerts that fired in an hour, by the gravest severity that they have had
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AlertHour {
    /// Start of the hour
    #[schema(value_type = String, format = DateTime)]
    pub ts: Timestamp,
    /// Critical ones
    pub critical: i64,
    /// Major ones
    pub major: i64,
    /// Minor ones
    pub minor: i64,
    /// Others
    pub info: i64,
}

/// Alerts of a subject
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AlertTypeCount {
    /// Type of the event, vital sign, or kind of the rule
    #[serde(rename = "type")]
    pub alert_type: String,
    /// How many
    pub alerts: i64,
}

/// Devices whose battery has such a charge
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BatteryStep {
    /// From this percentage on, ten percent wide; 90 includes 100
    pub from_percent: i32,
    /// Devices
    pub devices: i64,
    /// Those that are charging
    pub charging: i64,
}

/// Devices by whether they are worn
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WearCounts {
    /// Worn
    pub worn: i64,
    /// Not worn
    pub not_worn: i64,
    /// Not known: they have not sent it, or another word
    pub unknown: i64,
}

/// Where a device is
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Position {
    /// Serial number of the device
    pub device_sn: String,
    /// Event time of the position
    #[schema(value_type = String, format = DateTime)]
    pub ts: Timestamp,
    /// Degrees north, WGS 84
    pub latitude: f64,
    /// Degrees east
    pub longitude: f64,
    /// Wearer; null: nobody
    pub user_id: Option<Id64>,
    /// Name of the wearer
    pub user_name: Option<String>,
    /// Organisation unit of the wearer
    pub org_id: Option<Id64>,
    /// Its name
    pub org_name: Option<String>,
    /// Whether the sample is of the last quarter hour
    pub online: bool,
    /// The gravest severity of the open alerts of the device; null: there is none
    pub severity: Option<Severity>,
}
