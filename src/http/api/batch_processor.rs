//! `/api/batch_processor/health` and `/api/batch_processor/metrics`: the state of the writers, under the names of the old system.
//!
//! Before: operators and their tools. After: `monitor`. Promise: answered from memory, whatever is away.

use std::sync::Arc;
use std::time::Instant;

use axum::Json;
use axum::extract::State as Shared;
use axum::http::StatusCode;
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

use super::ApiError;
use super::query::Parameters;
use crate::buffer::Buffer;
use crate::http::State;
use crate::http::error::{AccessError, ErrorAnswer, ListErrors};
use crate::ingest::RecordCounts;
use crate::language::text;
use crate::model::BufferStatus;
use crate::monitor::Snapshot;

/// From which share on a figure is degraded, and unhealthy.
const ERROR_RATE: (f64, f64) = (0.05, 0.1);
const QUEUE_USE: (f64, f64) = (0.7, 0.9);
const MEMORY_AND_CPU: (f64, f64) = (0.8, 0.9);

/// How the writers are
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum Status {
    /// As they should be
    Healthy,
    /// A figure is above its first bound: errors 5 %, a queue or the buffer 70 %, memory or processor 80 %
    Degraded,
    /// A figure is above its second bound: errors 10 %, a queue or the buffer 90 %, memory or processor 90 %
    Unhealthy,
}

/// Whether the writers keep up
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct ProcessorHealth {
    status: Status,
    /// What is above a bound; empty while healthy
    reasons: Vec<String>,
    /// Share of the records of the last minute that were refused or failed, 0 to 1
    error_rate: f64,
    /// How full the fullest queue is, 0 to 1
    queue_use: f64,
    /// Share of the memory the process may use, 0 to 1
    memory_use: f64,
    /// Share of the processor time it may use, 0 to 1
    cpu_use: f64,
    /// Records committed in the last minute, by the second
    throughput_per_second: f64,
    /// Uploads that wait for PostgreSQL; absent where the settings want no buffer
    #[serde(skip_serializing_if = "Option::is_none")]
    buffer: Option<BufferFigures>,
    /// Since the start, seconds
    uptime_seconds: u64,
}

/// What waits in the buffer
#[derive(Debug, Serialize, ToSchema)]
struct BufferFigures {
    /// Uploads that are acknowledged and not committed yet
    uploads: u64,
    /// Memory they take in Redis
    bytes: u64,
    /// Memory they may take
    max_bytes: u64,
    /// How long the oldest has waited, seconds
    oldest_seconds: f64,
}

/// What the writers did and do
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct ProcessorMetrics {
    /// Writers: the shards, and the lanes for urgent and other events
    shard_count: usize,
    #[serde(flatten)]
    total: Figures,
    /// Time the throughput and the error rate cover, seconds: 60, or less after a start
    window_seconds: f64,
    /// Since the start, seconds
    uptime_seconds: u64,
    /// Each writer; only with `details=true` or `shard_id`
    #[serde(skip_serializing_if = "Option::is_none")]
    shards: Option<Vec<ShardFigures>>,
}

/// Why it is answered 503: it is unhealthy, or a key could not be looked up
#[derive(ToSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "the document has to tell two answers in one")]
enum ProcessorTrouble {
    Unhealthy(ProcessorHealth),
    KeyUnknown(ErrorAnswer),
}

/// Figures of one writer, or of all
#[derive(Debug, Serialize, ToSchema)]
struct Figures {
    /// Rows that wait or are being written
    queue_size: usize,
    /// Rows that may
    queue_capacity: usize,
    /// Records committed since the start, as a row, as a repeat of one, or as rejected
    processed: u64,
    /// Of them: new rows
    stored: u64,
    /// Of them: there already
    duplicates: u64,
    /// Of them: kept as rejected
    rejected: u64,
    /// Records of uploads that were refused because the queue was full, or that failed
    errors: u64,
    /// Share of the records of the last minute that are such errors, 0 to 1
    error_rate: f64,
    /// Records committed in the last minute, by the second
    throughput_per_second: f64,
}

/// One writer
#[derive(Debug, Serialize, ToSchema)]
struct ShardFigures {
    /// Number of the shard, or `urgent`, `event`
    shard_id: String,
    #[serde(flatten)]
    figures: Figures,
    /// Transactions committed since the start
    batches: u64,
    /// How long ago it last committed, seconds; absent: not yet
    #[serde(skip_serializing_if = "Option::is_none")]
    last_commit_seconds_ago: Option<f64>,
}

/// How much is reported
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "the document has to tell what is read from pairs")]
pub(in crate::http) struct Detail {
    /// Each writer too
    details: Option<bool>,
    /// This writer only: a number from 0, or `urgent`, `event`
    shard_id: Option<String>,
}

/// Whether the writers keep up
#[utoipa::path(get, path = "/api/batch_processor/health", tag = "operators",
    security(("bearer" = ["read"]), ("basic" = ["read"])),
    responses(
        (status = 200, description = "Healthy or degraded", body = ProcessorHealth),
        AccessError,
        (status = 503, description = "Unhealthy", body = ProcessorTrouble),
    ))]
pub(in crate::http) async fn get_api_batch_processor_health(
    Shared(state): Shared<Arc<State>>,
) -> (StatusCode, Json<ProcessorHealth>) {
    let buffer = state.buffer.as_ref().map(Buffer::status);
    let health = health_of(&state.monitor.snapshot(), buffer.as_ref());
    let status = match health.status {
        Status::Unhealthy => StatusCode::SERVICE_UNAVAILABLE,
        Status::Healthy | Status::Degraded => StatusCode::OK,
    };
    (status, Json(health))
}

/// What the writers did and do
#[utoipa::path(get, path = "/api/batch_processor/metrics", tag = "operators", params(Detail),
    security(("bearer" = ["read"]), ("basic" = ["read"])),
    responses(
        (status = 200, description = "So much", body = ProcessorMetrics),
        (status = 404, description = "There is no such writer", body = ErrorAnswer),
        ListErrors,
    ))]
pub(in crate::http) async fn get_api_batch_processor_metrics(
    Shared(state): Shared<Arc<State>>,
    mut parameters: Parameters,
) -> Result<Json<ProcessorMetrics>, ApiError> {
    let details: Option<bool> = parameters.one("details")?;
    let shard_id: Option<String> = parameters.one("shard_id")?;
    parameters.end()?;
    let mut snapshot = state.monitor.snapshot();
    let shard_count = snapshot.shards.len();
    if let Some(wanted) = &shard_id {
        let index = snapshot.shards.iter().position(|shard| shard.name == *wanted).ok_or_else(|| {
            let names: Vec<&str> = snapshot.shards.iter().map(|shard| shard.name.as_str()).collect();
            ApiError::Absent(text!("writer-absent", name = wanted.as_str(), names = names.join(", ")))
        })?;
        snapshot.shards = vec![snapshot.shards.swap_remove(index)];
        snapshot.recent = vec![snapshot.recent.swap_remove(index)];
    }
    let shards = (details.unwrap_or(false) || shard_id.is_some()).then(|| shard_figures(&snapshot));
    Ok(Json(ProcessorMetrics {
        shard_count,
        total: total(&snapshot),
        window_seconds: snapshot.covers.as_secs_f64(),
        uptime_seconds: snapshot.uptime.as_secs(),
        shards,
    }))
}

fn health_of(snapshot: &Snapshot, buffer: Option<&BufferStatus>) -> ProcessorHealth {
    let recent = snapshot.recent_total();
    let (queue_use, shard) = snapshot.fullest();
    let (error_rate, memory_use) = (snapshot.error_rate(), snapshot.usage.memory());
    let cpu_use = snapshot.usage.cpu.min(1.0);
    let queue = format!("the queue of writer {shard}");
    let buffer_use = buffer.map_or(0.0, BufferStatus::used);
    let (mut status, mut reasons) = (Status::Healthy, Vec::new());
    for (what, share, bounds) in [
        ("the error rate of the last minute", error_rate, ERROR_RATE),
        (&*queue, queue_use, QUEUE_USE),
        ("the use of the buffer", buffer_use, QUEUE_USE),
        ("the use of memory", memory_use, MEMORY_AND_CPU),
        ("the use of the processor", cpu_use, MEMORY_AND_CPU),
    ] {
        let (bound, is) = match share {
            share if share >= bounds.1 => (bounds.1, Status::Unhealthy),
            share if share >= bounds.0 => (bounds.0, Status::Degraded),
            _ => continue,
        };
        status = status.max(is);
        reasons.push(format!(
            "{what} is {:.0} %, from {:.0} % on {}",
            share * 100.0,
            bound * 100.0,
            is.name()
        ));
    }
    if let Some(refusal) = buffer.and_then(|buffer| buffer.refusal.as_ref()) {
        status = status.max(Status::Degraded);
        reasons.push(format!("the buffer takes no uploads: {refusal}"));
    }
    ProcessorHealth {
        status,
        reasons,
        error_rate,
        queue_use,
        memory_use,
        cpu_use,
        throughput_per_second: snapshot.per_second(recent.processed()),
        buffer: buffer.map(|buffer| BufferFigures {
            uploads: buffer.uploads,
            bytes: buffer.bytes,
            max_bytes: buffer.max_bytes,
            oldest_seconds: buffer.oldest.as_secs_f64(),
        }),
        uptime_seconds: snapshot.uptime.as_secs(),
    }
}

impl Status {
    const fn name(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Degraded => "degraded",
            Self::Unhealthy => "unhealthy",
        }
    }
}

fn total(snapshot: &Snapshot) -> Figures {
    let counts =
        snapshot.shards.iter().map(|shard| shard.counts).fold(RecordCounts::default(), RecordCounts::plus);
    let recent = snapshot.recent_total();
    let queue = snapshot.shards.iter().map(|shard| (shard.queue_rows, shard.queue_capacity));
    figures(snapshot, queue.fold((0, 0), |sum, each| (sum.0 + each.0, sum.1 + each.1)), counts, recent)
}

fn shard_figures(snapshot: &Snapshot) -> Vec<ShardFigures> {
    let now = Instant::now();
    let shards = snapshot.shards.iter().zip(&snapshot.recent);
    shards
        .map(|(shard, recent)| ShardFigures {
            shard_id: shard.name.clone(),
            figures: figures(snapshot, (shard.queue_rows, shard.queue_capacity), shard.counts, *recent),
            batches: shard.batches,
            last_commit_seconds_ago: shard.committed_at.map(|at| now.duration_since(at).as_secs_f64()),
        })
        .collect()
}

fn figures(
    snapshot: &Snapshot,
    (queue_size, queue_capacity): (usize, usize),
    counts: RecordCounts,
    recent: RecordCounts,
) -> Figures {
    Figures {
        queue_size,
        queue_capacity,
        processed: counts.processed(),
        stored: counts.stored,
        duplicates: counts.duplicate,
        rejected: counts.rejected,
        errors: counts.failed,
        error_rate: recent.error_rate(),
        throughput_per_second: snapshot.per_second(recent.processed()),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::ingest::WriterStatus;
    use crate::monitor::Usage;

    fn health(failed: u64, queue_rows: usize, memory: u64, cpu: f64) -> (Status, usize) {
        let recent = RecordCounts { failed, stored: 1000 - failed, ..RecordCounts::default() };
        let shard = WriterStatus {
            name: "0".into(),
            queue_rows,
            queue_capacity: 1000,
            counts: recent,
            batches: 1,
            committed_at: None,
        };
        let health = health_of(
            &Snapshot {
                uptime: Duration::from_secs(60),
                shards: vec![shard],
                recent: vec![recent],
                covers: Duration::from_secs(60),
                usage: Usage { memory_bytes: memory, memory_limit_bytes: 1000, cpu },
            },
            None,
        );
        (health.status, health.reasons.len())
    }

    #[test]
    fn each_figure_has_two_bounds() {
        assert_eq!(health(49, 699, 799, 0.79), (Status::Healthy, 0));
        for degraded in [
            health(50, 0, 0, 0.0),
            health(99, 0, 0, 0.0),
            health(0, 700, 0, 0.0),
            health(0, 899, 0, 0.0),
            health(0, 0, 800, 0.0),
            health(0, 0, 0, 0.8),
        ] {
            assert_eq!(degraded, (Status::Degraded, 1));
        }
        for unhealthy in
            [health(100, 0, 0, 0.0), health(0, 900, 0, 0.0), health(0, 0, 900, 0.0), health(0, 0, 0, 0.9)]
        {
            assert_eq!(unhealthy, (Status::Unhealthy, 1));
        }
        assert_eq!(health(50, 900, 0, 0.85), (Status::Unhealthy, 3));
    }

    #[test]
    fn nothing_at_all_is_healthy() {
        let health = health_of(
            &Snapshot {
                uptime: Duration::ZERO,
                shards: Vec::new(),
                recent: Vec::new(),
                covers: Duration::ZERO,
                usage: Usage::default(),
            },
            None,
        );
        assert_eq!((health.status, health.throughput_per_second), (Status::Healthy, 0.0));
    }
}
