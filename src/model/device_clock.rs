//! A device whose clock is off.
//!
//! Before: `store::device_clock` reads it. After: `http::api::device_clock`, `vitals clocks`.

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::Id64;

/// A device whose clock is off
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct DeviceClock {
    /// Serial
    pub device_sn: String,
    /// How far its clock is behind, seconds; negative: it is ahead
    pub clock_offset_seconds: i32,
    /// When that was measured
    #[schema(value_type = String, format = DateTime)]
    pub clock_measured_at: Timestamp,
    /// Tenant that owns it now; null: none
    pub customer_id: Option<Id64>,
    /// Name of its wearer; null: none, or the directory does not know it
    pub user_name: Option<String>,
}
