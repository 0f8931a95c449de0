//! The time of a sample, in every form devices write it, to the microsecond PostgreSQL keeps.
//!
//! Before: `fields` has the value. After: `item` puts the instant into the reading.
//! Promise: an instant is what the text says or it is refused; a time without a zone is one of the device zone. Where
//! that zone's clock skips an hour, a time in the skipped hour is read with the offset from before the change. Where the
//! clock repeats an hour, the text stands for two instants: the one that is nearest to the receipt and not after it is
//! meant, where "after" leaves a device's clock [`CLOCK_AHEAD_SECONDS`] to run ahead.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::fmt::temporal::Pieces;
use jiff::tz::AmbiguousOffset;

use super::Context;
use super::number::Number;
use super::value::JsonValue;
use crate::model::RejectReason;

/// Longest a device's clock may run ahead of ours, seconds.
const MAX_AHEAD_SECONDS: i64 = 24 * 60 * 60;

/// How far a device's clock may run ahead and still be taken for right, seconds.
const CLOCK_AHEAD_SECONDS: i64 = 5 * 60;

/// Epoch numbers up to this are seconds, larger ones milliseconds.
const LAST_EPOCH_SECOND: i128 = 9_999_999_999;

/// Earliest time a record may name, epoch seconds: 2010-01-01. Before it there were no such watches, only watches whose clock
/// had not been set; and every day named is a chunk of the table.
pub(super) const EARLIEST_SECOND: i64 = 1_262_304_000;

/// Start of the year 1, epoch seconds. Before it no calendar that stores our rows agrees with another.
const FIRST_SECOND: i64 = -62_135_596_800;

/// The instant `held` names: `yyyy-MM-dd HH:mm:ss` in the zone of the devices (also with `T`, or fractions), RFC 3339, epoch
/// seconds or epoch milliseconds (a number or its digits). `None`: it names none.
pub(super) fn read(held: &JsonValue<'_>, context: &Context) -> Option<Timestamp> {
    let instant = match held {
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
    (instant.as_second() >= FIRST_SECOND).then_some(instant)
}

/// Cuts off what PostgreSQL does not keep.
pub(super) fn to_microsecond(instant: Timestamp) -> Timestamp {
    // Only the last microsecond of jiff's range has no neighbour, and cutting never leads there.
    Timestamp::from_microsecond(instant.as_microsecond()).unwrap_or(instant)
}

/// Refuses an instant, which was sent as `name`, that is too far from the time of receipt, or before [`EARLIEST_SECOND`]
/// whatever is kept.
pub(super) fn check_range(
    instant: Timestamp,
    name: &str,
    context: &Context,
) -> Result<(), (RejectReason, String)> {
    let ahead = instant.as_microsecond() - context.received_at.as_microsecond();
    if ahead > MAX_AHEAD_SECONDS * 1_000_000 {
        return Err((RejectReason::Future, format!("{name} is more than 24 h ahead of the time of receipt")));
    }
    if instant.as_second() < EARLIEST_SECOND {
        return Err((RejectReason::TooOld, format!("{name} is before 2010: the clock was not set")));
    }
    match context.oldest {
        Some(oldest) if instant < oldest => Err((
            RejectReason::TooOld,
            format!("{name} is older than raw readings are kept, which is since {oldest}"),
        )),
        _ => Ok(()),
    }
}

/// 0 and less are how a device without a clock counts, and no time.
fn epoch(text: &str) -> Option<Timestamp> {
    let number = Number::read(text).ok()?;
    let microseconds =
        if number.scaled(0) <= LAST_EPOCH_SECOND { number.scaled(6) } else { number.scaled(3) };
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
