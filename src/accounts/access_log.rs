//! The log of who looked at whose data: a bounded queue, written in batches.
//!
//! Before: `http::access_log` has an entry for an answer. After: the table `access_log`.
//! Promise: an answer never waits for the log. An entry is written within a second; while the database is away, entries wait in the queue.
//! An entry that the queue has no room for is counted (`vitals_access_log_lost_total`), and a warning is logged.

use std::time::Duration;

use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::model::access_entry::AccessEntry;
use crate::store::{Kind, Store, access_log};
use crate::tasks::Stage;
use crate::telemetry::names;

/// Entries that may wait; each takes about 300 bytes.
const QUEUE_ENTRIES: usize = 20_000;

/// Most entries of one statement.
const BATCH_ENTRIES: usize = 1000;

/// How long an entry waits for others.
const LINGER: Duration = Duration::from_millis(250);

/// Pause before a batch is written again that the database did not take.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// Shortest time between two warnings that entries are lost.
const WARN_EVERY: Duration = Duration::from_secs(60);

/// Takes entries. Clones use the same queue.
#[derive(Debug, Clone)]
pub struct AccessLog {
    queue: Sender<AccessEntry>,
}

impl AccessLog {
    /// Starts the task that writes, in `stage`, which must outlive those who answer requests.
    pub fn start(store: &Store, stage: &Stage) -> Self {
        let (queue, entries) = channel(QUEUE_ENTRIES);
        let writer = Writer { store: store.clone(), entries, stop: stage.stop_token(), warned_at: None };
        stage.spawn_loop("access_log", writer.run());
        Self { queue }
    }

    /// Takes an entry, without waiting. False: there is no room for it.
    pub fn add(&self, entry: AccessEntry) -> bool {
        let is_taken = self.queue.try_send(entry).is_ok();
        if !is_taken {
            metrics::counter!(names::ACCESS_LOG_LOST).increment(1);
        }
        is_taken
    }
}

struct Writer {
    store: Store,
    entries: Receiver<AccessEntry>,
    stop: CancellationToken,
    warned_at: Option<Instant>,
}

impl Writer {
    /// Writes until `stop`, and then what is left.
    async fn run(mut self) {
        loop {
            let mut batch = Vec::new();
            tokio::select! {
                () = self.stop.cancelled() => break,
                _ = self.entries.recv_many(&mut batch, BATCH_ENTRIES) => {}
            }
            if batch.is_empty() {
                // Nobody is left who could add an entry.
                self.stop.cancelled().await;
                return;
            }
            if batch.len() < BATCH_ENTRIES {
                tokio::select! {
                    () = self.stop.cancelled() => {}
                    () = tokio::time::sleep(LINGER) => {}
                }
                let room = BATCH_ENTRIES - batch.len();
                self.take_waiting(&mut batch, room);
            }
            self.write(batch).await;
        }
        loop {
            let mut batch = Vec::new();
            self.take_waiting(&mut batch, BATCH_ENTRIES);
            if batch.is_empty() {
                return;
            }
            self.write(batch).await;
        }
    }

    fn take_waiting(&mut self, batch: &mut Vec<AccessEntry>, most: usize) {
        for _ in 0..most {
            let Ok(entry) = self.entries.try_recv() else { return };
            batch.push(entry);
        }
    }

    /// Tries until the database takes the batch, or refuses it for good, or the service stops.
    async fn write(&mut self, batch: Vec<AccessEntry>) {
        loop {
            let adding = access_log::add(&self.store, &batch);
            let error = match self.store.with_timeout("access_log.add", adding).await {
                Ok(()) => {
                    metrics::counter!(names::ACCESS_LOG_WRITTEN).increment(batch.len() as u64);
                    return;
                }
                Err(error) => error,
            };
            let is_passing = matches!(error.kind(), Kind::Down | Kind::Retry);
            self.warn(&error, batch.len());
            if !is_passing || self.stop.is_cancelled() {
                metrics::counter!(names::ACCESS_LOG_LOST).increment(batch.len() as u64);
                return;
            }
            tokio::select! {
                () = self.stop.cancelled() => {}
                () = tokio::time::sleep(RETRY_AFTER) => {}
            }
        }
    }

    fn warn(&mut self, error: &crate::store::StoreError, entries: usize) {
        if self.warned_at.is_none_or(|at| at.elapsed() >= WARN_EVERY) {
            self.warned_at = Some(Instant::now());
            tracing::warn!(%error, entries, "who looked at whose data is not written");
        }
    }
}
