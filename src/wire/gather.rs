//! The records of a body, whatever they are wrapped in, each with its own text.
//!
//! Before: `health` and `batch` know what the body as a whole is. After: `item` makes a reading of each record.
//! Promise: records are numbered in the order of the body. Each becomes one item or one reject, and a fault in one record does not
//! affect the others. The bytes of a record are read once.
//!
//! A wrapper is an object whose `data` is an object, an array, or text that is one of them. Any other object is a record. A
//! wrapper that has a serial and a measurement of its own is a record as well. The phone app puts zeros and a position around a
//! record: they are no measurement, unless the wrapper holds no record.

use bytes::Bytes;
use serde_json::value::RawValue;

use super::fields::SampleFields;
use super::item::{self, Inherited, RouteRules};
use super::refusal::RecordRefusal;
use super::value::JsonValue;
use super::{BodyError, Context, JSON_SPACE, document};
use crate::model::{Item, NameKind, Reject, Upload};

/// Most wrappers inside wrappers that are removed. The fleet uses two. The limit keeps a hostile body from being read once for
/// every level.
pub(super) const MAX_WRAPPERS: usize = 4;

/// Most records of one body: as many as the queue of a shard takes by default. A watch sends 100. A record of two bytes takes a
/// few hundred bytes of memory, so without this limit a small compressed body could fill the memory.
pub(super) const MAX_RECORDS: usize = 50_000;

/// Memory that the records of one body may take, bytes: a body of tiny elements takes some seventy times its own length. The 50 000
/// largest samples of a watch take a third.
pub(super) const MAX_MEMORY_BYTES: usize = 64 * 1024 * 1024;

/// Records found so far.
pub(super) struct RecordCollector<'c> {
    /// Memory they take.
    memory_bytes: usize,
    context: &'c Context,
    rules: RouteRules,
    documents: document::DocumentReader<'c>,
    upload: Upload,
}

/// Where a record stands.
#[derive(Clone, Copy)]
pub(super) struct RecordPosition<'a> {
    /// The bytes its text is a slice of.
    pub(super) source: &'a Bytes,
    /// The values that the wrappers around it give it.
    pub(super) inherited: &'a Inherited,
    /// Wrappers around it.
    pub(super) depth: usize,
}

/// What a wrapper holds.
pub(super) enum Content<'a> {
    /// Part of the same text.
    Inline(&'a str),
    /// JSON that was text inside the JSON.
    Quoted(Bytes),
}

impl<'a> Content<'a> {
    /// The content of a value, if it is an object, an array, or text that is one of them.
    pub(super) fn of(value: &JsonValue<'a>) -> Option<Self> {
        match value {
            JsonValue::Object(text) | JsonValue::Array(text) => Some(Self::Inline(text)),
            JsonValue::Text(text) => {
                let text = text.trim_matches(JSON_SPACE);
                let is_content =
                    text.starts_with(['{', '[']) && serde_json::from_str::<&RawValue>(text).is_ok();
                is_content.then(|| Self::Quoted(Bytes::copy_from_slice(text.as_bytes())))
            }
            _ => None,
        }
    }

    /// Its JSON.
    pub(super) fn text(&self) -> &str {
        match self {
            Self::Inline(text) => text,
            // It was a `String` a moment ago.
            Self::Quoted(bytes) => std::str::from_utf8(bytes).unwrap_or_default(),
        }
    }
}

/// The content of the wrapper with these fields, if it is a wrapper.
pub(super) fn content_of<'a>(fields: &SampleFields<'a>) -> Option<Content<'a>> {
    fields.data.get().and_then(Content::of)
}

impl<'c> RecordCollector<'c> {
    /// Nothing found yet.
    pub(super) fn new(context: &'c Context, rules: RouteRules) -> Self {
        Self {
            memory_bytes: 0,
            context,
            rules,
            documents: document::DocumentReader::new(context),
            upload: Upload::default(),
        }
    }

    /// All that was found.
    pub(super) fn finish(self) -> Upload {
        self.upload
    }

    /// Adds the records in a wrapper.
    pub(super) fn add_content(
        &mut self,
        content: &Content<'_>,
        place: RecordPosition<'_>,
    ) -> Result<(), BodyError> {
        let place = match content {
            Content::Inline(_) => place,
            Content::Quoted(source) => RecordPosition { source, ..place },
        };
        self.add_first_value(content.text(), place).map(|_length| ())
    }

    /// Adds the object or array that `text` begins with. Returns its length, bytes.
    pub(super) fn add_first_value(
        &mut self,
        text: &str,
        place: RecordPosition<'_>,
    ) -> Result<usize, BodyError> {
        if text.starts_with('[') {
            return self.add_array(text, place);
        }
        let (fields, length) = SampleFields::read_first(text)?;
        self.add_object(fields, &text[..length], place)?;
        Ok(length)
    }

    /// Adds an object: a wrapper or a record.
    pub(super) fn add_object(
        &mut self,
        fields: SampleFields<'_>,
        text: &str,
        place: RecordPosition<'_>,
    ) -> Result<(), BodyError> {
        if place.depth < MAX_WRAPPERS
            && let Some(content) = content_of(&fields)
        {
            let inherited = place.inherited.within(&fields);
            let before = self.upload.received();
            self.add_content(
                &content,
                RecordPosition { inherited: &inherited, depth: place.depth + 1, ..place },
            )?;
            let is_empty = self.upload.received() == before;
            let is_record = fields.device_sn.get().is_some()
                && (fields.holds_more_than_filler() || is_empty && fields.holds_measurement());
            if !is_record {
                return Ok(());
            }
        }
        self.add_record(fields, text, place);
        Ok(())
    }

    /// Adds the elements of the array that `text` begins with. Returns its length, bytes.
    fn add_array(&mut self, text: &str, place: RecordPosition<'_>) -> Result<usize, BodyError> {
        // A sample of a watch has about 500 bytes.
        self.upload.items.reserve(text.len() / 512);
        let mut rest = text[1..].trim_start_matches(JSON_SPACE);
        if !rest.starts_with(']') {
            loop {
                let length = self.add_element(rest, place)?;
                rest = rest[length..].trim_start_matches(JSON_SPACE);
                match rest.as_bytes() {
                    [b']', ..] => break,
                    [b',', ..] => rest = rest[1..].trim_start_matches(JSON_SPACE),
                    _ => {
                        return Err(BodyError::NotJson(
                            "an array without its end, or without a comma".to_owned(),
                        ));
                    }
                }
            }
        }
        Ok(text.len() - rest.len() + 1)
    }

    fn add_element(&mut self, text: &str, place: RecordPosition<'_>) -> Result<usize, BodyError> {
        if self.upload.received() >= MAX_RECORDS {
            return Err(BodyError::TooManyRecords { max: MAX_RECORDS });
        }
        if self.memory_bytes > MAX_MEMORY_BYTES {
            return Err(BodyError::TooMuch { max_bytes: MAX_MEMORY_BYTES });
        }
        if text.starts_with('{') {
            return self.add_first_value(text, place);
        }
        let length = length_of_first(text)?;
        self.reject(RecordRefusal::not_an_object(), None, &text[..length], place);
        Ok(length)
    }

    /// Adds `text` as one record, whatever is inside it.
    pub(super) fn add_single(&mut self, text: &str, place: RecordPosition<'_>) {
        match SampleFields::read(text) {
            Ok(fields) => self.add_record(fields, text, place),
            Err(_) => {
                self.reject(RecordRefusal::not_an_object(), None, text, place);
            }
        }
    }

    fn add_record(&mut self, fields: SampleFields<'_>, text: &str, place: RecordPosition<'_>) {
        for name in fields.unknown() {
            let device_sn = item::serial(&fields, place.inherited);
            self.upload.unknown.add(NameKind::Sample, name, device_sn);
        }
        let documents = &mut self.documents;
        match item::reading(&fields, place.inherited, self.context, self.rules, documents) {
            Ok(reading) => {
                let item = Item {
                    index: self.next_index(),
                    reading,
                    text: place.source.slice_ref(text.as_bytes()),
                    inherited: place.inherited.text(),
                    source: self.rules.source,
                    received_at: self.context.received_at,
                    key_customer_id: self.context.key_customer_id,
                };
                self.memory_bytes += item.memory_bytes(self.upload.items.last());
                self.upload.items.push(item);
            }
            Err(refusal) => {
                let device_sn = item::serial(&fields, place.inherited).map(str::to_owned);
                self.reject(refusal, device_sn, text, place);
            }
        }
    }

    fn reject(
        &mut self,
        refusal: RecordRefusal,
        device_sn: Option<String>,
        text: &str,
        place: RecordPosition<'_>,
    ) {
        let text = place.source.slice_ref(text.as_bytes());
        let reject = Reject {
            refusal: refusal.of_record(self.next_index()),
            device_sn,
            text,
            inherited: place.inherited.text(),
            source: self.rules.source,
            received_at: self.context.received_at,
            key_customer_id: self.context.key_customer_id,
        };
        self.memory_bytes += reject.memory_bytes();
        self.upload.rejects.push(reject);
    }

    fn next_index(&self) -> u32 {
        u32::try_from(self.upload.received()).unwrap_or(u32::MAX)
    }
}

/// Bytes of the JSON value `text` begins with.
fn length_of_first(text: &str) -> Result<usize, BodyError> {
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<&RawValue>();
    values.next().transpose()?;
    Ok(values.byte_offset())
}
