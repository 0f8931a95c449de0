//! The envelope around the elements of a document: `{"code":0,"data":[…],"name":…,"type":"history"}`, and its variants.
//!
//! Before: the text of a document. After: each element, as its text.
//! Promise: elements keep their order; after an error none of them counts.
//!
//! Variants: the envelope without a comma after the code (`{"code":"0"data":[…`), `data` as an object or as a JSON string, the
//! array or a single element without an envelope, and any of these as a JSON string.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserializer, Error, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::{is_empty, unquoted};
use crate::wire::JSON_SPACE;
use crate::wire::number::Number;
use crate::wire::object::{self, Member};
use crate::wire::value::JsonValue;

/// Most elements of one document. A night has some tens. No watch sends more than this, and the rows would fill a transaction.
const MAX_ELEMENTS: usize = 1_000;

/// Most wrappers inside wrappers that are removed.
const MAX_DEPTH: usize = 4;

/// Why no elements can be read. The text repeats nothing of the document.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum EnvelopeError {
    Unreadable(String),
    TooMany(String),
}

/// Gives each element of `text` to `on_element`.
pub(super) fn read_elements(text: &str, on_element: &mut dyn FnMut(&str)) -> Result<(), EnvelopeError> {
    read_at_depth(text, 0, on_element)
}

fn read_at_depth(text: &str, depth: usize, on_element: &mut dyn FnMut(&str)) -> Result<(), EnvelopeError> {
    if depth > MAX_DEPTH {
        return unreadable("wrapped too often");
    }
    let text = text.trim_matches(JSON_SPACE);
    match text.as_bytes() {
        [b'[', ..] => array(text, on_element),
        [b'{', ..] => object(text, depth, on_element),
        [b'"', ..] if serde_json::from_str::<&RawValue>(text).is_ok() => match unquoted(text) {
            Some(Cow::Owned(inner)) => read_at_depth(&inner, depth + 1, on_element),
            Some(Cow::Borrowed(inner)) if inner.len() < text.len() => {
                read_at_depth(inner, depth + 1, on_element)
            }
            Some(_) => unreadable("text that stands for no characters"),
            None => Ok(()),
        },
        [] | b"null" => Ok(()),
        _ => unreadable("neither an object nor an array"),
    }
}

fn array(text: &str, on_element: &mut dyn FnMut(&str)) -> Result<(), EnvelopeError> {
    let mut json = serde_json::Deserializer::from_str(text);
    let mut elements = ElementVisitor { on_element, count: 0 };
    let read = json.deserialize_seq(&mut elements).and_then(|()| json.end());
    match read {
        _ if elements.count > MAX_ELEMENTS => {
            Err(EnvelopeError::TooMany(format!("more than {MAX_ELEMENTS} elements")))
        }
        Ok(()) => Ok(()),
        Err(error) => unreadable(&format!("not JSON: {error}")),
    }
}

fn object(text: &str, depth: usize, on_element: &mut dyn FnMut(&str)) -> Result<(), EnvelopeError> {
    let envelope = match Envelope::read(text) {
        Ok(envelope) => envelope,
        Err(error) => match repaired(text) {
            Some(repaired) => return read_at_depth(&repaired, depth + 1, on_element),
            None => return unreadable(&format!("not JSON: {error}")),
        },
    };
    let code = envelope.code.and_then(number);
    if code == Some(-1) {
        return Ok(());
    }
    match (envelope.data, envelope.code) {
        (Some(data), _) => read_at_depth(data, depth + 1, on_element),
        (None, Some(_)) if code == Some(0) => Ok(()),
        (None, Some(_)) => unreadable("an envelope without data"),
        (None, None) if is_empty(text) => Ok(()),
        (None, None) => {
            on_element(text);
            Ok(())
        }
    }
}

fn unreadable<T>(detail: &str) -> Result<T, EnvelopeError> {
    Err(EnvelopeError::Unreadable(detail.to_owned()))
}

/// Is `text` the envelope by which a watch says that it has no such document: code −1, as number or as text?
pub(super) fn is_none_envelope(text: &str) -> bool {
    // Most documents return here.
    if !text.contains("-1") || !text.trim_start().starts_with('{') {
        return false;
    }
    let is_none =
        |text: &str| Envelope::read(text).map(|envelope| envelope.code.and_then(number) == Some(-1));
    is_none(text)
        .or_else(|error| repaired(text).map_or(Err(error), |repaired| is_none(&repaired)))
        .unwrap_or(false)
}

/// The number in a JSON value, if it is a whole one.
fn number(raw: &str) -> Option<i64> {
    JsonValue::from_raw(raw).and_then(|value| value.number().ok()).and_then(Number::whole)
}

/// `text` with the comma (and the quote after it) that firmware leaves out after the code.
fn repaired(text: &str) -> Option<String> {
    let after_name = text.trim_start().strip_prefix('{')?.trim_start().strip_prefix("\"code\"")?;
    let value = after_name.trim_start().strip_prefix(':')?;
    let value = value.trim_start();
    let end = match value.as_bytes() {
        [b'"', inner @ ..] => inner.iter().position(|byte| *byte == b'"')? + 2,
        _ => value.find(|char: char| !char.is_ascii_digit() && char != '-')?,
    };
    let (code, rest) = (&value[..end], value[end..].trim_start());
    let inserted = match rest.as_bytes() {
        [b',' | b'}', ..] | [] => return None,
        [b'"', ..] => ",",
        _ => ",\"",
    };
    Some(format!("{{\"code\":{code}{inserted}{rest}"))
}

/// The fields of an envelope, each as a JSON value.
#[derive(Default)]
struct Envelope<'a> {
    code: Option<&'a str>,
    data: Option<&'a str>,
}

impl<'a> Envelope<'a> {
    fn read(text: &'a str) -> serde_json::Result<Self> {
        let mut envelope = Self::default();
        let name = |name: &[u8]| match name {
            b"code" => Some(EnvelopeField::Code),
            b"data" => Some(EnvelopeField::Data),
            _ => None,
        };
        object::read(text, name, |member| match member {
            Member::Known(EnvelopeField::Code, raw) => envelope.code = Some(raw),
            Member::Known(EnvelopeField::Data, raw) => envelope.data = Some(raw),
            Member::Unknown(_) => {}
        })?;
        Ok(envelope)
    }
}

enum EnvelopeField {
    Code,
    Data,
}

/// Passes each element on as it is read, so that an array of a million takes no memory.
struct ElementVisitor<'t> {
    on_element: &'t mut dyn FnMut(&str),
    count: usize,
}

impl<'de> Visitor<'de> for &mut ElementVisitor<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<(), A::Error> {
        while let Some(element) = array.next_element::<&RawValue>()? {
            self.count += 1;
            if self.count > MAX_ELEMENTS {
                return Err(A::Error::custom("too many elements"));
            }
            if element.get() != "null" {
                (self.on_element)(element.get());
            }
        }
        Ok(())
    }
}
