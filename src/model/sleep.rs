//! A segment of sleep, as a device tells it.
//!
//! Before: `wire` reads it from a sleep document. After: `store::sleep_segment` makes it a row.

use jiff::{SignedDuration, Timestamp};

/// One row of `sleep_segment`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SleepSegment {
    /// Start.
    pub start: Timestamp,
    /// End; after the start, by at most [`MAX_SLEEP`].
    pub end: Timestamp,
    /// Type as sent: 1 light, 2 deep, others unknown. `None`: not sent.
    pub type_code: Option<i32>,
}

/// Longest segment. What claims to be longer is a broken time, and would drown a night's figures.
pub const MAX_SLEEP: SignedDuration = SignedDuration::from_hours(24);
