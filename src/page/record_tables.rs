//! Nights, exercise, workouts and events of a person or a device, as tables.
//!
//! Before: `record`. After: the browser.

use maud::{Markup, html};

use super::alerts::severity;
use super::{Frame, format, when};
use crate::language::text;
use crate::model::{DayOfExercise, EventEntry, Exact, Night, WorkoutEntry};

/// Most hours that the bar of a night shows.
const NIGHT_HOURS: f64 = 12.0;

/// A table with these columns, or that there is nothing. A table scrolls in its own box where the screen is narrow.
pub fn table(frame: &Frame, columns: &[&str], rows: &[Markup]) -> Markup {
    html! {
        @if rows.is_empty() {
            p.empty { (frame.text(&text!("page-nothing-recorded"))) }
        } @else {
            div.scroll tabindex="0" { table {
                thead { tr { @for name in columns { th scope="col" { (frame.text(&text!("page-column", name = *name))) } } } }
                tbody { @for row in rows { (row) } }
            } }
        }
    }
}

/// The newest night first.
pub(super) fn nights(frame: &Frame, nights: &[Night]) -> Markup {
    let rows: Vec<Markup> = nights.iter().rev().map(|night| night_row(frame, night)).collect();
    table(frame, &["night", "asleep", "hours", "deep", "light", "bar"], &rows)
}

fn night_row(frame: &Frame, night: &Night) -> Markup {
    let hour = |at| when::hour_and_minute(at, &frame.zone);
    html! {
        tr {
            th scope="row" { (when::date(night.night, frame.language)) }
            td { (hour(night.start_ts)) "–" (hour(night.end_ts)) }
            td { (hours(night.total_hours)) }
            td { (hours(night.deep_hours)) }
            td { (hours(night.light_hours)) }
            td { (night_bar(night)) }
        }
    }
}

/// Deep, light and other sleep beside each other. The figures stand in the table.
fn night_bar(night: &Night) -> Markup {
    let parts = [("deep", night.deep_hours), ("light", night.light_hours), ("other", night.unknown_hours)];
    let width = |hours: Exact| number(hours) / NIGHT_HOURS * 120.0;
    let ends = parts.iter().scan(0.0, |end, (_, hours)| {
        *end += width(*hours);
        Some(*end)
    });
    html! {
        svg.night-bar width="120" height="12" aria-hidden="true" {
            @for ((class, hours), end) in parts.iter().zip(ends) {
                rect class=(class) x=(tenths(end - width(*hours))) y="0" width=(tenths(width(*hours))) height="12" {}
            }
        }
    }
}

fn tenths(pixels: f64) -> String {
    format!("{pixels:.1}")
}

/// The newest day first.
pub(super) fn exercise(frame: &Frame, days: &[DayOfExercise]) -> Markup {
    let rows: Vec<Markup> = days
        .iter()
        .rev()
        .map(|day| {
            html! {
                tr {
                    th scope="row" { (when::date(day.day, frame.language)) }
                    td { @if let Some(steps) = day.steps { (format::count(i64::from(steps))) } }
                    td { @if let Some(hours) = day.active_hours { (self::hours(hours)) } }
                    td { @if let Some(minutes) = day.strength_minutes { (format::decimal(number(minutes), 0)) } }
                }
            }
        })
        .collect();
    table(frame, &["day", "steps", "active-hours", "strength-minutes"], &rows)
}

/// The newest first.
pub(super) fn workouts(frame: &Frame, workouts: &[WorkoutEntry]) -> Markup {
    let kind = |workout: &WorkoutEntry| {
        let code = workout.workout_type.map(|code| code.to_string());
        workout.type_name.clone().or(code).unwrap_or_default()
    };
    let rows: Vec<Markup> = workouts
        .iter()
        .rev()
        .map(|workout| {
            let seconds = workout.end_ts.duration_since(workout.start_ts).as_secs();
            html! {
                tr {
                    th scope="row" { (when::at(workout.start_ts, &frame.zone, frame.language)) }
                    td { (kind(workout)) }
                    td { (frame.text(&when::duration(seconds))) }
                    td { @if let Some(metres) = workout.distance { (format::decimal(number(metres), 0)) " m" } }
                }
            }
        })
        .collect();
    table(frame, &["when", "kind", "duration", "distance"], &rows)
}

/// The newest first.
pub(super) fn events(frame: &Frame, events: &[EventEntry]) -> Markup {
    let rows: Vec<Markup> = events
        .iter()
        .rev()
        .map(|event| {
            html! {
                tr {
                    th scope="row" { (when::at(event.ts, &frame.zone, frame.language)) }
                    td { (severity(frame, event.severity)) " " (event.event_type) }
                    td { @if let Some(value) = &event.value { (value) } }
                }
            }
        })
        .collect();
    table(frame, &["when", "event", "value"], &rows)
}

fn hours(hours: Exact) -> String {
    format::decimal(number(hours), 1)
}

fn number(exact: Exact) -> f64 {
    super::vital::float(exact.0)
}
