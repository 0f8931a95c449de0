//! An element of a sleep document → a segment.
//!
//! Before: `envelope` found it. After: it is a row of `sleep_segment`, or kept with the reason why not.

use super::parts::{Parts, element};
use crate::model::SleepSegment;
use crate::model::sleep::MAX_SLEEP;
use crate::wire::Context;

/// Reads a segment; nothing in it is none.
pub(super) fn read(raw: &str, context: &Context) -> Result<Option<SleepSegment>, String> {
    let text = element(raw);
    let parts = Parts::read(&text, ["startTimeStamp", "endTimeStamp", "type"])?;
    if parts.is_empty() {
        return Ok(None);
    }
    let (start, end) = parts.span([0, 1], MAX_SLEEP, context)?;
    Ok(Some(SleepSegment { start, end, type_code: parts.code(2)? }))
}
