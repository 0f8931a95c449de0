//! Charts of one person as SVG: values with their range, limits, alerts and sleep over a day, a week or a month.
//!
//! Before: the pages of people and devices choose what is drawn. After: the browser; the stylesheet gives the colours of both themes.
//! Promise: a gap in the data is a gap in the line. Whoever cannot see the drawing reads the same values in a table.
//!
//! Drawn here and not by a library: `plotters` writes fixed colours and sizes into its SVG and measures text by a font of the server,
//! which draws Chinese labels as boxes where it has none; `charming` needs a JavaScript engine. Here every colour is a class, text is laid
//! out by the browser, and the drawing stretches to any width while its letters keep their size.

mod line;
mod scale;
mod table;
mod window;

use jiff::{SignedDuration, Timestamp};
use maud::{Markup, html};

use crate::language::{Language, text};
use crate::model::Severity;
use scale::Scale;
pub use window::{ChartPeriod, TimeWindow};

/// Height of the drawing, px.
const HEIGHT: f64 = 220.0;

/// Where values are drawn: below the marks of alerts, above the labels of times.
const TOP: f64 = 22.0;
const BOTTOM: f64 = 196.0;

/// Width in which lines are drawn, whatever the width on the screen.
const WIDTH: f64 = 1000.0;

/// A value and its range over a time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ChartPoint {
    /// Beginning of the time.
    pub from: Timestamp,
    /// Its end, exclusive; the beginning: a single reading.
    pub to: Timestamp,
    /// The lowest value in it.
    pub min: f64,
    /// The mean of its values.
    pub mean: f64,
    /// The highest value in it.
    pub max: f64,
}

/// A line of values.
#[derive(Debug, Clone)]
pub struct ChartLine {
    /// What it shows.
    pub name: String,
    /// In the order of their times.
    pub points: Vec<ChartPoint>,
    /// Two points with more time between them than this are not joined.
    pub max_gap: SignedDuration,
}

/// A bound of an alert rule.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LimitLine {
    /// In the unit of the chart.
    pub value: f64,
    /// Values above it breach; else those below.
    pub is_upper: bool,
    /// How severe a breach is.
    pub severity: Severity,
}

/// An alert.
#[derive(Debug, Clone, PartialEq)]
pub struct AlertMark {
    /// When it fired.
    pub at: Timestamp,
    /// How severe it is.
    pub severity: Severity,
    /// What it says.
    pub about: String,
}

/// A chart of one metric, or of two that belong together.
#[derive(Debug)]
pub struct Chart<'a> {
    /// What it shows.
    pub title: String,
    /// Unit behind a number.
    pub unit: &'a str,
    /// Decimals of a mean.
    pub decimals: usize,
    /// The time it covers.
    pub window: &'a TimeWindow,
    /// The language of its labels.
    pub language: Language,
    /// The lines.
    pub lines: Vec<ChartLine>,
    /// The bounds.
    pub limits: Vec<LimitLine>,
    /// The alerts.
    pub marks: &'a [AlertMark],
    /// Beginning and end of sleep.
    pub sleep: &'a [(Timestamp, Timestamp)],
}

/// How a severity is written where there is no room for a word; also the class of what has it.
pub fn severity_mark(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "***",
        Severity::Major => "**",
        Severity::Minor => "*",
        Severity::Info => "·",
    }
}

impl Chart<'_> {
    fn points(&self) -> impl Iterator<Item = &ChartPoint> {
        self.lines.iter().flat_map(|line| &line.points)
    }

    /// The drawing with its caption, its legend and its table.
    pub fn draw(&self) -> Markup {
        let values = self.points().flat_map(|point| [point.min, point.max]);
        let scale = Scale::around(values.chain(self.limits.iter().map(|limit| limit.value)));
        html! {
            figure.chart {
                figcaption {
                    (self.title)
                    // Steps are counted in steps.
                    @if self.unit != self.title { " " span.unit { (self.unit) } }
                }
                @if self.points().next().is_none() {
                    p.empty { (text!("page-chart-empty").in_language(self.language)) }
                } @else {
                    svg.drawing width="100%" height=(HEIGHT) role="img" aria-label=(self.summary()) {
                        (self.sleep_bands())
                        (self.grid(&scale))
                        svg.lines x="0" y="0" width="100%" height=(HEIGHT) viewBox={ "0 0 " (WIDTH) " " (HEIGHT) }
                            preserveAspectRatio="none" {
                            @for (place, line) in self.lines.iter().enumerate() {
                                g class={ "line line-" (place) } { (line::draw(line, self.window, &scale)) }
                            }
                        }
                        (self.limit_lines(&scale))
                        (self.alert_marks())
                    }
                    (self.legend())
                    (table::draw(self))
                }
            }
        }
    }

    /// What the drawing shows, in a sentence.
    fn summary(&self) -> String {
        let lowest = self.points().map(|point| point.min).fold(f64::INFINITY, f64::min);
        let highest = self.points().map(|point| point.max).fold(f64::NEG_INFINITY, f64::max);
        text!(
            "page-chart-summary",
            title = self.title.as_str(),
            from = self.window.first_day(self.language),
            to = self.window.last_day(self.language),
            lowest = self.number(lowest),
            highest = self.number(highest),
            unit = self.unit,
            alerts = self.marks.len(),
        )
        .in_language(self.language)
    }

    fn number(&self, value: f64) -> String {
        let decimals = self.decimals;
        format!("{value:.decimals$}")
    }

    fn sleep_bands(&self) -> Markup {
        html! {
            @for (from, to) in self.sleep.iter().filter(|(from, to)| self.window.overlaps(*from, *to)) {
                @let (left, right) = (self.window.share(*from), self.window.share(*to));
                rect.sleep x=(percent(left)) width=(percent(right - left)) y=(TOP) height=(BOTTOM - TOP) {}
            }
        }
    }

    fn grid(&self, scale: &Scale) -> Markup {
        html! {
            @for tick in scale.ticks() {
                @let y = coordinate(scale.y(tick));
                line.grid x1="0" x2="100%" y1=(y) y2=(y) {}
                text.label x="2" y=(y) dy="-3" { (scale.label(tick)) }
            }
            @for tick in self.window.ticks(self.language) {
                @let x = percent(self.window.share(tick.at));
                line.grid.day[tick.is_day] x1=(x) x2=(x) y1=(TOP) y2=(BOTTOM) {}
                text.label.spare[tick.is_spare] x=(x) dx="3" y=(HEIGHT - 8.0) { (tick.label) }
            }
        }
    }

    fn limit_lines(&self, scale: &Scale) -> Markup {
        html! {
            @for limit in &self.limits {
                @let y = coordinate(scale.y(limit.value));
                line class={ "limit " (limit.severity.name()) } x1="0" x2="100%" y1=(y) y2=(y) {}
                text class={ "label limit " (limit.severity.name()) } x="100%" dx="-3" y=(y) dy="-3" text-anchor="end" {
                    (severity_mark(limit.severity)) " " (if limit.is_upper { "> " } else { "< " }) (limit.value)
                }
            }
        }
    }

    fn alert_marks(&self) -> Markup {
        html! {
            @for mark in self.marks.iter().filter(|mark| self.window.holds(mark.at)) {
                @let x = percent(self.window.share(mark.at));
                line class={ "alert " (mark.severity.name()) } x1=(x) x2=(x) y1=(TOP - 6.0) y2=(BOTTOM) {}
                text class={ "alert " (mark.severity.name()) } x=(x) y=(TOP - 8.0) text-anchor="middle" {
                    title { (mark.about) }
                    (severity_mark(mark.severity))
                }
            }
        }
    }

    /// What is drawn, and nothing else.
    fn legend(&self) -> Markup {
        let words = |what: &str| text!("page-chart-legend", what = what).in_language(self.language);
        html! {
            ul.legend aria-hidden="true" {
                @for (place, line) in self.lines.iter().enumerate() {
                    li class={ "line line-" (place) } {
                        (swatch("mean"))
                        @if self.lines.len() > 1 { (line.name) ", " }
                        (words("mean"))
                    }
                }
                @if self.points().any(|point| point.min < point.max) { li.line { (swatch("range")) (words("range")) } }
                @if !self.limits.is_empty() { li { (swatch("limit")) (words("limit")) } }
                @if !self.marks.is_empty() { li { (swatch("alert")) (words("alert")) } }
                @if self.sleep.iter().any(|(from, to)| self.window.overlaps(*from, *to)) {
                    li { (swatch("sleep")) (words("sleep")) }
                }
                @if self.lines.iter().any(|line| line::segments(line).len() > 1) { li { (words("gap")) } }
            }
        }
    }
}

fn swatch(class: &str) -> Markup {
    html! { svg.swatch width="18" height="10" { rect class=(class) x="0" y="2" width="18" height="6" {} } }
}

/// A share of the width.
fn percent(share: f64) -> String {
    format!("{:.2}%", share * 100.0)
}

fn coordinate(pixels: f64) -> String {
    format!("{pixels:.1}")
}

#[cfg(test)]
mod tests;
