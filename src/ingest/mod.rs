//! Many requests, few transactions.
//!
//! Before: `http` submits an upload and waits. After: `store::batch` writes what a shard has gathered.
//! Promise: [`Ingest::submit`] returns an outcome only after every row of the upload is committed. What does not
//! fit the queue is refused at once and nothing of it is kept; nothing accepted is dropped.
//!
//! A device always goes to the same shard, so two writers never wait for each other's keys.

mod batcher;
mod newest;
mod plan;
pub mod replay;
mod writer;

use std::hash::Hasher;
use std::sync::Arc;
use std::time::Duration;

use siphasher::sip::SipHasher13;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};

use crate::config::Settings;
use crate::model::{Item, Reject, Upload, UploadOutcome};
use crate::store::wake::Announcer;
use crate::store::{Store, StoreError};
use crate::tasks::Stage;
use crate::telemetry::names;

/// Why an upload was not committed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IngestError {
    /// The queue of a shard holds all the rows it may.
    #[error("too many uploads are waiting")]
    Full,
    /// The service is about to end.
    #[error("the service is stopping")]
    Stopping,
    /// The database is away, or did not commit in time. A commit may still take place; sending again is safe.
    #[error("the database does not answer")]
    Unavailable,
    /// The database refuses what it should take; the log says what.
    #[error("the upload could not be stored")]
    Failed,
}

impl IngestError {
    /// Word for metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Stopping => "stopping",
            Self::Unavailable => "unavailable",
            Self::Failed => "failed",
        }
    }
}

/// The part of an upload that goes to one shard, with the line its sender waits on.
#[derive(Debug)]
struct Part {
    items: Vec<Item>,
    rejects: Vec<Reject>,
    answer: oneshot::Sender<Result<UploadOutcome, IngestError>>,
    /// Rows of the queue's budget, given back when the part is answered.
    _budget: OwnedSemaphorePermit,
}

impl Part {
    fn records(&self) -> usize {
        self.items.len() + self.rejects.len()
    }
}

struct Shard {
    queue: mpsc::Sender<Part>,
    budget: Arc<Semaphore>,
    budget_rows: usize,
    label: String,
}

/// The door to the writers.
pub struct Ingest {
    shards: Vec<Shard>,
    commit_deadline: Duration,
}

impl std::fmt::Debug for Ingest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ingest").field("shards", &self.shards.len()).finish_non_exhaustive()
    }
}

impl Ingest {
    /// Starts one writer per shard in `stage`. When the stage stops they commit what is queued and end.
    pub fn start(store: &Store, announcer: &Announcer, settings: &Settings, stage: &Stage) -> Self {
        let shards = (0..settings.shard_count())
            .map(|number| {
                // A part holds at least one row, so the channel can never be the tighter bound.
                let (queue, incoming) = mpsc::channel(settings.queue_rows);
                let writer = writer::Writer::new(number, store.clone(), announcer.clone(), settings);
                // It ends when the last sender has gone, which may be before the stage stops.
                stage.spawn("writer", writer.run(incoming, stage.stopping()));
                Shard {
                    queue,
                    budget: Arc::new(Semaphore::new(settings.queue_rows)),
                    budget_rows: settings.queue_rows,
                    label: number.to_string(),
                }
            })
            .collect();
        Self { shards, commit_deadline: settings.commit_deadline() }
    }

    /// Waits until everything in `upload` is committed, and says what became of it.
    ///
    /// # Errors
    /// [`IngestError`]; whoever sends again does no harm.
    pub async fn submit(&self, upload: Upload) -> Result<UploadOutcome, IngestError> {
        if upload.received() == 0 {
            return Ok(UploadOutcome::default());
        }
        let outcome = self.submit_parts(upload).await;
        if let Err(error) = outcome {
            metrics::counter!(names::REFUSED, "reason" => error.name()).increment(1);
        }
        outcome
    }

    async fn submit_parts(&self, upload: Upload) -> Result<UploadOutcome, IngestError> {
        let answers = self.enqueue(upload)?;
        let all = async {
            let mut outcome = UploadOutcome::default();
            for answer in answers {
                outcome.merge(answer.await.map_err(|_| IngestError::Stopping)??);
            }
            outcome.rejected.sort_by_key(|refusal| refusal.index);
            Ok(outcome)
        };
        tokio::time::timeout(self.commit_deadline, all).await.unwrap_or(Err(IngestError::Unavailable))
    }

    /// Puts every part into its queue, or none of them into any.
    fn enqueue(
        &self,
        upload: Upload,
    ) -> Result<Vec<oneshot::Receiver<Result<UploadOutcome, IngestError>>>, IngestError> {
        let mut reserved = Vec::new();
        for (number, items, rejects) in self.split(upload) {
            let shard = &self.shards[number];
            // An upload larger than the whole budget may pass when nothing else is there.
            let rows = (items.len() + rejects.len()).min(shard.budget_rows);
            let rows = u32::try_from(rows).expect("a queue of under four thousand million rows");
            let budget =
                Arc::clone(&shard.budget).try_acquire_many_owned(rows).map_err(|_| IngestError::Full)?;
            let place = shard.queue.try_reserve().map_err(|refused| match refused {
                mpsc::error::TrySendError::Full(()) => IngestError::Full,
                mpsc::error::TrySendError::Closed(()) => IngestError::Stopping,
            })?;
            reserved.push((shard, place, items, rejects, budget));
        }
        Ok(reserved
            .into_iter()
            .map(|(shard, place, items, rejects, budget)| {
                let (answer, answered) = oneshot::channel();
                place.send(Part { items, rejects, answer, _budget: budget });
                shard.show_depth();
                answered
            })
            .collect())
    }

    /// The items by shard. Rejects go with the first part: they have no key that could collide.
    fn split(&self, upload: Upload) -> Vec<(usize, Vec<Item>, Vec<Reject>)> {
        let mut parts: Vec<(usize, Vec<Item>, Vec<Reject>)> = Vec::with_capacity(1);
        for item in upload.items {
            let shard = shard_of(&item.reading.device_sn, self.shards.len());
            match parts.iter_mut().find(|(number, ..)| *number == shard) {
                Some((_, items, _)) => items.push(item),
                None => parts.push((shard, vec![item], Vec::new())),
            }
        }
        match parts.first_mut() {
            Some((_, _, rejects)) => *rejects = upload.rejects,
            None => parts.push((0, Vec::new(), upload.rejects)),
        }
        parts
    }
}

impl Shard {
    fn show_depth(&self) {
        let waiting = self.budget_rows - self.budget.available_permits();
        #[expect(clippy::cast_precision_loss, reason = "a queue is far below 2^52 rows")]
        metrics::gauge!(names::QUEUE_ROWS, "shard" => self.label.clone()).set(waiting as f64);
    }
}

/// Which shard a device belongs to: the same in every process.
fn shard_of(device_sn: &str, shards: usize) -> usize {
    let mut hasher = SipHasher13::new();
    hasher.write(device_sn.as_bytes());
    usize::try_from(hasher.finish() % shards as u64).expect("less than the shards")
}

/// `work`, or [`crate::store::Kind::Down`] at the deadline.
async fn within<T>(
    deadline: Duration,
    what: &'static str,
    work: impl Future<Output = Result<T, StoreError>>,
) -> Result<T, StoreError> {
    tokio::time::timeout(deadline, work).await.unwrap_or(Err(StoreError::Timeout(what)))
}
