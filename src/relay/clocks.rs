//! Which clocks of devices are measured: those of devices whose newest row is far from its receipt, a bounded number a second.
//!
//! Before: `relay::reaction`. After: `store::device_clock`. Promise: measuring never delays reactions noticeably, even if every device
//! sends rows of another time, as an import does; a device that is left out is measured after one of its next uploads.

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use jiff::Timestamp;
use rand::seq::SliceRandom;

use crate::store::{Store, device_clock};

/// Devices measured at once after a pause, and then per second; one costs about 0.2 ms of the database.
const BURST: f64 = 200.0;
const PER_SECOND: f64 = 50.0;

#[derive(Debug)]
pub(super) struct ClockMeasurement(Mutex<Allowance>);

#[derive(Debug)]
struct Allowance {
    devices: f64,
    at: Instant,
}

impl Default for ClockMeasurement {
    fn default() -> Self {
        Self(Mutex::new(Allowance { devices: BURST, at: Instant::now() }))
    }
}

impl ClockMeasurement {
    /// Measures as many of the devices as the allowance permits, given the time of a row that each sent lately. A failure is no
    /// more than a missed chance.
    pub(super) async fn measure(&self, store: &Store, mut seen: Vec<(String, Timestamp)>) {
        let allowed = self.0.lock().unwrap_or_else(PoisonError::into_inner).take(seen.len(), Instant::now());
        if allowed == 0 {
            return;
        }
        if allowed < seen.len() {
            seen.shuffle(&mut rand::rng());
            seen.truncate(allowed);
        }
        if let Err(error) = device_clock::measure(store, &seen).await {
            tracing::debug!(%error, "clocks of devices not measured");
        }
    }
}

impl Allowance {
    /// How many of `wanted` devices may be measured now: those of a second at once, because measuring one costs nearly as much as some.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and the burst")]
    fn take(&mut self, wanted: usize, now: Instant) -> usize {
        let refilled = self.devices + now.duration_since(self.at).as_secs_f64() * PER_SECOND;
        (self.devices, self.at) = (refilled.min(BURST), now);
        if self.devices < PER_SECOND && self.devices < wanted as f64 {
            return 0;
        }
        let allowed = wanted.min(self.devices as usize);
        self.devices -= allowed as f64;
        allowed
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_few_devices_are_all_measured_and_many_a_bounded_number_a_second() {
        let began = Instant::now();
        let mut allowance = Allowance { devices: BURST, at: began };
        assert_eq!(allowance.take(3, began), 3);
        assert_eq!(allowance.take(10_000, began), 197);
        assert_eq!(allowance.take(10_000, began), 0);
        assert_eq!(allowance.take(10_000, began + Duration::from_millis(500)), 0, "not a few at a time");
        assert_eq!(allowance.take(10, began + Duration::from_millis(500)), 10);
        assert_eq!(allowance.take(10_000, began + Duration::from_secs(2)), 90);
        assert_eq!(allowance.take(10_000, began + Duration::from_secs(3_600)), 200);
    }
}
