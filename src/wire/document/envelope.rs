//! The envelope around the elements: `{"code":0,"data":[…],"name":…,"type":"history"}`, and what else occurs.
//!
//! Before: the text of a document. After: each element, as its text.
//! Promise: elements come in their order; after an error none of them counts.
//!
//! Also read: the envelope without a comma behind the code (`{"code":"0"data":[…`), `data` as an object or as JSON text,
//! the array or a lone element without an envelope, and all of it as JSON text once more.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserializer, Error, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::{is_empty, unquoted};
use crate::wire::JSON_SPACE;
use crate::wire::number::Number;
use crate::wire::object::{self, Member};
use crate::wire::value::JsonValue;

/// Most elements of one document. A night has some tens; a document with more than this is no watch's, and would be a
/// transaction of its own.
const MAX_ELEMENTS: usize = 1_000;

/// Most wrappers inside wrappers that are taken off.
const MAX_DEPTH: usize = 4;

/// Why no elements can be had. The text repeats nothing of the document.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum EnvelopeError {
    Unreadable(String),
    TooMany(String),
}

/// Gives each element of `text` to `take`.
pub(super) fn open(text: &str, take: &mut dyn FnMut(&str)) -> Result<(), EnvelopeError> {
    open_at(text, 0, take)
}

fn open_at(text: &str, depth: usize, take: &mut dyn FnMut(&str)) -> Result<(), EnvelopeError> {
    if depth > MAX_DEPTH {
        return unreadable("wrapped too often");
    }
    let text = text.trim_matches(JSON_SPACE);
    match text.as_bytes() {
        [b'[', ..] => array(text, take),
        [b'{', ..] => object(text, depth, take),
        [b'"', ..] if serde_json::from_str::<&RawValue>(text).is_ok() => match unquoted(text) {
            Some(Cow::Owned(inner)) => open_at(&inner, depth + 1, take),
            Some(Cow::Borrowed(inner)) if inner.len() < text.len() => open_at(inner, depth + 1, take),
            Some(_) => unreadable("text that stands for no characters"),
            None => Ok(()),
        },
        [] | b"null" => Ok(()),
        _ => unreadable("neither an object nor an array"),
    }
}

fn array(text: &str, take: &mut dyn FnMut(&str)) -> Result<(), EnvelopeError> {
    let mut json = serde_json::Deserializer::from_str(text);
    let mut elements = Elements { take, count: 0 };
    let read = json.deserialize_seq(&mut elements).and_then(|()| json.end());
    match read {
        _ if elements.count > MAX_ELEMENTS => {
            Err(EnvelopeError::TooMany(format!("more than {MAX_ELEMENTS} elements")))
        }
        Ok(()) => Ok(()),
        Err(error) => unreadable(&format!("not JSON: {error}")),
    }
}

fn object(text: &str, depth: usize, take: &mut dyn FnMut(&str)) -> Result<(), EnvelopeError> {
    let envelope = match Envelope::read(text) {
        Ok(envelope) => envelope,
        Err(error) => match repaired(text) {
            Some(repaired) => return open_at(&repaired, depth + 1, take),
            None => return unreadable(&format!("not JSON: {error}")),
        },
    };
    let code = envelope.code.and_then(number);
    if code == Some(-1) {
        return Ok(());
    }
    match (envelope.data, envelope.code) {
        (Some(data), _) => open_at(data, depth + 1, take),
        (None, Some(_)) if code == Some(0) => Ok(()),
        (None, Some(_)) => unreadable("an envelope without data"),
        (None, None) if is_empty(text) => Ok(()),
        (None, None) => {
            take(text);
            Ok(())
        }
    }
}

fn unreadable<T>(detail: &str) -> Result<T, EnvelopeError> {
    Err(EnvelopeError::Unreadable(detail.to_owned()))
}

/// Is `text` the envelope by which a watch says that it has no such document: code −1, as number or as text?
pub(super) fn is_none_text(text: &str) -> bool {
    // For most documents this is the end of it.
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
    JsonValue::from_raw(raw).and_then(|held| held.number().ok()).and_then(Number::whole)
}

/// `text` with the comma (and the quote behind it) that firmware leaves out behind the code.
fn repaired(text: &str) -> Option<String> {
    let after_name = text.trim_start().strip_prefix('{')?.trim_start().strip_prefix("\"code\"")?;
    let value = after_name.trim_start().strip_prefix(':')?;
    let value = value.trim_start();
    let end = match value.as_bytes() {
        [b'"', inner @ ..] => inner.iter().position(|byte| *byte == b'"')? + 2,
        _ => value.find(|char: char| !char.is_ascii_digit() && char != '-')?,
    };
    let (code, rest) = (&value[..end], value[end..].trim_start());
    let glue = match rest.as_bytes() {
        [b',' | b'}', ..] | [] => return None,
        [b'"', ..] => ",",
        _ => ",\"",
    };
    Some(format!("{{\"code\":{code}{glue}{rest}"))
}

/// What an object holds of an envelope, each as a JSON value.
#[derive(Default)]
struct Envelope<'a> {
    code: Option<&'a str>,
    data: Option<&'a str>,
}

impl<'a> Envelope<'a> {
    fn read(text: &'a str) -> serde_json::Result<Self> {
        let mut envelope = Self::default();
        let name = |name: &[u8]| match name {
            b"code" => Some(Name::Code),
            b"data" => Some(Name::Data),
            _ => None,
        };
        object::read(text, name, |member| match member {
            Member::Known(Name::Code, raw) => envelope.code = Some(raw),
            Member::Known(Name::Data, raw) => envelope.data = Some(raw),
            Member::Unknown(_) => {}
        })?;
        Ok(envelope)
    }
}

enum Name {
    Code,
    Data,
}

/// Hands elements over as they are met, so that an array of a million holds no memory.
struct Elements<'t> {
    take: &'t mut dyn FnMut(&str),
    count: usize,
}

impl<'de> Visitor<'de> for &mut Elements<'_> {
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
                (self.take)(element.get());
            }
        }
        Ok(())
    }
}
