//! Gathers parts until it is time to write.
//!
//! Before: the queue of a shard. After: `ingest::writer` writes what came together.
//! Promise: what gathered while the last commit was in flight goes at once; a lone part waits no longer than the
//! linger; no part is split; after `stop` the queue takes nothing more and what is in it is still gathered.

use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::Part;

/// When a batch is full, and how long a lone part waits for company.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    pub(super) max_rows: usize,
    pub(super) linger: Duration,
}

/// The next batch; `None` when the queue is closed and empty.
pub(super) async fn gather(
    queue: &mut mpsc::Receiver<Part>,
    limits: Limits,
    stop: &CancellationToken,
) -> Option<Vec<Part>> {
    let mut parts = Vec::new();
    let mut rows = 0;
    take_waiting(queue, limits.max_rows, &mut parts, &mut rows);
    if !parts.is_empty() {
        return Some(parts);
    }
    let first = first(queue, stop).await?;
    rows += first.records();
    parts.push(first);
    let until = Instant::now() + limits.linger;
    while rows < limits.max_rows {
        match tokio::time::timeout_at(until, queue.recv()).await {
            Ok(Some(part)) => {
                rows += part.records();
                parts.push(part);
            }
            Ok(None) | Err(_) => break, // closed, or lingered long enough
        }
    }
    Some(parts)
}

async fn first(queue: &mut mpsc::Receiver<Part>, stop: &CancellationToken) -> Option<Part> {
    tokio::select! {
        part = queue.recv() => return part,
        () = stop.cancelled() => queue.close(),
    }
    queue.recv().await
}

fn take_waiting(queue: &mut mpsc::Receiver<Part>, max_rows: usize, parts: &mut Vec<Part>, rows: &mut usize) {
    while *rows < max_rows {
        let Ok(part) = queue.try_recv() else { break };
        *rows += part.records();
        parts.push(part);
    }
}
