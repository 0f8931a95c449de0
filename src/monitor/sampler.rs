//! The loop that samples the service, finds which conditions have begun or ended, and logs a summary.
//!
//! Before: the counters of `ingest`, the probes of [`super::components`]. After: the window and the alarms of [`Monitor`]; `notify`
//! receives what has changed.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::process::{Process, Usage};
use super::{BufferProbe, HISTORY, Monitor, Probes, alarms, summary};
use crate::ingest::RecordCounts;
use crate::model::SystemAlert;
use crate::telemetry::names;

/// The loop that samples.
pub struct Sampler {
    pub(super) monitor: Monitor,
    pub(super) buffer: BufferProbe,
    pub(super) changes: mpsc::Sender<SystemAlert>,
    pub(super) every: Duration,
    pub(super) summary_every: Option<Duration>,
    pub(super) memory_limit_bytes: u64,
}

impl std::fmt::Debug for Sampler {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sampler").field("every", &self.every).finish_non_exhaustive()
    }
}

impl Sampler {
    /// Samples until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        let mut clock = interval(self.every);
        clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut process = Process::new(self.memory_limit_bytes);
        let mut last_summary = (Instant::now(), RecordCounts::default());
        let mut lag = None;
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                _ = clock.tick() => {}
            }
            let usage = process.measure();
            lag = self.sample(usage).await;
            if self.summary_every.is_some_and(|every| last_summary.0.elapsed() >= every) {
                last_summary = summary::log(&self.monitor.snapshot(), lag, last_summary);
            }
        }
        if self.summary_every.is_some() {
            summary::log(&self.monitor.snapshot(), lag, last_summary);
        }
    }

    /// Samples once; gives how long the oldest committed transaction has waited for its reaction, if PostgreSQL answers.
    async fn sample(&self, usage: Usage) -> Option<Duration> {
        self.monitor.shared.store.measure_pool();
        let shards = self.monitor.shared.ingest_stats.read();
        {
            let mut state = self.monitor.state();
            state.usage = usage;
            state.window.add(Instant::now(), shards.iter().map(|shard| shard.counts).collect());
        }
        let Probes { postgres, redis, backlog, jobs, .. } = self.monitor.probe_components().await;
        let lag = backlog.answer.map(|backlog| backlog.transactions.oldest);
        let (snapshot, buffer) = (self.monitor.snapshot(), (self.buffer)());
        let observed = alarms::Observation {
            snapshot: &snapshot,
            postgres_answers: postgres.answer.is_some(),
            redis_answers: redis.answer.is_some(),
            lag,
            refresh_due: backlog.answer.map(|backlog| backlog.refresh_due),
            jobs: jobs.answer.as_deref(),
            buffer: buffer.as_ref(),
        };
        let changed = self.monitor.state().alarms.evaluate(&observed, Instant::now(), Timestamp::now());
        for alert in changed {
            self.report(alert);
        }
        lag
    }

    fn report(&self, alert: SystemAlert) {
        let (name, ended) = (alert.condition.name(), alert.ended_at.is_some());
        metrics::gauge!(names::SYSTEM_ALERT, "name" => name).set(if ended { 0.0 } else { 1.0 });
        if ended {
            tracing::info!(name, message = %alert.message, "the condition has ended");
            let mut state = self.monitor.state();
            let oldest = Timestamp::now() - HISTORY;
            state.history.retain(|past| past.ended_at.is_some_and(|at| at >= oldest));
            state.history.push_back(alert.clone());
        } else {
            tracing::error!(name, value = alert.value, threshold = alert.threshold, "{}", alert.message);
        }
        if self.changes.try_send(alert).is_err() {
            tracing::warn!(name, "operators are not notified of this change: too many changes wait");
        }
    }
}
