//! The time of a sample, in every form devices write it, to the microsecond PostgreSQL keeps.
//!
//! Before: `fields` has the value. After: `item` puts the instant into the reading.
//! Promise: an instant is what the text says or it is refused; a time without a zone is one of the device zone. Where
//! that zone's clock skips an hour, a time in the skipped hour is read with the offset from before the change; where the
//! clock repeats an hour, the first of the two is meant (jiff's "compatible" rule, as in RFC 5545).

use jiff::Timestamp;
use jiff::fmt::temporal::Pieces;
use jiff::tz::TimeZone;

use super::Context;
use super::number::Number;
use super::value::Held;
use crate::model::RejectReason;

/// Longest a device's clock may run ahead of ours, seconds.
const MAX_AHEAD_SECONDS: i64 = 24 * 60 * 60;

/// Epoch numbers up to this are seconds, larger ones milliseconds.
const LAST_EPOCH_SECOND: i128 = 9_999_999_999;

/// Earliest time a record may name, epoch seconds: 2010-01-01. Before it there were no such watches, only watches whose clock
/// had not been set; and every day named is a chunk of the table.
pub(super) const EARLIEST_SECOND: i64 = 1_262_304_000;

/// Start of the year 1, epoch seconds. Before it no calendar that stores our rows agrees with another.
const FIRST_SECOND: i64 = -62_135_596_800;

/// The instant `held` names: `yyyy-MM-dd HH:mm:ss` in `device_zone` (also with `T`, or fractions), RFC 3339, epoch
/// seconds or epoch milliseconds (a number or its digits). `None`: it names none.
pub(super) fn read(held: &Held<'_>, device_zone: &TimeZone) -> Option<Timestamp> {
    let instant = match held {
        Held::Number(digits) => epoch(digits)?,
        Held::Text(text) => {
            let text = text.trim();
            if text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
                epoch(text)?
            } else {
                calendar(text, device_zone)?
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

/// Refuses an instant that is too far from the time of receipt, or before [`EARLIEST_SECOND`] whatever is kept.
pub(super) fn judge(instant: Timestamp, context: &Context) -> Result<(), (RejectReason, String)> {
    let ahead = instant.as_microsecond() - context.received_at.as_microsecond();
    if ahead > MAX_AHEAD_SECONDS * 1_000_000 {
        return Err((
            RejectReason::Future,
            "timestamp is more than 24 h ahead of the time of receipt".to_owned(),
        ));
    }
    if instant.as_second() < EARLIEST_SECOND {
        return Err((RejectReason::TooOld, "timestamp is before 2010: the clock was not set".to_owned()));
    }
    match context.oldest {
        Some(oldest) if instant < oldest => Err((
            RejectReason::TooOld,
            format!("timestamp is older than raw readings are kept, which is since {oldest}"),
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

fn calendar(text: &str, device_zone: &TimeZone) -> Option<Timestamp> {
    let pieces = Pieces::parse(text).ok()?;
    if pieces.time_zone_annotation().is_some() {
        return None;
    }
    let civil = pieces.date().to_datetime(pieces.time()?);
    let instant = match pieces.to_numeric_offset() {
        Some(offset) => offset.to_timestamp(civil),
        None => device_zone.to_timestamp(civil),
    };
    instant.ok().map(to_microsecond)
}
