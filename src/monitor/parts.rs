//! Asking PostgreSQL and Redis how they are.
//!
//! Before: the monitor looks; `http` is asked for `/api/health` and `/metrics`. After: `store`, `cache`.
//! Promise: answered within [`PATIENCE`], whatever is away.

use std::fmt::Display;
use std::time::{Duration, Instant};

use tokio::time::timeout;

use super::Monitor;
use crate::store::condition::{self, Backlog};
use crate::store::health_check;

/// Longest time a part has to answer before it counts as away.
pub const PATIENCE: Duration = Duration::from_secs(2);

/// What waits longer than this is late.
pub const LATE: Duration = Duration::from_secs(300);

/// What a part said.
#[derive(Debug, Clone, Copy)]
pub struct Said<T> {
    /// `None`: nothing in time, or that it cannot.
    pub answer: Option<T>,
    /// How long it took to find out.
    pub took: Duration,
}

/// What the parts said.
#[derive(Debug, Clone, Copy)]
pub struct Parts {
    /// PostgreSQL answers, and commits.
    pub postgres: Said<()>,
    /// Redis answers.
    pub redis: Said<()>,
    /// What waits in PostgreSQL.
    pub backlog: Said<Backlog>,
}

impl Monitor {
    /// How the parts are now.
    pub async fn ask_parts(&self) -> Parts {
        let shared = &self.shared;
        let (mut postgres, redis, backlog) = tokio::join!(
            said(health_check(&shared.store)),
            said(shared.cache.ping()),
            said(condition::backlog(&shared.store)),
        );
        postgres.answer = postgres.answer.filter(|()| shared.meters.can_commit());
        Parts { postgres, redis, backlog }
    }
}

async fn said<T, E: Display>(asking: impl Future<Output = Result<T, E>>) -> Said<T> {
    let started = Instant::now();
    let answer = match timeout(PATIENCE, asking).await {
        Ok(Ok(answer)) => Some(answer),
        Ok(Err(error)) => {
            tracing::debug!(%error, "a part is down");
            None
        }
        Err(_) => None,
    };
    Said { answer, took: started.elapsed() }
}
