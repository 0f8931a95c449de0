//! Gathers parts until it is time to write.
//!
//! Before: the queue of a shard or lane. After: `ingest::writer` writes what came together.
//! Promise: what gathered while the last commit was in flight goes at once; a lone part waits no longer than the
//! linger; no part is split; after `stop` the queue takes nothing more and what is in it is still gathered. Where days are
//! bounded, parts of other days wait, and the one that has waited longest is in the next batch.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::Part;
use super::days::{self, Known};

/// When a batch is full, and how long a lone part waits for company.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    pub(super) max_rows: usize,
    /// What its days may weigh; `None`: those of the queue are few by themselves.
    pub(super) max_weight: Option<usize>,
    pub(super) linger: Duration,
}

/// What waits for one writer.
pub(super) struct Batcher {
    queue: mpsc::Receiver<Part>,
    /// Taken from the queue, and left for a later batch since its days are others. Its rows still count as queued.
    waiting: VecDeque<Part>,
    limits: Limits,
    known: Known,
}

/// A batch in the making.
#[derive(Default)]
struct Gathered {
    parts: Vec<Part>,
    rows: usize,
    days: BTreeSet<i64>,
}

impl Batcher {
    pub(super) fn new(queue: mpsc::Receiver<Part>, limits: Limits, known: Known) -> Self {
        Self { queue, waiting: VecDeque::new(), limits, known }
    }

    /// The next batch; `None` when the queue is closed and nothing waits.
    pub(super) async fn gather(&mut self, stop: &CancellationToken) -> Option<Vec<Part>> {
        let mut gathered = Gathered::default();
        for part in std::mem::take(&mut self.waiting) {
            self.offer(part, &mut gathered);
        }
        while gathered.rows < self.limits.max_rows {
            let Ok(part) = self.queue.try_recv() else { break };
            self.offer(part, &mut gathered);
        }
        if !gathered.parts.is_empty() {
            return Some(gathered.parts);
        }
        let first = self.first(stop).await?;
        self.offer(first, &mut gathered);
        let until = Instant::now() + self.limits.linger;
        while gathered.rows < self.limits.max_rows {
            match tokio::time::timeout_at(until, self.queue.recv()).await {
                Ok(Some(part)) => self.offer(part, &mut gathered),
                Ok(None) | Err(_) => break, // closed, or lingered long enough
            }
        }
        Some(gathered.parts)
    }

    /// Adds the part, or leaves it for later.
    fn offer(&mut self, part: Part, gathered: &mut Gathered) {
        if !gathered.parts.is_empty() && gathered.rows >= self.limits.max_rows {
            return self.waiting.push_back(part);
        }
        if let Some(max_weight) = self.limits.max_weight {
            let days: BTreeSet<i64> = &gathered.days | &days::of(&part.upload);
            if !gathered.parts.is_empty() && self.known.weight(&days) > max_weight {
                return self.waiting.push_back(part);
            }
            gathered.days = days;
        }
        gathered.rows += part.records();
        gathered.parts.push(part);
    }

    async fn first(&mut self, stop: &CancellationToken) -> Option<Part> {
        tokio::select! {
            part = self.queue.recv() => return part,
            () = stop.cancelled() => self.queue.close(),
        }
        self.queue.recv().await
    }
}
