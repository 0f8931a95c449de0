//! A reading: what one device measured at one instant.
//!
//! Before: `wire::health` builds it from an upload. After: `ingest` gathers it, `store::health_data` encodes it.
//! Promise: a value that is present was measured and lies in the range a body or a sensor can show.

use std::ops::RangeInclusive;
use std::sync::Arc;

use jiff::Timestamp;
use rust_decimal::Decimal;

use super::Document;

/// One row of `health_data`. `None` is "not measured" or "not sent", never zero.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// Serial of the device, 1 to [`MAX_SERIAL_BYTES`] bytes, no control characters.
    pub device_sn: String,
    /// When it was measured.
    pub ts: Timestamp,
    /// Whose it is, as far as the upload says.
    pub owner: Owner,
    /// Beats per minute.
    pub heart_rate: Option<i16>,
    /// SpO2, percent.
    pub blood_oxygen: Option<i16>,
    /// Body temperature, °C, decimals as sent.
    pub temperature: Option<Decimal>,
    /// Systolic pressure, mmHg.
    pub pressure_high: Option<i16>,
    /// Diastolic pressure, mmHg.
    pub pressure_low: Option<i16>,
    /// Stress score.
    pub stress: Option<i16>,
    /// Steps of the local day so far.
    pub step: Option<i32>,
    /// Metres of the local day so far.
    pub distance: Option<Decimal>,
    /// Small calories of the local day so far.
    pub calorie: Option<Decimal>,
    /// Degrees north, WGS 84.
    pub latitude: Option<f64>,
    /// Degrees east, WGS 84.
    pub longitude: Option<f64>,
    /// Metres.
    pub altitude: Option<f64>,
    /// `wifi`, `bluetooth`, `common_event`, `esim`, or what the device said.
    pub upload_method: Option<String>,
    /// Nested documents the sample carried; mostly none. Samples of one upload share those that are the same.
    pub documents: Vec<Arc<Document>>,
}

/// Longest serial that is stored, bytes of UTF-8.
pub const MAX_SERIAL_BYTES: usize = 64;

/// Tenant, organisation unit and wearer. 64-bit ids; `None` is unknown (a device sends `"0"` or `""`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Owner {
    /// Tenant.
    pub customer_id: Option<i64>,
    /// Organisation unit.
    pub org_id: Option<i64>,
    /// Wearer.
    pub user_id: Option<i64>,
}

impl Owner {
    /// This one, and from `other` what this one leaves open.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            customer_id: self.customer_id.or(other.customer_id),
            org_id: self.org_id.or(other.org_id),
            user_id: self.user_id.or(other.user_id),
        }
    }

    /// The owners of rows, column by column: tenants, organisation units, wearers.
    pub fn columns(owners: impl Iterator<Item = Self> + Clone) -> [Vec<Option<i64>>; 3] {
        [
            owners.clone().map(|owner| owner.customer_id).collect(),
            owners.clone().map(|owner| owner.org_id).collect(),
            owners.map(|owner| owner.user_id).collect(),
        ]
    }
}

/// A quantity with the range a body or a sensor can show (inclusive); outside it an item is rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Vital {
    /// bpm.
    HeartRate,
    /// %.
    BloodOxygen,
    /// °C; down to what an unworn sensor shows in a cold room.
    Temperature,
    /// mmHg.
    PressureHigh,
    /// mmHg.
    PressureLow,
    /// score.
    Stress,
    /// steps a day.
    Step,
    /// metres a day.
    Distance,
    /// small calories a day.
    Calorie,
    /// degrees.
    Latitude,
    /// degrees.
    Longitude,
    /// metres.
    Altitude,
}

impl Vital {
    /// Column of `health_data`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::HeartRate => "heart_rate",
            Self::BloodOxygen => "blood_oxygen",
            Self::Temperature => "temperature",
            Self::PressureHigh => "pressure_high",
            Self::PressureLow => "pressure_low",
            Self::Stress => "stress",
            Self::Step => "step",
            Self::Distance => "distance",
            Self::Calorie => "calorie",
            Self::Latitude => "latitude",
            Self::Longitude => "longitude",
            Self::Altitude => "altitude",
        }
    }

    /// What can be stored, in the unit of the variant. The vital signs begin at 1: their 0 is "not measured".
    pub const fn range(self) -> RangeInclusive<i32> {
        match self {
            Self::HeartRate => 1..=300,
            Self::BloodOxygen => 1..=100,
            Self::Temperature => 10..=50,
            Self::PressureHigh => 1..=350,
            Self::PressureLow => 1..=250,
            Self::Stress => 1..=100,
            Self::Step => 0..=300_000,
            Self::Distance => 0..=1_000_000,
            Self::Calorie => 0..=100_000_000,
            Self::Latitude => -90..=90,
            Self::Longitude => -180..=180,
            Self::Altitude => -1_000..=20_000,
        }
    }
}
