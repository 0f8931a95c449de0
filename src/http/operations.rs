//! What operators and their tools ask: `/livez`, `/health`, `/readyz`, `/metrics`.

use std::sync::{Arc, Mutex, PoisonError};

use axum::Json;
use axum::extract::State as Shared;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use tokio::sync::Semaphore;
use utoipa::ToSchema;

use super::State;
use super::error::{AccessError, ErrorAnswer, OpenErrors};
use crate::buffer::Buffer;
use crate::store::{Store, StoreError, health_check};

/// Most queries for `/readyz` at the same time.
const READINESS_CHECKS: usize = 2;

/// Whether the service is up
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Health {
    /// "ok" or "unavailable"
    #[schema(value_type = String, examples("ok"))]
    status: &'static str,
    /// "up", "down", or "refuses": it answers, but the last commits failed; absent where it was not asked
    #[schema(value_type = String)]
    #[serde(skip_serializing_if = "Option::is_none")]
    database: Option<&'static str>,
    /// What is wrong, in the words of PostgreSQL; only where nobody is asked for a key, else in the log alone
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

/// The process runs and answers
#[utoipa::path(get, path = "/livez", tag = "operators", security(()),
    responses((status = 200, description = "It does", body = Health), OpenErrors))]
pub(super) async fn livez() -> Json<Health> {
    Json(Health { status: "ok", database: None, reason: None })
}

/// The process runs and answers, for phones and health checks that ask as they asked the server before
#[utoipa::path(get, path = "/health", tag = "operators", security(()),
    responses((status = 200, description = "It does", body = Health), OpenErrors))]
pub(super) async fn health() -> Json<Health> {
    livez().await
}

/// An upload sent now could be committed, or kept in the buffer
#[utoipa::path(get, path = "/readyz", tag = "operators", security(()), responses(
    OpenErrors,
    (status = 200, description = "It could", body = Health),
    (status = 503, description = "The database does not answer, or does not commit", body = Health),
))]
pub(super) async fn readyz(Shared(state): Shared<Arc<State>>) -> (StatusCode, Json<Health>) {
    let (database, reason) = match state.readiness.check(&state.store).await {
        Ok(()) if state.ingest.can_commit() => ("up", None),
        Ok(()) => ("refuses", Some("the last commits failed".to_owned())),
        Err(error) => ("down", Some(error.to_string())),
    };
    // A balancer that took the instance out for that would refuse what the buffer takes.
    let is_ready = reason.is_none() || state.buffer.as_ref().is_some_and(Buffer::accepts);
    if let Some(reason) = state.readiness.changed(reason.as_ref()) {
        tracing::warn!(reason, "not ready");
    }
    let (code, status) =
        if is_ready { (StatusCode::OK, "ok") } else { (StatusCode::SERVICE_UNAVAILABLE, "unavailable") };
    let reason = reason.filter(|_| state.shows_reasons);
    (code, Json(Health { status, database: Some(database), reason }))
}

/// Checks whether uploads could be committed. The route needs no key, so few checks run at the same time, and uploads keep the rest
/// of the pool.
#[derive(Debug)]
pub(super) struct Readiness {
    checks: Semaphore,
    /// The last reason for not being ready, so that it is logged once.
    last: Mutex<Option<String>>,
}

impl Default for Readiness {
    fn default() -> Self {
        Self { checks: Semaphore::new(READINESS_CHECKS), last: Mutex::default() }
    }
}

impl Readiness {
    async fn check(&self, store: &Store) -> Result<(), StoreError> {
        let _permit = self.checks.acquire().await.expect("the semaphore is never closed");
        health_check(store).await
    }

    /// The reason, if it changed.
    fn changed<'a>(&self, reason: Option<&'a String>) -> Option<&'a str> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if last.as_ref() == reason {
            return None;
        }
        *last = reason.cloned();
        reason.map(String::as_str)
    }
}

/// Everything counted and timed, in the text format of Prometheus
#[utoipa::path(get, path = "/metrics", tag = "operators",
    security(("bearer" = ["read"]), ("basic" = ["read"])), responses(
    (status = 200, description = "The metrics", content_type = "text/plain", body = String),
    AccessError,
    (status = 503, description = "Whether the key does cannot be found out", body = ErrorAnswer,
        headers(("Retry-After" = u64, description = "Seconds after which to come again"))),
))]
pub(super) async fn metrics(Shared(state): Shared<Arc<State>>) -> Response {
    state.measure_parts().await;
    state.ingest.export_queue_depths();
    state.connections().export_gauges();
    let text = state.metrics.render();
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response()
}
