//! Whether an idle connection of the pool may be handed out.
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

/// Also fails in a transaction that was left aborted.
const ACCEPTS_WRITES: &str = "show transaction_read_only";

/// The check. Clones share what they found.
#[derive(Clone)]
pub(super) struct RecycleCheck {
    hosts: Hosts,
    longest: Duration,
    /// What has not answered since then is closed.
    distrusted_before: Arc<Mutex<Option<Instant>>>,
}

impl RecycleCheck {
    /// An answer may take so long.
    pub(super) fn new(hosts: &Hosts, longest: Duration) -> Self {
        Self { hosts: hosts.clone(), longest, distrusted_before: Arc::default() }
    }

    /// For the pool to call before it hands a connection out.
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
        match timeout(self.longest, client.simple_query(ACCEPTS_WRITES)).await {
            Ok(Ok(answer)) if is_on(&answer) => {
                self.hosts.demoted();
                Err("the server accepts no writes")
            }
            Ok(Ok(_)) => Ok(()),
            Ok(Err(_)) => Err("it has failed"),
            Err(_) => {
                *self.distrusted_before() = Some(requested_at);
                Err("no answer in time")
            }
        }
    }

    fn distrusted_before(&self) -> MutexGuard<'_, Option<Instant>> {
        // The lock is held for an assignment only; a thread that panicked left a complete value.
        self.distrusted_before.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_on(answer: &[SimpleQueryMessage]) -> bool {
    answer.iter().any(|message| matches!(message, SimpleQueryMessage::Row(row) if row.get(0) == Some("on")))
}
