//! `POST /upload_health_data`: whatever shape a watch or a phone gives it.
//!
//! Before: `http::health` has the body. After: `ingest` takes the upload, `http::health` answers.
//! Promise: every shape of the wire contract, section 1 yields the same readings; see [`super`] for the rest.

use bytes::Bytes;
use serde_json::value::RawValue;

use super::fields::Fields;
use super::gather::{self, Gathering, RecordPosition};
use super::item::{Inherited, Rules};
use super::{BodyError, Context, JSON_SPACE, refusal_of_scalar, text_of};
use crate::model::{Source, Upload};

#[cfg(test)]
mod tests;

pub(super) const RULES: Rules = Rules { source: Source::Health, min_serial_chars: 1, time_required: false };

/// Reads an upload.
///
/// # Errors
/// The body holds no upload. A record that cannot be stored is no error but a reject of the upload.
pub fn parse(body: &Bytes, context: &Context) -> Result<Upload, BodyError> {
    let text = text_of(body)?;
    let value = text.trim_start_matches(JSON_SPACE);
    let place = RecordPosition { source: body, inherited: &Inherited::default(), depth: 0 };
    match value.as_bytes() {
        [b'{', ..] => match bare_wrapper(value, place, context) {
            Some(upload) => Ok(upload),
            None => any_object(text, value, place, context),
        },
        [b'[', ..] => {
            // Whether all of it is JSON comes first: an error then tells its place in the body.
            serde_json::from_str::<&RawValue>(text)?;
            let mut gathering = Gathering::new(context, RULES);
            gathering.first(value, place)?;
            Ok(gathering.finish())
        }
        _ => Err(refusal_of_scalar(text)),
    }
}

/// `{"data":…}` with nothing beside it, which is all a watch sends, in a single walk. `None`: something else, or not JSON;
/// the general way finds out, and comes to the same readings.
fn bare_wrapper(value: &str, place: RecordPosition<'_>, context: &Context) -> Option<Upload> {
    let name = value[1..].trim_start_matches(JSON_SPACE).strip_prefix("\"data\"")?;
    let content = name.trim_start_matches(JSON_SPACE).strip_prefix(':')?.trim_start_matches(JSON_SPACE);
    if !content.starts_with(['{', '[']) {
        return None;
    }
    let mut gathering = Gathering::new(context, RULES);
    let length = gathering.first(content, RecordPosition { depth: 1, ..place }).ok()?;
    (content[length..].trim_start_matches(JSON_SPACE) == "}").then(|| gathering.finish())
}

/// The general way: all names of the object are read before what it wraps, for ids may stand behind it.
fn any_object(
    text: &str,
    value: &str,
    place: RecordPosition<'_>,
    context: &Context,
) -> Result<Upload, BodyError> {
    let fields = Fields::read(text)?;
    if gather::content_of(&fields).is_none() && !fields.holds_record_field() {
        return Err(BodyError::NoItem);
    }
    let mut gathering = Gathering::new(context, RULES);
    gathering.object(fields, value, place)?;
    Ok(gathering.finish())
}
