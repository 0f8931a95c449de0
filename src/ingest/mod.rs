//! Many requests, few transactions.
//!
//! Before: `http` submits an upload and waits. After: `store::batch` writes what a shard has gathered.
//! Promise: [`Ingest::submit`] returns an outcome only after every row of the upload is committed. What does not
//! fit the queue is refused at once and nothing of it is kept; nothing accepted is dropped.
//!
//! ```text
//!  readings                     ─▶ shard 0 … n   by device: two shards never wait for each other's keys
//!  SOS, one-key alarm, fall     ─▶ urgent        \ a writer, a queue and a connection each; no linger:
//!  other events, device info    ─▶ event         /  no flood of readings delays or refuses them
//!  readings of long ago         ─▶ far           a writer of its own too, for their chunks may have to be made
//! ```
//!
//! The sample an event carries goes with it, in one transaction.

mod again;
pub mod backfill;
mod batcher;
mod days;
mod documents;
mod load;
mod means;
mod meter;
mod newest;
mod outlook;
mod pieces;
mod plan;
pub mod replay;
mod route;
mod suspects;
#[cfg(test)]
mod test_records;
mod writer;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};
use tokio::time::Instant;

use crate::config::Settings;
use crate::model::{Upload, UploadOutcome};
use crate::store::wake::Announcer;
use crate::store::{Store, StoreError};
use crate::tasks::Stage;
use crate::telemetry::names;
use crate::telemetry::trace::TraceContext;
use days::Known;
use meter::Meter;
pub use meter::{Meters, ShardStatus, Tally};
use outlook::Outlook;
use pieces::Pieces;
use route::Lane;
use writer::{Manner, Outlets, Writer};

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

/// What a sender is told.
type Answer = Result<UploadOutcome, IngestError>;

/// The part of an upload that goes to one writer, with the line its sender waits on.
#[derive(Debug)]
struct Part {
    upload: Upload,
    answer: oneshot::Sender<Answer>,
    entered: Instant,
    trace: Option<TraceContext>,
    /// Rows of the queue's budget, given back when the part is answered.
    _budget: Option<OwnedSemaphorePermit>,
}

impl Part {
    fn records(&self) -> usize {
        self.upload.received()
    }
}

/// The way to one writer.
struct Queue {
    parts: mpsc::Sender<Part>,
    meter: Arc<Meter>,
}

/// The door to the writers.
pub struct Ingest {
    /// Those of the shards, then those of [`Lane::ALL`].
    queues: Vec<Queue>,
    shards: usize,
    meters: Meters,
    known: Known,
    commit_deadline: Duration,
}

impl std::fmt::Debug for Ingest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ingest").field("shards", &self.shards).finish_non_exhaustive()
    }
}

impl Ingest {
    /// Starts one writer per shard and lane in `stage`. When the stage stops they commit what is queued and end.
    pub fn start(store: &Store, announcer: &Announcer, settings: &Settings, stage: &Stage) -> Self {
        let shards = settings.shard_count();
        let shard_names = (0..shards).map(|number| (number.to_string(), Manner::Bulk));
        let lane_names = Lane::ALL.map(|lane| (lane.name().to_owned(), lane.manner()));
        let (outlook, known) = (Outlook::default(), Known::default());
        let start = |(number, (label, manner))| {
            // A part holds at least one row, so the channel can never be the tighter bound.
            let (parts, incoming) = mpsc::channel(settings.queue_rows);
            let meter = Arc::new(Meter::new(label, settings.queue_rows));
            let outlets = Outlets {
                store: store.clone(),
                announcer: announcer.clone(),
                meter: Arc::clone(&meter),
                outlook: outlook.clone(),
                known: known.clone(),
            };
            let writer = Writer::new(number, manner, outlets, settings);
            // It ends when the last sender has gone, which may be before the stage stops.
            stage.spawn("writer", writer.run(incoming, stage.stop_token()));
            Queue { parts, meter }
        };
        let queues: Vec<Queue> = shard_names.chain(lane_names).enumerate().map(start).collect();
        let meters = Meters::of(queues.iter().map(|queue| Arc::clone(&queue.meter)), outlook);
        Self { queues, shards, meters, known, commit_deadline: settings.commit_deadline() }
    }

    /// Whether the database was willing to commit when a writer last tried.
    pub fn can_commit(&self) -> bool {
        self.meters.can_commit()
    }

    /// What the writers did so far, and what waits for them: asked at any time.
    pub fn meters(&self) -> Meters {
        self.meters.clone()
    }

    /// Whether the shard of this device, or any, if none is named, could take so many readings now. Who asks first spares
    /// itself the parsing of what would be refused.
    ///
    /// # Errors
    /// [`IngestError::Full`].
    pub fn room_for(&self, device_sn: Option<&str>, rows: usize) -> Result<(), IngestError> {
        let shards = &self.queues[..self.shards];
        let asked = match device_sn {
            Some(device_sn) => std::slice::from_ref(&shards[route::shard_of(device_sn, self.shards)]),
            None => shards,
        };
        if asked.iter().any(|queue| queue.meter.has_room(rows)) {
            return Ok(());
        }
        asked[0].meter.refused(rows);
        Err(counted(IngestError::Full))
    }

    /// Shows how many rows wait, by shard.
    pub fn measure(&self) {
        self.meters.show_depths();
    }

    /// Waits until everything in `upload` is committed, and says what became of it.
    ///
    /// # Errors
    /// [`IngestError`]; whoever sends again does no harm.
    pub async fn submit(&self, upload: Upload) -> Result<UploadOutcome, IngestError> {
        if upload.received() == 0 {
            return Ok(UploadOutcome::default());
        }
        self.submit_parts(upload).await.map_err(counted)
    }

    async fn submit_parts(&self, upload: Upload) -> Result<UploadOutcome, IngestError> {
        let entered = self.enqueue(upload)?;
        let all = async {
            let mut outcome = UploadOutcome::default();
            for part in futures_util::future::try_join_all(entered.into_iter().map(Entered::outcome)).await? {
                outcome.merge(part);
            }
            outcome.rejected.sort_by_key(|refusal| refusal.index);
            Ok(outcome)
        };
        tokio::time::timeout(self.commit_deadline, all).await.unwrap_or(Err(IngestError::Unavailable))
    }

    /// Puts the first piece of every part into its queue, with rows of the budget for all of it, or none of them into any.
    fn enqueue(&self, upload: Upload) -> Result<Vec<Entered<'_>>, IngestError> {
        let mut reserved = Vec::new();
        for (number, part) in route::split(upload, self.shards) {
            let queue = &self.queues[number];
            // An upload larger than the whole budget may pass when nothing else is there.
            let Some(budget) = queue.meter.reserve(part.received()) else {
                queue.meter.refused(part.received());
                return Err(IngestError::Full);
            };
            let place = queue.parts.try_reserve().map_err(|refused| match refused {
                mpsc::error::TrySendError::Full(()) => IngestError::Full,
                mpsc::error::TrySendError::Closed(()) => IngestError::Stopping,
            })?;
            reserved.push((number, place, part, budget));
        }
        Ok(reserved
            .into_iter()
            .filter_map(|(number, place, part, mut budget)| {
                let queue = &self.queues[number];
                let is_far = number == self.shards + Lane::Far as usize;
                let mut pieces = if is_far { Pieces::by_days(part, &self.known) } else { Pieces::of(part) };
                let (piece, answered) = queue.part(pieces.next()?, &mut budget);
                place.send(piece);
                Some(Entered { queue, answered, pieces, budget })
            })
            .collect())
    }
}

fn counted(error: IngestError) -> IngestError {
    metrics::counter!(names::REFUSED, "reason" => error.name()).increment(1);
    error
}

/// A part of an upload on its way.
struct Entered<'q> {
    queue: &'q Queue,
    answered: oneshot::Receiver<Answer>,
    pieces: Pieces,
    /// Of the pieces that are left.
    budget: OwnedSemaphorePermit,
}

impl Entered<'_> {
    /// Sends the pieces that are left, one after the other, and tells what became of all.
    async fn outcome(mut self) -> Answer {
        let mut outcome = UploadOutcome::default();
        loop {
            outcome.merge(self.answered.await.map_err(|_| IngestError::Stopping)??);
            let Some(piece) = self.pieces.next() else { return Ok(outcome) };
            let (piece, answered) = self.queue.part(piece, &mut self.budget);
            self.queue.parts.send(piece).await.map_err(|_| IngestError::Stopping)?;
            self.answered = answered;
        }
    }
}

impl Queue {
    /// A piece with its rows of `budget`, of which an upload larger than the whole has too little.
    fn part(&self, upload: Upload, budget: &mut OwnedSemaphorePermit) -> (Part, oneshot::Receiver<Answer>) {
        let (answer, answered) = oneshot::channel();
        let rows = upload.received().min(budget.num_permits());
        let (entered, trace) = (Instant::now(), TraceContext::current());
        (Part { upload, answer, entered, trace, _budget: budget.split(rows) }, answered)
    }
}

/// `work`, or [`crate::store::Kind::Down`] at the deadline.
async fn within<T>(
    deadline: Duration,
    what: &'static str,
    work: impl Future<Output = Result<T, StoreError>>,
) -> Result<T, StoreError> {
    tokio::time::timeout(deadline, work).await.unwrap_or(Err(StoreError::Timeout(what)))
}
