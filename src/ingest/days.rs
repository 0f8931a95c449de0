//! Days of records: `health_data` has a chunk a day, and whoever makes or writes many chunks in one transaction holds many locks.
//!
//! Before: `ingest::route`, `ingest::pieces` and `ingest::batcher` ask. After: no transaction touches more than [`MAX_DAYS`].
//! Promise: what devices send all day lies within [`MAX_DAYS`] by itself, so that it is neither sorted out nor cut.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use crate::model::Upload;

/// Most days of one transaction. Each may be a new chunk, which costs some milliseconds, and a dozen locks of the server's
/// `max_locks_per_transaction` times `max_connections`; benches/README.md, "Far times".
pub(super) const MAX_DAYS: usize = 16;

/// Most days of one transaction of the lane for what is far, most of which are new chunks: whoever needs a new chunk meanwhile, the first
/// upload of a day, waits until it is committed.
pub(super) const FAR_DAYS: usize = 8;

/// A record is far when it is older than that at its receipt; ahead of its receipt it is a day at most. The days between are
/// [`MAX_DAYS`], and their chunks are mostly there.
const FAR_AFTER: SignedDuration = SignedDuration::from_hours(14 * 24);

const DAY_SECONDS: i64 = 24 * 60 * 60;

/// Number of the UTC day, as chunks are cut.
pub(super) fn day_of(ts: Timestamp) -> i64 {
    ts.as_second().div_euclid(DAY_SECONDS)
}

/// Number of the stretch of [`FAR_DAYS`] a day is in: uploads that are cut along the same lines share transactions.
pub(super) fn stretch_of(ts: Timestamp) -> i64 {
    day_of(ts).div_euclid(FAR_DAYS as i64)
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
        assert_eq!((day_of(before), stretch_of(before)), (-1, -1));
    }
}
