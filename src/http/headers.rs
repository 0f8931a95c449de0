//! Security headers of every answer, so that nothing that a device sent can become a page, and no other site can frame a page of
//! this service.
//!
//! Before: the handler has answered. After: the client.
//! Promise: a header that a handler sets itself is not replaced. Answers that hyper gives itself (request head too large, not HTTP)
//! have none of these headers, and no body.

use axum::Router;
use axum::http::HeaderValue;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderName, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::response::Response;
use tower_http::set_header::SetResponseHeaderLayer;

use crate::config::Settings;

/// Nothing may be loaded: answers are JSON. The page of the document has a policy of its own (`openapi::page`).
const LOAD_NOTHING: &str = "default-src 'none'; frame-ancestors 'none'";

/// Two years, which browsers ask for.
const TLS_ONLY: &str = "max-age=63072000";

/// In the extensions of an answer: it is the same for all, and may be cached. Every other answer has to do with people or secrets.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cacheable;

/// Adds the headers to every answer of `router`.
pub(super) fn add<S: Clone + Send + Sync + 'static>(router: Router<S>, settings: &Settings) -> Router<S> {
    let router = router.layer((
        unless_set(X_CONTENT_TYPE_OPTIONS, "nosniff"),
        unless_set(X_FRAME_OPTIONS, "DENY"),
        unless_set(REFERRER_POLICY, "no-referrer"),
        unless_set(CONTENT_SECURITY_POLICY, LOAD_NOTHING),
        SetResponseHeaderLayer::if_not_present(CACHE_CONTROL, no_store),
    ));
    if settings.has_tls() { router.layer(unless_set(STRICT_TRANSPORT_SECURITY, TLS_ONLY)) } else { router }
}

fn unless_set(name: HeaderName, value: &'static str) -> SetResponseHeaderLayer<HeaderValue> {
    SetResponseHeaderLayer::if_not_present(name, HeaderValue::from_static(value))
}

fn no_store(response: &Response) -> Option<HeaderValue> {
    response.extensions().get::<Cacheable>().is_none().then_some(HeaderValue::from_static("no-store"))
}
