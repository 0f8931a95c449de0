//! How much is evaluated in one transaction.
//!
//! Before: `relay::finisher` and `relay::imports` measure each transaction. After: `store::outbox::finish` and `evaluate_slice`. Promise: a
//! transaction comes to take about its target, so that nobody waits much longer for a lock of its devices, and as much as that allows
//! is evaluated at once, because a large part of the cost is that of any transaction.

use std::time::Duration;

/// How long a transaction may take where it cannot be less: planning takes its time for one device as for sixteen.
const MAX: Duration = Duration::from_secs(1);

/// Between which sizes a transaction is, and what it is to take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    smallest: u64,
    /// Less at a time only where it takes longer than [`MAX`].
    few: u64,
    first: u64,
    largest: u64,
    /// Whoever waits for a lock of one of its devices waits this long at most, most of the time.
    target: Duration,
}

/// Records of batches. Behind a backlog a record costs PostgreSQL 11 µs in transactions of 25 000 and 18 in those of 10 000: of more rows, more
/// are of the same alerts. Above that, a group of batches is too small for two transactions side by side.
pub(super) const RECORDS: Limits =
    Limits { smallest: 500, few: 2_000, first: 10_000, largest: 25_000, target: Duration::from_millis(300) };

/// Devices of an import.
pub(super) const DEVICES: Limits =
    Limits { smallest: 1, few: 16, first: 16, largest: 1024, target: Duration::from_millis(150) };

/// The size of the next transaction.
#[derive(Debug, Clone, Copy)]
pub(super) struct TransactionSize {
    size: u64,
    limits: Limits,
}

impl TransactionSize {
    pub(super) fn new(limits: Limits) -> Self {
        Self { size: limits.first, limits }
    }

    pub(super) fn get(self) -> u64 {
        self.size
    }

    /// A transaction of `done` took so long.
    pub(super) fn took(&mut self, done: u64, time: Duration) {
        let Limits { smallest, few, largest, target, .. } = self.limits;
        let done = done.min(self.size);
        if time > MAX || (time > target && done > few) {
            self.size = (done / 2).max(smallest);
        } else if time < target / 2 && done > self.size / 2 {
            self.size = (self.size * 2).min(largest);
        }
    }

    /// A transaction of this size took too long and was cancelled. False: it was the smallest.
    pub(super) fn was_cancelled(&mut self) -> bool {
        let was = std::mem::replace(&mut self.size, self.limits.smallest);
        was > self.limits.smallest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn millis(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn transactions_grow_while_they_are_quick_and_shrink_when_they_are_slow() {
        let mut size = TransactionSize::new(DEVICES);
        size.took(16, millis(10));
        assert_eq!(size.get(), 32);
        size.took(32, millis(100));
        assert_eq!(size.get(), 32);
        for _ in 0..20 {
            size.took(size.get(), millis(500));
        }
        assert_eq!(size.get(), 16);
        for _ in 0..20 {
            size.took(size.get(), millis(2_000));
        }
        assert_eq!(size.get(), 1);
        assert!(!size.was_cancelled(), "there is no smaller one");
        for _ in 0..20 {
            size.took(size.get(), Duration::ZERO);
        }
        assert_eq!(size.get(), 1024);
        assert!(size.was_cancelled());
        assert_eq!(size.get(), 1);
    }

    #[test]
    fn a_small_transaction_says_nothing_of_large_ones_unless_it_is_slow() {
        let mut size = TransactionSize::new(RECORDS);
        size.took(5_000, millis(1));
        assert_eq!(size.get(), 10_000, "it might be slow with more");
        size.took(5_001, millis(1));
        assert_eq!(size.get(), 20_000);
        size.took(5_000, millis(400));
        assert_eq!(size.get(), 2_500);
        size.took(1_000_000, millis(1));
        assert_eq!(size.get(), 5_000, "a batch is never divided");
    }
}
