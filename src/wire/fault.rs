//! Why a record is refused, in words for its sender: the field as it was sent, and the limit.
//!
//! Before: `item`, `device_info` and `event` meet a fault. After: it is the reason and the detail of a reject.
//! Promise: a text of bounded length.

use std::borrow::Cow;
use std::ops::RangeInclusive;

use rust_decimal::Decimal;

use super::fields::Slot;
use super::number::Number;
use super::value::JsonValue;
use crate::model::reading::MAX_SERIAL_BYTES;
use crate::model::{NameKind, RejectReason, UnknownNames};

/// Most unknown names that the text of a refusal lists.
const MAX_NAMES_REPORTED: usize = 10;

/// Why a record is refused, and the text that tells it.
pub(super) type Fault = (RejectReason, String);

/// Why a record without a serial is refused; `slot`: what it names as one, under one of `names`.
pub(super) fn no_serial(slot: &Slot<JsonValue<'_>>, names: &[&'static str]) -> Fault {
    let name = slot.name_in(names);
    match slot.get() {
        None => (RejectReason::NoSerial, format!("{name} is missing")),
        Some(JsonValue::Text(text)) if text.trim().len() > MAX_SERIAL_BYTES => {
            let bytes = text.trim().len();
            let detail = format!("{name} has {bytes} bytes, and may have {MAX_SERIAL_BYTES}");
            (RejectReason::BadSerial, detail)
        }
        Some(JsonValue::Text(_)) => (RejectReason::BadSerial, format!("{name} holds a control character")),
        Some(_) => (
            RejectReason::BadSerial,
            format!("{name} is neither text nor a whole number of up to {MAX_SERIAL_BYTES} digits"),
        ),
    }
}

/// Why a record is refused that names no value: a misspelled name would be a row without a value.
pub(super) fn nothing_known(unknown: &[Cow<'_, [u8]>]) -> Fault {
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
    (RejectReason::NothingKnown, detail)
}

/// Which limit `number`, which was sent as `name`, is beyond.
pub(super) fn out_of_range(name: &str, number: Number, range: &RangeInclusive<i32>) -> String {
    let sent = number.decimal();
    if sent > Decimal::from(*range.end()) {
        format!("{name} {sent} is over {}", range.end())
    } else {
        format!("{name} {sent} is under {}", range.start())
    }
}

pub(super) fn refuse<T>(reason: RejectReason, detail: String) -> Result<T, Fault> {
    Err((reason, detail))
}
