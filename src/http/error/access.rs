//! Why the door does not let a request through, and what the document says of it.
//!
//! Before: `http::access`. After: whoever asked. Promise: which of its keys, tenants and devices there are is told to nobody.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use utoipa::IntoResponses;
use utoipa::openapi::{RefOr, Response as Described};

use super::api::described;
use super::{ErrorAnswer, come_again};
use crate::http::access::count_refused;

/// Why.
#[derive(Debug, thiserror::Error)]
pub(in crate::http) enum AccessError {
    /// No key, or none that does.
    #[error("a key is needed that is in force: Authorization: Bearer <key>")]
    NoKey,
    /// A key that may not do this.
    #[error("the key has not the scope {0}")]
    Scope(&'static str),
    /// A key of one tenant, where all are concerned.
    #[error("this concerns every tenant, and the key is of one")]
    EveryTenant,
    /// A key of one tenant that asks for another.
    #[error("the key is of another tenant")]
    OtherTenant,
    /// A key of one device that asks for another.
    #[error("the key is of another device")]
    OtherDevice,
    /// More than a limit allows.
    #[error("too many requests")]
    TooMany {
        /// Until there may be one more.
        wait: Duration,
    },
    /// Whether the key does cannot be found out.
    #[error("the key cannot be looked up: the database does not answer")]
    Unavailable,
}

impl AccessError {
    /// [`AccessError::TooMany`], counted.
    pub(in crate::http) fn too_many(of: &'static str, wait: Duration) -> Self {
        count_refused(match of {
            "address" => "address_rate",
            "key" => "key_rate",
            _ => "failure_rate",
        });
        Self::TooMany { wait }
    }

    /// The same, counted.
    pub(in crate::http) fn counted(self) -> Self {
        count_refused(if matches!(self, Self::NoKey) { "unauthenticated" } else { "forbidden" });
        self
    }

    const fn status(&self) -> StatusCode {
        match self {
            Self::NoKey => StatusCode::UNAUTHORIZED,
            Self::Scope(_) | Self::EveryTenant | Self::OtherTenant | Self::OtherDevice => {
                StatusCode::FORBIDDEN
            }
            Self::TooMany { .. } => StatusCode::TOO_MANY_REQUESTS,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

impl IntoResponse for AccessError {
    fn into_response(self) -> Response {
        let mut response = (self.status(), ErrorAnswer::new(&self)).into_response();
        match self {
            // Basic does too, but a browser that was offered it would ask a person, and then send it wherever a page leads.
            Self::NoKey => {
                response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            Self::TooMany { wait } => {
                let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
                response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds.max(1)));
            }
            _ => come_again(&mut response),
        }
        response
    }
}

/// What a route that needs a key may be answered, besides 503.
impl IntoResponses for AccessError {
    fn responses() -> BTreeMap<String, RefOr<Described>> {
        described(&["401", "403", "429"])
    }
}

/// What a route that needs none may be answered.
pub(in crate::http) struct OpenErrors;

impl IntoResponses for OpenErrors {
    fn responses() -> BTreeMap<String, RefOr<Described>> {
        described(&["429"])
    }
}
