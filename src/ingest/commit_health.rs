//! Whether an upload could be committed now, according to the last transactions. A database that answers queries may still be unable to
//! commit, for example because its disk is full.
//!
//! Before: `ingest::writer` reports how each transaction went. After: `http` answers `/readyz`.
//! Promise: the last transaction of any writer counts. A success counts until the next failure. A failure counts for
//! [`FAILURE_COUNTS_FOR`], and a commit without an answer until its outcome is known. After that the database counts as healthy, and the
//! next upload shows whether it is.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::store::{Kind, StoreError};

/// How long a failure counts. Longer than a writer pauses, and than a load balancer needs to take the instance out; short enough
/// that an instance to which nothing is sent any more comes back soon.
const FAILURE_COUNTS_FOR: Duration = Duration::from_secs(3);

/// How the last transactions went. Clones share it.
#[derive(Debug, Clone, Default)]
pub(super) struct CommitHealth(Arc<Mutex<HealthState>>);

#[derive(Debug, Default)]
struct HealthState {
    /// When the last transaction failed because the database was away; none has succeeded since.
    failed_at: Option<Instant>,
    /// Commits without an answer whose outcome is being looked for.
    unanswered: usize,
}

/// A commit without an answer, while its outcome is being looked for.
#[derive(Debug)]
pub(super) struct UnansweredCommit(CommitHealth);

impl Drop for UnansweredCommit {
    fn drop(&mut self) {
        self.0.lock().unanswered -= 1;
    }
}

impl CommitHealth {
    pub(super) fn committed(&self) {
        self.lock().failed_at = None;
    }

    pub(super) fn failed(&self, error: &StoreError) {
        // A refusal is an answer: the database works.
        if error.kind() == Kind::Down {
            self.lock().failed_at = Some(Instant::now());
        }
    }

    /// A commit was not answered: it may hang because a synchronous standby is missing, as others would.
    pub(super) fn unanswered(&self) -> UnansweredCommit {
        let mut state = self.lock();
        state.failed_at = Some(Instant::now());
        state.unanswered += 1;
        UnansweredCommit(self.clone())
    }

    pub(super) fn is_healthy(&self, now: Instant) -> bool {
        let state = self.lock();
        let counts = |failed_at| state.unanswered > 0 || now.duration_since(failed_at) <= FAILURE_COUNTS_FOR;
        !state.failed_at.is_some_and(counts)
    }

    fn lock(&self) -> MutexGuard<'_, HealthState> {
        // The lock is held for assignments only, so the state is valid even after a panic.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_counts_until_a_success_or_for_a_while() {
        let health = CommitHealth::default();
        assert!(health.is_healthy(Instant::now()));
        health.failed(&StoreError::Timeout("batch.write"));
        assert!(!health.is_healthy(Instant::now()));
        assert!(health.is_healthy(Instant::now() + FAILURE_COUNTS_FOR + Duration::from_millis(1)));
        health.committed();
        assert!(health.is_healthy(Instant::now()));
    }

    #[test]
    fn a_commit_without_an_answer_counts_while_its_outcome_is_looked_for_or_until_a_success() {
        let health = CommitHealth::default();
        let later = || Instant::now() + FAILURE_COUNTS_FOR * 3;
        let unanswered = health.unanswered();
        assert!(!health.is_healthy(later()));
        drop(unanswered);
        assert!(!health.is_healthy(Instant::now()) && health.is_healthy(later()));
        let _unanswered = health.unanswered();
        health.committed();
        assert!(health.is_healthy(Instant::now()), "another's was");
    }

    #[test]
    fn an_error_of_the_service_says_nothing_about_the_database() {
        let health = CommitHealth::default();
        health.failed(&StoreError::State("odd".into()));
        assert!(health.is_healthy(Instant::now()));
    }
}
