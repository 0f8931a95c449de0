//! What operators and their tools ask: `/livez`, `/readyz`, `/metrics`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State as Shared;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use super::State;
use crate::store::health_check;
use crate::telemetry;

/// Whether the service is up
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Health {
    /// "ok" or "unavailable"
    #[schema(value_type = String, examples("ok"))]
    status: &'static str,
    /// "up" or "down"; absent where it was not asked
    #[schema(value_type = String)]
    #[serde(skip_serializing_if = "Option::is_none")]
    database: Option<&'static str>,
}

/// The process runs and answers
#[utoipa::path(get, path = "/livez", tag = "operators",
    responses((status = 200, description = "It does", body = Health)))]
pub(super) async fn livez() -> Json<Health> {
    Json(Health { status: "ok", database: None })
}

/// An upload sent now could be committed
#[utoipa::path(get, path = "/readyz", tag = "operators", responses(
    (status = 200, description = "It could", body = Health),
    (status = 503, description = "The database does not answer", body = Health),
))]
pub(super) async fn readyz(Shared(state): Shared<Arc<State>>) -> (StatusCode, Json<Health>) {
    match health_check(&state.store).await {
        Ok(()) => (StatusCode::OK, Json(Health { status: "ok", database: Some("up") })),
        Err(error) => {
            tracing::debug!(%error, "not ready");
            let health = Health { status: "unavailable", database: Some("down") };
            (StatusCode::SERVICE_UNAVAILABLE, Json(health))
        }
    }
}

/// Everything counted and timed, in the text format of Prometheus
#[utoipa::path(get, path = "/metrics", tag = "operators",
    responses((status = 200, description = "The metrics", content_type = "text/plain", body = String)))]
pub(super) async fn metrics(Shared(state): Shared<Arc<State>>) -> Response {
    state.measure_parts().await;
    state.ingest.measure();
    telemetry::measure_process();
    let text = state.metrics.render();
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response()
}
