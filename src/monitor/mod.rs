//! The service monitors itself: rates of the last minute, conditions that operators are notified of, a summary line in the log.
//!
//! Before: `ingest` counts, `store` and `cache` are probed. After: `http` shows the results, `notify` notifies operators.
//! Promise: the cost of monitoring does not depend on the load; a condition is reported after it has lasted for
//! `monitor.alert_after_seconds`; a service that is cut off from all others still knows its own state.

mod alarms;
mod components;
mod process;
mod sampler;
mod summary;
mod window;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::sync::mpsc;

use crate::cache::Cache;
use crate::config::Settings;
use crate::ingest::{IngestStats, RecordCounts, WriterStatus};
use crate::model::{BufferStatus, SystemAlert, SystemCondition};
use crate::store::Store;
use crate::store::job::Job;
use crate::telemetry::names;
use alarms::Alarms;
use window::Window;

pub use crate::store::backlog::LATE;
pub use components::{PROBE_TIMEOUT, ProbeResult, Probes};
pub use process::Usage;
pub use sampler::Sampler;

/// How far back rates go.
pub const RATES_OVER: Duration = Duration::from_secs(60);

/// How long a condition is shown after it has ended.
pub const HISTORY: Duration = Duration::from_secs(3600);

/// Samples between two queries of TimescaleDB's jobs: half a minute with the default interval.
const SAMPLES_PER_JOB_QUERY: u32 = 6;

/// Most changes that wait for `notify`; further ones are in the log and in the history only.
const MAX_WAITING_CHANGES: usize = 64;

/// The state of the service at one moment.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// Since the service began.
    pub uptime: Duration,
    /// Every writer of the ingest.
    pub shards: Vec<WriterStatus>,
    /// What each writer did in the last minute, in the order of `shards`.
    pub recent: Vec<RecordCounts>,
    /// The time `recent` covers: a minute, or less after a start.
    pub covers: Duration,
    /// Memory and processor time of the process, from the last sample.
    pub usage: Usage,
}

impl Snapshot {
    /// What all writers did since the service began.
    pub fn total(&self) -> RecordCounts {
        self.shards.iter().map(|shard| shard.counts).fold(RecordCounts::default(), RecordCounts::plus)
    }

    /// What all writers did in the last minute.
    pub fn recent_total(&self) -> RecordCounts {
        self.recent.iter().copied().fold(RecordCounts::default(), RecordCounts::plus)
    }

    /// Share of the records of the last minute that were refused or failed, 0 to 1.
    pub fn error_rate(&self) -> f64 {
        self.recent_total().error_rate()
    }

    /// How full the fullest queue is, 0 to 1, and the name of its writer.
    pub fn fullest(&self) -> (f64, &str) {
        let use_of = |shard: &WriterStatus| share(shard.queue_rows as u64, shard.queue_capacity as u64);
        self.shards
            .iter()
            .map(|shard| (use_of(shard), shard.name.as_str()))
            .fold((0.0, ""), |most, each| if each.0 > most.0 { each } else { most })
    }

    /// `count` in the covered time, as a rate per second.
    #[expect(clippy::cast_precision_loss, reason = "a rate")]
    pub fn per_second(&self, count: u64) -> f64 {
        let seconds = self.covers.as_secs_f64();
        if seconds > 0.0 { count as f64 / seconds } else { 0.0 }
    }
}

#[expect(clippy::cast_precision_loss, reason = "a share")]
fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

/// The state of the service, as last sampled. Clones share it.
#[derive(Debug, Clone)]
pub struct Monitor {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    store: Store,
    cache: Cache,
    ingest_stats: IngestStats,
    started: Instant,
    state: Mutex<State>,
    /// The jobs of TimescaleDB, and when they were queried.
    jobs: tokio::sync::Mutex<Option<(Instant, Arc<[Job]>)>>,
    jobs_every: Duration,
    clock_off_seconds: u32,
}

#[derive(Debug)]
struct State {
    window: Window,
    usage: Usage,
    alarms: Alarms,
    history: VecDeque<SystemAlert>,
}

/// Changes of system alerts; `notify` receives them.
pub type SystemAlertReceiver = mpsc::Receiver<SystemAlert>;

/// The queue of changes, which PostgreSQL has no part in.
pub fn changes() -> (mpsc::Sender<SystemAlert>, SystemAlertReceiver) {
    mpsc::channel(MAX_WAITING_CHANGES)
}

/// Gives how the buffer is; `None`: the settings want none.
pub type BufferProbe = Box<dyn Fn() -> Option<BufferStatus> + Send + Sync>;

impl Monitor {
    /// A monitor without any sample, and the sampler that fills it and sends the changes that it finds.
    pub fn new(
        store: &Store,
        cache: &Cache,
        ingest_stats: IngestStats,
        buffer: BufferProbe,
        changes: mpsc::Sender<SystemAlert>,
        settings: &Settings,
    ) -> (Self, Sampler) {
        let state = State {
            window: Window::new(RATES_OVER),
            usage: Usage::default(),
            alarms: Alarms::new(
                settings.instance_name(),
                Duration::from_secs(settings.monitor.alert_after_seconds.into()),
            ),
            history: VecDeque::new(),
        };
        let (store, cache) = (store.clone(), cache.clone());
        let every = Duration::from_millis(settings.monitor.interval_ms);
        let shared = Shared {
            store,
            cache,
            ingest_stats,
            started: Instant::now(),
            state: Mutex::new(state),
            jobs: tokio::sync::Mutex::default(),
            jobs_every: every * SAMPLES_PER_JOB_QUERY,
            clock_off_seconds: settings.clock_off_seconds,
        };
        let monitor = Self { shared: Arc::new(shared) };
        let sampler = Sampler {
            monitor: monitor.clone(),
            buffer,
            changes,
            every,
            summary_every: Some(Duration::from_secs(settings.monitor.summary_interval_seconds.into()))
                .filter(|every| !every.is_zero()),
            memory_limit_bytes: settings.monitor.memory_limit_bytes,
        };
        (monitor, sampler)
    }

    /// The present state.
    pub fn snapshot(&self) -> Snapshot {
        let shards = self.shared.ingest_stats.read();
        let state = self.state();
        let now = Instant::now();
        let tallies: Vec<RecordCounts> = shards.iter().map(|shard| shard.counts).collect();
        let (recent, covers) = state.window.since(&tallies, now);
        Snapshot { uptime: now - self.shared.started, shards, recent, covers, usage: state.usage }
    }

    /// Conditions that last, and those that ended within [`HISTORY`]; newest first.
    pub fn alerts(&self) -> Vec<SystemAlert> {
        let state = self.state();
        let oldest = Timestamp::now() - HISTORY;
        let ended = state.history.iter().filter(|alert| alert.ended_at.is_some_and(|at| at >= oldest));
        let mut alerts: Vec<SystemAlert> = state.alarms.firing().chain(ended).cloned().collect();
        alerts.sort_by_key(|alert| std::cmp::Reverse(alert.fired_at));
        alerts
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Held for an update without an await; a thread that panicked left complete values.
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Registers the gauge of every condition, so that Prometheus sees them before one fires.
pub fn describe_conditions() {
    for condition in SystemCondition::ALL {
        metrics::gauge!(names::SYSTEM_ALERT, "name" => condition.name()).set(0.0);
    }
}
