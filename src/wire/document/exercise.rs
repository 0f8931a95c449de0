//! An element of an exercise document, of the day or of the week → the totals of a day.
//!
//! Before: `envelope` has the element. After: it is (part of) a row of `exercise_day`, or kept with a reason.

use super::SampleContext;
use super::element_fields::{ElementFields, element_text};
use crate::metric::Metric;
use crate::model::exercise::{ACTIVE_HOURS, STRENGTH_MINUTES};
use crate::model::{ExerciseDay, ExerciseTotals};
use crate::wire::Context;
use crate::wire::number::Number;

/// Reads the totals of a day. `None`: there is no data. Totals of zero also mean "no data" in an element of a week (`sample.day` is
/// `None`), and in a sample that a phone sent.
pub(super) fn read(
    raw: &str,
    sample: SampleContext,
    context: &Context,
) -> Result<Option<ExerciseDay>, String> {
    let text = element_text(raw);
    let fields = ElementFields::read(&text, ["timeStamps", "strengthTimes", "totalTime", "totalSteps"])?;
    if fields.is_empty() {
        return Ok(None);
    }
    if fields.lacks_all(&[1, 2, 3]) {
        return Err("strengthTimes, totalTime and totalSteps are missing".to_owned());
    }
    let steps = fields.quantity(3, &Metric::Step.range())?;
    let totals = ExerciseTotals {
        strength_minutes: fields.decimal(1, &STRENGTH_MINUTES)?,
        active_hours: fields.decimal(2, &ACTIVE_HOURS)?,
        steps: steps
            .map(|steps| Number::whole(steps).and_then(|steps| i32::try_from(steps).ok()))
            .map(|whole| whole.ok_or_else(|| "totalSteps is not a whole number".to_owned()))
            .transpose()?,
    };
    if totals.is_zero() && (sample.day.is_none() || sample.from_phone) {
        return Ok(None);
    }
    let day = fields.time(0, context)?.map(|time| context.device_zone.to_datetime(time).date());
    match day.or(sample.day) {
        Some(day) => Ok(Some(ExerciseDay { day, totals })),
        None => Err("timeStamps is missing".to_owned()),
    }
}
