//! The time of a sample, in every form devices write it, to the microsecond PostgreSQL keeps.
//!
//! Before: `fields` has the value. After: `item` puts the instant into the reading.
//! Promise: an instant is exactly that of the text, or the record is refused. A time without a zone is in the device zone. Where
//! the clock of that zone skips an hour, a time in the skipped hour is read with the offset from before the change. Where the
//! clock repeats an hour, the text stands for two instants: the later one is taken unless it is more than
//! [`CLOCK_AHEAD_SECONDS`] after the receipt.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::fmt::temporal::Pieces;
use jiff::tz::AmbiguousOffset;

use super::Context;
use super::number::Number;
use super::refusal::{RecordRefusal, refuse};
use super::value::JsonValue;
use crate::model::RejectReason;

/// How far the time of a record may be ahead of the time of receipt, seconds.
const MAX_AHEAD_SECONDS: i64 = 24 * 60 * 60;

/// How far the clock of a device may run ahead and still count as correct, seconds.
const CLOCK_AHEAD_SECONDS: i64 = 5 * 60;

/// Epoch numbers up to this are seconds, larger ones milliseconds.
const MAX_EPOCH_SECOND: i128 = 9_999_999_999;

/// Earliest time of a record, epoch seconds: 2010-01-01. There were no such watches before; an earlier time comes from a clock that
/// was not set. Every day with a row is a chunk of the table.
pub(super) const MIN_PLAUSIBLE_SECOND: i64 = 1_262_304_000;

/// Start of the year 1, epoch seconds. Calendars disagree about the years before it.
const MIN_SECOND: i64 = -62_135_596_800;

/// The instant `value` names: `yyyy-MM-dd HH:mm:ss` in the zone of the devices (also with `T`, or fractions), RFC 3339, epoch
/// seconds or epoch milliseconds (a number or its digits). `None`: it names none.
pub(super) fn read(value: &JsonValue<'_>, context: &Context) -> Option<Timestamp> {
    let instant = match value {
        JsonValue::Number(digits) => epoch(digits)?,
        JsonValue::Text(text) => {
            let text = text.trim();
            if text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
                epoch(text)?
            } else {
                calendar(text, context)?
            }
        }
        _ => return None,
    };
    (instant.as_second() >= MIN_SECOND).then_some(instant)
}

/// Cuts off what PostgreSQL does not keep.
pub(super) fn to_microsecond(instant: Timestamp) -> Timestamp {
    // Only the last microsecond of jiff's range has no neighbour, and cutting never leads there.
    Timestamp::from_microsecond(instant.as_microsecond()).unwrap_or(instant)
}

/// Refuses an instant, which was sent as `name`, if it is too far ahead of the time of receipt, before [`MIN_PLAUSIBLE_SECOND`], or
/// older than raw readings are kept.
pub(super) fn check_range(instant: Timestamp, name: &str, context: &Context) -> Result<(), RecordRefusal> {
    let ahead = instant.as_microsecond() - context.received_at.as_microsecond();
    if ahead > MAX_AHEAD_SECONDS * 1_000_000 {
        let detail = format!("{name} is more than 24 h ahead of the time of receipt");
        return refuse(RejectReason::Future, detail);
    }
    if instant.as_second() < MIN_PLAUSIBLE_SECOND {
        return refuse(RejectReason::TooOld, format!("{name} is before 2010: the clock was not set"));
    }
    match context.oldest {
        Some(oldest) if instant < oldest => refuse(
            RejectReason::TooOld,
            format!("{name} is older than raw readings are kept, which is since {oldest}"),
        ),
        _ => Ok(()),
    }
}

/// 0 and less are no time: a device whose clock was not set sends them.
fn epoch(text: &str) -> Option<Timestamp> {
    let number = Number::read(text).ok()?;
    let microseconds = if number.scaled(0) <= MAX_EPOCH_SECOND { number.scaled(6) } else { number.scaled(3) };
    if microseconds <= 0 {
        return None;
    }
    Timestamp::from_microsecond(i64::try_from(microseconds).ok()?).ok()
}

fn calendar(text: &str, context: &Context) -> Option<Timestamp> {
    let pieces = Pieces::parse(text).ok()?;
    if pieces.time_zone_annotation().is_some() {
        return None;
    }
    let civil = pieces.date().to_datetime(pieces.time()?);
    let instant = match pieces.to_numeric_offset() {
        Some(offset) => offset.to_timestamp(civil),
        None => local(civil, context),
    };
    instant.ok().map(to_microsecond)
}

/// The instant at which clocks in the zone of the devices show `civil`.
fn local(civil: DateTime, context: &Context) -> Result<Timestamp, jiff::Error> {
    let ambiguous = context.device_zone.to_ambiguous_timestamp(civil);
    let AmbiguousOffset::Fold { before, after } = ambiguous.offset() else { return ambiguous.compatible() };
    let second = after.to_timestamp(civil)?;
    let ahead = second.as_second() - context.received_at.as_second();
    if ahead <= CLOCK_AHEAD_SECONDS { Ok(second) } else { before.to_timestamp(civil) }
}
