//! How many rows are drained at once. Pure.
//!
//! Live uploads wait behind what is drained in the same queue of the ingest, so a step of draining is as long as they may wait.

use std::time::Duration;

const MIN_ROWS: usize = 50;
const MAX_ROWS: usize = 2000;

/// A step that takes longer is followed by a smaller one.
const LONG: Duration = Duration::from_millis(100);

/// A step that takes less is followed by a larger one.
const SHORT: Duration = Duration::from_millis(50);

/// Rows of the next step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Pace {
    rows: usize,
}

impl Default for Pace {
    fn default() -> Self {
        Self { rows: 400 }
    }
}

impl Pace {
    /// Rows of the next step.
    pub(super) fn rows(self) -> usize {
        self.rows
    }

    /// The last step was too large.
    pub(super) fn halve(&mut self) {
        self.rows = (self.rows / 2).max(MIN_ROWS);
    }

    /// A step of so many rows took so long.
    pub(super) fn adapt(&mut self, rows: usize, took: Duration) {
        if took > LONG {
            self.halve();
        } else if took < SHORT && rows * 2 > self.rows {
            self.rows = (self.rows * 2).min(MAX_ROWS);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_become_as_large_as_the_database_allows_and_no_larger() {
        let mut pace = Pace::default();
        for _ in 0..10 {
            pace.adapt(pace.rows(), Duration::from_millis(20));
        }
        assert_eq!(pace.rows(), MAX_ROWS);
        pace.adapt(pace.rows(), Duration::from_millis(70));
        assert_eq!(pace.rows(), MAX_ROWS, "as it should be");
        for _ in 0..10 {
            pace.adapt(pace.rows(), Duration::from_millis(400));
        }
        assert_eq!(pace.rows(), MIN_ROWS);
        pace.adapt(1, Duration::from_millis(5));
        assert_eq!(pace.rows(), MIN_ROWS, "a step that was not full says nothing about larger ones");
    }
}
