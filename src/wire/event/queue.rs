//! A body that is not one event: the queue of a watch, which joins events with `|`, or a part of such a queue.
//!
//! Before: `event` could not read the body as JSON of events. After: `event` has each event of it, and a reject for each part that is no
//! event. Promise: every byte except separators and white space is in an event or in a reject. A truncated part does not affect the
//! events next to it.

use std::borrow::Cow;

use bytes::Bytes;
use serde_json::value::RawValue;

use super::{EventCollector, RecordPosition};
use crate::wire::JSON_SPACE;
use crate::wire::gather::MAX_RECORDS;
use crate::wire::item::Inherited;
use crate::wire::records::{self, RecordReader};

/// Character between two events.
const SEPARATOR: char = '|';

/// Adds the events of `body` to `collector`, and the rest as rejects.
pub(super) fn read(body: &Bytes, collector: &mut EventCollector<'_>) {
    let body = storable(body);
    let text = std::str::from_utf8(&body).unwrap_or_default();
    // Depth 1: no event of a queue is the whole body.
    let place = RecordPosition { source: &body, inherited: &Inherited::default(), depth: 1 };
    let mut rest = skip(text);
    while !rest.is_empty() {
        if collector.record_count() >= MAX_RECORDS {
            // A body of separators and truncated parts would take a hundred times its size in memory.
            collector.add_non_object(rest, place);
            return;
        }
        let length = complete_value_length(rest).unwrap_or_else(|| truncated_length(rest));
        let (part, behind) = rest.split_at(length);
        let part = part.trim_end_matches(JSON_SPACE);
        if !part.starts_with(['{', '[']) || records::walk(part, place, collector).is_err() {
            collector.add_non_object(part, place);
        }
        rest = skip(behind);
    }
}

/// The body as PostgreSQL can store it: truncated text may end inside a character, and text may hold NUL.
fn storable(body: &Bytes) -> Bytes {
    match String::from_utf8_lossy(body) {
        Cow::Borrowed(text) if !text.contains('\0') => body.clone(),
        text => Bytes::from(text.replace('\0', "\u{fffd}")),
    }
}

fn skip(text: &str) -> &str {
    text.trim_start_matches(|char| JSON_SPACE.contains(&char) || char == SEPARATOR || char == '\u{feff}')
}

/// Bytes of the JSON value that `text` begins with, if a separator or the end follows it.
fn complete_value_length(text: &str) -> Option<usize> {
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<&RawValue>();
    values.next()?.ok()?;
    let length = values.byte_offset();
    let behind = text[length..].trim_start_matches(JSON_SPACE);
    (behind.is_empty() || behind.starts_with(SEPARATOR)).then_some(length)
}

/// Bytes of a part that is no JSON: up to the separator before the next event.
fn truncated_length(text: &str) -> usize {
    let separators = text.match_indices(SEPARATOR).map(|(at, _)| at);
    let begins =
        |at: &usize| text[at + SEPARATOR.len_utf8()..].trim_start_matches(JSON_SPACE).starts_with('{');
    separators.into_iter().find(begins).unwrap_or(text.len())
}
