//! `POST /upload_health_data`, in every shape that watches and phones send.
//!
//! Before: `http::health` has the body. After: `ingest` takes the upload, `http::health` answers.
//! Promise: every shape of the wire contract, section 1 yields the same readings; see [`super`] for the rest.

use bytes::Bytes;
use serde_json::value::RawValue;

use super::fields::SampleFields;
use super::gather::{self, RecordCollector, RecordPosition};
use super::item::{Inherited, RouteRules};
use super::{BodyError, Context, JSON_SPACE, refusal_of_scalar, text_of};
use crate::model::{Source, Upload};

#[cfg(test)]
mod tests;

pub(super) const RULES: RouteRules =
    RouteRules { source: Source::Health, min_serial_chars: 1, time_required: false };

/// Reads an upload.
///
/// # Errors
/// The body holds no upload. A record that cannot be stored is no error but a reject of the upload.
pub fn parse(body: &Bytes, context: &Context) -> Result<Upload, BodyError> {
    let text = text_of(body)?;
    let value = text.trim_start_matches(JSON_SPACE);
    let place = RecordPosition { source: body, inherited: &Inherited::default(), depth: 0 };
    match value.as_bytes() {
        [b'{', ..] => match plain_wrapper(value, place, context) {
            Some(upload) => Ok(upload),
            None => read_object(text, value, place, context),
        },
        [b'[', ..] => {
            // All of it is checked as JSON first, so that an error has its place in the body.
            serde_json::from_str::<&RawValue>(text)?;
            let mut collector = RecordCollector::new(context, RULES);
            collector.add_first_value(value, place)?;
            Ok(collector.finish())
        }
        _ => Err(refusal_of_scalar(text)),
    }
}

/// Reads `{"data":…}` without any other field, which is what a watch sends, in one pass. `None`: it is something else, or not JSON.
/// [`read_object`] gives the same readings, more slowly.
fn plain_wrapper(value: &str, place: RecordPosition<'_>, context: &Context) -> Option<Upload> {
    let name = value[1..].trim_start_matches(JSON_SPACE).strip_prefix("\"data\"")?;
    let content = name.trim_start_matches(JSON_SPACE).strip_prefix(':')?.trim_start_matches(JSON_SPACE);
    if !content.starts_with(['{', '[']) {
        return None;
    }
    let mut collector = RecordCollector::new(context, RULES);
    let length = collector.add_first_value(content, RecordPosition { depth: 1, ..place }).ok()?;
    (content[length..].trim_start_matches(JSON_SPACE) == "}").then(|| collector.finish())
}

/// Reads all fields of the object before the records in it, because ids may stand after `data`.
fn read_object(
    text: &str,
    value: &str,
    place: RecordPosition<'_>,
    context: &Context,
) -> Result<Upload, BodyError> {
    let fields = SampleFields::read(text)?;
    if gather::content_of(&fields).is_none() && !fields.holds_record_field() {
        return Err(BodyError::NoItem);
    }
    let mut collector = RecordCollector::new(context, RULES);
    collector.add_object(fields, value, place)?;
    Ok(collector.finish())
}
