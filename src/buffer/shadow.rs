//! Shadow mode: uploads that PostgreSQL has stored are appended to the buffer too, marked, and compared with what is stored when they are drained.
//!
//! Before: `http` has an upload whose sender is answered. After: `buffer::commit` compares it. Whoever wants to change to a buffer sees first that it
//! keeps everything, how long its disks take, and how much memory it needs.
//! Promise: nothing of an upload depends on it. What the buffer does not take is counted, and not compared.

use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{Buffer, BufferError, PreparedUpload};
use crate::telemetry::names;

/// Uploads that may wait to be appended, each with its body.
pub(super) const MAX_WAITING: usize = 256;

/// Appends in flight.
const MAX_IN_FLIGHT: usize = 256;

/// How long one may take.
const DEADLINE: Duration = Duration::from_secs(10);

/// Appends uploads until `stop`.
pub(super) async fn run(
    buffer: Buffer,
    mut uploads: mpsc::Receiver<PreparedUpload>,
    stop: CancellationToken,
) {
    let mut in_flight = FuturesUnordered::new();
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            Some(()) = in_flight.next(), if !in_flight.is_empty() => {}
            Some(upload) = uploads.recv(), if in_flight.len() < MAX_IN_FLIGHT => {
                in_flight.push(append(&buffer, upload));
            }
        }
    }
}

async fn append(buffer: &Buffer, upload: PreparedUpload) {
    if !buffer.shared.is_fit() {
        let outcome = BufferError::Unavailable.name();
        metrics::counter!(names::BUFFER_APPENDED, "outcome" => outcome).increment(1);
        return;
    }
    // An error is counted and logged where it happens.
    let _ = buffer.append_counted(upload, Instant::now() + DEADLINE).await;
}

/// The buffer does not keep up.
pub(super) fn count_skipped() {
    metrics::counter!(names::BUFFER_APPENDED, "outcome" => "shadow_skipped").increment(1);
}
