//! Refusals before a request reaches its handler, and their description in the OpenAPI document.
//!
//! Before: `http::access`. After: the client. Promise: no answer reveals which keys, tenants or devices exist.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use utoipa::IntoResponses;
use utoipa::openapi::{RefOr, Response as Described};

use super::api::error_responses;
use super::{answer, retry_later};
use crate::http::access::count_refused;
use crate::http::session::login_page;
use crate::language::{Text, text};

/// Why a request is refused.
#[derive(Debug)]
pub(in crate::http) enum AccessError {
    /// No key, or none that is in force.
    InvalidKey,
    /// The key does not have the scope.
    Scope(&'static str),
    /// The role in which a person works does not open it, or not in this tenant or unit.
    Role,
    /// A key of one tenant, for a route that needs all tenants.
    EveryTenant,
    /// A key of one tenant that asks for another.
    OtherTenant,
    /// A key of one device that asks for another.
    OtherDevice,
    /// A key that belongs to a person, or to nobody, for a request that names another person.
    OtherPerson,
    /// A change that a page of another site has caused.
    OtherSite,
    /// A page, and nobody is logged in.
    NotLoggedIn {
        /// The page; empty: none to come back to.
        next: String,
    },
    /// More than a limit allows.
    TooMany {
        /// Until one more is allowed.
        wait: Duration,
    },
    /// The database that has the keys does not answer.
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
        count_refused(match self {
            Self::InvalidKey => "unauthenticated",
            Self::OtherSite => "other_site",
            _ => "forbidden",
        });
        self
    }

    pub(super) fn text(&self) -> Text {
        match self {
            Self::InvalidKey => text!("access-no-key"),
            Self::Scope(scope) => text!("access-scope", scope = *scope),
            Self::Role => text!("access-role"),
            Self::EveryTenant => text!("access-every-tenant"),
            Self::OtherTenant => text!("access-other-tenant"),
            Self::OtherDevice => text!("access-other-device"),
            Self::OtherPerson => text!("access-other-person"),
            Self::OtherSite => text!("access-other-site"),
            Self::NotLoggedIn { .. } => text!("access-not-logged-in"),
            Self::TooMany { .. } => text!("access-too-many"),
            Self::Unavailable => text!("access-unavailable"),
        }
    }

    pub(super) const fn status(&self) -> StatusCode {
        match self {
            Self::InvalidKey => StatusCode::UNAUTHORIZED,
            Self::Scope(_)
            | Self::Role
            | Self::EveryTenant
            | Self::OtherTenant
            | Self::OtherDevice
            | Self::OtherPerson
            | Self::OtherSite => StatusCode::FORBIDDEN,
            Self::NotLoggedIn { .. } => StatusCode::SEE_OTHER,
            Self::TooMany { .. } => StatusCode::TOO_MANY_REQUESTS,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

impl IntoResponse for AccessError {
    fn into_response(self) -> Response {
        let mut response = answer(self.status(), self.text());
        match self {
            // Basic does too, but a browser that was offered it would ask a person, and then send it wherever a page leads.
            Self::InvalidKey => {
                response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            Self::NotLoggedIn { next } => {
                response.headers_mut().insert(header::LOCATION, login_page(&next, None));
            }
            Self::TooMany { wait } => {
                let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
                response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds.max(1)));
            }
            _ => retry_later(&mut response),
        }
        response
    }
}

/// The answers of a route that needs a key, besides 503.
impl IntoResponses for AccessError {
    fn responses() -> BTreeMap<String, RefOr<Described>> {
        error_responses(&["401", "403", "429"])
    }
}

/// The answers of a route that needs no key.
pub(in crate::http) struct OpenErrors;

impl IntoResponses for OpenErrors {
    fn responses() -> BTreeMap<String, RefOr<Described>> {
        error_responses(&["429"])
    }
}
