//! How many chunks one transaction may touch. A hypertable has one chunk per UTC day, and a transaction that creates or writes many
//! chunks holds many locks.
//!
//! Before: `ingest::routing` and `ingest::batcher` plan a transaction. After: it creates at most [`MAX_NEW_CHUNKS`] chunks.
//! Promise: current records always fit this limit, so they are neither separated nor split.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};

use crate::model::Upload;

/// Most chunks that one transaction may create. A new chunk costs some milliseconds, and a dozen of the locks that the server has
/// (`max_locks_per_transaction` times `max_connections`); benches/README.md, "Far times".
pub(super) const MAX_NEW_CHUNKS: usize = 16;

/// Most chunks that one transaction of late data may create. Most of its chunks are new, and an upload that needs another new chunk
/// meanwhile (the first of a day) waits until that transaction is committed.
const LATE_NEW_CHUNKS: usize = 8;

/// Late data: records that are older than this when they are received. A record is at most a day ahead of its receipt. The days
/// between are [`MAX_NEW_CHUNKS`], and their chunks mostly exist.
const LATE_AFTER: SignedDuration = SignedDuration::from_hours(14 * 24);

/// Most chunks of one transaction of late data if all of them exist: each takes three locks, and no time.
const LATE_EXISTING_CHUNKS: usize = 128;

/// Weight limit of a transaction of late data. A chunk that exists weighs 1, a new one [`NEW_CHUNK_WEIGHT`].
pub(super) const LATE_WEIGHT: usize = LATE_EXISTING_CHUNKS;

/// Weight limit of a transaction of events and device information.
pub(super) const LOW_LATENCY_WEIGHT: usize = MAX_NEW_CHUNKS * NEW_CHUNK_WEIGHT;

const NEW_CHUNK_WEIGHT: usize = LATE_EXISTING_CHUNKS / LATE_NEW_CHUNKS;

const DAY_SECONDS: i64 = 24 * 60 * 60;

/// Number of the UTC day, as chunks are cut.
pub(super) fn day_of(ts: Timestamp) -> i64 {
    ts.as_second().div_euclid(DAY_SECONDS)
}

/// Days to which late data was written since the start, so that their chunks exist. Clones share it. Bounded by the number of days
/// since 2010. A chunk that is dropped later costs no more than a longer transaction.
#[derive(Debug, Clone, Default)]
pub(super) struct KnownChunks(Arc<Mutex<BTreeSet<i64>>>);

impl KnownChunks {
    /// Readings of these times are committed.
    pub(super) fn add(&self, times: impl Iterator<Item = Timestamp>) {
        self.lock().extend(times.map(day_of));
    }

    /// What a transaction over these days weighs.
    pub(super) fn weight(&self, days: &BTreeSet<i64>) -> usize {
        let known = self.lock();
        days.iter().map(|day| if known.contains(day) { 1 } else { NEW_CHUNK_WEIGHT }).sum()
    }

    /// The group of days that a record of late data is written with. A group weighs at most [`LATE_WEIGHT`]. Uploads that are cut
    /// along the same groups share transactions. Groups of new chunks sort first: a sender whose deadline passes before the rest is
    /// committed finds them done when it sends again.
    pub(super) fn group_of(&self, ts: Timestamp) -> (bool, i64) {
        let day = day_of(ts);
        let exists = self.lock().contains(&day);
        (exists, day.div_euclid(if exists { LATE_EXISTING_CHUNKS as i64 } else { LATE_NEW_CHUNKS as i64 }))
    }

    fn lock(&self) -> MutexGuard<'_, BTreeSet<i64>> {
        // The lock is held for insertions only, so the set is valid even after a panic.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a record is so old that its chunk may have to be created for it.
pub(super) fn is_late(ts: Timestamp, received_at: Timestamp) -> bool {
    received_at.duration_since(ts) > LATE_AFTER
}

/// The days of all records that can be stored.
pub(super) fn days_of(upload: &Upload) -> BTreeSet<i64> {
    let readings = upload.items.iter().map(|item| item.reading.ts);
    let events = upload.events.iter().map(|item| item.event.ts);
    let device_infos = upload.device_infos.iter().map(|item| item.info.ts);
    readings.chain(events).chain(device_infos).map(day_of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_that_are_not_late_need_no_more_chunks_than_one_transaction_may_create() {
        for received_at in ["2026-01-31T00:00:00Z", "2026-01-31T23:59:59.999999Z"] {
            let received_at: Timestamp = received_at.parse().expect("a time");
            let (oldest, newest) = (received_at - LATE_AFTER, received_at + SignedDuration::from_hours(24));
            assert!(!is_late(oldest, received_at));
            assert!(is_late(oldest - SignedDuration::from_secs(1), received_at));
            let days = day_of(newest) - day_of(oldest) + 1;
            assert_eq!(usize::try_from(days).expect("positive"), MAX_NEW_CHUNKS);
        }
    }

    #[test]
    fn days_before_the_epoch_are_days_too() {
        let before: Timestamp = "1969-12-31T23:00:00Z".parse().expect("a time");
        assert_eq!((day_of(before), KnownChunks::default().group_of(before)), (-1, (false, -1)));
    }
}
