//! The alerts of the last 24 hours: by hour and level as stacked bars, by type as a list.
//!
//! Promise: whoever cannot see the drawing reads the same numbers in a table. The order of the levels in a bar is always the same, the
//! gravest on top, and the legend has a mark of stars beside each colour.

use maud::{Markup, html};

use super::{Part, bar, panel};
use crate::language::text;
use crate::model::overview::AlertHour;
use crate::model::{Overview, Severity};
use crate::page::chart::severity_mark;
use crate::page::{Frame, format};

/// The drawing: its size, the line that the bars stand on, and the highest bar.
const WIDTH: f64 = 660.0;
const HEIGHT: f64 = 190.0;
const GROUND: f64 = 164.0;
const HIGHEST: f64 = 148.0;
/// Left of the bars, for the numbers of the scale.
const MARGIN: f64 = 34.0;

/// Types that the list shows.
const TYPES: usize = 6;

/// An hour is labelled if it is this many before or after midnight.
const LABEL_EVERY: i8 = 3;

/// The part.
pub(super) fn render(frame: &Frame, overview: &Overview) -> Markup {
    let hours = &overview.alerts_by_hour;
    let whole: i64 = hours.iter().map(all).sum();
    panel(
        frame,
        Part::AlertHours.name(),
        &text!("page-alerts-by-hour"),
        &legend(frame, hours),
        &html! {
            @if whole == 0 {
                p.empty { (frame.text(&text!("page-no-alerts-today"))) }
            } @else {
                div.hours {
                    figure.hours-chart {
                        (drawing(frame, hours))
                        (table(frame, hours))
                    }
                    (types(frame, overview))
                }
            }
        },
    )
}

/// How many of a severity.
const fn of(hour: &AlertHour, severity: Severity) -> i64 {
    match severity {
        Severity::Critical => hour.critical,
        Severity::Major => hour.major,
        Severity::Minor => hour.minor,
        Severity::Info => hour.info,
    }
}

fn all(hour: &AlertHour) -> i64 {
    Severity::ALL.iter().map(|severity| of(hour, *severity)).sum()
}

/// The levels with their mark and their sum. Levels that did not occur are left out, but for the two gravest.
fn legend(frame: &Frame, hours: &[AlertHour]) -> Markup {
    let sums = Severity::ALL
        .iter()
        .map(|severity| (*severity, hours.iter().map(|hour| of(hour, *severity)).sum::<i64>()));
    html! {
        span.legend {
            @for (severity, sum) in sums.filter(|(severity, sum)| *sum > 0 || *severity == Severity::Critical || *severity == Severity::Major) {
                span class=(severity.name()) {
                    span aria-hidden="true" { "■ " (severity_mark(severity)) " " }
                    (frame.text(&text!("severity", severity = severity.name()))) " " b { (format::count(sum)) }
                }
            }
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of an hour")]
fn drawing(frame: &Frame, hours: &[AlertHour]) -> Markup {
    let top = scale_top(hours.iter().map(all).max().unwrap_or_default());
    let step = (WIDTH - MARGIN) / hours.len().max(1) as f64;
    let pixels = HIGHEST / top as f64;
    html! {
        svg.hours-drawing viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } aria-hidden="true" focusable="false" {
            @for line in [top / 2, top] {
                @let y = GROUND - line as f64 * pixels;
                path.grid d={ "M" (MARGIN) " " (format::decimal(y, 1)) "H" (WIDTH) } {}
                text x=(MARGIN - 8.0) y=(format::decimal(y + 4.0, 1)) text-anchor="end" { (line) }
            }
            @for (place, hour) in hours.iter().enumerate() {
                (stack(frame, hour, MARGIN + step * place as f64, step, pixels))
            }
            path.ground d={ "M" (MARGIN) " " (GROUND) "H" (WIDTH) } {}
        }
    }
}

/// The highest number of the scale: even, so that half of it is a number too.
const fn scale_top(most: i64) -> i64 {
    let even = if most % 2 == 0 { most } else { most + 1 };
    if even < 4 { 4 } else { even }
}

#[expect(clippy::cast_precision_loss, reason = "counts of an hour")]
fn stack(frame: &Frame, hour: &AlertHour, left: f64, step: f64, pixels: f64) -> Markup {
    let start = hour.ts.to_zoned(frame.zone.clone());
    let (x, width) = (left + step * 0.15, step * 0.7);
    let mut bottom = GROUND;
    let mut place = |count: i64| {
        bottom -= count as f64 * pixels;
        bottom
    };
    html! {
        @for severity in Severity::ALL.iter().rev() {
            @let count = of(hour, *severity);
            @if count > 0 {
                @let y = place(count);
                rect class=(severity.name()) x=(format::decimal(x, 1)) y=(format::decimal(y, 1)) width=(format::decimal(width, 1))
                    height=(format::decimal((count as f64 * pixels - 1.5).max(1.0), 1)) rx="1.5" {}
            }
        }
        @if start.hour() % LABEL_EVERY == 0 {
            text x=(format::decimal(left + step / 2.0, 1)) y=(HEIGHT - 8.0) text-anchor="middle" { (start.strftime("%H:%M")) }
        }
    }
}

fn table(frame: &Frame, hours: &[AlertHour]) -> Markup {
    html! {
        // A table cannot be narrower than its words.
        div.visually-hidden { table {
            caption { (frame.text(&text!("page-alerts-by-hour"))) }
            thead {
                tr {
                    th scope="col" { (frame.text(&text!("page-hour"))) }
                    @for severity in Severity::ALL {
                        th scope="col" { (frame.text(&text!("severity", severity = severity.name()))) }
                    }
                }
            }
            tbody {
                @for hour in hours.iter().filter(|hour| all(hour) > 0) {
                    tr {
                        th scope="row" { (hour.ts.to_zoned(frame.zone.clone()).strftime("%H:%M")) }
                        @for severity in Severity::ALL { td { (of(hour, *severity)) } }
                    }
                }
            }
        } }
    }
}

/// The most frequent types.
fn types(frame: &Frame, overview: &Overview) -> Markup {
    let most = overview.alerts_by_type.iter().map(|of_type| of_type.alerts).max().unwrap_or_default();
    html! {
        ul.bars.types aria-label=(frame.text(&text!("page-alerts-by-type"))) {
            @for of_type in overview.alerts_by_type.iter().take(TYPES) {
                li.bar-row {
                    span { (frame.text(&text!("page-alert-type", type = of_type.alert_type.as_str()))) }
                    (bar(format::percent(of_type.alerts, most).unwrap_or_default(), "accent"))
                    span.number { (format::count(of_type.alerts)) }
                }
            }
        }
    }
}
