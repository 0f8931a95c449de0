//! The only place that turns an error into a status, and says in the document which there are.

mod access;
mod api;

use std::collections::BTreeMap;

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::openapi::schema::Type;
use utoipa::openapi::{ContentBuilder, HeaderBuilder, ObjectBuilder, Ref, RefOr, ResponseBuilder};
use utoipa::{IntoResponses, ToSchema};

pub(super) use access::{AccessError, OpenErrors};
pub(super) use api::{ApiError, BodyErrors, ListErrors, OneErrors};

use crate::ingest::IngestError;
use crate::owners::OwnersError;
use crate::telemetry::names;
use crate::wire::BodyError;

/// Seconds after which a refused sender should come again: long enough for a queue to drain, short of a watch's
/// own retry.
const RETRY_AFTER_SECONDS: u64 = 2;

/// Why a request is not answered 200.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// The body is not an upload.
    #[error(transparent)]
    Body(#[from] BodyError),
    /// No record of a batch can be stored.
    #[error("no valid record")]
    NoValidRecord(serde_json::Value),
    /// The body is larger than allowed.
    #[error("the body is larger than {limit_bytes} bytes{unit}")]
    TooLarge {
        /// The limit.
        limit_bytes: usize,
        /// Of what.
        unit: &'static str,
    },
    /// The body is compressed in a way that is not read.
    #[error("Content-Encoding must be gzip, zstd or identity, and only one of them")]
    Encoding,
    /// The body is not what its Content-Encoding says, or broke off.
    #[error("the body cannot be read: {0}")]
    Unreadable(String),
    /// The body did not come in time.
    #[error("the body did not arrive in time")]
    Slow,
    /// All bodies together take as much as they may, or the large ones before it took too long.
    #[error("too many large bodies are being read")]
    Crowded,
    /// It could not be committed now.
    #[error(transparent)]
    Ingest(#[from] IngestError),
    /// Whose it is could not be found out now.
    #[error(transparent)]
    Owners(#[from] OwnersError),
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
    fn new(message: impl ToString) -> Json<Self> {
        Json(Self { status: "error", message: message.to_string() })
    }
}

impl HttpError {
    /// [`HttpError::Crowded`], counted.
    pub(super) fn crowded() -> Self {
        metrics::counter!(names::REFUSED, "reason" => "crowded").increment(1);
        Self::Crowded
    }

    fn status(&self) -> StatusCode {
        match self {
            Self::Body(_) | Self::NoValidRecord(_) | Self::Unreadable(_) => StatusCode::BAD_REQUEST,
            Self::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Encoding => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Slow => StatusCode::REQUEST_TIMEOUT,
            Self::Crowded
            | Self::Ingest(IngestError::Full | IngestError::Stopping | IngestError::Unavailable)
            | Self::Owners(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Ingest(IngestError::Failed) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

impl IntoResponse for HttpError {
    fn into_response(self) -> Response {
        let status = self.status();
        let mut response = match self {
            Self::NoValidRecord(account) => (status, Json(account)).into_response(),
            other => (status, ErrorAnswer::new(other)).into_response(),
        };
        come_again(&mut response);
        response
    }
}

fn come_again(response: &mut Response) {
    if response.status() == StatusCode::SERVICE_UNAVAILABLE {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(RETRY_AFTER_SECONDS));
    }
}

/// Why a watch is not told its configuration.
#[derive(Debug, thiserror::Error)]
pub(super) enum ConfigError {
    /// It names a tenant that cannot be served.
    #[error("{0}")]
    Tenant(String),
    /// It has no key that may be told.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// The database does not answer in time.
    #[error("the configuration cannot be read now")]
    Unavailable,
    /// The database refuses the question; the log says what.
    #[error("the configuration cannot be read")]
    Failed,
}

/// What a watch is answered that cannot be told its configuration
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
        let status = match self {
            Self::Access(error) => return error.into_response(),
            Self::Tenant(_) => StatusCode::BAD_REQUEST,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            Self::Failed => StatusCode::INTERNAL_SERVER_ERROR,
        };
        let body = ConfigRefusal { success: false, error: self.to_string() };
        let mut response = (status, Json(body)).into_response();
        come_again(&mut response);
        response
    }
}

/// What an upload may be answered besides 200: the statuses above, for the document.
impl IntoResponses for HttpError {
    fn responses() -> BTreeMap<String, RefOr<utoipa::openapi::Response>> {
        let with_body = |description: &str| {
            let schema = Ref::from_schema_name(ErrorAnswer::name());
            let content = ContentBuilder::new().schema(Some(schema)).build();
            ResponseBuilder::new().description(description).content("application/json", content)
        };
        let seconds = HeaderBuilder::new()
            .schema(Some(ObjectBuilder::new().schema_type(Type::Integer)))
            .description(Some("Seconds after which to come again"))
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
    (StatusCode::NOT_FOUND, ErrorAnswer::new("no such path")).into_response()
}

pub(super) async fn wrong_method() -> Response {
    (StatusCode::METHOD_NOT_ALLOWED, ErrorAnswer::new("this path takes another method")).into_response()
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
