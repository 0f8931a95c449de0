//! Whether an upload sent now could be committed, by what the writers found last: a database that answers may still be
//! without room, or be asked to write what it cannot.
//!
//! Before: `ingest::writer` tells how each try went. After: `http` answers `/readyz`.
//! Promise: the last try counts, whose ever it was: a success for good, a failure for [`HOLDS`], a commit that is not answered for as
//! long as it is asked for besides; then nobody knows, and the next upload finds out.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::store::{Kind, StoreError};

/// How long a try that failed counts. Longer than a writer pauses, and than a balancer takes to turn away; not so long that
/// an instance to which nothing is sent any more is missed.
const HOLDS: Duration = Duration::from_secs(3);

/// What the writers found. Clones are of the same.
#[derive(Debug, Clone, Default)]
pub(super) struct Outlook(Arc<Mutex<Found>>);

#[derive(Debug, Default)]
struct Found {
    /// When the last try failed for want of the database; none since has succeeded.
    failed_at: Option<Instant>,
    /// Commits that were not answered and are asked for.
    unanswered: usize,
}

/// A commit that was not answered, while it is asked for.
#[derive(Debug)]
pub(super) struct Unanswered(Outlook);

impl Drop for Unanswered {
    fn drop(&mut self) {
        self.0.lock().unanswered -= 1;
    }
}

impl Outlook {
    pub(super) fn committed(&self) {
        self.lock().failed_at = None;
    }

    pub(super) fn failed(&self, error: &StoreError) {
        // What the database refuses it answers for.
        if error.kind() == Kind::Down {
            self.lock().failed_at = Some(Instant::now());
        }
    }

    /// A commit was not answered: it may hang for want of a standby, as others would.
    pub(super) fn unanswered(&self) -> Unanswered {
        let mut found = self.lock();
        found.failed_at = Some(Instant::now());
        found.unanswered += 1;
        Unanswered(self.clone())
    }

    pub(super) fn is_fair(&self, now: Instant) -> bool {
        let found = self.lock();
        let holds = |failed_at| found.unanswered > 0 || now.duration_since(failed_at) <= HOLDS;
        !found.failed_at.is_some_and(holds)
    }

    fn lock(&self) -> MutexGuard<'_, Found> {
        // The lock is held for an assignment only; one that panicked left a whole value.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
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
    fn a_commit_that_is_not_answered_counts_while_it_is_asked_for_or_until_a_success() {
        let outlook = Outlook::default();
        let later = || Instant::now() + HOLDS * 3;
        let asked_for = outlook.unanswered();
        assert!(!outlook.is_fair(later()));
        drop(asked_for);
        assert!(!outlook.is_fair(Instant::now()) && outlook.is_fair(later()));
        let _asked_for = outlook.unanswered();
        outlook.committed();
        assert!(outlook.is_fair(Instant::now()), "another's was");
    }

    #[test]
    fn a_fault_of_ours_says_nothing_of_the_database() {
        let outlook = Outlook::default();
        outlook.failed(&StoreError::State("odd".into()));
        assert!(outlook.is_fair(Instant::now()));
    }
}
