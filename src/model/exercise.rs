//! A device's exercise totals of one local day.
//!
//! Before: `wire` reads them from a document of the day or of the week. After: `store::exercise_day` makes them a row.

use std::ops::RangeInclusive;

use jiff::civil::Date;
use rust_decimal::Decimal;

/// What one document says of one day; running totals. At least one is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExerciseDay {
    /// Local day of the device.
    pub day: Date,
    /// The totals.
    pub totals: ExerciseTotals,
}

/// Totals of a day so far. `None`: not sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ExerciseTotals {
    /// Minutes at medium or high intensity, within [`STRENGTH_MINUTES`].
    pub strength_minutes: Option<Decimal>,
    /// Hours with activity, within [`ACTIVE_HOURS`].
    pub active_hours: Option<Decimal>,
    /// Steps, within the range of [`crate::metric::Metric::Step`].
    pub steps: Option<i32>,
}

/// Minutes a day has, where clocks go back.
pub const STRENGTH_MINUTES: RangeInclusive<i32> = 0..=1500;

/// Hours a day has, where clocks go back.
pub const ACTIVE_HOURS: RangeInclusive<i32> = 0..=25;

impl ExerciseTotals {
    /// Is nothing in them but zeros?
    pub fn is_zero(self) -> bool {
        self.strength_minutes.is_none_or(|minutes| minutes.is_zero())
            && self.active_hours.is_none_or(|hours| hours.is_zero())
            && self.steps.is_none_or(|steps| steps == 0)
    }

    /// The larger of each, what is there before what is not: of two accounts of one moment.
    #[must_use]
    pub fn larger(self, other: Self) -> Self {
        Self {
            strength_minutes: self.strength_minutes.max(other.strength_minutes),
            active_hours: self.active_hours.max(other.active_hours),
            steps: self.steps.max(other.steps),
        }
    }

    /// These, and from `older` what these leave open.
    #[must_use]
    pub fn or(self, older: Self) -> Self {
        Self {
            strength_minutes: self.strength_minutes.or(older.strength_minutes),
            active_hours: self.active_hours.or(older.active_hours),
            steps: self.steps.or(older.steps),
        }
    }
}
