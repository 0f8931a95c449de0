//! What operators and their tools ask: `/livez`, `/readyz`, `/metrics`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State as Shared;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::State;
use crate::store::health_check;

/// The process runs and answers.
pub(super) async fn livez() -> Response {
    Json(json!({ "status": "ok" })).into_response()
}

/// An upload sent now could be committed.
pub(super) async fn readyz(Shared(state): Shared<Arc<State>>) -> Response {
    match health_check(&state.store).await {
        Ok(()) => Json(json!({ "status": "ok", "database": "up" })).into_response(),
        Err(error) => {
            tracing::debug!(%error, "not ready");
            let body = Json(json!({ "status": "unavailable", "database": "down" }));
            (StatusCode::SERVICE_UNAVAILABLE, body).into_response()
        }
    }
}

/// Everything counted and timed, in the text format of Prometheus.
pub(super) async fn metrics(Shared(state): Shared<Arc<State>>) -> Response {
    let text = state.metrics.render();
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response()
}
