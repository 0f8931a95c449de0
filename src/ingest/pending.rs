//! Pieces of uploads in the queues of writers, and what waits for them.
//!
//! Before: `Ingest::submit` has cut an upload. After: the writer answers each piece; the next one is queued.
//! Promise: a piece takes its rows of the budget of the queue until it is answered.

use std::vec::IntoIter;

use tokio::sync::{OwnedSemaphorePermit, oneshot};
use tokio::time::Instant;

use super::{IngestError, UploadResult, WriterQueue};
use crate::model::{Upload, UploadOutcome};
use crate::telemetry::trace::TraceContext;

/// An upload, or a piece of one, in the queue of a writer.
#[derive(Debug)]
pub(super) struct QueuedUpload {
    pub(super) upload: Upload,
    pub(super) reply: oneshot::Sender<UploadResult>,
    pub(super) queued_at: Instant,
    pub(super) trace: Option<TraceContext>,
    /// Nothing is written of it once nobody waits for its answer: its sender has another place for it.
    is_withdrawable: bool,
    /// Rows of the queue's budget, given back when the sender is answered.
    _permit: Option<OwnedSemaphorePermit>,
}

impl QueuedUpload {
    /// Whether nothing is to be written of it.
    pub(super) fn is_withdrawn(&self) -> bool {
        self.is_withdrawable && self.reply.is_closed()
    }
}

/// The part of an upload that one writer commits. Its first piece is queued.
pub(super) struct PendingPart<'q> {
    pub(super) queue: &'q WriterQueue,
    pub(super) reply: oneshot::Receiver<UploadResult>,
    /// Those that are not queued yet.
    pub(super) pieces: IntoIter<Upload>,
    pub(super) is_withdrawable: bool,
    /// Their budget.
    pub(super) permit: OwnedSemaphorePermit,
}

impl PendingPart<'_> {
    /// Queues the other pieces, each after the one before it is committed, and returns the outcome of all.
    pub(super) async fn outcome(mut self) -> UploadResult {
        let mut outcome = UploadOutcome::default();
        loop {
            outcome.merge(self.reply.await.map_err(|_| IngestError::Stopping)??);
            let Some(piece) = self.pieces.next() else { return Ok(outcome) };
            let (piece, reply) = queued(piece, self.is_withdrawable, &mut self.permit);
            self.queue.sender.send(piece).await.map_err(|_| IngestError::Stopping)?;
            self.reply = reply;
        }
    }
}

/// The piece with its rows of `budget`, which is too small for an upload that is larger than the queue.
pub(super) fn queued(
    upload: Upload,
    is_withdrawable: bool,
    budget: &mut OwnedSemaphorePermit,
) -> (QueuedUpload, oneshot::Receiver<UploadResult>) {
    let (reply, receiver) = oneshot::channel();
    let rows = upload.received().min(budget.num_permits());
    let (queued_at, trace) = (Instant::now(), TraceContext::current());
    let permit = budget.split(rows);
    (QueuedUpload { upload, reply, queued_at, trace, is_withdrawable, _permit: permit }, receiver)
}
