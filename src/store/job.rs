//! The jobs of TimescaleDB that something of ours depends on (Community edition): whether each does what it should.
//!
//! Before: the monitor and `vitals check` ask. After: sql/functions/policy/watched_jobs.sql.
//! Promise: what is wrong is said with what to do, and a failure in the server's own words.

use super::{Store, StoreError, statement};

/// How a job is; `sql/functions/policy/watched_jobs.sql` says when it is which.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobState {
    /// As it should be.
    Ok,
    /// It fails.
    Failed,
    /// It counts as failed, but its work was committed.
    FailedAfterWork,
    /// It should have begun.
    Overdue,
    /// Somebody has taken it off the schedule.
    NotScheduled,
    /// It has run for too long.
    RunsTooLong,
    /// Its process ended without a word.
    Crashed,
    /// It should be there and is not.
    Missing,
}

impl JobState {
    /// Every one.
    pub const ALL: [Self; 8] = [
        Self::Ok,
        Self::Failed,
        Self::FailedAfterWork,
        Self::Overdue,
        Self::NotScheduled,
        Self::RunsTooLong,
        Self::Crashed,
        Self::Missing,
    ];

    /// The word in the database and in metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Failed => "failed",
            Self::FailedAfterWork => "failed_after_work",
            Self::Overdue => "overdue",
            Self::NotScheduled => "not_scheduled",
            Self::RunsTooLong => "runs_too_long",
            Self::Crashed => "crashed",
            Self::Missing => "missing",
        }
    }
}

/// A job, or one that should be there.
#[derive(Debug, Clone, PartialEq)]
pub struct Job {
    /// Its number; `None`: it is missing.
    pub id: Option<i32>,
    /// Its procedure, and the relation it is about where it is a policy.
    pub name: String,
    /// How it is.
    pub state: JobState,
    /// For how long it runs, has crashed or is overdue; of one that failed, until it is tried again.
    pub seconds: f64,
    /// Runs that failed in a row.
    pub failures: i32,
    /// The last error, in the server's words.
    pub words: Option<String>,
}

impl Job {
    /// Whether somebody has to do something.
    pub const fn needs_somebody(&self) -> bool {
        !matches!(self.state, JobState::Ok | JobState::FailedAfterWork)
    }

    /// What is wrong, what that means, and what to do; `None`: nothing is. `refreshed`: the service refreshes the rollups in time.
    pub fn finding(&self, refreshed: bool) -> Option<String> {
        let (id, seconds) = (self.id.unwrap_or_default(), self.seconds);
        let words = self.words.as_deref().unwrap_or("the log of PostgreSQL has the reason");
        let (fault, remedy) = match self.state {
            JobState::Ok => return None,
            JobState::Failed => (
                format!("failed {} times in a row, next try in {seconds:.0} s: {words}", self.failures),
                format!("fix that; `call run_job({id})` runs it now"),
            ),
            JobState::FailedAfterWork => {
                return Some(format!(
                    "counts as failed, {} times in a row, after its work was committed: {words}. Nothing is lost; TimescaleDB \
                     starts it up to five times more rarely. Known of PostgreSQL 17.12 with TimescaleDB 2.29.2: see Versions in \
                     docker/README.md",
                    self.failures
                ));
            }
            JobState::Overdue => (
                format!("should have begun {seconds:.0} s ago"),
                "the scheduler of TimescaleDB is dead or has no background worker left: `select \
                 _timescaledb_functions.start_background_workers()`; then timescaledb.max_background_workers, \
                 max_worker_processes, timescaledb.restoring and the log of PostgreSQL"
                    .into(),
            ),
            JobState::NotScheduled => {
                ("is not scheduled".into(), format!("`select alter_job({id}, scheduled => true)`"))
            }
            JobState::RunsTooLong => (
                format!("has run for {seconds:.0} s"),
                "what it waits for is in pg_stat_activity and pg_blocking_pids()".into(),
            ),
            JobState::Crashed => (
                format!("began {seconds:.0} s ago, and its process has gone without a word"),
                "the log of PostgreSQL has the reason".into(),
            ),
            JobState::Missing => ("is missing".into(), "`vitals migrate` makes it".into()),
        };
        Some(format!("{fault}; {}. To do: {remedy}", self.meanwhile(refreshed)))
    }

    /// What becomes of its work while it does not do it.
    fn meanwhile(&self, refreshed: bool) -> &'static str {
        if self.name.starts_with("refresh_rollups_job") {
            if refreshed {
                "late rows reach the rollups all the same, by the service; one that is not the owner of the tables leaves more and more \
                 to be computed when they are read"
            } else {
                "and nobody else refreshes the rollups: late rows do not show in them"
            }
        } else if self.name.starts_with("apply_policies_job") || self.name.starts_with("policy_compression") {
            "what is old is dropped and compressed all the same, by the service every policy_interval_seconds"
        } else {
            "meanwhile its work is not done"
        }
    }
}

/// Every one of them, those first that need somebody. None on the Apache edition.
///
/// # Errors
/// The database is away.
pub async fn watched(store: &Store) -> Result<Vec<Job>, StoreError> {
    let client = store.client().await?;
    let rows = statement!("job", "watched").query(&client, &[]).await?;
    let job = |row: &tokio_postgres::Row| {
        let name: &str = row.get("state");
        let state = JobState::ALL.into_iter().find(|state| state.name() == name);
        Ok(Job {
            id: row.get("job_id"),
            name: row.get("job"),
            state: state.ok_or_else(|| StoreError::State(format!("job.watched: no state {name}")))?,
            seconds: row.get::<_, Option<f64>>("seconds").unwrap_or_default(),
            failures: row.get::<_, Option<i32>>("failures").unwrap_or_default(),
            words: row.get("words"),
        })
    };
    rows.iter().map(job).collect()
}
