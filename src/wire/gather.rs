//! The records of a body, whatever they are wrapped in, each with its own text.
//!
//! Before: `health` and `batch` know what the body as a whole is. After: `item` makes a reading of each record.
//! Promise: records are numbered in the order they stand in; each becomes one item or one reject, and a fault in one is
//! no other's.
//!
//! What is a wrapper: an object whose `data` is an object, an array, or text that is one of them. Any other object is a
//! record. An object that wraps others and has a serial and a measurement of its own is a record besides.

use bytes::Bytes;
use serde_json::value::RawValue;

use super::fields::Fields;
use super::item::{self, Fault, Inherited, Rules};
use super::value::Held;
use super::{BodyError, Context, JSON_SPACE};
use crate::model::{Item, Refusal, Reject, RejectReason, Upload};

/// Wrappers inside wrappers that are taken off. The fleet uses two; the limit keeps a hostile body from being read
/// once for every level.
const MAX_WRAPPERS: usize = 4;

/// Records found so far.
pub(super) struct Gathering<'c> {
    context: &'c Context,
    rules: Rules,
    upload: Upload,
}

/// Where a record stands.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    /// The bytes its text is a slice of.
    pub(super) source: &'a Bytes,
    /// What the objects around it say for it.
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

impl Content<'_> {
    /// Its JSON.
    pub(super) fn text(&self) -> &str {
        match self {
            Self::Inline(text) => text,
            // It was a `String` a moment ago.
            Self::Quoted(bytes) => std::str::from_utf8(bytes).unwrap_or_default(),
        }
    }
}

/// What `fields` wrap, if they are those of a wrapper.
pub(super) fn content_of<'a>(fields: &Fields<'a>) -> Option<Content<'a>> {
    match fields.data.get()? {
        Held::Object(text) | Held::Array(text) => Some(Content::Inline(text)),
        Held::Text(text) => {
            let text = text.trim_matches(JSON_SPACE);
            let is_content = text.starts_with(['{', '[']) && serde_json::from_str::<&RawValue>(text).is_ok();
            is_content.then(|| Content::Quoted(Bytes::copy_from_slice(text.as_bytes())))
        }
        _ => None,
    }
}

impl<'c> Gathering<'c> {
    /// Nothing found yet.
    pub(super) fn new(context: &'c Context, rules: Rules) -> Self {
        Self { context, rules, upload: Upload::default() }
    }

    /// All that was found.
    pub(super) fn finish(self) -> Upload {
        self.upload
    }

    /// Takes what a wrapper holds: an object or an array, known to be JSON.
    pub(super) fn content(&mut self, content: &Content<'_>, place: Place<'_>) -> Result<(), BodyError> {
        let place = match content {
            Content::Inline(_) => place,
            Content::Quoted(source) => Place { source, ..place },
        };
        let text = content.text();
        if text.starts_with('[') {
            self.array(text, place)
        } else {
            let fields = Fields::read(text)?;
            self.object(fields, text, place)
        }
    }

    /// Takes an object: a wrapper or a record.
    pub(super) fn object(&mut self, fields: Fields<'_>, text: &str, place: Place<'_>) -> Result<(), BodyError> {
        if place.depth < MAX_WRAPPERS
            && let Some(content) = content_of(&fields)
        {
            let inherited = place.inherited.within(&fields);
            self.content(&content, Place { inherited: &inherited, depth: place.depth + 1, ..place })?;
            if fields.device_sn.get().is_none() || !fields.holds_measurement() {
                return Ok(());
            }
        }
        self.record(fields, text, place);
        Ok(())
    }

    /// Takes the elements of an array, known to be JSON.
    pub(super) fn array(&mut self, text: &str, place: Place<'_>) -> Result<(), BodyError> {
        let mut rest = &text[1..];
        loop {
            rest = rest.trim_start_matches([' ', '\n', '\r', '\t', ',']);
            let length = match rest.as_bytes() {
                [] | [b']', ..] => return Ok(()),
                [b'{', ..] => {
                    let (fields, length) = Fields::read_first(rest)?;
                    self.object(fields, &rest[..length], place)?;
                    length
                }
                _ => {
                    let length = length_of_first(rest)?;
                    let fault = (RejectReason::NotAnObject, "the record is not a JSON object".to_owned());
                    self.reject(fault, None, &rest[..length], place.source);
                    length
                }
            };
            rest = &rest[length..];
        }
    }

    fn record(&mut self, mut fields: Fields<'_>, text: &str, place: Place<'_>) {
        match item::reading(&mut fields, place.inherited, self.context, self.rules) {
            Ok(reading) => {
                let item = Item {
                    index: self.next_index(),
                    reading,
                    text: place.source.slice_ref(text.as_bytes()),
                    received_at: self.context.received_at,
                };
                self.upload.items.push(item);
            }
            Err(fault) => {
                let device_sn = item::serial(&fields, place.inherited).map(str::to_owned);
                self.reject(fault, device_sn, text, place.source);
            }
        }
    }

    fn reject(&mut self, (reason, detail): Fault, device_sn: Option<String>, text: &str, source: &Bytes) {
        let refusal = Refusal { index: self.next_index(), reason, detail };
        let text = source.slice_ref(text.as_bytes());
        self.upload.rejects.push(Reject { refusal, device_sn, text, received_at: self.context.received_at });
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
