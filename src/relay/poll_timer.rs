//! When a lane looks into the outbox, and how deep.
//!
//! Before and after: `relay::worker`. Promise: a lone batch is looked for at once; under load batches gather, so that a
//! reaction covers many; a sweep of the whole outbox never takes more than a twentieth of the time.

use std::time::Duration;

use tokio::time::Instant;

use crate::store::outbox::Measure;

/// After a reaction the lane rests this many times as long as it took, so that each device is written once for several
/// batches. Bench "reaction" in benches/README.md: at 100 000 rows/s, 2 instead of 1 saves a fifth of the work and costs
/// 70 ms.
const REST_PER_WORK: u32 = 1;

/// But never longer: latest values are to be seen within 300 ms, of which the throttled NOTIFY may take 50.
const LONGEST_REST: Duration = Duration::from_millis(60);

/// A sweep may cost this share of the time at most (deleted rows that vacuum cannot remove make it dear).
const SWEEP_SHARE: u32 = 20;

/// The clock of a lane. Pure: it is told what time it is.
#[derive(Debug)]
pub(super) struct PollTimer {
    poll: Duration,
    next_sweep: Instant,
    /// Horizon of the last complete sweep, and of the one before.
    horizons: [i64; 2],
}

impl PollTimer {
    /// Sweeps first.
    pub(super) fn new(poll: Duration, now: Instant) -> Self {
        Self { poll, next_sweep: now, horizons: [0; 2] }
    }

    /// Whether the next look is to be a sweep of the whole outbox.
    pub(super) fn sweep_is_due(&self, now: Instant) -> bool {
        now >= self.next_sweep
    }

    /// The next look is to be a sweep: something may lie where the last looks did not go.
    pub(super) fn sweep_soon(&mut self, now: Instant) {
        self.next_sweep = now;
    }

    /// A sweep found nothing more to claim.
    pub(super) fn swept(&mut self, measure: Measure, took: Duration, now: Instant) {
        let before = self.horizons[0];
        // Numbers of transactions go back with a database that lost some: nothing is known of where what comes now lies.
        self.horizons = [measure.horizon, if measure.horizon < before { 0 } else { before }];
        self.next_sweep = now + self.poll.max(took * SWEEP_SHARE);
    }

    /// Below this number a look between sweeps finds nothing, save what a transaction left that ran longer than the
    /// time between two sweeps; the next sweep finds that.
    pub(super) fn floor(&self) -> i64 {
        self.horizons[1]
    }

    /// When to look again, if nobody wakes the lane.
    pub(super) fn next_look(&self) -> Instant {
        self.next_sweep
    }

    /// How long to let batches gather after a reaction that took `work`.
    pub(super) fn rest_after(work: Duration) -> Duration {
        (work * REST_PER_WORK).min(LONGEST_REST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn measure(horizon: i64) -> Measure {
        Measure { waiting: 0, horizon }
    }

    #[test]
    fn a_look_between_sweeps_begins_two_sweeps_back() {
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
    fn after_a_database_went_back_a_look_goes_as_deep_as_a_sweep() {
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
    fn a_dear_sweep_is_made_less_often() {
        let now = Instant::now();
        let mut timer = PollTimer::new(SECOND, now);
        timer.swept(measure(1), Duration::from_millis(500), now);
        assert!(!timer.sweep_is_due(now + 9 * SECOND));
        timer.sweep_soon(now);
        assert!(timer.sweep_is_due(now));
    }

    #[test]
    fn a_short_reaction_is_followed_by_a_short_rest_and_a_long_one_by_a_bounded_rest() {
        assert_eq!(PollTimer::rest_after(Duration::from_millis(3)), Duration::from_millis(3));
        assert_eq!(PollTimer::rest_after(Duration::from_secs(3)), LONGEST_REST);
    }
}
