//! The newest row of a device, as dashboards see it in Redis.
//!
//! Before: `store::health_data` reads it back from a committed batch. After: `cache::latest` writes it.

use jiff::Timestamp;
use rust_decimal::Decimal;

use super::Owner;

/// The newest row of one device. `None` is "not measured" or "not sent".
#[derive(Debug, Clone, PartialEq)]
pub struct LatestValue {
    /// Serial.
    pub device_sn: String,
    /// Event time.
    pub ts: Timestamp,
    /// Whose it is.
    pub owner: Owner,
    /// bpm.
    pub heart_rate: Option<i16>,
    /// %.
    pub blood_oxygen: Option<i16>,
    /// °C.
    pub temperature: Option<Decimal>,
    /// mmHg.
    pub pressure_high: Option<i16>,
    /// mmHg.
    pub pressure_low: Option<i16>,
    /// score.
    pub stress: Option<i16>,
    /// steps of the day.
    pub step: Option<i32>,
    /// metres of the day.
    pub distance: Option<Decimal>,
    /// small calories of the day.
    pub calorie: Option<Decimal>,
    /// degrees north.
    pub latitude: Option<f64>,
    /// degrees east.
    pub longitude: Option<f64>,
    /// metres.
    pub altitude: Option<f64>,
    /// channel.
    pub upload_method: Option<String>,
    /// How new it is: the event time; of a row dated more than five minutes after its receipt, the time of receipt.
    pub effective_ts: Timestamp,
}
