//! What the writers did in the last minute. Pure: the time is a parameter.
//!
//! Before: `monitor` adds the counts of each sample. After: rates.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::ingest::RecordCounts;

/// The counts of each sample, as far back as a rate goes.
#[derive(Debug)]
pub(super) struct Window {
    over: Duration,
    samples: VecDeque<(Instant, Vec<RecordCounts>)>,
}

impl Window {
    pub(super) fn new(over: Duration) -> Self {
        Self { over, samples: VecDeque::new() }
    }

    /// Adds a sample. One that is older than the window is kept, so that the window is covered completely.
    pub(super) fn add(&mut self, now: Instant, tallies: Vec<RecordCounts>) {
        self.samples.push_back((now, tallies));
        while self.samples.get(1).is_some_and(|(at, _)| now.duration_since(*at) >= self.over) {
            self.samples.pop_front();
        }
    }

    /// What each writer did since the window began, and how long that is; zero before the first sample.
    pub(super) fn since(&self, tallies: &[RecordCounts], now: Instant) -> (Vec<RecordCounts>, Duration) {
        let Some((at, earlier)) = self.samples.front() else {
            return (vec![RecordCounts::default(); tallies.len()], Duration::ZERO);
        };
        let recent = tallies.iter().zip(earlier).map(|(now, earlier)| now.since(*earlier)).collect();
        (recent, now.duration_since(*at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(stored: u64) -> Vec<RecordCounts> {
        vec![RecordCounts { stored, ..RecordCounts::default() }]
    }

    #[test]
    fn the_window_covers_a_minute_and_no_sample_more() {
        let start = Instant::now();
        let mut window = Window::new(Duration::from_secs(60));
        assert_eq!(window.since(&stored(5), start), (stored(0), Duration::ZERO));
        for second in (0..=300).step_by(5) {
            window.add(start + Duration::from_secs(second), stored(second * 10));
        }
        let (recent, covers) = window.since(&stored(3020), start + Duration::from_secs(302));
        assert_eq!(covers.as_secs(), 62);
        assert_eq!(recent[0].stored, 620);
    }

    #[test]
    fn a_rate_begins_with_the_service() {
        let start = Instant::now();
        let mut window = Window::new(Duration::from_secs(60));
        window.add(start, stored(0));
        let (recent, covers) = window.since(&stored(30), start + Duration::from_secs(3));
        assert_eq!((recent[0].stored, covers.as_secs()), (30, 3));
    }
}
