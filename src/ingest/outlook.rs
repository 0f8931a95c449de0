//! Whether an upload sent now could be committed, by what the writers found last: a database that answers may still be
//! without room, or be asked to write what it cannot.
//!
//! Before: `ingest::writer` tells how each try went. After: `http` answers `/readyz`.
//! Promise: the last try counts, whose ever it was: a success for good, a failure for [`HOLDS`]; then nobody knows, and the next
//! upload finds out.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::store::{Kind, StoreError};

/// How long a try that failed counts. Longer than a writer pauses, and than a balancer takes to turn away; not so long that
/// an instance to which nothing is sent any more is missed.
const HOLDS: Duration = Duration::from_secs(3);

/// What the writers found. Clones are of the same.
#[derive(Debug, Clone, Default)]
pub(super) struct Outlook {
    /// When the last try failed for want of the database; none since has succeeded.
    failed_at: Arc<Mutex<Option<Instant>>>,
}

impl Outlook {
    pub(super) fn committed(&self) {
        *self.lock() = None;
    }

    pub(super) fn failed(&self, error: &StoreError) {
        // What the database refuses it answers for.
        if error.kind() == Kind::Down {
            *self.lock() = Some(Instant::now());
        }
    }

    pub(super) fn is_fair(&self, now: Instant) -> bool {
        self.lock().is_none_or(|failed_at| now.duration_since(failed_at) > HOLDS)
    }

    fn lock(&self) -> MutexGuard<'_, Option<Instant>> {
        // The lock is held for an assignment only; one that panicked left a whole value.
        self.failed_at.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_counts_until_a_success_or_for_a_while() {
        let outlook = Outlook::default();
        assert!(outlook.is_fair(Instant::now()));
        outlook.failed(&StoreError::Timeout("batch.write"));
        assert!(!outlook.is_fair(Instant::now()));
        assert!(outlook.is_fair(Instant::now() + HOLDS + Duration::from_millis(1)));
        outlook.committed();
        assert!(outlook.is_fair(Instant::now()));
    }

    #[test]
    fn a_fault_of_ours_says_nothing_of_the_database() {
        let outlook = Outlook::default();
        outlook.failed(&StoreError::State("odd".into()));
        assert!(outlook.is_fair(Instant::now()));
    }
}
