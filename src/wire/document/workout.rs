//! An element of a workout document → a workout.
//!
//! Before: `envelope` has the element. After: it is a row of `workout`, or kept with a reason.

use super::element_fields::{ElementFields, element_text};
use crate::metric::Metric;
use crate::model::Workout;
use crate::model::workout::MAX_WORKOUT;
use crate::wire::Context;

/// Reads a workout. `None`: the element is empty.
pub(super) fn read(raw: &str, context: &Context) -> Result<Option<Workout>, String> {
    let text = element_text(raw);
    let names = ["startTimeStamp", "endTimeStamp", "workoutType", "calorie", "distance", "recordId"];
    let fields = ElementFields::read(&text, names)?;
    if fields.is_empty() {
        return Ok(None);
    }
    let (start, end) = fields.span([0, 1], MAX_WORKOUT, context)?;
    Ok(Some(Workout {
        start,
        end,
        workout_type: fields.code(2)?,
        calorie: fields.decimal(3, &Metric::Calorie.range())?,
        distance: fields.decimal(4, &Metric::Distance.range())?,
        record_id: fields.label(5)?,
    }))
}
