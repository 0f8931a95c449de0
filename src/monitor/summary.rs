//! The summary line in the log.
//!
//! Before: the sampler of `monitor` at intervals, and when it stops. After: whoever reads the log.
//! Promise: the summaries of a log cover all records once.

use std::time::{Duration, Instant};

use super::Snapshot;
use crate::ingest::RecordCounts;

/// Logs a summary of what was done since the last one, and of the present state; so the summaries of a log cover all records once.
/// Gives the start of the next summary.
#[expect(clippy::cast_precision_loss, reason = "a rate")]
pub(super) fn log(
    snapshot: &Snapshot,
    lag: Option<Duration>,
    last: (Instant, RecordCounts),
) -> (Instant, RecordCounts) {
    let (now, all) = (Instant::now(), snapshot.total());
    let (seconds, done) = (now.duration_since(last.0).as_secs_f64(), all.since(last.1));
    let (queue_use, _) = snapshot.fullest();
    tracing::info!(
        seconds = tenths(seconds),
        records_per_second = tenths(done.processed() as f64 / seconds.max(f64::EPSILON)),
        stored = done.stored,
        duplicate = done.duplicate,
        rejected = done.rejected,
        failed = done.failed,
        queue_percent = (queue_use * 100.0).round(),
        lag_ms = lag.map(|lag| u64::try_from(lag.as_millis()).unwrap_or(u64::MAX)),
        memory_mib = snapshot.usage.memory_bytes / (1 << 20),
        cpu_percent = (snapshot.usage.cpu * 100.0).round(),
        "summary"
    );
    (now, all)
}

/// To one digit behind the point.
fn tenths(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}
