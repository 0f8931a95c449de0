//! Errors of the routes below `/api/`, and what the document says of them.
//!
//! Before: `http::api`. After: whoever asked. Promise: as for uploads: the inside stays inside, a refusal says what is wrong.

use std::collections::BTreeMap;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use utoipa::openapi::schema::Type;
use utoipa::openapi::{ContentBuilder, HeaderBuilder, ObjectBuilder, Ref, RefOr, ResponseBuilder};
use utoipa::{IntoResponses, ToSchema};

use super::{AccessError, ErrorAnswer, HttpError, answer, retry_later};
use crate::language::{Text, text};
use crate::store::{Kind, StoreError};

/// Why a request below `/api/` is not answered as it was meant.
#[derive(Debug)]
pub(in crate::http) enum ApiError {
    /// The body did not come, or not whole, or is too large.
    Body(HttpError),
    /// What was asked makes no sense; says why.
    Bad(Text),
    /// The body is no JSON by its own account. A page in a browser may send anything else without asking first.
    NotJson,
    /// The key may not see it.
    Access(AccessError),
    /// There is nothing of this name.
    Absent(Text),
    /// What there is stands in the way; says what.
    InTheWay(Text),
    /// The database is away.
    Unavailable,
    /// A fault of ours.
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
            Kind::Refused | Kind::Conflict => Self::Bad(match error.refusal() {
                Some(reason) => Text::Verbatim(reason.to_owned()),
                None => text!("request-refused"),
            }),
            Kind::Down | Kind::Retry => {
                tracing::warn!(%error, "a request below /api/ cannot be answered");
                Self::Unavailable
            }
            Kind::Bug => {
                tracing::error!(%error, "a request below /api/ failed");
                Self::Failed
            }
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let (status, text) = match self {
            Self::Body(error) => return error.into_response(),
            Self::Bad(text) => (StatusCode::BAD_REQUEST, text),
            Self::NotJson => (StatusCode::UNSUPPORTED_MEDIA_TYPE, text!("body-not-json")),
            Self::Access(error) => return error.into_response(),
            Self::Absent(text) => (StatusCode::NOT_FOUND, text),
            Self::InTheWay(text) => (StatusCode::CONFLICT, text),
            Self::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, text!("database-unavailable")),
            Self::Failed => (StatusCode::INTERNAL_SERVER_ERROR, text!("service-failed")),
        };
        let mut response = answer(status, text);
        retry_later(&mut response);
        response
    }
}

/// What a route that lists may be answered besides 200, for the document.
pub(in crate::http) struct ListErrors;

/// What a route that tells of one thing may be answered.
pub(in crate::http) struct OneErrors;

/// What a route that takes a body may be answered.
pub(in crate::http) struct BodyErrors;

impl IntoResponses for ListErrors {
    fn responses() -> BTreeMap<String, RefOr<utoipa::openapi::Response>> {
        described(&["400", "401", "403", "429", "500", "503"])
    }
}

impl IntoResponses for OneErrors {
    fn responses() -> BTreeMap<String, RefOr<utoipa::openapi::Response>> {
        described(&["400", "401", "403", "404", "429", "500", "503"])
    }
}

impl IntoResponses for BodyErrors {
    fn responses() -> BTreeMap<String, RefOr<utoipa::openapi::Response>> {
        described(&["400", "401", "403", "404", "408", "409", "413", "415", "429", "500", "503"])
    }
}

pub(super) fn described(statuses: &[&str]) -> BTreeMap<String, RefOr<utoipa::openapi::Response>> {
    let of = |status: &str| {
        let description = match status {
            "400" => "What was asked makes no sense; the message says why",
            "401" => "A key is needed that is in force, and none came with the request",
            "403" => "The key may not do this",
            "404" => "There is no such thing",
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
