//! `POST /upload_health_data_batch`: the batch API of the design documents.
//!
//! Before: `http::health` has the body. After: as for `health`.
//! Promise: records are read by the rules of [`super::health`], and besides: a serial has at least 5 characters, a time is
//! there.

use bytes::Bytes;

use super::fields::Fields;
use super::gather::{self, Content, Gathering, Place};
use super::item::{Inherited, Rules};
use super::{BodyError, Context, JSON_SPACE, refusal_of_scalar, text_of};
use crate::model::Upload;

const RULES: Rules = Rules { min_serial_chars: 5, time_required: true };

/// What a batch body held.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct BatchUpload {
    /// Its records; none, if `data` is an empty array.
    pub upload: Upload,
    /// The sender's own name for it: text as sent, or the digits of a number.
    pub batch_id: Option<String>,
}

/// Reads a batch.
///
/// # Errors
/// The body is no object with an array under `data`. A record that cannot be stored is no error but a reject.
pub fn parse(body: &Bytes, context: &Context) -> Result<BatchUpload, BodyError> {
    let text = text_of(body)?;
    match text.trim_start_matches(JSON_SPACE).as_bytes() {
        [b'{', ..] => {}
        [b'[', ..] => {
            serde_json::from_str::<&serde_json::value::RawValue>(text)?;
            return Err(BodyError::DataIsNoArray);
        }
        _ => return Err(refusal_of_scalar(text)),
    }
    let fields = Fields::read(text)?;
    let content: Content<'_> = gather::content_of(&fields)
        .filter(|content| content.text().starts_with('['))
        .ok_or(BodyError::DataIsNoArray)?;
    let inherited = Inherited::default().within(&fields);
    let mut gathering = Gathering::new(context, RULES);
    gathering.content(&content, Place { source: body, inherited: &inherited, depth: 1 })?;
    let batch_id = fields.batch_id.get().and_then(|held| held.label());
    Ok(BatchUpload { upload: gathering.finish(), batch_id })
}
