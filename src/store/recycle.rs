//! Whether a connection of the pool may be handed out.
//!
//! Before: the pool of `store::connect` has one. After: a caller uses it, or the pool closes it and looks for another.
//! Promise: a connection that does not answer, or to a server that no longer accepts writes, is not handed out. Others of its time have
//! most likely met the same, so they are closed too: a caller waits for one silent connection, not for all.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use deadpool_postgres::{ClientWrapper, Hook, HookError, Metrics};
use tokio::time::timeout;
use tokio_postgres::SimpleQueryMessage;

use super::hosts::Hosts;
use super::read_horizon::{Lsn, ReadHorizon};

/// Also fails in a transaction that was left aborted.
const IS_READ_ONLY: &str = "show transaction_read_only";

/// Answers NULL unless the server is a standby.
const REPLAYED: &str = include_str!("../../sql/queries/reads/replayed.sql");

/// What the server of a connection has to be.
#[derive(Clone)]
pub(super) enum Requirement {
    /// It accepts writes.
    Primary(Hosts),
    /// It is a standby that has replayed enough of the log.
    Standby(Arc<ReadHorizon>),
}

/// The check. Clones share what they found.
#[derive(Clone)]
pub(super) struct RecycleCheck {
    requirement: Requirement,
    longest: Duration,
    /// What has not answered since then is closed.
    distrusted_before: Arc<Mutex<Option<Instant>>>,
}

impl RecycleCheck {
    /// An answer may take so long.
    pub(super) fn new(requirement: Requirement, longest: Duration) -> Self {
        Self { requirement, longest, distrusted_before: Arc::default() }
    }

    /// For the pool to call before it hands a connection out, also a new one.
    pub(super) fn hook(self) -> Hook {
        Hook::async_fn(move |client, metrics| {
            let check = self.clone();
            Box::pin(async move { check.run(client, *metrics).await.map_err(HookError::message) })
        })
    }

    async fn run(&self, client: &ClientWrapper, metrics: Metrics) -> Result<(), &'static str> {
        let last_answer = metrics.recycled.unwrap_or(metrics.created);
        if self.distrusted_before().is_some_and(|moment| last_answer < moment) {
            return Err("another connection of that time was not fit");
        }
        let requested_at = Instant::now();
        let answer = match timeout(self.longest, client.simple_query(self.requirement.query())).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => return Err("it has failed"),
            Err(_) => {
                *self.distrusted_before() = Some(requested_at);
                return Err("no answer in time");
            }
        };
        let text = answer.iter().find_map(|message| match message {
            SimpleQueryMessage::Row(row) => row.get(0),
            _ => None,
        });
        self.requirement.check(text, requested_at)
    }

    fn distrusted_before(&self) -> MutexGuard<'_, Option<Instant>> {
        // The lock is held for an assignment only; a thread that panicked left a complete value.
        self.distrusted_before.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Requirement {
    const fn query(&self) -> &'static str {
        match self {
            Self::Primary(_) => IS_READ_ONLY,
            Self::Standby(_) => REPLAYED,
        }
    }

    fn check(&self, answer: Option<&str>, requested_at: Instant) -> Result<(), &'static str> {
        match self {
            Self::Primary(hosts) if answer == Some("on") => {
                hosts.demoted();
                Err("the server accepts no writes")
            }
            Self::Primary(_) => Ok(()),
            Self::Standby(horizon) => {
                let replayed: Lsn = answer.and_then(|lsn| lsn.parse().ok()).ok_or("it is no standby")?;
                let required =
                    horizon.required(requested_at).ok_or("it is not known how far the primary is")?;
                if replayed >= required { Ok(()) } else { Err("it is too far behind") }
            }
        }
    }
}
