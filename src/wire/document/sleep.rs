//! An element of a sleep document → a segment.
//!
//! Before: `envelope` has the element. After: it is a row of `sleep_segment`, or kept with a reason.

use super::element_fields::{ElementFields, element_text};
use crate::model::SleepSegment;
use crate::model::sleep::MAX_SLEEP;
use crate::wire::Context;

/// Reads a segment. `None`: the element is empty.
pub(super) fn read(raw: &str, context: &Context) -> Result<Option<SleepSegment>, String> {
    let text = element_text(raw);
    let fields = ElementFields::read(&text, ["startTimeStamp", "endTimeStamp", "type"])?;
    if fields.is_empty() {
        return Ok(None);
    }
    let (start, end) = fields.span([0, 1], MAX_SLEEP, context)?;
    Ok(Some(SleepSegment { start, end, type_code: fields.code(2)? }))
}
