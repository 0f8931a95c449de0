//! Counts, times and traces every request.
//!
//! Before: `access` has not seen the request yet. After: the answer leaves.
//! Promise: the same for every route, those that do not exist included.

use std::sync::Arc;

use axum::extract::{MatchedPath, Request};
use axum::middleware::Next;
use axum::response::Response;
use tokio::time::Instant;
use tracing::{Instrument, Span};

use super::access::Peer;
use super::connections::ConnectionState;
use crate::telemetry::names;
use crate::telemetry::trace::{self, TraceContext};

/// The span of a request, which a `traceparent` that came with it continues.
fn request_span(request: &Request, route: &str) -> Span {
    let span = trace::span!(
        "request",
        otel.name = route,
        otel.kind = "server",
        http.request.method = request.method().as_str(),
        http.route = route,
        http.response.status_code = tracing::field::Empty,
    );
    if !span.is_disabled() {
        let given = request.headers().get("traceparent").and_then(|value| value.to_str().ok());
        trace::set_parents(&span, given.and_then(TraceContext::parse).as_ref());
    }
    span
}

/// Counts and times every request under its route.
pub(super) async fn measure(request: Request, next: Next) -> Response {
    let started = Instant::now();
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or_else(|| "none".to_owned(), |path| path.as_str().to_owned());
    let span = request_span(&request, &route);
    let connection = request.extensions().get::<Peer>().map(|peer| Arc::clone(&peer.connection));
    let set_state = |state| {
        if let Some(connection) = &connection {
            connection.set_state(state);
        }
    };
    set_state(ConnectionState::Answering);
    let response = next.run(request).instrument(span.clone()).await;
    set_state(ConnectionState::Waiting);
    span.record("http.response.status_code", response.status().as_u16());
    let status = response.status().as_u16().to_string();
    metrics::counter!(names::REQUESTS, "route" => route.clone(), "status" => status).increment(1);
    metrics::histogram!(names::REQUEST_SECONDS, "route" => route).record(started.elapsed());
    response
}
