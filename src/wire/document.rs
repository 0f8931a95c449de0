//! Nested documents: from the text inside a sample to elements that are rows.
//!
//! Before: `fields` has the text. After: `item` puts the document into the reading.
//! Promise: whatever the text is, each part of it becomes an element or is kept as sent; only what says that there is
//! nothing becomes nothing. A text that samples of one upload repeat is read once.
//!
//! ```text
//!  text ─▶ envelope   wrappers taken off, a missing comma put back
//!            └▶ sleep | exercise | workout   an element → its values      (parts: names → values)
//! ```

mod envelope;
mod exercise;
mod parts;
mod sleep;
#[cfg(test)]
mod tests;
mod workout;

use std::borrow::Cow;
use std::hash::Hash;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;
use siphasher::sip128::{Hasher128, SipHasher13};

use self::envelope::EnvelopeError;
use super::value::JsonValue;
use super::{Context, JSON_SPACE};
use crate::model::{Document, DocumentKind, Element, KeptDocument, KeptReason};

/// Longest text that is looked at closely for whether it says anything at all.
const LONGEST_NOTHING: usize = 32;

/// Does `raw`, a JSON value, hold a document? Not, if it is null, blank, `"null"`, or an envelope with the code −1.
pub(super) fn is_there(raw: &str) -> bool {
    // Nearly all are longer than any way to write nothing.
    if raw.len() > LONGEST_NOTHING && raw.starts_with('"') && !raw.contains("-1") {
        return true;
    }
    match JsonValue::from_raw(raw) {
        Some(held) => !envelope::is_none_text(&held.document(raw)),
        None => false,
    }
}

/// Reads the documents of one upload.
#[derive(Debug)]
pub(super) struct Reader<'c> {
    context: &'c Context,
    /// What was read last, by kind.
    last: [Option<Last>; DocumentKind::COUNT],
}

#[derive(Debug)]
struct Last {
    raw: String,
    sample: Sample,
    document: Option<Arc<Document>>,
}

/// What the sample around a document says for it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Sample {
    /// The day of an element that names none.
    day: Option<Date>,
    /// It came by way of a phone, whose app writes zeros where the watch sent nothing.
    relayed: bool,
}

impl<'c> Reader<'c> {
    /// Nothing read yet.
    pub(super) fn new(context: &'c Context) -> Self {
        Self { context, last: Default::default() }
    }

    /// The document in `raw`, a JSON value, which a sample taken at `ts` carried that came by `channel`. `None`: there is
    /// nothing in it.
    pub(super) fn read(
        &mut self,
        kind: DocumentKind,
        raw: &str,
        ts: Timestamp,
        channel: Option<&str>,
    ) -> Option<Arc<Document>> {
        // Only exercise of the day leaves anything to the sample.
        let sample = match kind {
            DocumentKind::ExerciseDaily => Sample {
                day: Some(self.context.device_zone.to_datetime(ts).date()),
                relayed: channel == Some("bluetooth"),
            },
            _ => Sample::default(),
        };
        let last = &mut self.last[kind as usize];
        match last {
            Some(last) if last.raw == raw && last.sample == sample => {}
            _ => {
                let document = document(kind, raw, sample, self.context).map(Arc::new);
                *last = Some(Last { raw: raw.to_owned(), sample, document });
            }
        }
        last.as_ref().and_then(|last| last.document.clone())
    }
}

fn document(kind: DocumentKind, raw: &str, sample: Sample, context: &Context) -> Option<Document> {
    let text = JsonValue::from_raw(raw)?.document(raw);
    let elements = elements(kind, &text, sample, context);
    (!elements.is_empty()).then(|| Document { kind, digest: digest(kind, &text, sample.day), elements })
}

fn elements(kind: DocumentKind, text: &str, sample: Sample, context: &Context) -> Vec<Element> {
    if kind == DocumentKind::ScientificSleep {
        return vec![kept(KeptReason::ShapeUnknown, None, text)];
    }
    let mut elements = Vec::new();
    let opened = envelope::open(text, &mut |element| {
        let read = match kind {
            DocumentKind::Sleep => sleep::read(element, context).map(|read| read.map(Element::Sleep)),
            DocumentKind::Workout => workout::read(element, context).map(|read| read.map(Element::Workout)),
            _ => exercise::read(element, sample, context).map(|read| read.map(Element::Exercise)),
        };
        match read {
            Ok(read) => elements.extend(read),
            Err(detail) => elements.push(kept(KeptReason::BadElement, Some(detail), element)),
        }
    });
    match opened {
        Ok(()) => {}
        Err(EnvelopeError::Unreadable(detail)) => {
            return vec![kept(KeptReason::Unreadable, Some(detail), text)];
        }
        Err(EnvelopeError::TooMany(detail)) => {
            return vec![kept(KeptReason::TooManyElements, Some(detail), text)];
        }
    }
    let all_are_bad = elements.iter().all(|element| matches!(element, Element::Kept(_)));
    match elements.first() {
        // It is of another shape altogether; one row of all of it says more than one of every part.
        Some(Element::Kept(first)) if all_are_bad => {
            vec![kept(KeptReason::Unreadable, first.detail.clone(), text)]
        }
        _ => elements,
    }
}

fn kept(reason: KeptReason, detail: Option<String>, text: &str) -> Element {
    Element::Kept(KeptDocument { reason, detail, body: text.to_owned() })
}

fn digest(kind: DocumentKind, text: &str, day: Option<Date>) -> u128 {
    let mut hasher = SipHasher13::new();
    (kind, day, text).hash(&mut hasher);
    hasher.finish128().as_u128()
}

/// The content of `raw`, if it is a JSON string, else `raw`.
fn unquoted(raw: &str) -> Option<Cow<'_, str>> {
    match JsonValue::from_raw(raw)? {
        JsonValue::Text(text) => Some(text),
        _ => Some(Cow::Borrowed(raw)),
    }
}

/// Is this object one without any fields?
fn is_empty(object: &str) -> bool {
    object
        .trim_start_matches(JSON_SPACE)
        .get(1..)
        .is_some_and(|rest| rest.trim_start_matches(JSON_SPACE).starts_with('}'))
}
