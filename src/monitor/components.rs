//! Probes PostgreSQL and Redis.
//!
//! Before: the sampler of the monitor, and `http` for `/api/health` and `/metrics`. After: `store`, `cache`.
//! Promise: done within [`PROBE_TIMEOUT`], whatever is away.

use std::fmt::Display;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::time::timeout;

use super::Monitor;
use crate::store::backlog::{self, Backlog};
use crate::store::device_clock;
use crate::store::job::{self, Job};
use crate::store::{StoreError, health_check};

/// A component that does not answer within this time counts as away.
pub const PROBE_TIMEOUT: Duration = Duration::from_secs(2);

/// The result of one probe.
#[derive(Debug, Clone)]
pub struct ProbeResult<T> {
    /// `None`: no answer in time, or an error.
    pub answer: Option<T>,
    /// How long the probe took.
    pub took: Duration,
}

/// The results of all probes.
#[derive(Debug, Clone)]
pub struct Probes {
    /// PostgreSQL answers, and commits.
    pub postgres: ProbeResult<()>,
    /// Redis answers; of a cluster every master.
    pub redis: ProbeResult<()>,
    /// What waits in PostgreSQL.
    pub backlog: ProbeResult<Backlog>,
    /// The jobs of TimescaleDB; none on the Apache edition.
    pub jobs: ProbeResult<Arc<[Job]>>,
    /// How many devices have a clock that is off.
    pub clocks_off: ProbeResult<i64>,
}

impl Monitor {
    /// Probes every component.
    pub async fn probe_components(&self) -> Probes {
        let shared = &self.shared;
        let (mut postgres, redis, backlog, jobs, clocks_off) = tokio::join!(
            probe(health_check(&shared.store)),
            probe(async { shared.cache.ping().await.map(drop) }),
            // Boxed, so that the future is not large.
            Box::pin(probe(backlog::read(&shared.store))),
            probe(self.jobs()),
            Box::pin(probe(device_clock::count(&shared.store, shared.clock_off_seconds))),
        );
        postgres.answer = postgres.answer.filter(|()| shared.ingest_stats.can_commit());
        Probes { postgres, redis, backlog, jobs, clocks_off }
    }

    /// The jobs of TimescaleDB, a few samples old at most: the query is expensive, and jobs do not change by the second.
    async fn jobs(&self) -> Result<Arc<[Job]>, StoreError> {
        let mut last = self.shared.jobs.lock().await;
        if let Some((at, jobs)) = &*last
            && at.elapsed() < self.shared.jobs_every
        {
            return Ok(jobs.clone());
        }
        let jobs: Arc<[Job]> = job::watched(&self.shared.store).await?.into();
        *last = Some((Instant::now(), jobs.clone()));
        Ok(jobs)
    }
}

async fn probe<T, E: Display>(query: impl Future<Output = Result<T, E>>) -> ProbeResult<T> {
    let started = Instant::now();
    let answer = match timeout(PROBE_TIMEOUT, query).await {
        Ok(Ok(answer)) => Some(answer),
        Ok(Err(error)) => {
            tracing::debug!(%error, "a component does not answer");
            None
        }
        Err(_) => None,
    };
    ProbeResult { answer, took: started.elapsed() }
}
