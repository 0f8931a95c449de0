//! The only place that turns an error into a status.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::ingest::IngestError;
use crate::owners::OwnersError;
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
    #[error("Content-Encoding must be gzip, zstd or identity")]
    Encoding,
    /// The body is not what its Content-Encoding says, or broke off.
    #[error("the body cannot be read: {0}")]
    Unreadable(String),
    /// The body did not come in time.
    #[error("the body did not arrive in time")]
    Slow,
    /// It could not be committed now.
    #[error(transparent)]
    Ingest(#[from] IngestError),
    /// Whose it is could not be found out now.
    #[error(transparent)]
    Owners(#[from] OwnersError),
    /// A watch names a tenant that cannot be served.
    #[error("{0}")]
    Tenant(String),
    /// A watch cannot be told its configuration now.
    #[error("the configuration cannot be read now")]
    ConfigUnavailable,
    /// A watch cannot be told its configuration; the log says why.
    #[error("the configuration cannot be read")]
    ConfigFailed,
}

impl HttpError {
    fn status(&self) -> StatusCode {
        match self {
            Self::Body(_) | Self::NoValidRecord(_) | Self::Unreadable(_) | Self::Tenant(_) => {
                StatusCode::BAD_REQUEST
            }
            Self::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Encoding => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Slow => StatusCode::REQUEST_TIMEOUT,
            Self::Ingest(IngestError::Full | IngestError::Stopping | IngestError::Unavailable)
            | Self::Owners(OwnersError::Stopping | OwnersError::Unavailable)
            | Self::ConfigUnavailable => StatusCode::SERVICE_UNAVAILABLE,
            Self::Ingest(IngestError::Failed) | Self::Owners(OwnersError::Failed) | Self::ConfigFailed => {
                StatusCode::INTERNAL_SERVER_ERROR
            }
        }
    }
}

impl IntoResponse for HttpError {
    fn into_response(self) -> Response {
        let status = self.status();
        let body = match self {
            Self::NoValidRecord(account) => account,
            told @ (Self::Tenant(_) | Self::ConfigUnavailable | Self::ConfigFailed) => {
                json!({ "success": false, "error": told.to_string() })
            }
            other => json!({ "status": "error", "message": other.to_string() }),
        };
        let mut response = (status, Json(body)).into_response();
        if status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(RETRY_AFTER_SECONDS));
        }
        response
    }
}

pub(super) async fn no_such_route() -> Response {
    (StatusCode::NOT_FOUND, Json(json!({ "status": "error", "message": "no such path" }))).into_response()
}

pub(super) async fn wrong_method() -> Response {
    let body = Json(json!({ "status": "error", "message": "this path takes another method" }));
    (StatusCode::METHOD_NOT_ALLOWED, body).into_response()
}
