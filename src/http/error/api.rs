//! Errors of the routes below `/api/`, and their description in the OpenAPI document.
//!
//! Before: `http::api`. After: the client. Promise: no internal error text leaves the service; a refusal says what is wrong.

use std::collections::BTreeMap;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use utoipa::openapi::schema::Type;
use utoipa::openapi::{ContentBuilder, HeaderBuilder, ObjectBuilder, Ref, RefOr, ResponseBuilder};
use utoipa::{IntoResponses, ToSchema};

use super::{AccessError, ErrorAnswer, HttpError, answer, retry_later};
use crate::http::access::count_refused;
use crate::language::{Text, text};
use crate::store::{Kind, StoreError};

/// Why a request below `/api/` fails.
#[derive(Debug)]
pub(in crate::http) enum ApiError {
    /// The body did not arrive, ended early, or is too large.
    Body(HttpError),
    /// The request is invalid; says why.
    Bad(Text),
    /// The Content-Type is not JSON. A web page of another origin may send any other type without a preflight request.
    NotJson,
    /// The answer has none of the forms that are accepted.
    NotAcceptable,
    /// As many exports as are allowed are running.
    TooManyExports,
    /// The key may not see it.
    Access(AccessError),
    /// It does not exist.
    Absent(Text),
    /// It conflicts with the present state; says how.
    InTheWay(Text),
    /// The database role of the service may not do it.
    Denied,
    /// The database is away.
    Unavailable,
    /// More event streams are open than the settings allow.
    Crowded,
    /// A fault of the service.
    Failed,
}

impl From<HttpError> for ApiError {
    fn from(error: HttpError) -> Self {
        Self::Body(error)
    }
}

impl From<AccessError> for ApiError {
    fn from(error: AccessError) -> Self {
        Self::Access(error)
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        match error.kind() {
            Kind::Refused | Kind::Conflict => {
                Self::Bad(error.refusal().unwrap_or_else(|| text!("request-refused")))
            }
            Kind::Down | Kind::Retry => {
                tracing::warn!(%error, "a request below /api/ cannot be answered");
                Self::Unavailable
            }
            Kind::Bug if error.is_denied() => {
                tracing::error!(%error, "a request is refused: the role of the service lacks a right");
                Self::Denied
            }
            Kind::Bug => {
                tracing::error!(%error, "a request below /api/ failed");
                Self::Failed
            }
        }
    }
}

impl ApiError {
    /// Its status and its text, for a page that shows it.
    pub(in crate::http) fn parts(self) -> (StatusCode, Text) {
        match self {
            Self::Body(error) => (error.status(), error.text()),
            Self::Bad(text) => (StatusCode::BAD_REQUEST, text),
            Self::NotJson => (StatusCode::UNSUPPORTED_MEDIA_TYPE, text!("body-not-json")),
            Self::NotAcceptable => (StatusCode::NOT_ACCEPTABLE, text!("form-not-acceptable")),
            Self::TooManyExports => (StatusCode::SERVICE_UNAVAILABLE, text!("exports-too-many")),
            Self::Access(error) => (error.status(), error.text()),
            Self::Absent(text) => (StatusCode::NOT_FOUND, text),
            Self::InTheWay(text) => (StatusCode::CONFLICT, text),
            Self::Denied => (StatusCode::FORBIDDEN, text!("role-denied")),
            Self::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, text!("database-unavailable")),
            Self::Crowded => {
                count_refused("streams");
                (StatusCode::SERVICE_UNAVAILABLE, text!("stream-crowded"))
            }
            Self::Failed => (StatusCode::INTERNAL_SERVER_ERROR, text!("service-failed")),
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let (status, text) = match self {
            Self::Body(error) => return error.into_response(),
            Self::Access(error) => return error.into_response(),
            other => other.parts(),
        };
        let mut response = answer(status, text);
        retry_later(&mut response);
        response
    }
}

/// The answers of a route that lists, besides 200.
pub(in crate::http) struct ListErrors;

/// The answers of a route about one thing.
pub(in crate::http) struct OneErrors;

/// The answers of a route that reads, in one of several forms.
pub(in crate::http) struct ReadErrors;

/// The answers of a route that takes a body.
pub(in crate::http) struct BodyErrors;

impl IntoResponses for ListErrors {
    fn responses() -> BTreeMap<String, RefOr<utoipa::openapi::Response>> {
        error_responses(&["400", "401", "403", "429", "500", "503"])
    }
}

impl IntoResponses for OneErrors {
    fn responses() -> BTreeMap<String, RefOr<utoipa::openapi::Response>> {
        error_responses(&["400", "401", "403", "404", "429", "500", "503"])
    }
}

impl IntoResponses for ReadErrors {
    fn responses() -> BTreeMap<String, RefOr<utoipa::openapi::Response>> {
        let unchanged =
            ResponseBuilder::new().description("The same as the client has, by If-None-Match").build();
        let mut responses = error_responses(&["400", "401", "403", "404", "406", "429", "500", "503"]);
        responses.insert("304".to_owned(), unchanged.into());
        responses
    }
}

impl IntoResponses for BodyErrors {
    fn responses() -> BTreeMap<String, RefOr<utoipa::openapi::Response>> {
        error_responses(&["400", "401", "403", "404", "408", "409", "413", "415", "429", "500", "503"])
    }
}

pub(super) fn error_responses(statuses: &[&str]) -> BTreeMap<String, RefOr<utoipa::openapi::Response>> {
    let of = |status: &str| {
        let description = match status {
            "400" => "What was asked makes no sense; the message says why",
            "401" => "A key is needed that is in force, and none came with the request",
            "403" => "The key may not do this",
            "404" => "There is no such thing",
            "406" => "The answer has none of the forms that Accept names",
            "408" => "The body did not arrive in time",
            "409" => "What there is stands in the way; the message says what",
            "413" => "The body is larger than allowed, as sent or unpacked",
            "415" => "The body is no application/json, or packed in an unknown way",
            "429" => "More requests than a limit allows",
            "503" => {
                "The database does not answer in time; a change that was asked for may be in force all the same"
            }
            _ => "A fault of the service; its log says more",
        };
        let schema = Ref::from_schema_name(ErrorAnswer::name());
        let content = ContentBuilder::new().schema(Some(schema)).build();
        let response = ResponseBuilder::new().description(description).content("application/json", content);
        let header = |kind, text: &str| {
            let schema = ObjectBuilder::new().schema_type(kind);
            HeaderBuilder::new().schema(Some(schema)).description(Some(text)).build()
        };
        match status {
            "401" => response.header("WWW-Authenticate", header(Type::String, "Bearer")),
            "429" | "503" => {
                let seconds = header(Type::Integer, "Seconds after which to try again");
                response.header("Retry-After", seconds)
            }
            _ => response,
        }
    };
    statuses.iter().map(|status| ((*status).to_owned(), of(status).build().into())).collect()
}
