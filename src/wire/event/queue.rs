//! A body that is not one event: the queue of a watch, which joins events with `|`, or a part of it.
//!
//! Before: `event` could not read the body as JSON of events. After: `event` has each event of it, and a reject for each part that
//! is none. Promise: every byte but the joints and white space is in an event or in a reject; a part that was torn off costs
//! the events beside it nothing.

use std::borrow::Cow;

use bytes::Bytes;
use serde_json::value::RawValue;

use super::{Gathering, RecordPosition};
use crate::wire::JSON_SPACE;
use crate::wire::gather::MAX_RECORDS;
use crate::wire::item::Inherited;
use crate::wire::records::{self, Reader};

/// What stands between two events.
const JOINT: char = '|';

/// Adds the events of `body` to `gathering`, and the rest as rejects.
pub(super) fn read(body: &Bytes, gathering: &mut Gathering<'_>) {
    let body = readable(body);
    let text = std::str::from_utf8(&body).unwrap_or_default();
    // Inside a wrapper, so to say: no event of it is the whole body.
    let place = RecordPosition { source: &body, inherited: &Inherited::default(), depth: 1 };
    let mut rest = skip(text);
    while !rest.is_empty() {
        if gathering.taken() >= MAX_RECORDS {
            // A body of nothing but separators and torn parts would take a hundred times its size.
            gathering.no_object(rest, place);
            return;
        }
        let length = whole_value(rest).unwrap_or_else(|| truncated_length(rest));
        let (part, behind) = rest.split_at(length);
        let part = part.trim_end_matches(JSON_SPACE);
        if !part.starts_with(['{', '[']) || records::walk(part, place, gathering).is_err() {
            gathering.no_object(part, place);
        }
        rest = skip(behind);
    }
}

/// What PostgreSQL can keep of it: a text that was cut may end inside a character, and holds NUL perhaps.
fn readable(body: &Bytes) -> Bytes {
    match String::from_utf8_lossy(body) {
        Cow::Borrowed(text) if !text.contains('\0') => body.clone(),
        text => Bytes::from(text.replace('\0', "\u{fffd}")),
    }
}

fn skip(text: &str) -> &str {
    text.trim_start_matches(|char| JSON_SPACE.contains(&char) || char == JOINT || char == '\u{feff}')
}

/// Bytes of the JSON value `text` begins with, if a joint or nothing follows it.
fn whole_value(text: &str) -> Option<usize> {
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<&RawValue>();
    values.next()?.ok()?;
    let length = values.byte_offset();
    let behind = text[length..].trim_start_matches(JSON_SPACE);
    (behind.is_empty() || behind.starts_with(JOINT)).then_some(length)
}

/// Bytes of a part that is no JSON: up to where the next event seems to begin.
fn truncated_length(text: &str) -> usize {
    let joints = text.match_indices(JOINT).map(|(at, _)| at);
    let begins = |at: &usize| text[at + JOINT.len_utf8()..].trim_start_matches(JSON_SPACE).starts_with('{');
    joints.into_iter().find(begins).unwrap_or(text.len())
}
