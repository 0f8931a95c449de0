//! A workout, as a device reports it.
//!
//! Before: `wire` reads it from a workout document. After: `store::workout` makes it a row.

use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;

/// One row of `workout`. `None`: not sent.
#[derive(Debug, Clone, PartialEq)]
pub struct Workout {
    /// Start.
    pub start: Timestamp,
    /// End; after the start, by at most [`MAX_WORKOUT`].
    pub end: Timestamp,
    /// Type as sent; table `workout_type` has the names.
    pub workout_type: Option<i32>,
    /// Energy as sent, within the range of [`crate::metric::Metric::Calorie`].
    pub calorie: Option<Decimal>,
    /// Metres, within the range of [`crate::metric::Metric::Distance`].
    pub distance: Option<Decimal>,
    /// The device's own id of it, at most [`super::reading::MAX_SERIAL_BYTES`] bytes.
    pub record_id: Option<String>,
}

/// Longest workout: a hike of a week.
pub const MAX_WORKOUT: SignedDuration = SignedDuration::from_hours(7 * 24);

impl Workout {
    /// Takes the larger values of `repeat`, a later report of the same workout.
    pub fn join(&mut self, repeat: Self) {
        self.end = self.end.max(repeat.end);
        self.calorie = self.calorie.max(repeat.calorie);
        self.distance = self.distance.max(repeat.distance);
        self.record_id = self.record_id.take().or(repeat.record_id);
    }
}
