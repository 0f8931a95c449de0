//! Why a record is refused, in words for its sender: the field as it was sent, and the limit.
//!
//! Before: `item`, `device_info` and `event` read a record that cannot be stored. After: the refusal is part of a reject.
//! Promise: the text has a bounded length.

use std::borrow::Cow;
use std::ops::RangeInclusive;

use rust_decimal::Decimal;

use super::fields::Slot;
use super::number::Number;
use super::value::JsonValue;
use crate::model::reading::MAX_SERIAL_BYTES;
use crate::model::{NameKind, Refusal, RejectReason, UnknownNames};

/// Most unknown names that the text of a refusal lists.
const MAX_NAMES_REPORTED: usize = 10;

/// Why a record is refused.
#[derive(Debug)]
pub(super) struct RecordRefusal {
    /// The kind.
    pub(super) reason: RejectReason,
    /// What exactly, for a person.
    pub(super) detail: String,
}

impl RecordRefusal {
    pub(super) const fn new(reason: RejectReason, detail: String) -> Self {
        Self { reason, detail }
    }

    /// The record is no JSON object.
    pub(super) fn not_an_object() -> Self {
        Self::new(RejectReason::NotAnObject, "the record is not a JSON object".to_owned())
    }

    /// The refusal of the record that is number `index` of its upload, from 0.
    pub(super) fn of_record(self, index: u32) -> Refusal {
        Refusal { index, reason: self.reason, detail: self.detail }
    }
}

/// The refusal of a record without a serial. `slot` holds what the record has under one of `names`.
pub(super) fn no_serial(slot: &Slot<JsonValue<'_>>, names: &[&'static str]) -> RecordRefusal {
    let name = slot.name_in(names);
    match slot.get() {
        None => RecordRefusal::new(RejectReason::NoSerial, format!("{name} is missing")),
        Some(JsonValue::Text(text)) if text.trim().len() > MAX_SERIAL_BYTES => {
            let bytes = text.trim().len();
            let detail = format!("{name} has {bytes} bytes, and may have {MAX_SERIAL_BYTES}");
            RecordRefusal::new(RejectReason::BadSerial, detail)
        }
        Some(JsonValue::Text(_)) => {
            RecordRefusal::new(RejectReason::BadSerial, format!("{name} holds a control character"))
        }
        Some(_) => {
            let detail =
                format!("{name} is neither text nor a whole number of up to {MAX_SERIAL_BYTES} digits");
            RecordRefusal::new(RejectReason::BadSerial, detail)
        }
    }
}

/// The refusal of a record that names no value. A misspelled name would be a row without a value.
pub(super) fn nothing_known(unknown: &[Cow<'_, [u8]>]) -> RecordRefusal {
    let mut names = UnknownNames::default();
    for name in unknown.iter().take(MAX_NAMES_REPORTED) {
        names.add(NameKind::Sample, name, None);
    }
    let names: Vec<&str> = names.iter().map(|unknown| unknown.name.as_str()).collect();
    let detail = if names.is_empty() {
        "no field with a value".to_owned()
    } else {
        format!("no field with a known name, only {}", names.join(", "))
    };
    RecordRefusal::new(RejectReason::NothingKnown, detail)
}

/// The text of a refusal: `number`, which was sent as `name`, is outside `range`.
pub(super) fn out_of_range(name: &str, number: Number, range: &RangeInclusive<i32>) -> String {
    let sent = number.decimal();
    if sent > Decimal::from(*range.end()) {
        format!("{name} {sent} is over {}", range.end())
    } else {
        format!("{name} {sent} is under {}", range.start())
    }
}

pub(super) fn refuse<T>(reason: RejectReason, detail: String) -> Result<T, RecordRefusal> {
    Err(RecordRefusal::new(reason, detail))
}
