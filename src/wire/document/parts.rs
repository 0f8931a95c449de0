//! What an element holds under the names of its kind, as values.
//!
//! Before: `envelope` has the text of an element. After: `sleep`, `exercise`, `workout` make their rows of it.
//! Promise: a value is taken exactly or the element is refused, with words that repeat nothing of it. Names are read in
//! either case; a name that is not asked for is no error.

use std::borrow::Cow;
use std::ops::RangeInclusive;

use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;

use super::{is_empty, unquoted};
use crate::wire::number::Number;
use crate::wire::object::{self, Member};
use crate::wire::value::JsonValue;
use crate::wire::{Context, time};

/// Farthest an element may lie ahead of the time of receipt, as for samples.
const MAX_AHEAD: SignedDuration = SignedDuration::from_hours(24);

/// The values of an element, in the order of the names asked for.
pub(super) struct Parts<'a, const N: usize> {
    names: [&'static str; N],
    held: [Option<JsonValue<'a>>; N],
    is_empty: bool,
}

impl<'a, const N: usize> Parts<'a, N> {
    /// Reads an element, which is an object.
    pub(super) fn read(text: &'a str, names: [&'static str; N]) -> Result<Self, String> {
        let mut held = [const { None }; N];
        let place = |name: &[u8]| names.iter().position(|known| known.as_bytes().eq_ignore_ascii_case(name));
        object::read(text, place, |member| {
            if let Member::Known(place, raw) = member {
                held[place] = JsonValue::from_raw(raw);
            }
        })
        .map_err(|_| "the element is no object".to_owned())?;
        Ok(Self { names, held, is_empty: is_empty(text) })
    }

    /// Does it hold no field at all?
    pub(super) const fn is_empty(&self) -> bool {
        self.is_empty
    }

    /// Is something sent for none of these?
    pub(super) fn lack(&self, places: &[usize]) -> bool {
        places.iter().all(|place| self.held[*place].is_none())
    }

    /// A time; `None` when it is not sent.
    pub(super) fn time(&self, place: usize, context: &Context) -> Result<Option<Timestamp>, String> {
        let Some(held) = &self.held[place] else { return Ok(None) };
        let name = self.names[place];
        let time = time::read(held, context).ok_or_else(|| format!("{name} is no time"))?;
        let latest = context.received_at.saturating_add(MAX_AHEAD).unwrap_or(Timestamp::MAX);
        if time.as_second() < time::EARLIEST_SECOND || time > latest {
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
        let there = |place: usize| {
            self.time(place, context)?.ok_or_else(|| format!("{} is missing", self.names[place]))
        };
        let (from, to) = (there(start)?, there(end)?);
        if from >= to {
            return Err(format!("{} is not after {}", self.names[end], self.names[start]));
        }
        if to.duration_since(from) > longest {
            return Err(format!("it is longer than {} h", longest.as_hours()));
        }
        Ok((from, to))
    }

    /// A code; `None` when it is not sent.
    pub(super) fn code(&self, place: usize) -> Result<Option<i32>, String> {
        let Some(held) = &self.held[place] else { return Ok(None) };
        let code = held.number().ok().and_then(Number::whole).and_then(|code| i32::try_from(code).ok());
        code.map(Some).ok_or_else(|| format!("{} is no whole number of 32 bits", self.names[place]))
    }

    /// A quantity within `range`, decimals as sent; `None` when it is not sent.
    pub(super) fn quantity(
        &self,
        place: usize,
        range: &RangeInclusive<i32>,
    ) -> Result<Option<Number>, String> {
        let Some(held) = &self.held[place] else { return Ok(None) };
        let name = self.names[place];
        match held.number() {
            Ok(number) if number.is_in(range) => Ok(Some(number)),
            Ok(_) => Err(format!("{name} is outside {} to {}", range.start(), range.end())),
            Err(_) => Err(format!("{name} is no number")),
        }
    }

    /// As [`Parts::quantity`], as a decimal.
    pub(super) fn decimal(
        &self,
        place: usize,
        range: &RangeInclusive<i32>,
    ) -> Result<Option<Decimal>, String> {
        Ok(self.quantity(place, range)?.map(Number::decimal))
    }

    /// A short text or the digits of a number; `None` when it is not sent.
    pub(super) fn label(&self, place: usize) -> Result<Option<String>, String> {
        let Some(held) = &self.held[place] else { return Ok(None) };
        let label = held.serial().map(str::to_owned);
        label.map(Some).ok_or_else(|| format!("{} is not text of 1 to 64 bytes", self.names[place]))
    }
}

/// The element itself, where it was sent as JSON text once more.
pub(super) fn element(raw: &str) -> Cow<'_, str> {
    unquoted(raw).unwrap_or(Cow::Borrowed(raw))
}
