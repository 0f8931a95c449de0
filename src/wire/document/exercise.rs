//! An element of an exercise document, of the day or of the week → the totals of a day.
//!
//! Before: `envelope` found it. After: it is (part of) a row of `exercise_day`, or kept with the reason why not.

use super::Sample;
use super::parts::{Parts, element};
use crate::metric::Metric;
use crate::model::exercise::{ACTIVE_HOURS, STRENGTH_MINUTES};
use crate::model::{ExerciseDay, ExerciseTotals};
use crate::wire::Context;
use crate::wire::number::Number;

/// Reads the totals of a day. Nothing but zeros say that there was no data: in an element of a week, which is one that the
/// sample has no day for; and in a sample that a phone relayed.
pub(super) fn read(raw: &str, sample: Sample, context: &Context) -> Result<Option<ExerciseDay>, String> {
    let text = element(raw);
    let parts = Parts::read(&text, ["timeStamps", "strengthTimes", "totalTime", "totalSteps"])?;
    if parts.is_empty() {
        return Ok(None);
    }
    if parts.lack(&[1, 2, 3]) {
        return Err("strengthTimes, totalTime and totalSteps are missing".to_owned());
    }
    let steps = parts.quantity(3, &Metric::Step.range())?;
    let totals = ExerciseTotals {
        strength_minutes: parts.decimal(1, &STRENGTH_MINUTES)?,
        active_hours: parts.decimal(2, &ACTIVE_HOURS)?,
        steps: steps
            .map(|steps| Number::whole(steps).and_then(|steps| i32::try_from(steps).ok()))
            .map(|whole| whole.ok_or_else(|| "totalSteps is not a whole number".to_owned()))
            .transpose()?,
    };
    if totals.is_zero() && (sample.day.is_none() || sample.relayed) {
        return Ok(None);
    }
    let day = parts.time(0, context)?.map(|time| context.device_zone.to_datetime(time).date());
    match day.or(sample.day) {
        Some(day) => Ok(Some(ExerciseDay { day, totals })),
        None => Err("timeStamps is missing".to_owned()),
    }
}
