//! A night: the sleep that ended on a local day.
//!
//! Before: `store::dashboard::night` reads view `dashboard.sleep_night`. After: `…/nights`, pages.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;
use utoipa::ToSchema;

use super::Id64;
use super::decimal::Exact;

/// Sleep of a device that ended on one local day
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Night {
    /// Serial number of the device
    pub device_sn: String,
    /// Local day on which the sleep ended
    #[schema(value_type = String, format = Date)]
    pub night: Date,
    /// When the first sleep of the day began
    #[schema(value_type = String, format = DateTime)]
    pub start_ts: Timestamp,
    /// When the last one ended
    #[schema(value_type = String, format = DateTime)]
    pub end_ts: Timestamp,
    /// Sleeps that ended on the day: a night, perhaps naps
    pub sleeps: i32,
    /// Hours of light sleep
    pub light_hours: Exact,
    /// Hours of deep sleep
    pub deep_hours: Exact,
    /// Hours of sleep of neither type
    pub unknown_hours: Exact,
    /// Hours of sleep
    pub total_hours: Exact,
    /// Wearer; null: not known
    pub user_id: Option<Id64>,
}
