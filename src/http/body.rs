//! Reads a request body: plain, gzip or zstd, with a cap on what arrives and on what it unpacks to.
//!
//! Before: a handler that wants a body. After: `wire` parses it.
//! Promise: no body makes the service hold more than the two caps, or wait longer than the read time-out.

use std::io::Read;
use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderMap, Request, header};
use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use utoipa::IntoParams;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::ObjectBuilder;

use super::HttpError;

/// Caps of a body.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    pub(super) body_bytes: usize,
    pub(super) decompressed_bytes: usize,
    pub(super) read_timeout: Duration,
}

/// How a body may be packed, for the document.
pub(super) struct Packing;

impl IntoParams for Packing {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let names = ObjectBuilder::new().enum_values(Some(["gzip", "zstd", "identity"]));
        let parameter = ParameterBuilder::new()
            .name("Content-Encoding")
            .parameter_in(ParameterIn::Header)
            .description(Some("How the body is packed"))
            .schema(Some(names));
        vec![parameter.build()]
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Encoding {
    Identity,
    Gzip,
    Zstd,
}

/// The body, unpacked.
pub(super) async fn read(request: Request<Body>, limits: Limits) -> Result<Bytes, HttpError> {
    let encoding = encoding(request.headers())?;
    let too_large = HttpError::TooLarge { limit_bytes: limits.body_bytes, unit: "" };
    let announced = request
        .headers()
        .get(header::CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok())
        .and_then(|length| length.parse::<usize>().ok());
    if announced.is_some_and(|bytes| bytes > limits.body_bytes) {
        return Err(too_large);
    }
    let reading = Limited::new(request.into_body(), limits.body_bytes).collect();
    let collected = tokio::time::timeout(limits.read_timeout, reading).await.map_err(|_| HttpError::Slow)?;
    let bytes = match collected {
        Ok(collected) => collected.to_bytes(),
        Err(error) if error.is::<LengthLimitError>() => return Err(too_large),
        Err(error) => return Err(HttpError::Unreadable(error.to_string())),
    };
    match encoding {
        Encoding::Identity => Ok(bytes),
        Encoding::Gzip => unpack(flate2::read::MultiGzDecoder::new(bytes.as_ref()), limits),
        Encoding::Zstd => {
            let decoder = zstd::stream::read::Decoder::with_buffer(bytes.as_ref());
            unpack(decoder.map_err(|error| HttpError::Unreadable(error.to_string()))?, limits)
        }
    }
}

fn encoding(headers: &HeaderMap) -> Result<Encoding, HttpError> {
    let Some(value) = headers.get(header::CONTENT_ENCODING) else {
        return Ok(Encoding::Identity);
    };
    match value.to_str().map(|value| value.trim().to_ascii_lowercase()).as_deref() {
        Ok("" | "identity") => Ok(Encoding::Identity),
        Ok("gzip" | "x-gzip") => Ok(Encoding::Gzip),
        Ok("zstd") => Ok(Encoding::Zstd),
        _ => Err(HttpError::Encoding),
    }
}

fn unpack(decoder: impl Read, limits: Limits) -> Result<Bytes, HttpError> {
    let mut unpacked = Vec::new();
    decoder
        .take(limits.decompressed_bytes as u64 + 1)
        .read_to_end(&mut unpacked)
        .map_err(|error| HttpError::Unreadable(error.to_string()))?;
    if unpacked.len() > limits.decompressed_bytes {
        return Err(HttpError::TooLarge { limit_bytes: limits.decompressed_bytes, unit: " unpacked" });
    }
    Ok(unpacked.into())
}
