//! The newest row of a device, as dashboards see it in Redis.
//!
//! Before: `store::health_data` reads it back from a committed batch, or `store::handover` has it from the writer. After:
//! `cache::latest` writes it.

use jiff::{SignedDuration, Timestamp};

use super::{Owner, Reading};
use crate::metric::Measurements;

/// A row dated later than this after its receipt counts as of its receipt.
const AHEAD: SignedDuration = SignedDuration::from_mins(5);

/// Rows of one receipt that are dated ahead keep their order, as far as they differ by less than this.
const AHEAD_ORDER: SignedDuration = SignedDuration::from_hours(24);

/// A clock that is less off is right, as far as uploads can show. The same as in the function `vitals.measure_clocks` of the database.
const CLOCK_TOLERANCE: SignedDuration = SignedDuration::from_mins(1);

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
    /// When it was received; `None`: it was read for a rebuild of the view, where that does not matter.
    pub received_at: Option<Timestamp>,
}

impl LatestValue {
    /// The row of a reading that was received then.
    pub fn of(reading: &Reading, received_at: Timestamp) -> Self {
        Self {
            device_sn: reading.device_sn.clone(),
            ts: reading.ts,
            owner: reading.owner,
            measured: reading.measured,
            upload_method: reading.upload_method.clone(),
            effective_ts: effective_ts(reading.ts, received_at),
            received_at: Some(received_at),
        }
    }

    /// Whether its time is more than a minute from the time of its receipt: the clock of the device may be off.
    pub fn is_far_from_receipt(&self) -> bool {
        self.received_at
            .is_some_and(|received_at| received_at.duration_since(self.ts).abs() > CLOCK_TOLERANCE)
    }
}

/// The same as the function `vitals.effective_ts` of the database.
pub fn effective_ts(ts: Timestamp, received_at: Timestamp) -> Timestamp {
    let ahead = ts.duration_since(received_at);
    if ahead <= AHEAD {
        ts
    } else {
        received_at + SignedDuration::from_micros(micros(ahead.min(AHEAD_ORDER)) / 1_000_000)
    }
}

fn micros(duration: SignedDuration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_dated_ahead_counts_as_of_its_receipt_and_keeps_its_order() {
        let received: Timestamp = "2026-01-05T10:00:00Z".parse().expect("a time");
        let of = |ahead: SignedDuration| effective_ts(received + ahead, received);
        assert_eq!(of(SignedDuration::from_mins(5)), received + SignedDuration::from_mins(5));
        assert_eq!(of(SignedDuration::from_mins(-600)), received - SignedDuration::from_mins(600));
        assert_eq!(of(SignedDuration::from_hours(1)), received + SignedDuration::from_micros(3600));
        assert_eq!(of(SignedDuration::from_hours(900)), received + SignedDuration::from_micros(86_400));
    }
}
