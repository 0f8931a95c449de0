//! Security headers of every answer, so that nothing that a device sent can become a page, and no other site can frame a page of
//! this service.
//!
//! Before: the handler has answered. After: whoever asked.
//! Promise: a header that a handler sets itself is not replaced. Answers that hyper gives itself (request head too large, not HTTP)
//! have none of these headers, and no body.

use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderName, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::{HeaderValue, header::Entry};
use axum::response::Response;

use crate::config::Settings;

/// Nothing may be loaded: answers are JSON. The documentation page sets its own policy (`openapi::page`).
const NOTHING: HeaderValue = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");

/// Two years, which browsers require for their preload lists.
const TLS_ONLY: HeaderValue = HeaderValue::from_static("max-age=63072000");

/// Whether an answer may be stored by caches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Caching {
    /// It is the same for everybody.
    Allowed,
    /// It is about people, or holds secrets.
    Forbidden,
}

/// The headers.
#[derive(Debug, Clone, Copy)]
pub(super) struct SecurityHeaders {
    has_tls: bool,
}

impl SecurityHeaders {
    pub(super) fn of(settings: &Settings) -> Self {
        Self { has_tls: settings.has_tls() }
    }

    /// By path.
    pub(super) fn caching(path: &str) -> Caching {
        let is_page = path == "/openapi.json" || path == "/docs" || path.starts_with("/docs/");
        if is_page { Caching::Allowed } else { Caching::Forbidden }
    }

    pub(super) fn add(self, response: &mut Response, caching: Caching) {
        let headers = response.headers_mut();
        let mut add = |name: HeaderName, value: HeaderValue| {
            if let Entry::Vacant(place) = headers.entry(name) {
                place.insert(value);
            }
        };
        add(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        add(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
        add(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
        add(CONTENT_SECURITY_POLICY, NOTHING);
        if caching == Caching::Forbidden {
            add(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        }
        if self.has_tls {
            add(STRICT_TRANSPORT_SECURITY, TLS_ONLY);
        }
    }
}
