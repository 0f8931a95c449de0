//! `POST /upload_health_data`: whatever shape a watch or a phone gives it.
//!
//! Before: `http::health` has the body. After: `ingest` takes the upload, `http::health` answers.
//! Promise: every shape of WIRE.md 1 yields the same readings; see [`super`] for the rest.

use bytes::Bytes;
use serde_json::value::RawValue;

use super::fields::Fields;
use super::gather::{self, Gathering, Place};
use super::item::{Inherited, Rules};
use super::{BodyError, Context, JSON_SPACE, refusal_of_scalar, text_of};
use crate::model::Upload;

#[cfg(test)]
mod tests;

const RULES: Rules = Rules { min_serial_chars: 1, time_required: false };

/// Reads an upload.
///
/// # Errors
/// The body holds no upload. A record that cannot be stored is no error but a reject of the upload.
pub fn parse(body: &Bytes, context: &Context) -> Result<Upload, BodyError> {
    let text = text_of(body)?;
    let value = text.trim_start_matches(JSON_SPACE);
    let mut gathering = Gathering::new(context, RULES);
    let place = Place { source: body, inherited: &Inherited::default(), depth: 0 };
    match value.as_bytes() {
        [b'{', ..] => {
            let fields = Fields::read(text)?;
            if gather::content_of(&fields).is_none() && !fields.holds_record_field() {
                return Err(BodyError::NoItem);
            }
            gathering.object(fields, value, place)?;
        }
        [b'[', ..] => {
            serde_json::from_str::<&RawValue>(text)?;
            gathering.array(value, place)?;
        }
        _ => return Err(refusal_of_scalar(text)),
    }
    Ok(gathering.finish())
}
