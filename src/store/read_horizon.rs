//! How far a standby must have replayed the log to be read from.
//!
//! Before: `store::reads` samples how far the primary is, and learns of changes. After: `store::recycle` compares a connection with it.
//! Promise: a standby that has replayed what [`ReadHorizon::required`] gives has everything that was committed `read.max_lag_ms` ago, and
//! every change that [`ReadHorizon::changed`] was notified of.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// A position in the write-ahead log, bytes.
pub(super) type Lsn = i64;

/// How far the primary was, and when.
#[derive(Debug, Clone, Copy)]
struct Sample {
    /// Before it was asked for.
    at: Instant,
    lsn: Lsn,
}

/// Samples of the primary, oldest first.
#[derive(Debug)]
pub(super) struct ReadHorizon {
    max_lag: Duration,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    samples: VecDeque<Sample>,
    changed_at: Option<Instant>,
}

impl ReadHorizon {
    pub(super) fn new(max_lag: Duration) -> Self {
        Self { max_lag, state: Mutex::default() }
    }

    /// The primary was there; it was asked at `at`.
    pub(super) fn sampled(&self, at: Instant, lsn: Lsn) {
        let mut state = self.lock();
        while state.samples.front().is_some_and(|oldest| at.duration_since(oldest.at) > self.max_lag) {
            state.samples.pop_front();
        }
        state.samples.push_back(Sample { at, lsn });
    }

    /// Something was changed that everybody reads from now on.
    pub(super) fn changed(&self, now: Instant) {
        self.lock().changed_at = Some(now);
    }

    /// Another server is the primary; its log may not have all of the former one.
    pub(super) fn forget(&self) {
        self.lock().samples.clear();
    }

    /// How far a standby must be; `None`: not known, so none is good enough.
    pub(super) fn required(&self, now: Instant) -> Option<Lsn> {
        let state = self.lock();
        let is_recent = |sample: &&Sample| {
            now.duration_since(sample.at) <= self.max_lag
                && state.changed_at.is_none_or(|changed_at| sample.at >= changed_at)
        };
        state.samples.iter().find(is_recent).map(|sample| sample.lsn)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // The lock is held for a few steps on memory; a thread that panicked left a complete state.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_standby_may_be_behind_by_the_limit_and_no_more() {
        let horizon = ReadHorizon::new(SECOND);
        let start = Instant::now();
        assert_eq!(horizon.required(start), None, "nothing is known of the primary");
        horizon.sampled(start, 100);
        horizon.sampled(start + SECOND / 2, 200);
        assert_eq!(horizon.required(start + SECOND), Some(100));
        assert_eq!(horizon.required(start + SECOND * 5 / 4), Some(200));
        assert_eq!(horizon.required(start + SECOND * 2), None, "the primary has not answered for too long");
    }

    #[test]
    fn after_a_change_the_standby_must_have_it() {
        let horizon = ReadHorizon::new(SECOND);
        let start = Instant::now();
        horizon.sampled(start, 100);
        horizon.changed(start + SECOND / 4);
        assert_eq!(horizon.required(start + SECOND / 2), None);
        horizon.sampled(start + SECOND / 2, 200);
        assert_eq!(horizon.required(start + SECOND / 2), Some(200));
    }

    #[test]
    fn what_the_former_primary_was_at_does_not_count() {
        let horizon = ReadHorizon::new(SECOND);
        let start = Instant::now();
        horizon.sampled(start, 100);
        horizon.forget();
        assert_eq!(horizon.required(start), None);
    }
}
