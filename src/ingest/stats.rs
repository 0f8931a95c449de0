//! What each writer has done so far, and how many rows wait for it.
//!
//! Before: `ingest` counts what it queues and refuses, `ingest::writer` what it commits. After: `monitor` reads the counts.
//! Promise: counts only grow; reading them blocks no writer.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::commit_health::CommitHealth;
use crate::telemetry::names;

/// Number of records since the start, by outcome.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RecordCounts {
    /// Became a row.
    pub stored: u64,
    /// The row existed already.
    pub duplicate: u64,
    /// Are in `rejected_upload`.
    pub rejected: u64,
    /// Of uploads that failed, or were refused because the queue was full: their senders send them again. For an upload that was
    /// refused unparsed ([`super::Ingest::check_room`]) the number is estimated from its bytes.
    pub failed: u64,
}

impl RecordCounts {
    /// Committed, with whatever outcome.
    pub fn processed(&self) -> u64 {
        self.stored + self.duplicate + self.rejected
    }

    /// Share of records that failed, 0 to 1.
    #[expect(clippy::cast_precision_loss, reason = "a share")]
    pub fn error_rate(&self) -> f64 {
        let all = self.failed + self.processed();
        if all == 0 { 0.0 } else { self.failed as f64 / all as f64 }
    }

    /// The sum of both.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            stored: self.stored + other.stored,
            duplicate: self.duplicate + other.duplicate,
            rejected: self.rejected + other.rejected,
            failed: self.failed + other.failed,
        }
    }

    /// The difference to `earlier`.
    #[must_use]
    pub fn since(self, earlier: Self) -> Self {
        Self {
            stored: self.stored.saturating_sub(earlier.stored),
            duplicate: self.duplicate.saturating_sub(earlier.duplicate),
            rejected: self.rejected.saturating_sub(earlier.rejected),
            failed: self.failed.saturating_sub(earlier.failed),
        }
    }
}

/// The state of a writer at this moment.
#[derive(Debug, Clone)]
pub struct WriterStatus {
    /// Number of the shard, or name of the lane.
    pub name: String,
    /// Rows that are queued or being written.
    pub queue_rows: usize,
    /// Most rows that may be queued.
    pub queue_capacity: usize,
    /// Its records.
    pub counts: RecordCounts,
    /// Transactions it committed.
    pub batches: u64,
    /// When it last committed; `None`: not yet.
    pub committed_at: Option<Instant>,
}

/// Counters and queue budget of one writer.
#[derive(Debug)]
pub(super) struct WriterStats {
    label: String,
    budget: Arc<Semaphore>,
    budget_rows: usize,
    stored: AtomicU64,
    duplicate: AtomicU64,
    rejected: AtomicU64,
    failed: AtomicU64,
    batches: AtomicU64,
    committed_at: Mutex<Option<Instant>>,
}

impl WriterStats {
    pub(super) fn new(label: String, budget_rows: usize) -> Self {
        #[expect(clippy::cast_precision_loss, reason = "a queue is far below 2^52 rows")]
        metrics::gauge!(names::QUEUE_CAPACITY, "shard" => label.clone()).set(budget_rows as f64);
        Self {
            label,
            budget: Arc::new(Semaphore::new(budget_rows)),
            budget_rows,
            stored: AtomicU64::new(0),
            duplicate: AtomicU64::new(0),
            rejected: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            batches: AtomicU64::new(0),
            committed_at: Mutex::new(None),
        }
    }

    /// Takes so many rows of the budget; `None`: that many are not left. An upload larger than the whole budget passes when nothing
    /// else is queued.
    pub(super) fn reserve(&self, rows: usize) -> Option<OwnedSemaphorePermit> {
        let rows =
            u32::try_from(rows.min(self.budget_rows)).expect("a queue of under four thousand million rows");
        Arc::clone(&self.budget).try_acquire_many_owned(rows).ok()
    }

    /// Whether so many rows are left of the budget now.
    pub(super) fn has_room(&self, rows: usize) -> bool {
        self.budget.available_permits() >= rows.min(self.budget_rows)
    }

    /// Whether at most half of the budget is taken.
    pub(super) fn is_half_empty(&self) -> bool {
        self.budget.available_permits() >= self.budget_rows / 2
    }

    fn export_queue_depth(&self) {
        #[expect(clippy::cast_precision_loss, reason = "a queue is far below 2^52 rows")]
        metrics::gauge!(names::QUEUE_ROWS, "shard" => self.label.clone()).set(self.queued_rows() as f64);
    }

    /// Counts records of an upload that was refused or failed.
    pub(super) fn add_failed(&self, records: usize) {
        self.failed.fetch_add(records as u64, Relaxed);
    }

    /// Counts a committed transaction.
    pub(super) fn add_committed(&self, stored: usize, duplicate: usize, rejected: usize) {
        self.stored.fetch_add(stored as u64, Relaxed);
        self.duplicate.fetch_add(duplicate as u64, Relaxed);
        self.rejected.fetch_add(rejected as u64, Relaxed);
        self.batches.fetch_add(1, Relaxed);
        *self.committed_at.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    fn queued_rows(&self) -> usize {
        self.budget_rows - self.budget.available_permits()
    }

    fn status(&self) -> WriterStatus {
        WriterStatus {
            name: self.label.clone(),
            queue_rows: self.queued_rows(),
            queue_capacity: self.budget_rows,
            counts: RecordCounts {
                stored: self.stored.load(Relaxed),
                duplicate: self.duplicate.load(Relaxed),
                rejected: self.rejected.load(Relaxed),
                failed: self.failed.load(Relaxed),
            },
            batches: self.batches.load(Relaxed),
            committed_at: *self.committed_at.lock().unwrap_or_else(PoisonError::into_inner),
        }
    }
}

/// The counters of all writers. Clones share them.
#[derive(Debug, Clone)]
pub struct IngestStats {
    writers: Arc<[Arc<WriterStats>]>,
    commit_health: CommitHealth,
}

impl IngestStats {
    pub(super) fn new(writers: impl Iterator<Item = Arc<WriterStats>>, commit_health: CommitHealth) -> Self {
        Self { writers: writers.collect(), commit_health }
    }

    /// Whether the database committed when a writer last tried.
    pub fn can_commit(&self) -> bool {
        self.commit_health.is_healthy(tokio::time::Instant::now())
    }

    /// Exports the number of queued rows of each writer.
    pub(super) fn export_queue_depths(&self) {
        self.writers.iter().for_each(|writer| writer.export_queue_depth());
    }

    /// The state of every writer: the shards by number, then the lanes.
    pub fn read(&self) -> Vec<WriterStatus> {
        self.writers.iter().map(|writer| writer.status()).collect()
    }
}
