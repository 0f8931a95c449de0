//! Nested documents: from the text inside a sample to elements that are rows.
//!
//! Before: `fields` has the text. After: `item` puts the document into the reading.
//! Promise: whatever the text is, each part of it becomes an element or is kept as sent. Only a text that means "no data" is
//! dropped. A text that samples of one upload repeat is read once.
//!
//! ```text
//!  text ─▶ envelope   wrappers removed, a missing comma inserted
//!            └▶ sleep | exercise | workout   an element → its values      (element_fields: names → values)
//! ```

mod element_fields;
mod envelope;
mod exercise;
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

/// A longer text is never a placeholder, unless it holds "-1".
const MAX_EMPTY_BYTES: usize = 32;

/// Does `raw`, a JSON value, hold a document? It holds none if it is null, blank, `"null"`, or an envelope with the code −1.
pub(super) fn has_content(raw: &str) -> bool {
    // Nearly all documents are longer than any placeholder.
    if raw.len() > MAX_EMPTY_BYTES && raw.starts_with('"') && !raw.contains("-1") {
        return true;
    }
    match JsonValue::from_raw(raw) {
        Some(value) => !envelope::is_none_envelope(&value.document(raw)),
        None => false,
    }
}

/// Reads the documents of one upload.
#[derive(Debug)]
pub(super) struct DocumentReader<'c> {
    context: &'c Context,
    /// The document read last, by kind.
    last: [Option<PreviousDocument>; DocumentKind::COUNT],
}

#[derive(Debug)]
struct PreviousDocument {
    raw: String,
    sample: SampleContext,
    document: Option<Arc<Document>>,
}

/// What a document needs to know about its sample.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct SampleContext {
    /// The day of an element without a day.
    day: Option<Date>,
    /// A phone sent it. The app writes zeros where the watch sent nothing.
    from_phone: bool,
}

impl<'c> DocumentReader<'c> {
    /// Nothing read yet.
    pub(super) fn new(context: &'c Context) -> Self {
        Self { context, last: Default::default() }
    }

    /// The document in `raw`, a JSON value of a sample that was taken at `ts` and sent by `channel`. `None`: it is empty.
    pub(super) fn read(
        &mut self,
        kind: DocumentKind,
        raw: &str,
        ts: Timestamp,
        channel: Option<&str>,
    ) -> Option<Arc<Document>> {
        // Only exercise of the day depends on the sample.
        let sample = match kind {
            DocumentKind::ExerciseDaily => SampleContext {
                day: Some(self.context.device_zone.to_datetime(ts).date()),
                from_phone: channel == Some("bluetooth"),
            },
            _ => SampleContext::default(),
        };
        let last = &mut self.last[kind as usize];
        match last {
            Some(last) if last.raw == raw && last.sample == sample => {}
            _ => {
                let document = document(kind, raw, sample, self.context).map(Arc::new);
                *last = Some(PreviousDocument { raw: raw.to_owned(), sample, document });
            }
        }
        last.as_ref().and_then(|last| last.document.clone())
    }
}

fn document(kind: DocumentKind, raw: &str, sample: SampleContext, context: &Context) -> Option<Document> {
    let text = JsonValue::from_raw(raw)?.document(raw);
    let elements = elements(kind, &text, sample, context);
    (!elements.is_empty()).then(|| Document { kind, digest: digest(kind, &text, sample.day), elements })
}

fn elements(kind: DocumentKind, text: &str, sample: SampleContext, context: &Context) -> Vec<Element> {
    if kind == DocumentKind::ScientificSleep {
        return vec![kept_element(KeptReason::ShapeUnknown, None, text)];
    }
    let mut elements = Vec::new();
    let outcome = envelope::read_elements(text, &mut |element| {
        let read = match kind {
            DocumentKind::Sleep => sleep::read(element, context).map(|read| read.map(Element::Sleep)),
            DocumentKind::Workout => workout::read(element, context).map(|read| read.map(Element::Workout)),
            _ => exercise::read(element, sample, context).map(|read| read.map(Element::Exercise)),
        };
        match read {
            Ok(read) => elements.extend(read),
            Err(detail) => elements.push(kept_element(KeptReason::BadElement, Some(detail), element)),
        }
    });
    match outcome {
        Ok(()) => {}
        Err(EnvelopeError::Unreadable(detail)) => {
            return vec![kept_element(KeptReason::Unreadable, Some(detail), text)];
        }
        Err(EnvelopeError::TooMany(detail)) => {
            return vec![kept_element(KeptReason::TooManyElements, Some(detail), text)];
        }
    }
    let all_are_bad = elements.iter().all(|element| matches!(element, Element::Kept(_)));
    match elements.first() {
        // The whole document has an unknown shape: one row of it is more useful than a row for each part.
        Some(Element::Kept(first)) if all_are_bad => {
            vec![kept_element(KeptReason::Unreadable, first.detail.clone(), text)]
        }
        _ => elements,
    }
}

fn kept_element(reason: KeptReason, detail: Option<String>, text: &str) -> Element {
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
