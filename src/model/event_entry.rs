//! An event of a device, as readers see it.
//!
//! Before: `store::dashboard::event` reads view `dashboard.event`. After: `…/events`, pages.

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::{Id64, Severity};

/// An event that a device reported
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct EventEntry {
    /// Serial number of the device
    pub device_sn: String,
    /// When it happened
    #[schema(value_type = String, format = DateTime)]
    pub ts: Timestamp,
    /// Type, upper case
    pub event_type: String,
    /// Severity of the type when the event was stored
    pub severity: Severity,
    /// Value that was sent with it; null: none
    pub value: Option<String>,
    /// Degrees north; null: no position
    pub latitude: Option<f64>,
    /// Degrees east; null: no position
    pub longitude: Option<f64>,
    /// Metres; null: none
    pub altitude: Option<f64>,
    /// When the service received it
    #[schema(value_type = String, format = DateTime)]
    pub received_at: Timestamp,
    /// Wearer at that time; null: nobody
    pub user_id: Option<Id64>,
}
