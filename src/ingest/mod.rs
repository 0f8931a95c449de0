//! Many requests, few transactions.
//!
//! Before: `http` submits an upload and waits. After: `store::batch` writes what a writer has gathered.
//! Promise: [`Ingest::submit`] returns an outcome only after every row of the upload is committed. An upload that does not fit
//! the queue is refused at once, and none of it is kept; nothing that was accepted is dropped.
//!
//! ```text
//!  current readings             ─▶ shard 0 … n   by device: two shards never wait for each other's keys
//!  SOS, one-key alarm, fall     ─▶ urgent        \ a writer, a queue and a connection each; no linger:
//!  other events, device info    ─▶ event         /  no flood of readings delays or refuses them
//!  late data                    ─▶ far           a writer of its own too, because chunks may have to be created
//! ```
//!
//! From an upload to its answer: [`Upload`] → `routing` cuts it into pieces, each queued as a `QueuedUpload` → `batcher` gathers
//! them → `fold` turns their records into `Row`s → `row_set` is what one transaction writes, whole or halved → `writer` commits it
//! as a `store::batch::Batch` → [`UploadOutcome`].

pub mod backfill;
mod batcher;
mod chunks;
mod commit_health;
pub mod compare;
mod context;
pub mod erased;
mod fold;
mod pending;
mod recent;
pub mod replay;
mod routing;
mod row_set;
mod stats;
#[cfg(test)]
mod test_records;
mod writer;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::config::Settings;
use crate::model::{Upload, UploadOutcome};
use crate::store::Store;
use crate::store::handover::Handover;
use crate::store::wake::OutboxAnnouncer;
use crate::tasks::Stage;
use crate::telemetry::names;
use chunks::KnownChunks;
use commit_health::CommitHealth;
use pending::{PendingPart, QueuedUpload, queued};
use routing::WriterLane;
use stats::WriterStats;
pub use stats::{IngestStats, RecordCounts, WriterStatus};
use writer::{WriteMode, Writer, WriterHandles};

/// Why an upload was not committed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IngestError {
    /// The queue of a writer is full.
    #[error("too many uploads are waiting")]
    Full,
    /// The service is shutting down.
    #[error("the service is stopping")]
    Stopping,
    /// The database is away, or did not commit in time. The commit may still happen; sending again is safe.
    #[error("the database does not answer")]
    Unavailable,
    /// The database refuses what it should accept; the log says what.
    #[error("the upload could not be stored")]
    Failed,
}

impl IngestError {
    /// The label in metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Stopping => "stopping",
            Self::Unavailable => "unavailable",
            Self::Failed => "failed",
        }
    }
}

/// What the sender of an upload is answered.
type UploadResult = Result<UploadOutcome, IngestError>;

/// The queue of one writer.
struct WriterQueue {
    sender: mpsc::Sender<QueuedUpload>,
    stats: Arc<WriterStats>,
}

/// Where uploads are submitted.
pub struct Ingest {
    /// Those of the shards, then those of [`WriterLane::ALL`].
    queues: Vec<WriterQueue>,
    shards: usize,
    stats: IngestStats,
    known_chunks: KnownChunks,
    commit_deadline: Duration,
}

impl std::fmt::Debug for Ingest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ingest").field("shards", &self.shards).finish_non_exhaustive()
    }
}

impl Ingest {
    /// Starts one writer per shard and lane in `stage`. When the stage stops they commit what is queued and end.
    pub fn start(
        store: &Store,
        announcer: &OutboxAnnouncer,
        handover: &Handover,
        settings: &Settings,
        stage: &Stage,
    ) -> Self {
        let shards = settings.shard_count();
        let shard_names = (0..shards).map(|number| (number.to_string(), WriteMode::Bulk));
        let lane_names = WriterLane::ALL.map(|lane| (lane.name().to_owned(), lane.mode()));
        let (commit_health, known_chunks) = (CommitHealth::default(), KnownChunks::default());
        let start = |(number, (label, mode))| {
            // An upload holds at least one row, so the channel can never be the tighter bound.
            let (sender, queue) = mpsc::channel(settings.queue_rows);
            let stats = Arc::new(WriterStats::new(label, settings.queue_rows));
            let handles = WriterHandles {
                store: store.clone(),
                announcer: announcer.clone(),
                handover: handover.clone(),
                stats: Arc::clone(&stats),
                commit_health: commit_health.clone(),
                known_chunks: known_chunks.clone(),
            };
            let writer = Writer::new(number, mode, handles, settings);
            // It ends when the last sender is dropped, which may be before the stage stops.
            stage.spawn("writer", writer.run(queue, stage.stop_token()));
            WriterQueue { sender, stats }
        };
        let queues: Vec<WriterQueue> = shard_names.chain(lane_names).enumerate().map(start).collect();
        let stats = IngestStats::new(queues.iter().map(|queue| Arc::clone(&queue.stats)), commit_health);
        Self { queues, shards, stats, known_chunks, commit_deadline: settings.commit_deadline() }
    }

    /// Whether the database committed when a writer last tried.
    pub fn can_commit(&self) -> bool {
        self.stats.can_commit()
    }

    /// The counters of all writers.
    pub fn stats(&self) -> IngestStats {
        self.stats.clone()
    }

    /// Whether the shard of this device (of any device, if none is named) has room for so many readings now. Asked before an upload
    /// is parsed, so that an upload that would be refused costs nothing.
    ///
    /// # Errors
    /// [`IngestError::Full`].
    pub fn check_room(&self, device_sn: Option<&str>, rows: usize) -> Result<(), IngestError> {
        let shards = &self.queues[..self.shards];
        let candidates = match device_sn {
            Some(device_sn) => std::slice::from_ref(&shards[routing::shard_of(device_sn, self.shards)]),
            None => shards,
        };
        if candidates.iter().any(|queue| queue.stats.has_room(rows)) {
            return Ok(());
        }
        candidates[0].stats.add_failed(rows);
        Err(counted(IngestError::Full))
    }

    /// Exports the number of queued rows of each writer.
    pub fn export_queue_depths(&self) {
        self.stats.export_queue_depths();
    }

    /// Waits until everything in `upload` is committed, and returns the outcome.
    ///
    /// # Errors
    /// [`IngestError`]; sending again is safe.
    pub async fn submit(&self, upload: Upload) -> Result<UploadOutcome, IngestError> {
        if upload.received() == 0 {
            return Ok(UploadOutcome::default());
        }
        let deadline = Instant::now() + self.commit_deadline;
        self.submit_parts(upload, false, deadline).await.map_err(counted)
    }

    /// The same until `deadline`, for a caller that keeps the upload elsewhere if that fails: an error is not counted as a refusal, and what
    /// has not begun to be written by then is not written.
    ///
    /// # Errors
    /// [`IngestError`]; a part may be committed, sending again is safe.
    pub async fn submit_until(
        &self,
        upload: Upload,
        deadline: Instant,
    ) -> Result<UploadOutcome, IngestError> {
        if upload.received() == 0 {
            return Ok(UploadOutcome::default());
        }
        self.submit_parts(upload, true, deadline).await
    }

    /// Whether the queue of urgent events, or that of every shard, is at most half full, so that whoever can wait should submit something. The
    /// other queues refuse for themselves: one that is full stops nothing else.
    pub fn has_spare_room(&self, is_urgent: bool) -> bool {
        let (shards, lanes) = self.queues.split_at(self.shards);
        let queues =
            if is_urgent { std::slice::from_ref(&lanes[WriterLane::Urgent as usize]) } else { shards };
        queues.iter().all(|queue| queue.stats.is_half_empty())
    }

    async fn submit_parts(
        &self,
        upload: Upload,
        is_withdrawable: bool,
        deadline: Instant,
    ) -> Result<UploadOutcome, IngestError> {
        let parts = self.enqueue(upload, is_withdrawable)?;
        let all = async {
            let mut outcome = UploadOutcome::default();
            for part in
                futures_util::future::try_join_all(parts.into_iter().map(PendingPart::outcome)).await?
            {
                outcome.merge(part);
            }
            outcome.rejected.sort_by_key(|refusal| refusal.index);
            Ok(outcome)
        };
        tokio::time::timeout_at(deadline, all).await.unwrap_or(Err(IngestError::Unavailable))
    }

    /// Queues the first piece of every part, with budget for all of its rows; or, if one of them does not fit, none.
    fn enqueue(&self, upload: Upload, is_withdrawable: bool) -> Result<Vec<PendingPart<'_>>, IngestError> {
        let mut reserved = Vec::new();
        for (writer, part) in routing::split(upload, self.shards) {
            let queue = &self.queues[writer];
            // An upload larger than the whole budget passes when nothing else is queued.
            let Some(permit) = queue.stats.reserve(part.received()) else {
                if !is_withdrawable {
                    queue.stats.add_failed(part.received());
                }
                return Err(IngestError::Full);
            };
            let slot = queue.sender.try_reserve().map_err(|refused| match refused {
                mpsc::error::TrySendError::Full(()) => IngestError::Full,
                mpsc::error::TrySendError::Closed(()) => IngestError::Stopping,
            })?;
            reserved.push((writer, slot, part, permit));
        }
        Ok(reserved
            .into_iter()
            .filter_map(|(writer, slot, part, mut permit)| {
                let queue = &self.queues[writer];
                let mut pieces = if writer == routing::late_writer(self.shards) {
                    routing::cut_by_days(part, &self.known_chunks)
                } else {
                    routing::cut(part)
                };
                let (piece, reply) = queued(pieces.next()?, is_withdrawable, &mut permit);
                slot.send(piece);
                Some(PendingPart { queue, reply, pieces, is_withdrawable, permit })
            })
            .collect())
    }
}

fn counted(error: IngestError) -> IngestError {
    metrics::counter!(names::REFUSED, "reason" => error.name()).increment(1);
    error
}
