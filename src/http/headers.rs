//! What every answer tells a browser, so that nothing a device sent can become a page, and no page elsewhere can frame ours.
//!
//! Before: the handler has answered. After: whoever asked.
//! Promise: a handler that says something else itself is left alone. What hyper answers itself (a head that is too large or
//! no HTTP) has none of it, and no body either.

use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderName, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::{HeaderValue, header::Entry};
use axum::response::Response;

use crate::config::Settings;

/// Nothing may be loaded: answers are JSON. The page of the document says what it needs (`openapi::page`).
const NOTHING: HeaderValue = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");

/// Two years, as browsers ask it of those they are to remember.
const TLS_ONLY: HeaderValue = HeaderValue::from_static("max-age=63072000");

/// Whether an answer may be kept by whoever it passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keep {
    /// It is the same for all.
    May,
    /// It has to do with people, or with secrets.
    Never,
}

/// What is added.
#[derive(Debug, Clone, Copy)]
pub(super) struct Guards {
    has_tls: bool,
}

impl Guards {
    pub(super) fn of(settings: &Settings) -> Self {
        Self { has_tls: settings.has_tls() }
    }

    /// Of a path.
    pub(super) fn keep(path: &str) -> Keep {
        let is_page = path == "/openapi.json" || path == "/docs" || path.starts_with("/docs/");
        if is_page { Keep::May } else { Keep::Never }
    }

    pub(super) fn add(self, response: &mut Response, keep: Keep) {
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
        if keep == Keep::Never {
            add(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        }
        if self.has_tls {
            add(STRICT_TRANSPORT_SECURITY, TLS_ONLY);
        }
    }
}
