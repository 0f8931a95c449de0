//! A track: where a device was.
//!
//! Before: `store::dashboard::track` reads view `dashboard.sample`. After: `…/track`, maps.

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::Id64;

/// A position of a device, WGS 84
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct TrackPoint {
    /// Serial number of the device
    pub device_sn: String,
    /// Event time of the sample
    #[schema(value_type = String, format = DateTime)]
    pub ts: Timestamp,
    /// Degrees north
    pub latitude: f64,
    /// Degrees east
    pub longitude: f64,
    /// Metres; null: not sent
    pub altitude: Option<f64>,
    /// Wearer at that time; null: nobody
    pub user_id: Option<Id64>,
}
