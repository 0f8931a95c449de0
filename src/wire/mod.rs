//! Outside formats → model values. Pure: no I/O, no clock, no environment; the time of receipt comes in.
//!
//! Before: `http` has a whole body, decompressed. After: `ingest` takes the readings and rejects.
//! Promise: nothing panics, whatever the bytes are. Every record of an upload becomes an item or a reject, and a bad record does not
//! affect the other records.
//!
//! ```text
//!  body ─▶ health | batch   which body this is       (rejected_item: one stored reject)
//!            └▶ gather      wrappers removed; each record with its own text
//!                └▶ fields  names of a record → values                  (name, value, number)
//!                    └▶ item   → Reading, or a RecordRefusal            (time, document)
//! ```

pub mod batch;
pub mod buffered;
pub mod device_info;
mod document;
pub mod event;
mod fields;
mod gather;
pub mod health;
pub mod history;
mod item;
mod name;
mod number;
mod object;
pub mod peek;
mod records;
mod refusal;
pub mod rejected_item;
mod time;
mod value;
pub mod watch_log;

use bytes::Bytes;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::value::RawValue;

/// What reading an upload depends on besides its bytes.
#[derive(Debug, Clone)]
pub struct Context {
    /// When the upload was received. A sample without a time gets this one, and a time later than this is "ahead".
    pub received_at: Timestamp,
    /// Zone of times without a zone.
    pub device_zone: TimeZone,
    /// Start of the time for which raw rows are kept; an older sample is refused. `None`: kept for ever.
    pub oldest: Option<Timestamp>,
    /// Tenant of the key of the request; 0: a key of one device; `None`: a key of every tenant, or no key.
    pub key_customer_id: Option<i64>,
}

/// Why a body is no upload at all. The text is sent with the 400 answer, and repeats nothing of the body.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    /// No bytes, or only white space.
    #[error("the body is empty")]
    Empty,
    /// The document is `null`.
    #[error("the body is null")]
    Null,
    /// Bytes that are not UTF-8.
    #[error("the body is not UTF-8 (byte {at})")]
    NotUtf8 {
        /// First byte that is wrong, from 0.
        at: usize,
    },
    /// Not one JSON document; the text has the place of the error.
    #[error("the body is not JSON: {0}")]
    NotJson(String),
    /// JSON, but neither object nor array.
    #[error("the body is {0}, not an upload: an object or an array is expected")]
    NotAnUpload(&'static str),
    /// An object with neither records in `data` nor a field of a record.
    #[error("the body holds no record: neither an object or an array under \"data\", nor the fields of one")]
    NoItem,
    /// More records than one body may have.
    #[error("the body holds more than {max} records")]
    TooManyRecords {
        /// The limit.
        max: usize,
    },
    /// Records that would take more memory than one body may use.
    #[error("the records of the body take more than {max_bytes} bytes")]
    TooMuch {
        /// The limit.
        max_bytes: usize,
    },
    /// The batch API needs an array.
    #[error("\"data\" is not an array of records")]
    DataIsNoArray,
}

impl From<serde_json::Error> for BodyError {
    fn from(error: serde_json::Error) -> Self {
        Self::NotJson(error.to_string())
    }
}

/// The text of a body, up to its last character that is not white space; a byte order mark is left out.
fn text_of(body: &Bytes) -> Result<&str, BodyError> {
    let text = std::str::from_utf8(body).map_err(|error| BodyError::NotUtf8 { at: error.valid_up_to() })?;
    if text.as_bytes().contains(&0) {
        // JSON does not allow it, and PostgreSQL could not store the text of a reject that holds one.
        return Err(BodyError::NotJson("it holds a NUL character".to_owned()));
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(text).trim_end_matches(JSON_SPACE);
    if text.trim_start_matches(JSON_SPACE).is_empty() { Err(BodyError::Empty) } else { Ok(text) }
}

/// Why a body that begins as neither object nor array is refused.
fn refusal_of_scalar(text: &str) -> BodyError {
    match serde_json::from_str::<&RawValue>(text) {
        Err(error) => error.into(),
        Ok(value) => match value.get().as_bytes() {
            [b'n', ..] => BodyError::Null,
            [b'"', ..] => BodyError::NotAnUpload("a string"),
            [b't' | b'f', ..] => BodyError::NotAnUpload("true or false"),
            _ => BodyError::NotAnUpload("a number"),
        },
    }
}

/// White space of JSON.
const JSON_SPACE: [char; 4] = [' ', '\n', '\r', '\t'];
