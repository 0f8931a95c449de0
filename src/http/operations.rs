//! What operators and their tools ask: `/livez`, `/readyz`, `/metrics`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State as Shared;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use super::State;
use super::error::{AccessError, ErrorAnswer, OpenErrors};
use crate::store::health_check;

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
}

/// The process runs and answers
#[utoipa::path(get, path = "/livez", tag = "operators", security(()),
    responses((status = 200, description = "It does", body = Health), OpenErrors))]
pub(super) async fn livez() -> Json<Health> {
    Json(Health { status: "ok", database: None })
}

/// An upload sent now could be committed
#[utoipa::path(get, path = "/readyz", tag = "operators", security(()), responses(
    OpenErrors,
    (status = 200, description = "It could", body = Health),
    (status = 503, description = "The database does not answer, or does not commit", body = Health),
))]
pub(super) async fn readyz(Shared(state): Shared<Arc<State>>) -> (StatusCode, Json<Health>) {
    let unavailable = |database| {
        let health = Health { status: "unavailable", database: Some(database) };
        (StatusCode::SERVICE_UNAVAILABLE, Json(health))
    };
    match health_check(&state.store).await {
        Ok(()) if state.ingest.can_commit() => {
            (StatusCode::OK, Json(Health { status: "ok", database: Some("up") }))
        }
        Ok(()) => unavailable("refuses"),
        Err(error) => {
            tracing::debug!(%error, "not ready");
            unavailable("down")
        }
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
    state.ingest.measure();
    state.connections().measure();
    let text = state.metrics.render();
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response()
}
