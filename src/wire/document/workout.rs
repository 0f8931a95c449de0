//! An element of a workout document → a workout.
//!
//! Before: `envelope` found it. After: it is a row of `workout`, or kept with the reason why not.

use super::parts::{Parts, element};
use crate::metric::Metric;
use crate::model::Workout;
use crate::model::workout::MAX_WORKOUT;
use crate::wire::Context;

/// Reads a workout; nothing in it is none.
pub(super) fn read(raw: &str, context: &Context) -> Result<Option<Workout>, String> {
    let text = element(raw);
    let names = ["startTimeStamp", "endTimeStamp", "workoutType", "calorie", "distance", "recordId"];
    let parts = Parts::read(&text, names)?;
    if parts.is_empty() {
        return Ok(None);
    }
    let (start, end) = parts.span([0, 1], MAX_WORKOUT, context)?;
    Ok(Some(Workout {
        start,
        end,
        workout_type: parts.code(2)?,
        calorie: parts.decimal(3, &Metric::Calorie.range())?,
        distance: parts.decimal(4, &Metric::Distance.range())?,
        record_id: parts.label(5)?,
    }))
}
