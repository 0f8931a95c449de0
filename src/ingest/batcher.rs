//! Gathers queued uploads until it is time to write.
//!
//! Before: the queue of a writer. After: `ingest::writer` commits the gathered uploads.
//! Promise: uploads that arrived during the last commit are written at once. A single upload waits no longer than the linger. No queued
//! upload is split. After `stop` the queue accepts no upload, and those in it are still gathered. Where the number of chunks is limited,
//! uploads of other days are deferred, and the one that has waited longest is in the next batch. An upload that was withdrawn is left out.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::QueuedUpload;
use super::chunks::{self, KnownChunks};

/// When a batch is full, and how long a lone upload waits for others.
#[derive(Debug, Clone, Copy)]
pub(super) struct BatchLimits {
    pub(super) max_rows: usize,
    /// Limit of [`KnownChunks::weight`]; `None`: the uploads of this queue span few days by themselves.
    pub(super) max_weight: Option<usize>,
    pub(super) linger: Duration,
}

/// What waits for one writer.
pub(super) struct Batcher {
    queue: mpsc::Receiver<QueuedUpload>,
    /// Taken from the queue, and left for a later batch because of their days. Their rows still count as queued.
    deferred: VecDeque<QueuedUpload>,
    limits: BatchLimits,
    known_chunks: KnownChunks,
}

/// A batch in the making.
#[derive(Default)]
struct GatheredBatch {
    uploads: Vec<QueuedUpload>,
    rows: usize,
    days: BTreeSet<i64>,
}

impl Batcher {
    pub(super) fn new(
        queue: mpsc::Receiver<QueuedUpload>,
        limits: BatchLimits,
        known_chunks: KnownChunks,
    ) -> Self {
        Self { queue, deferred: VecDeque::new(), limits, known_chunks }
    }

    /// The next batch; `None` when the queue is closed and nothing is left.
    pub(super) async fn gather(&mut self, stop: &CancellationToken) -> Option<Vec<QueuedUpload>> {
        let mut gathered = GatheredBatch::default();
        for upload in std::mem::take(&mut self.deferred) {
            self.add_or_defer(upload, &mut gathered);
        }
        while gathered.rows < self.limits.max_rows {
            let Ok(upload) = self.queue.try_recv() else { break };
            self.add_or_defer(upload, &mut gathered);
        }
        if !gathered.uploads.is_empty() {
            return Some(gathered.uploads);
        }
        let first = self.first(stop).await?;
        self.add(first, &mut gathered);
        let until = Instant::now() + self.limits.linger;
        while gathered.rows < self.limits.max_rows {
            match tokio::time::timeout_at(until, self.queue.recv()).await {
                Ok(Some(upload)) => self.add_or_defer(upload, &mut gathered),
                Ok(None) | Err(_) => break, // closed, or the linger is over
            }
        }
        Some(gathered.uploads)
    }

    fn add_or_defer(&mut self, queued: QueuedUpload, gathered: &mut GatheredBatch) {
        if !queued.is_withdrawn() {
            self.add(queued, gathered);
        }
    }

    fn add(&mut self, queued: QueuedUpload, gathered: &mut GatheredBatch) {
        if !gathered.uploads.is_empty() && gathered.rows >= self.limits.max_rows {
            return self.deferred.push_back(queued);
        }
        if let Some(max_weight) = self.limits.max_weight {
            let days: BTreeSet<i64> = &gathered.days | &chunks::days_of(&queued.upload);
            if !gathered.uploads.is_empty() && self.known_chunks.weight(&days) > max_weight {
                return self.deferred.push_back(queued);
            }
            gathered.days = days;
        }
        gathered.rows += queued.upload.received();
        gathered.uploads.push(queued);
    }

    async fn first(&mut self, stop: &CancellationToken) -> Option<QueuedUpload> {
        loop {
            let upload = tokio::select! {
                upload = self.queue.recv() => upload,
                () = stop.cancelled(), if !self.queue.is_closed() => {
                    self.queue.close();
                    continue;
                }
            };
            if upload.as_ref().is_none_or(|upload| !upload.is_withdrawn()) {
                return upload;
            }
        }
    }
}
