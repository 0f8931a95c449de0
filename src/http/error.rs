//! The only place that turns an error into a status, and describes the statuses in the OpenAPI document.

mod access;
mod api;
mod localize;

use std::collections::BTreeMap;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde::Serialize;
use utoipa::openapi::schema::Type;
use utoipa::openapi::{ContentBuilder, HeaderBuilder, ObjectBuilder, Ref, RefOr, ResponseBuilder};
use utoipa::{IntoResponses, ToSchema};

pub(super) use access::{AccessError, OpenErrors};
pub(super) use api::{ApiError, BodyErrors, ListErrors, OneErrors, ReadErrors};
pub(super) use localize::{localize, preferred as preferred_language};

use crate::buffer::BufferError;
use crate::ingest::IngestError;
use crate::language::{Text, text};
use crate::owners::OwnersError;
use crate::telemetry::names;
use crate::wire::BodyError;

/// Seconds after which a refused sender should try again: long enough for a queue to drain, short of a watch's
/// own retry.
const RETRY_AFTER_SECONDS: u64 = 2;

/// Why a request is not answered 200.
#[derive(Debug)]
pub enum HttpError {
    /// The body is not an upload.
    Body(BodyError),
    /// No record of a batch can be stored: the answer lists them.
    NoValidRecord(serde_json::Value),
    /// The body is larger than allowed.
    TooLarge {
        /// The limit.
        limit_bytes: usize,
        /// Of what.
        unit: &'static str,
    },
    /// The Content-Encoding is not supported.
    Encoding,
    /// The body is not valid for its Content-Encoding, or ended early.
    Unreadable(String),
    /// The body did not arrive in time.
    Slow,
    /// The memory for bodies is used up, or earlier large bodies took too long.
    Crowded,
    /// It cannot be committed now.
    Ingest(IngestError),
    /// The owners cannot be looked up now.
    Owners(OwnersError),
    /// Neither PostgreSQL nor the buffer takes it now.
    Buffer(BufferError),
}

impl From<BodyError> for HttpError {
    fn from(error: BodyError) -> Self {
        Self::Body(error)
    }
}

impl From<IngestError> for HttpError {
    fn from(error: IngestError) -> Self {
        Self::Ingest(error)
    }
}

impl From<BufferError> for HttpError {
    fn from(error: BufferError) -> Self {
        Self::Buffer(error)
    }
}

impl From<OwnersError> for HttpError {
    fn from(error: OwnersError) -> Self {
        Self::Owners(error)
    }
}

/// What every error is answered with
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ErrorAnswer {
    /// Always "error"
    #[schema(value_type = String, examples("error"))]
    status: &'static str,
    /// What is wrong, for a person
    message: String,
}

impl ErrorAnswer {
    fn new(message: String) -> Json<Self> {
        Json(Self { status: "error", message })
    }
}

/// An error in English, as devices are answered; [`localize`] translates it for requests below `/api/`.
fn answer(status: StatusCode, text: Text) -> Response {
    (status, Extension(text.clone()), ErrorAnswer::new(text.to_string())).into_response()
}

impl HttpError {
    /// [`HttpError::Crowded`], counted.
    pub(super) fn over_budget() -> Self {
        metrics::counter!(names::REFUSED, "reason" => "crowded").increment(1);
        Self::Crowded
    }

    /// What is wrong. The texts of parsers and ingest are part of the contract with devices and stay in English.
    fn text(&self) -> Text {
        match self {
            Self::Body(error) => Text::Verbatim(error.to_string()),
            Self::NoValidRecord(_) => text!("upload-no-valid-record"),
            Self::TooLarge { limit_bytes, unit } => {
                let measured = unit.trim().replace(' ', "-");
                text!("body-too-large", bytes = limit_bytes.to_string(), measured = measured)
            }
            Self::Encoding => text!("body-encoding"),
            Self::Unreadable(reason) => text!("body-unreadable", reason = reason.as_str()),
            Self::Slow => text!("body-slow"),
            Self::Crowded => text!("body-crowded"),
            Self::Ingest(error) => Text::Verbatim(error.to_string()),
            Self::Owners(error) => Text::Verbatim(error.to_string()),
            Self::Buffer(error) => Text::Verbatim(error.to_string()),
        }
    }

    fn status(&self) -> StatusCode {
        match self {
            Self::Body(_) | Self::NoValidRecord(_) | Self::Unreadable(_) => StatusCode::BAD_REQUEST,
            Self::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Encoding => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Slow => StatusCode::REQUEST_TIMEOUT,
            Self::Crowded
            | Self::Ingest(IngestError::Full | IngestError::Stopping | IngestError::Unavailable)
            | Self::Owners(_)
            | Self::Buffer(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Ingest(IngestError::Failed) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

impl IntoResponse for HttpError {
    fn into_response(self) -> Response {
        let status = self.status();
        let mut response = match self {
            Self::NoValidRecord(account) => (status, Json(account)).into_response(),
            other => answer(status, other.text()),
        };
        retry_later(&mut response);
        response
    }
}

fn retry_later(response: &mut Response) {
    if response.status() == StatusCode::SERVICE_UNAVAILABLE {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(RETRY_AFTER_SECONDS));
    }
}

/// Why a watch is not given its configuration.
#[derive(Debug)]
pub(super) enum ConfigError {
    /// It names a tenant that cannot be served.
    Tenant(String),
    /// It has no key, or none that may ask for this.
    Access(AccessError),
    /// The database does not answer in time.
    Unavailable,
    /// The database refuses the query; the log has the reason.
    Failed,
}

impl From<AccessError> for ConfigError {
    fn from(error: AccessError) -> Self {
        Self::Access(error)
    }
}

/// The answer to a watch that cannot be given its configuration
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ConfigRefusal {
    /// Always false
    #[schema(examples(false))]
    success: bool,
    /// What is wrong, for a person
    error: String,
}

impl IntoResponse for ConfigError {
    fn into_response(self) -> Response {
        let (status, text) = match self {
            Self::Access(error) => return error.into_response(),
            Self::Tenant(reason) => (StatusCode::BAD_REQUEST, Text::Verbatim(reason)),
            Self::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, text!("config-unavailable")),
            Self::Failed => (StatusCode::INTERNAL_SERVER_ERROR, text!("config-failed")),
        };
        let body = ConfigRefusal { success: false, error: text.to_string() };
        let mut response = (status, Json(body)).into_response();
        retry_later(&mut response);
        response
    }
}

/// The answers to an upload besides 200, for the OpenAPI document.
impl IntoResponses for HttpError {
    fn responses() -> BTreeMap<String, RefOr<utoipa::openapi::Response>> {
        let with_body = |description: &str| {
            let schema = Ref::from_schema_name(ErrorAnswer::name());
            let content = ContentBuilder::new().schema(Some(schema)).build();
            ResponseBuilder::new().description(description).content("application/json", content)
        };
        let seconds = HeaderBuilder::new()
            .schema(Some(ObjectBuilder::new().schema_type(Type::Integer)))
            .description(Some("Seconds after which to try again"))
            .build();
        [
            ("400", with_body("The body is no upload: empty, null, not JSON, or without anything to store")),
            ("408", with_body("The body did not arrive in time")),
            ("413", with_body("The body is larger than allowed, as sent or unpacked")),
            (
                "415",
                with_body("Content-Encoding is neither gzip nor zstd nor identity, or more than one of them"),
            ),
            ("500", with_body("A fault of the service; its log says more")),
            (
                "503",
                with_body("Not committed: keep what was sent, and send it again")
                    .header("Retry-After", seconds),
            ),
        ]
        .map(|(status, response)| (status.to_owned(), response.build().into()))
        .into()
    }
}

pub(super) async fn no_such_route() -> Response {
    answer(StatusCode::NOT_FOUND, text!("path-absent"))
}

pub(super) async fn wrong_method() -> Response {
    answer(StatusCode::METHOD_NOT_ALLOWED, text!("method-not-allowed"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_of_an_upload_is_described() {
        let errors = [
            HttpError::Body(BodyError::Empty),
            HttpError::NoValidRecord(serde_json::Value::Null),
            HttpError::TooLarge { limit_bytes: 1, unit: "" },
            HttpError::Encoding,
            HttpError::Unreadable(String::new()),
            HttpError::Slow,
            HttpError::Crowded,
            HttpError::Ingest(IngestError::Full),
            HttpError::Ingest(IngestError::Stopping),
            HttpError::Ingest(IngestError::Unavailable),
            HttpError::Ingest(IngestError::Failed),
            HttpError::Owners(OwnersError::Stopping),
            HttpError::Owners(OwnersError::Unavailable),
            HttpError::Owners(OwnersError::Refused),
            HttpError::Buffer(BufferError::Full),
            HttpError::Buffer(BufferError::Unavailable),
            HttpError::Buffer(BufferError::NotDurable),
        ];
        let described = HttpError::responses();
        let mut answered = std::collections::BTreeSet::new();
        for error in errors {
            let response = error.into_response();
            let status = response.status().as_u16().to_string();
            let has_retry_after = response.headers().contains_key(header::RETRY_AFTER);
            assert_eq!(has_retry_after, status == "503");
            answered.insert(status);
        }
        assert!(described.keys().eq(answered.iter()), "{:?} {answered:?}", described.keys());
    }
}
