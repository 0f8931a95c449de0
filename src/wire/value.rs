//! A JSON value by its text: none, text, a number, or something else.
//!
//! Before: `fields` hands over the raw text of a value. After: `item` and `time` ask for what they need.
//! Promise: `null`, `""`, white space and `"null"` are no value. Everything else is kept as sent, borrowed where possible.

use std::borrow::Cow;

use super::number::{Number, NumberFault};
use crate::model::reading::MAX_SERIAL_BYTES;

/// A value that is not a placeholder.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum JsonValue<'a> {
    /// The content of a string, escapes undone.
    Text(Cow<'a, str>),
    /// A string whose escapes are no characters (half a surrogate pair), as it stands in the document.
    InvalidText(&'a str),
    /// The digits of a number.
    Number(&'a str),
    /// `true` or `false`.
    Bool(&'a str),
    /// An array, as it stands in the document.
    Array(&'a str),
    /// An object, as it stands in the document.
    Object(&'a str),
}

impl<'a> JsonValue<'a> {
    /// `raw` is one JSON value without white space around it, known to be valid.
    pub(super) fn from_raw(raw: &'a str) -> Option<Self> {
        match raw.as_bytes() {
            [b'"', inner @ .., b'"'] => {
                if inner.contains(&b'\\') {
                    return match serde_json::from_str::<String>(raw) {
                        Ok(text) => (!is_placeholder(&text)).then_some(Self::Text(Cow::Owned(text))),
                        Err(_) => Some(Self::InvalidText(raw)),
                    };
                }
                let text = &raw[1..raw.len() - 1];
                (!is_placeholder(text)).then_some(Self::Text(Cow::Borrowed(text)))
            }
            [b'n', ..] => None,
            [b't' | b'f', ..] => Some(Self::Bool(raw)),
            [b'[', ..] => Some(Self::Array(raw)),
            [b'{', ..] => Some(Self::Object(raw)),
            _ => Some(Self::Number(raw)),
        }
    }

    /// As a number; text counts when it is one.
    pub(super) fn number(&self) -> Result<Number, NumberFault> {
        match self {
            Self::Text(text) => Number::read(text.trim()),
            Self::Number(digits) => Number::read(digits),
            _ => Err(NumberFault::NotANumber),
        }
    }

    /// As a tenant, organisation unit or wearer.
    pub(super) fn id(&self) -> Id {
        let digits = match self {
            Self::Text(text) => text.trim(),
            Self::Number(digits) => digits,
            _ => return Id::Unreadable,
        };
        // Not through a float: 19 digits are more than 2^53.
        match digits.parse::<i64>() {
            Ok(0) => Id::Unknown,
            Ok(id) => Id::Known(id),
            Err(_) => Id::Unreadable,
        }
    }

    /// As a serial, if it can be one; a number gives its digits.
    pub(super) fn serial(&self) -> Option<&str> {
        let serial = match self {
            Self::Text(text) => text.trim(),
            Self::Number(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => digits,
            _ => return None,
        };
        (serial.len() <= MAX_SERIAL_BYTES && !serial.chars().any(char::is_control)).then_some(serial)
    }

    /// As the way an upload came: at most [`MAX_METHOD_BYTES`], no control characters; `4g` is `esim`. `None`: it is neither text
    /// nor a number.
    pub(super) fn upload_method(&self) -> Option<String> {
        let sent = match self {
            Self::Text(text) => text.trim(),
            Self::Number(digits) => digits,
            _ => return None,
        };
        let sent = if sent.chars().any(char::is_control) {
            Cow::Owned(sent.chars().filter(|char| !char.is_control()).collect())
        } else {
            Cow::Borrowed(sent)
        };
        let kept = sent[..sent.floor_char_boundary(MAX_METHOD_BYTES)].trim();
        match kept {
            "" => None,
            "4g" | "4G" => Some("esim".to_owned()),
            kept => Some(kept.to_owned()),
        }
    }

    /// As text; a number or a boolean gives its own text. NUL is left out, because PostgreSQL text cannot hold it. `None`: it is an
    /// object, an array, or invalid text.
    pub(super) fn scalar_text(&self) -> Option<String> {
        match self {
            Self::Text(text) => Some(text.replace('\0', "").trim().to_owned()),
            Self::Number(text) | Self::Bool(text) => Some((*text).to_owned()),
            Self::InvalidText(_) | Self::Array(_) | Self::Object(_) => None,
        }
    }

    /// As a nested document: the content of a string, anything else as it stands. PostgreSQL text can hold neither NUL nor half a
    /// surrogate pair. A string with one of them is kept with its quotes and escapes, so that nothing is lost.
    pub(super) fn document(self, raw: &'a str) -> Cow<'a, str> {
        match self {
            Self::Text(text) if text.contains('\0') => Cow::Borrowed(raw),
            Self::Text(text) => text,
            _ => Cow::Borrowed(raw),
        }
    }

    /// As the sender's own id of a batch.
    pub(super) fn label(&self) -> Option<String> {
        match self {
            Self::Text(text) => Some(text.to_string()),
            Self::Number(digits) => Some((*digits).to_owned()),
            _ => None,
        }
    }
}

/// Longest way of upload that is kept, bytes of UTF-8.
const MAX_METHOD_BYTES: usize = 32;

/// The id of a tenant, organisation unit or wearer in a document.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Id {
    /// Not sent, or `0`.
    #[default]
    Unknown,
    /// With all its digits.
    Known(i64),
    /// Not a 64-bit number.
    Unreadable,
}

impl Id {
    /// This one, or [`Id::Unknown`] if it cannot be read.
    pub(super) fn or_unknown(self) -> Self {
        if self == Self::Unreadable { Self::Unknown } else { self }
    }

    /// This one, or `other` if this one is unknown.
    pub(super) fn or(self, other: Self) -> Self {
        if self == Self::Unknown { other } else { self }
    }
}

/// Is this a text that devices send in place of a value?
fn is_placeholder(text: &str) -> bool {
    let text = text.trim();
    text.is_empty() || text.eq_ignore_ascii_case("null")
}
