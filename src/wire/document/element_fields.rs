//! The fields of an element, by the names of its kind.
//!
//! Before: `envelope` has the text of an element. After: `sleep`, `exercise`, `workout` make their rows of it.
//! Promise: a value is read exactly, or the element is refused with a text that repeats nothing of it. Upper and lower case of names
//! do not matter. Other names are no error.

use std::borrow::Cow;
use std::ops::RangeInclusive;

use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;

use super::{is_empty, unquoted};
use crate::wire::number::Number;
use crate::wire::object::{self, Member};
use crate::wire::value::JsonValue;
use crate::wire::{Context, time};

/// How far an element may be ahead of the time of receipt, as for samples.
const MAX_AHEAD: SignedDuration = SignedDuration::from_hours(24);

/// The values of an element, in the order of the names asked for.
pub(super) struct ElementFields<'a, const N: usize> {
    names: [&'static str; N],
    values: [Option<JsonValue<'a>>; N],
    is_empty: bool,
}

impl<'a, const N: usize> ElementFields<'a, N> {
    /// Reads an element, which is an object.
    pub(super) fn read(text: &'a str, names: [&'static str; N]) -> Result<Self, String> {
        let mut values = [const { None }; N];
        let index = |name: &[u8]| names.iter().position(|known| known.as_bytes().eq_ignore_ascii_case(name));
        object::read(text, index, |member| {
            if let Member::Known(index, raw) = member {
                values[index] = JsonValue::from_raw(raw);
            }
        })
        .map_err(|_| "the element is no object".to_owned())?;
        Ok(Self { names, values, is_empty: is_empty(text) })
    }

    /// Has it no field at all?
    pub(super) const fn is_empty(&self) -> bool {
        self.is_empty
    }

    /// Was none of these sent?
    pub(super) fn lacks_all(&self, indices: &[usize]) -> bool {
        indices.iter().all(|index| self.values[*index].is_none())
    }

    /// A time; `None` when it is not sent.
    pub(super) fn time(&self, index: usize, context: &Context) -> Result<Option<Timestamp>, String> {
        let Some(value) = &self.values[index] else { return Ok(None) };
        let name = self.names[index];
        let time = time::read(value, context).ok_or_else(|| format!("{name} is no time"))?;
        let latest = context.received_at.saturating_add(MAX_AHEAD).unwrap_or(Timestamp::MAX);
        if time.as_second() < time::MIN_PLAUSIBLE_SECOND || time > latest {
            return Err(format!("{name} is before 2010 or more than 24 h ahead of the time of receipt"));
        }
        Ok(Some(time))
    }

    /// Start and end, the end after the start by no more than `longest`.
    pub(super) fn span(
        &self,
        [start, end]: [usize; 2],
        longest: SignedDuration,
        context: &Context,
    ) -> Result<(Timestamp, Timestamp), String> {
        let required = |index: usize| {
            self.time(index, context)?.ok_or_else(|| format!("{} is missing", self.names[index]))
        };
        let (from, to) = (required(start)?, required(end)?);
        if from >= to {
            return Err(format!("{} is not after {}", self.names[end], self.names[start]));
        }
        if to.duration_since(from) > longest {
            return Err(format!("it is longer than {} h", longest.as_hours()));
        }
        Ok((from, to))
    }

    /// A code; `None` when it is not sent.
    pub(super) fn code(&self, index: usize) -> Result<Option<i32>, String> {
        let Some(value) = &self.values[index] else { return Ok(None) };
        let code = value.number().ok().and_then(Number::whole).and_then(|code| i32::try_from(code).ok());
        code.map(Some).ok_or_else(|| format!("{} is no whole number of 32 bits", self.names[index]))
    }

    /// A quantity within `range`, decimals as sent; `None` when it is not sent.
    pub(super) fn quantity(
        &self,
        index: usize,
        range: &RangeInclusive<i32>,
    ) -> Result<Option<Number>, String> {
        let Some(value) = &self.values[index] else { return Ok(None) };
        let name = self.names[index];
        match value.number() {
            Ok(number) if number.is_in(range) => Ok(Some(number)),
            Ok(_) => Err(format!("{name} is outside {} to {}", range.start(), range.end())),
            Err(_) => Err(format!("{name} is no number")),
        }
    }

    /// As [`ElementFields::quantity`], as a decimal.
    pub(super) fn decimal(
        &self,
        index: usize,
        range: &RangeInclusive<i32>,
    ) -> Result<Option<Decimal>, String> {
        Ok(self.quantity(index, range)?.map(Number::decimal))
    }

    /// A short text or the digits of a number; `None` when it is not sent.
    pub(super) fn label(&self, index: usize) -> Result<Option<String>, String> {
        let Some(value) = &self.values[index] else { return Ok(None) };
        let label = value.serial().map(str::to_owned);
        label.map(Some).ok_or_else(|| format!("{} is not text of 1 to 64 bytes", self.names[index]))
    }
}

/// The text of an element, which may be sent as a JSON string.
pub(super) fn element_text(raw: &str) -> Cow<'_, str> {
    unquoted(raw).unwrap_or(Cow::Borrowed(raw))
}
