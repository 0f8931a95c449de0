//! What a writer did so far, and what waits for it.
//!
//! Before: `ingest` counts what enters and is refused, `ingest::writer` what became of it. After: `monitor` and whoever asks it.
//! Promise: counts only grow; reading them holds nobody up.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::outlook::Outlook;
use crate::telemetry::names;

/// Records by what became of them, since the start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Became a row.
    pub stored: u64,
    /// Were there already.
    pub duplicate: u64,
    /// Are kept as rejected.
    pub rejected: u64,
    /// Of uploads that were refused because the queue was full, or that failed: they are sent again. How many
    /// an upload held that was refused unparsed ([`super::Ingest::room_for`]) is estimated by its bytes.
    pub failed: u64,
}

impl Tally {
    /// Committed in one way or another.
    pub fn processed(&self) -> u64 {
        self.stored + self.duplicate + self.rejected
    }

    /// Share of all of them that failed, 0 to 1.
    #[expect(clippy::cast_precision_loss, reason = "a share")]
    pub fn error_rate(&self) -> f64 {
        let all = self.failed + self.processed();
        if all == 0 { 0.0 } else { self.failed as f64 / all as f64 }
    }

    /// Both.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            stored: self.stored + other.stored,
            duplicate: self.duplicate + other.duplicate,
            rejected: self.rejected + other.rejected,
            failed: self.failed + other.failed,
        }
    }

    /// What came after `earlier`.
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

/// How a writer is at this moment.
#[derive(Debug, Clone)]
pub struct ShardStatus {
    /// Number of the shard, or name of the lane.
    pub name: String,
    /// Rows that wait or are being written.
    pub queue_rows: usize,
    /// Rows that may.
    pub queue_capacity: usize,
    /// What it did.
    pub tally: Tally,
    /// Transactions it committed.
    pub batches: u64,
    /// When it last committed; `None`: not yet.
    pub committed_at: Option<Instant>,
}

/// The meter of one writer.
#[derive(Debug)]
pub(super) struct Meter {
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

impl Meter {
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

    /// Room for so many rows; `None`: there is none. More than the whole queue holds may pass when nothing else is there.
    pub(super) fn reserve(&self, rows: usize) -> Option<OwnedSemaphorePermit> {
        let rows =
            u32::try_from(rows.min(self.budget_rows)).expect("a queue of under four thousand million rows");
        Arc::clone(&self.budget).try_acquire_many_owned(rows).ok()
    }

    /// Whether there is room for so many rows now.
    pub(super) fn has_room(&self, rows: usize) -> bool {
        self.budget.available_permits() >= rows.min(self.budget_rows)
    }

    fn show_depth(&self) {
        #[expect(clippy::cast_precision_loss, reason = "a queue is far below 2^52 rows")]
        metrics::gauge!(names::QUEUE_ROWS, "shard" => self.label.clone()).set(self.waiting() as f64);
    }

    /// Records that were not taken.
    pub(super) fn refused(&self, records: usize) {
        self.failed.fetch_add(records as u64, Relaxed);
    }

    /// A transaction with these records.
    pub(super) fn committed(&self, stored: usize, duplicate: usize, rejected: usize) {
        self.stored.fetch_add(stored as u64, Relaxed);
        self.duplicate.fetch_add(duplicate as u64, Relaxed);
        self.rejected.fetch_add(rejected as u64, Relaxed);
        self.batches.fetch_add(1, Relaxed);
        *self.committed_at.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    fn waiting(&self) -> usize {
        self.budget_rows - self.budget.available_permits()
    }

    fn status(&self) -> ShardStatus {
        ShardStatus {
            name: self.label.clone(),
            queue_rows: self.waiting(),
            queue_capacity: self.budget_rows,
            tally: Tally {
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

/// The meters of all writers.
#[derive(Debug, Clone)]
pub struct Meters {
    meters: Arc<[Arc<Meter>]>,
    outlook: Outlook,
}

impl Meters {
    pub(super) fn of(meters: impl Iterator<Item = Arc<Meter>>, outlook: Outlook) -> Self {
        Self { meters: meters.collect(), outlook }
    }

    /// Whether the database was willing to commit when a writer last tried.
    pub fn can_commit(&self) -> bool {
        self.outlook.is_fair(tokio::time::Instant::now())
    }

    /// Shows how many rows wait, by shard.
    pub(super) fn show_depths(&self) {
        self.meters.iter().for_each(|meter| meter.show_depth());
    }

    /// Every writer as it is now: the shards by number, then the lanes.
    pub fn read(&self) -> Vec<ShardStatus> {
        self.meters.iter().map(|meter| meter.status()).collect()
    }
}
