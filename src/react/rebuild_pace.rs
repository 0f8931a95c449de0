//! How often the view is rebuilt because values were missed.
//!
//! Before: `rebuild` finds that Redis lacks only what some instance could not write. After: it rebuilds the view, or waits.
//! Promise: the first rebuild is not delayed. While an instance goes on without Redis, the others rebuild at intervals that double up
//! to [`LONGEST`], all of them together, because each of them sees from the markers when the last rebuild ended.

use std::time::{Duration, Instant};

/// The longest pause: so old may the latest value of a device become while the instance that reacts to its uploads is without Redis.
/// After so long without a rebuild the next one is the first.
const LONGEST: Duration = Duration::from_mins(1);

/// The longest pause of an instance that missed values itself and has Redis now.
const LONGEST_AFTER_OUTAGE: Duration = Duration::from_secs(5);

#[derive(Debug)]
pub(super) struct RebuildPace {
    /// The pause after the first rebuild.
    first: Duration,
    pause: Duration,
    markers: Vec<Option<String>>,
    rebuilt_at: Option<Instant>,
}

impl RebuildPace {
    pub(super) const fn new(first: Duration) -> Self {
        Self { first, pause: Duration::ZERO, markers: Vec::new(), rebuilt_at: None }
    }

    /// Takes in the markers as they are in Redis now: they change with each complete rebuild.
    pub(super) fn observe(&mut self, markers: Vec<Option<String>>, now: Instant) {
        if self.markers == markers {
            return;
        }
        // Before the first observation there was none to follow.
        if !self.markers.is_empty() {
            let follows = self.rebuilt_at.is_some_and(|at| now.duration_since(at) < self.pause + LONGEST);
            self.pause = if follows { (2 * self.pause).clamp(self.first, LONGEST) } else { self.first };
        }
        self.markers = markers;
        self.rebuilt_at = Some(now);
    }

    /// Whether the next rebuild may begin; `missed_here`: this instance missed values itself.
    pub(super) fn is_due(&self, missed_here: bool, now: Instant) -> bool {
        let pause = if missed_here { self.pause.min(LONGEST_AFTER_OUTAGE) } else { self.pause };
        self.rebuilt_at.is_none_or(|at| now.duration_since(at) >= pause)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The seconds, of those in which values are missed, in which a rebuild begins; it has ended in the next one.
    fn rebuilds(missed: impl Iterator<Item = u64>, here: bool) -> Vec<u64> {
        let began = Instant::now();
        let (mut pace, mut builds) = (RebuildPace::new(Duration::from_secs(2)), Vec::new());
        for second in missed {
            let now = began + Duration::from_secs(second);
            pace.observe(vec![Some(builds.len().to_string())], now);
            if pace.is_due(here, now) {
                builds.push(second);
            }
        }
        builds
    }

    #[test]
    fn rebuilds_that_follow_one_another_do_so_at_longer_and_longer_intervals() {
        assert_eq!(rebuilds(0..250, false), [0, 3, 8, 17, 34, 67, 128, 189]);
    }

    #[test]
    fn a_rebuild_after_a_quiet_time_is_not_delayed() {
        let missed = (0..40).chain([150, 151]).chain([300]);
        assert_eq!(rebuilds(missed, false), [0, 3, 8, 17, 34, 150, 300]);
    }

    #[test]
    fn an_instance_that_missed_values_itself_waits_for_seconds_only() {
        assert_eq!(rebuilds(0..40, true), [0, 3, 8, 14, 20, 26, 32, 38]);
    }
}
