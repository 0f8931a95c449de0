//! The newest row of a device, as dashboards see it in Redis.
//!
//! Before: `store::health_data` reads it back from a committed batch. After: `cache::latest` writes it.

use jiff::Timestamp;

use super::Owner;
use crate::metric::Measurements;

/// The newest row of one device. `None` is "not measured" or "not sent".
#[derive(Debug, Clone, PartialEq)]
pub struct LatestValue {
    /// Serial.
    pub device_sn: String,
    /// Event time.
    pub ts: Timestamp,
    /// Whose it is.
    pub owner: Owner,
    /// What was measured.
    pub measured: Measurements,
    /// channel.
    pub upload_method: Option<String>,
    /// How new it is: the event time; of a row dated more than five minutes after its receipt, the time of receipt.
    pub effective_ts: Timestamp,
}
