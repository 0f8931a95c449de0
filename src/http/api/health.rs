//! `GET /api/health`: the state of every part, and how long its probe took.
//!
//! Before: operators, and `/metrics`, which has the same as figures. After: `monitor` probes the parts.
//! Promise: answered within [`crate::monitor::PROBE_TIMEOUT`], whatever is away. A load balancer should use `/readyz`, because uploads
//! are accepted without Redis.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State as Shared;
use axum::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::State;
use crate::http::error::{AccessError, ErrorAnswer};
use crate::model::{BufferStatus, ShadowCounts};
use crate::monitor::{LATE, ProbeResult, Probes};
use crate::page::admin::health::PartHealth;
use crate::store::backlog::QueueBacklog;
use crate::store::job::{Job, JobState};
use crate::telemetry::names;

/// How a part is
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum Condition {
    /// As it should be
    Up,
    /// It works, but what waits has waited for more than five minutes, or a job needs somebody
    Late,
    /// It does not answer, or does not commit
    Down,
}

/// A part of the service, or what it needs
#[derive(Debug, Clone, Serialize, ToSchema)]
struct Component {
    /// How it is
    status: Condition,
    /// How long it took to find out, milliseconds
    latency_ms: f64,
    /// What waits: transactions for their reaction, notifications that are due, buffered uploads; absent where nothing can wait or be asked
    #[serde(skip_serializing_if = "Option::is_none")]
    waiting: Option<i64>,
    /// How long the oldest of it has waited, or for how long a refresh has been due, seconds
    #[serde(skip_serializing_if = "Option::is_none")]
    lag_seconds: Option<f64>,
    /// What is wrong with each job or with the buffer, and what to do; also of jobs that fail harmlessly, and how many compared records of the
    /// buffer differ; absent where there is nothing to say
    #[serde(skip_serializing_if = "Vec::is_empty")]
    reasons: Vec<String>,
    /// Records of uploads that the buffer would have stored, compared with what is stored; only with `buffer_shadow`
    #[serde(skip_serializing_if = "Option::is_none")]
    shadow: Option<ShadowCounts>,
}

/// The parts
#[derive(Debug, Serialize, ToSchema)]
struct Components {
    postgres: Component,
    redis: Component,
    /// From commit to reaction
    relay: Component,
    /// From alert to recipient
    notify: Component,
    /// The refresh of the rollups
    rollups: Component,
    /// The jobs of TimescaleDB; absent on its Apache edition, which has none
    #[serde(skip_serializing_if = "Option::is_none")]
    jobs: Option<Component>,
    /// Uploads that wait for PostgreSQL; absent where the settings want no buffer
    #[serde(skip_serializing_if = "Option::is_none")]
    buffer: Option<Component>,
}

/// The service and what it needs
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct Report {
    /// "ok", or "degraded": a part is not up
    #[schema(value_type = String, examples("ok"))]
    status: &'static str,
    components: Components,
}

/// A part is not up, or the key that came cannot be looked up
#[derive(ToSchema)]
#[serde(untagged)]
#[expect(dead_code, clippy::large_enum_variant, reason = "the document has to tell two answers in one")]
enum Trouble {
    Parts(Report),
    Key(ErrorAnswer),
}

/// How every part is
#[utoipa::path(get, path = "/api/health", tag = "operators",
    security(("bearer" = ["read"]), ("basic" = ["read"])),
    responses(
        (status = 200, description = "Every part is up", body = Report),
        AccessError,
        (status = 503, description = "A part is late or down; the others may go on", body = Trouble),
    ))]
pub(in crate::http) async fn get_api_health(Shared(state): Shared<Arc<State>>) -> (StatusCode, Json<Report>) {
    let (components, _) = state.probe_components().await;
    let Components { postgres, redis, relay, notify, rollups, jobs, buffer } = &components;
    let parts = [postgres, redis, relay, notify, rollups];
    let all_are_up = parts.into_iter().chain(jobs).chain(buffer).all(|part| part.status == Condition::Up);
    let (status, word) =
        if all_are_up { (StatusCode::OK, "ok") } else { (StatusCode::SERVICE_UNAVAILABLE, "degraded") };
    (status, Json(Report { status: word, components }))
}

impl State {
    /// Tells Prometheus how the parts are.
    pub(in crate::http) async fn measure_parts(&self) {
        let (components, probes) = self.probe_components().await;
        let jobs = probes.jobs.answer.unwrap_or_default();
        if let Some(devices) = probes.clocks_off.answer {
            metrics::gauge!(names::DEVICES_CLOCK_OFF).set(devices as f64);
        }
        let parts = [("postgres", Some(&components.postgres)), ("redis", Some(&components.redis))];
        let parts = parts.into_iter().chain([("buffer", components.buffer.as_ref())]);
        for (name, part) in parts.filter_map(|(name, part)| Some((name, part?))) {
            let up = if part.status == Condition::Down { 0.0 } else { 1.0 };
            metrics::gauge!(names::COMPONENT_UP, "component" => name).set(up);
        }
        for (part, name) in [
            (&components.relay, names::OUTBOX_OLDEST_SECONDS),
            (&components.rollups, names::REFRESH_DUE_SECONDS),
        ] {
            if let Some(seconds) = part.lag_seconds {
                metrics::gauge!(name).set(seconds);
            }
        }
        for state in JobState::ALL.into_iter().filter(|_| !jobs.is_empty()) {
            let count = jobs.iter().filter(|job| job.state == state).count();
            metrics::gauge!(names::JOBS, "state" => state.name()).set(count as f64);
        }
    }

    /// The parts, for a page.
    pub(in crate::http) async fn part_health(&self) -> Vec<PartHealth> {
        let (components, _) = self.probe_components().await;
        let Components { postgres, redis, relay, notify, rollups, jobs, buffer } = components;
        let parts = [
            ("PostgreSQL", Some(postgres)),
            ("Redis", Some(redis)),
            ("relay", Some(relay)),
            ("notify", Some(notify)),
            ("rollups", Some(rollups)),
            ("jobs", jobs),
            ("buffer", buffer),
        ];
        parts.into_iter().filter_map(|(name, part)| Some(part?.for_page(name))).collect()
    }

    /// The parts, and what they were read from.
    async fn probe_components(&self) -> (Components, Probes) {
        let probes = self.monitor.probe_components().await;
        let Probes { postgres, redis, backlog, jobs, .. } = &probes;
        let of_backlog = |waiting: Option<QueueBacklog>| {
            let count = waiting.map(|waiting| waiting.count);
            Component::of_backlog(count, waiting.map(|waiting| waiting.oldest), backlog.took)
        };
        let refresh_due = backlog.answer.map(|backlog| backlog.refresh_due);
        let components = Components {
            postgres: Component::of_probe(postgres),
            redis: Component::of_probe(redis),
            relay: of_backlog(backlog.answer.map(|backlog| backlog.transactions)),
            notify: of_backlog(backlog.answer.map(|backlog| backlog.notifications)),
            rollups: Component::of_backlog(None, refresh_due, backlog.took),
            jobs: Component::of_jobs(jobs, refresh_due.is_some_and(|due| due <= LATE)),
            buffer: self.buffer.as_ref().map(|buffer| Component::of_buffer(buffer.status())),
        };
        (components, probes)
    }
}

impl Component {
    fn for_page(self, name: &'static str) -> PartHealth {
        let condition = match self.status {
            Condition::Up => "up",
            Condition::Late => "late",
            Condition::Down => "down",
        };
        let Self { latency_ms, waiting, lag_seconds, reasons, .. } = self;
        PartHealth { name, condition, latency_ms, waiting, lag_seconds, reasons }
    }

    fn new(status: Condition, took: Duration) -> Self {
        let latency_ms = milliseconds(took);
        Self { status, latency_ms, waiting: None, lag_seconds: None, reasons: Vec::new(), shadow: None }
    }

    fn of_probe(probe: &ProbeResult<()>) -> Self {
        Self::new(if probe.answer.is_some() { Condition::Up } else { Condition::Down }, probe.took)
    }

    fn of_backlog(waiting: Option<i64>, oldest: Option<Duration>, took: Duration) -> Self {
        let status = match oldest {
            None => Condition::Down,
            Some(oldest) if oldest > LATE => Condition::Late,
            Some(_) => Condition::Up,
        };
        let lag_seconds = oldest.map(|oldest| oldest.as_secs_f64());
        Self { waiting, lag_seconds, ..Self::new(status, took) }
    }

    /// As measured a moment ago.
    fn of_buffer(status: BufferStatus) -> Self {
        let is_full = status.bytes >= status.max_bytes;
        let uploads = i64::try_from(status.uploads).unwrap_or(i64::MAX);
        let part = Self {
            shadow: status.shadow,
            reasons: status.shadow.as_ref().and_then(ShadowCounts::finding).into_iter().collect(),
            ..Self::of_backlog(Some(uploads), Some(status.oldest), Duration::ZERO)
        };
        match status.refusal.or_else(|| is_full.then(|| "it is full".to_owned())) {
            Some(reason) => Self { status: Condition::Down, reasons: vec![reason], ..part },
            None => part,
        }
    }

    /// `None`: there are no jobs to ask after.
    fn of_jobs(probe: &ProbeResult<Arc<[Job]>>, refreshed: bool) -> Option<Self> {
        let Some(jobs) = &probe.answer else { return Some(Self::new(Condition::Down, probe.took)) };
        let needs_somebody = jobs.iter().any(Job::needs_somebody);
        let status = if needs_somebody { Condition::Late } else { Condition::Up };
        let finding = |job: &Job| Some(format!("{} {}", job.name, job.finding(refreshed)?));
        let reasons = jobs.iter().filter_map(finding).collect();
        (!jobs.is_empty()).then(|| Self { reasons, ..Self::new(status, probe.took) })
    }
}

/// To the microsecond.
fn milliseconds(took: Duration) -> f64 {
    took.as_micros() as f64 / 1000.0
}
