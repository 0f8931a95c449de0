//! The records of a body that holds device information or events, whatever they are wrapped in.
//!
//! Before: `device_info`, `event` and `watch_log` have the body. After: they read each record, with what it inherits from its wrappers.
//! Promise: wrappers are those of `gather` (an object whose `data` is an object, an array, or text that is one of them). A record that is
//! no object is reported to the reader, and does not affect the others.

use bytes::Bytes;
use serde_json::value::RawValue;

use super::fields::SampleFields;
use super::gather::{self, Content, MAX_RECORDS, MAX_WRAPPERS, RecordPosition};
use super::item::Inherited;
use super::{BodyError, JSON_SPACE, refusal_of_scalar, text_of};

/// Receives the records of a body as they are found.
pub(super) trait RecordReader {
    /// Is this object a record, whatever its `data` may hold?
    fn is_record(&self, text: &str) -> bool;

    /// Adds a record. `place.depth` is 0 for a record that is the whole body.
    fn add_object(&mut self, text: &str, place: RecordPosition<'_>) -> Result<(), BodyError>;

    /// Adds a value that stands where a record is expected and is no object.
    fn add_non_object(&mut self, text: &str, place: RecordPosition<'_>);

    /// Records added so far.
    fn record_count(&self) -> usize;
}

/// Reads all records of `body`.
pub(super) fn read(body: &Bytes, reader: &mut impl RecordReader) -> Result<(), BodyError> {
    let text = text_of(body)?;
    let value = text.trim_start_matches(JSON_SPACE);
    if !value.starts_with(['{', '[']) {
        return Err(refusal_of_scalar(text));
    }
    // All of it is checked as JSON first, so that an error has its place in the body.
    serde_json::from_str::<&RawValue>(text)?;
    walk(value, RecordPosition { source: body, inherited: &Inherited::default(), depth: 0 }, reader)
}

/// Adds the records of `text`, which is an object or an array.
pub(super) fn walk(
    text: &str,
    place: RecordPosition<'_>,
    reader: &mut impl RecordReader,
) -> Result<(), BodyError> {
    if text.starts_with('[') {
        let place = RecordPosition { depth: place.depth + 1, ..place };
        for element in serde_json::from_str::<Vec<&RawValue>>(text)? {
            if reader.record_count() >= MAX_RECORDS {
                return Err(BodyError::TooManyRecords { max: MAX_RECORDS });
            }
            match element.get() {
                object if object.starts_with('{') => walk(object, place, reader)?,
                other => reader.add_non_object(other, place),
            }
        }
        return Ok(());
    }
    if place.depth < MAX_WRAPPERS && !reader.is_record(text) {
        let fields = SampleFields::read(text)?;
        if let Some(content) = gather::content_of(&fields) {
            let inherited = place.inherited.within(&fields);
            let source = match &content {
                Content::Inline(_) => place.source,
                Content::Quoted(source) => source,
            };
            let inner = RecordPosition { source, inherited: &inherited, depth: place.depth + 1 };
            return walk(content.text(), inner, reader);
        }
    }
    reader.add_object(text, place)
}
