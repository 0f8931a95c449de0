//! When a relay worker polls the outbox, and when a poll is a sweep of the whole outbox.
//!
//! Before and after: `relay::worker`. Promise: a single batch is claimed at once; under load batches gather, so that one
//! reaction covers many; sweeps never take more than a twentieth of the time.

use std::time::Duration;

use tokio::time::Instant;

use crate::store::outbox::{OutboxSize, Share};

/// The pause after a reaction, so that one covers many batches: a reaction to a few rows takes the database a hundredth of a second, most
/// of it planning, so without a pause a thousand single uploads a second cost it as much as ten thousand (bench "capacity" in
/// benches/README.md). Latest values are visible within 300 ms, of which the throttled NOTIFY may take 50.
const GATHER_DELAY: Duration = Duration::from_millis(60);

/// The pause after urgent events, also after a claim that found nothing: a wake-up from another instance says that something was committed,
/// and not for whom. Without it, claims that find nothing took an eighth of a core at half load.
const URGENT_GATHER_DELAY: Duration = Duration::from_millis(20);

/// The pause where nobody waits for the newest value: claims that find nothing cost as much as others.
const BACKGROUND_GATHER_DELAY: Duration = Duration::from_millis(250);

/// The interval between sweeps is at least this many times the duration of one (deleted rows that vacuum cannot remove make it slow).
const SWEEP_INTERVAL_FACTOR: u32 = 20;

/// The timer of a worker. Pure: the time is a parameter.
#[derive(Debug)]
pub(super) struct PollTimer {
    poll: Duration,
    next_sweep: Instant,
    /// Horizon of the last complete sweep and of the one before it.
    horizons: [i64; 2],
}

impl PollTimer {
    /// The first poll is a sweep.
    pub(super) fn new(poll: Duration, now: Instant) -> Self {
        Self { poll, next_sweep: now, horizons: [0; 2] }
    }

    /// Whether the next poll is a sweep.
    pub(super) fn sweep_is_due(&self, now: Instant) -> bool {
        now >= self.next_sweep
    }

    /// Makes the next poll a sweep: rows may lie below the floor of the last polls.
    pub(super) fn sweep_soon(&mut self, now: Instant) {
        self.next_sweep = now;
    }

    /// Records a sweep that left nothing to claim.
    pub(super) fn swept(&mut self, measure: OutboxSize, took: Duration, now: Instant) {
        let before = self.horizons[0];
        // A lower horizon means that the database lost transactions: new rows may lie anywhere above it.
        self.horizons = [measure.horizon, if measure.horizon < before { 0 } else { before }];
        self.next_sweep = now + self.poll.max(took * SWEEP_INTERVAL_FACTOR);
    }

    /// Polls between sweeps start at this transaction number. Rows below it are only those of transactions that ran longer than the
    /// time between two sweeps; the next sweep finds them.
    pub(super) fn floor(&self) -> i64 {
        self.horizons[1]
    }

    /// When to poll next, unless the worker is woken first.
    pub(super) fn next_poll(&self) -> Instant {
        self.next_sweep
    }

    /// How long to let batches gather after a reaction.
    pub(super) fn gather_delay(share: Share) -> Duration {
        match share {
            Share::Urgent => URGENT_GATHER_DELAY,
            Share::Live => GATHER_DELAY,
            Share::Late | Share::Imports => BACKGROUND_GATHER_DELAY,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn measure(horizon: i64) -> OutboxSize {
        OutboxSize { waiting: 0, horizon }
    }

    #[test]
    fn a_poll_between_sweeps_begins_two_sweeps_back() {
        let now = Instant::now();
        let mut timer = PollTimer::new(SECOND, now);
        assert!(timer.sweep_is_due(now));
        timer.swept(measure(100), Duration::from_millis(1), now);
        assert_eq!(timer.floor(), 0, "a transaction below 100 may still be running");
        assert!(!timer.sweep_is_due(now));
        assert!(timer.sweep_is_due(now + SECOND));
        timer.swept(measure(200), Duration::from_millis(1), now + SECOND);
        assert_eq!(timer.floor(), 100);
    }

    #[test]
    fn after_a_database_went_back_a_poll_goes_as_deep_as_a_sweep() {
        let now = Instant::now();
        let mut timer = PollTimer::new(SECOND, now);
        for horizon in [900, 1000] {
            timer.swept(measure(horizon), Duration::from_millis(1), now);
        }
        timer.swept(measure(300), Duration::from_millis(1), now);
        assert_eq!(timer.floor(), 0, "what is committed from now on has numbers from 300 on");
        timer.swept(measure(310), Duration::from_millis(1), now);
        assert_eq!(timer.floor(), 300);
    }

    #[test]
    fn an_expensive_sweep_is_made_less_often() {
        let now = Instant::now();
        let mut timer = PollTimer::new(SECOND, now);
        timer.swept(measure(1), Duration::from_millis(500), now);
        assert!(!timer.sweep_is_due(now + 9 * SECOND));
        timer.sweep_soon(now);
        assert!(timer.sweep_is_due(now));
    }
}
