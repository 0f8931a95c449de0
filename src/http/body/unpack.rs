//! How a body is compressed, and its decompression.
//!
//! Before: `body` has the bytes that arrived. After: `wire` parses the unpacked bytes.
//! Promise: whatever was sent, neither the unpacked bytes nor the memory of the decoder exceed their limits.

use std::io::Read;

use axum::http::{HeaderMap, header};
use bytes::Bytes;

use super::BudgetShare;
use crate::http::HttpError;

/// JSON of watches compresses to a tenth, so one step is mostly enough.
const EXPECTED_RATIO: usize = 16;

/// Smallest step, bytes.
const MIN_STEP: usize = 4096;

/// A decoder of zstd should support a window of 8 MiB (RFC 8878, 3.1.1.1.2), because streaming encoders use it for frames of any
/// length.
const MIN_WINDOW_LOG: u32 = 23;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    Identity,
    Gzip,
    Zstd,
}

impl Encoding {
    /// As the headers say. Packed twice is refused: no device does it, and each layer would need caps of its own.
    pub(super) fn of(headers: &HeaderMap) -> Result<Self, HttpError> {
        let mut found = Self::Identity;
        for value in headers.get_all(header::CONTENT_ENCODING) {
            for name in value.to_str().map_err(|_| HttpError::Encoding)?.split(',') {
                let encoding = Self::named(name.trim()).ok_or(HttpError::Encoding)?;
                if encoding == Self::Identity {
                    continue;
                }
                if found != Self::Identity {
                    return Err(HttpError::Encoding);
                }
                found = encoding;
            }
        }
        Ok(found)
    }

    fn named(name: &str) -> Option<Self> {
        match name.to_ascii_lowercase().as_str() {
            "" | "identity" => Some(Self::Identity),
            "gzip" | "x-gzip" => Some(Self::Gzip),
            "zstd" => Some(Self::Zstd),
            _ => None,
        }
    }
}

/// Unpacks `packed` and takes its bytes from `share`. `None`: it is more than `max_bytes`. A zstd frame may refer back
/// `window_bytes`, which the decoder has to keep.
pub(super) fn unpack(
    packed: &[u8],
    encoding: Encoding,
    max_bytes: usize,
    window_bytes: usize,
    share: BudgetShare,
) -> Result<Option<Bytes>, HttpError> {
    let unreadable = |error: std::io::Error| HttpError::Unreadable(error.to_string());
    match encoding {
        Encoding::Identity => collect(packed, packed.len(), max_bytes, share),
        Encoding::Gzip => {
            collect(flate2::bufread::MultiGzDecoder::new(packed), packed.len(), max_bytes, share)
        }
        Encoding::Zstd => {
            let mut decoder = zstd::stream::read::Decoder::with_buffer(packed).map_err(unreadable)?;
            let window_log = window_bytes.max(1).next_power_of_two().ilog2();
            decoder.window_log_max(window_log.max(MIN_WINDOW_LOG)).map_err(unreadable)?;
            collect(decoder, packed.len(), max_bytes, share)
        }
    }
}

fn collect(
    mut from: impl Read,
    packed: usize,
    max_bytes: usize,
    mut share: BudgetShare,
) -> Result<Option<Bytes>, HttpError> {
    let mut unpacked = Vec::new();
    let mut step = packed.saturating_mul(EXPECTED_RATIO).max(MIN_STEP);
    loop {
        // One byte more than is allowed shows that there is more.
        step = step.min(max_bytes + 1 - unpacked.len());
        share.grow(step)?;
        unpacked.reserve_exact(step);
        let read = from.by_ref().take(step as u64).read_to_end(&mut unpacked);
        let read = read.map_err(|error| HttpError::Unreadable(error.to_string()))?;
        if unpacked.len() > max_bytes {
            return Ok(None);
        }
        if read < step {
            return Ok(Some(share.with(unpacked)));
        }
        step = unpacked.len();
    }
}
