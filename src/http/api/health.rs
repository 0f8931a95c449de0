//! `GET /api/health`: every part, how it is, and how long it took to say so.
//!
//! Before: operators, and `/metrics` for the same in figures. After: `monitor` asks the parts.
//! Promise: answered within [`crate::monitor::PATIENCE`], whatever is away. For a load balancer there is `/readyz`: uploads go
//! on without Redis.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State as Shared;
use axum::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::State;
use crate::http::error::{AccessError, ErrorAnswer};
use crate::monitor::{LATE, Parts, Said};
use crate::store::condition::Waiting;
use crate::telemetry::names;

/// How a part is
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum Condition {
    /// As it should be
    Up,
    /// It works, but what waits has waited for more than five minutes
    Late,
    /// It does not answer, or does not commit
    Down,
}

/// A part of the service, or what it needs
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
struct Component {
    /// How it is
    status: Condition,
    /// How long it took to find out, milliseconds
    latency_ms: f64,
    /// What waits: transactions for their reaction, notifications that are due; absent where nothing can wait or be asked
    #[serde(skip_serializing_if = "Option::is_none")]
    waiting: Option<i64>,
    /// How long the oldest of it has waited, seconds
    #[serde(skip_serializing_if = "Option::is_none")]
    lag_seconds: Option<f64>,
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
#[expect(dead_code, reason = "the document has to tell two answers in one")]
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
    let components = state.look_at_parts().await;
    let parts = [&components.postgres, &components.redis, &components.relay, &components.notify];
    let is_well = parts.iter().all(|part| part.status == Condition::Up);
    let (status, word) =
        if is_well { (StatusCode::OK, "ok") } else { (StatusCode::SERVICE_UNAVAILABLE, "degraded") };
    (status, Json(Report { status: word, components }))
}

impl State {
    /// Tells Prometheus how the parts are.
    pub(in crate::http) async fn measure_parts(&self) {
        let components = self.look_at_parts().await;
        for (name, part) in [("postgres", &components.postgres), ("redis", &components.redis)] {
            let up = if part.status == Condition::Down { 0.0 } else { 1.0 };
            metrics::gauge!(names::COMPONENT_UP, "component" => name).set(up);
        }
        if let Some(seconds) = components.relay.lag_seconds {
            metrics::gauge!(names::OUTBOX_OLDEST_SECONDS).set(seconds);
        }
    }

    async fn look_at_parts(&self) -> Components {
        let Parts { postgres, redis, backlog } = self.monitor.ask_parts().await;
        let behind = |waiting| Component::behind(waiting, backlog.took);
        Components {
            postgres: Component::reached(postgres),
            redis: Component::reached(redis),
            relay: behind(backlog.answer.map(|backlog| backlog.transactions)),
            notify: behind(backlog.answer.map(|backlog| backlog.notifications)),
        }
    }
}

impl Component {
    fn reached(Said { answer, took }: Said<()>) -> Self {
        let status = if answer.is_some() { Condition::Up } else { Condition::Down };
        Self { status, latency_ms: milliseconds(took), waiting: None, lag_seconds: None }
    }

    fn behind(waiting: Option<Waiting>, took: Duration) -> Self {
        let status = match waiting {
            None => Condition::Down,
            Some(waiting) if waiting.oldest > LATE => Condition::Late,
            Some(_) => Condition::Up,
        };
        Self {
            status,
            latency_ms: milliseconds(took),
            waiting: waiting.map(|waiting| waiting.count),
            lag_seconds: waiting.map(|waiting| waiting.oldest.as_secs_f64()),
        }
    }
}

/// To the microsecond.
fn milliseconds(took: Duration) -> f64 {
    took.as_micros() as f64 / 1000.0
}
