//! Days of records: `health_data` has a chunk a day, and whoever makes or writes many chunks in one transaction holds many locks.
//!
//! Before: `ingest::route`, `ingest::pieces` and `ingest::batcher` ask. After: no transaction makes more than [`MAX_DAYS`] chunks.
//! Promise: what devices send all day lies within [`MAX_DAYS`] by itself, so that it is neither sorted out nor cut.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};

use crate::model::Upload;

/// Most days of one transaction. Each may be a new chunk, which costs some milliseconds, and a dozen locks of the server's
/// `max_locks_per_transaction` times `max_connections`; benches/README.md, "Far times".
pub(super) const MAX_DAYS: usize = 16;

/// Most days of one transaction of the lane for what is far, most of which are new chunks: whoever needs a new chunk meanwhile, the first
/// upload of a day, waits until it is committed.
const FAR_DAYS: usize = 8;

/// A record is far when it is older than that at its receipt; ahead of its receipt it is a day at most. The days between are
/// [`MAX_DAYS`], and their chunks are mostly there.
const FAR_AFTER: SignedDuration = SignedDuration::from_hours(14 * 24);

const DAY_SECONDS: i64 = 24 * 60 * 60;

/// Number of the UTC day, as chunks are cut.
pub(super) fn day_of(ts: Timestamp) -> i64 {
    ts.as_second().div_euclid(DAY_SECONDS)
}

/// Most days of one transaction of that lane whose chunks are there: each takes three locks, and no time.
const KNOWN_DAYS: usize = 128;

/// What one transaction may touch, in days whose chunks are there; any other day counts as [`NEW_DAY`] of them.
pub(super) const FAR_WEIGHT: usize = KNOWN_DAYS;

/// The same for events and device information.
pub(super) const PROMPT_WEIGHT: usize = MAX_DAYS * NEW_DAY;

const NEW_DAY: usize = KNOWN_DAYS / FAR_DAYS;

/// Days of long ago that were written since the start, so that their chunks are there. Clones are of the same. Bounded by the days
/// there are since 2010. A chunk that is dropped later costs no more than a longer transaction.
#[derive(Debug, Clone, Default)]
pub(super) struct Known(Arc<Mutex<BTreeSet<i64>>>);

impl Known {
    /// Readings of these times are committed.
    pub(super) fn add(&self, times: impl Iterator<Item = Timestamp>) {
        self.lock().extend(times.map(day_of));
    }

    /// What a transaction over these days weighs.
    pub(super) fn weight(&self, days: &BTreeSet<i64>) -> usize {
        let known = self.lock();
        days.iter().map(|day| if known.contains(day) { 1 } else { NEW_DAY }).sum()
    }

    /// The stretch of days a record is written with, which weighs no more than [`FAR_WEIGHT`]. Uploads that are cut along the same
    /// lines share transactions. New days come first: whoever is answered before the rest is committed has them behind him when
    /// he comes again.
    pub(super) fn stretch_of(&self, ts: Timestamp) -> (bool, i64) {
        let day = day_of(ts);
        let is_known = self.lock().contains(&day);
        (is_known, day.div_euclid(if is_known { KNOWN_DAYS as i64 } else { FAR_DAYS as i64 }))
    }

    fn lock(&self) -> MutexGuard<'_, BTreeSet<i64>> {
        // The lock is held for insertions only; one that panicked left a whole set.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a record lies so far back that its chunk may have to be made for it.
pub(super) fn is_far(ts: Timestamp, received_at: Timestamp) -> bool {
    received_at.duration_since(ts) > FAR_AFTER
}

/// The days of all that can be stored.
pub(super) fn of(upload: &Upload) -> BTreeSet<i64> {
    let readings = upload.items.iter().map(|item| item.reading.ts);
    let events = upload.events.iter().map(|item| item.event.ts);
    let device_infos = upload.device_infos.iter().map(|item| item.info.ts);
    readings.chain(events).chain(device_infos).map(day_of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_far_lies_within_the_days_of_a_transaction() {
        for received_at in ["2026-01-31T00:00:00Z", "2026-01-31T23:59:59.999999Z"] {
            let received_at: Timestamp = received_at.parse().expect("a time");
            let (oldest, newest) = (received_at - FAR_AFTER, received_at + SignedDuration::from_hours(24));
            assert!(
                !is_far(oldest, received_at) && is_far(oldest - SignedDuration::from_secs(1), received_at)
            );
            let days = day_of(newest) - day_of(oldest) + 1;
            assert_eq!(usize::try_from(days).expect("positive"), MAX_DAYS);
        }
    }

    #[test]
    fn days_before_the_epoch_are_days_too() {
        let before: Timestamp = "1969-12-31T23:00:00Z".parse().expect("a time");
        assert_eq!((day_of(before), Known::default().stretch_of(before)), (-1, (false, -1)));
    }
}
