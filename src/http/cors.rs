//! Which other sites may call the API from a browser (CORS).
//!
//! Before: the setting `cors.origins`. After: browsers of people who use a page of such a site.
//! Promise: without the setting no other site may. A site may send a key in a header, and no cookie: it acts for nobody who has logged in
//! here. Paths outside of `/api/` are never open.

use std::time::Duration;

use axum::Router;
use axum::http::header::{
    ACCEPT, ACCEPT_LANGUAGE, AUTHORIZATION, CONTENT_DISPOSITION, CONTENT_TYPE, ETAG, HeaderName,
    IF_NONE_MATCH, RETRY_AFTER,
};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method};
use tower_http::cors::{AllowOrigin, CorsLayer};

use crate::config::Settings;

/// How long a browser may keep the answer to a preflight request.
const PREFLIGHT_MAX_AGE: Duration = Duration::from_secs(600);

/// Lets the sites of the setting call `router`.
pub(super) fn add<S: Clone + Send + Sync + 'static>(router: Router<S>, settings: &Settings) -> Router<S> {
    let origins: Vec<HeaderValue> =
        settings.cors.origins.iter().filter_map(|origin| origin.parse().ok()).collect();
    if origins.is_empty() {
        return router;
    }
    let is_allowed = move |origin: &HeaderValue, parts: &Parts| {
        parts.uri.path().starts_with("/api/") && origins.contains(origin)
    };
    let layer = CorsLayer::new()
        .allow_origin(AllowOrigin::predicate(is_allowed))
        .allow_methods([Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::PATCH, Method::DELETE])
        .allow_headers([
            ACCEPT,
            ACCEPT_LANGUAGE,
            AUTHORIZATION,
            CONTENT_TYPE,
            IF_NONE_MATCH,
            HeaderName::from_static("last-event-id"),
        ])
        .expose_headers([CONTENT_DISPOSITION, ETAG, RETRY_AFTER])
        .max_age(PREFLIGHT_MAX_AGE);
    router.layer(layer)
}
