//! The lines of a chart: a path for the mean, an area from the lowest to the highest value.

use std::fmt::Write;

use maud::{Markup, html};

use super::scale::Scale;
use super::{ChartLine, ChartPoint, TimeWindow, WIDTH};

/// The points that are joined: between two of these parts is a gap.
pub(super) fn segments(line: &ChartLine) -> Vec<&[ChartPoint]> {
    let joined =
        |before: &ChartPoint, after: &ChartPoint| after.from.duration_since(before.to) <= line.max_gap;
    line.points.chunk_by(joined).collect()
}

pub(super) fn draw(line: &ChartLine, window: &TimeWindow, scale: &Scale) -> Markup {
    let x = |point: &ChartPoint| (window.share(point.from) + window.share(point.to)) / 2.0 * WIDTH;
    html! {
        @for segment in segments(line) {
            @if let [alone] = segment {
                // A stroke as wide as its time, which is seen where a point would not be.
                @let (left, right) = (window.share(alone.from) * WIDTH, window.share(alone.to) * WIDTH);
                @let right = right.max(left + 1.5);
                path.range d=(area(&[(left, alone), (right, alone)], scale)) {}
                path.mean d=(path(&[(left, alone.mean), (right, alone.mean)], scale)) {}
            } @else {
                @let placed: Vec<(f64, &ChartPoint)> = segment.iter().map(|point| (x(point), point)).collect();
                @let means: Vec<(f64, f64)> = placed.iter().map(|(x, point)| (*x, point.mean)).collect();
                path.range d=(area(&placed, scale)) {}
                path.mean d=(path(&means, scale)) {}
            }
        }
    }
}

/// From one value to the next.
fn path(values: &[(f64, f64)], scale: &Scale) -> String {
    let mut path = String::with_capacity(values.len() * 13);
    for (place, (x, value)) in values.iter().enumerate() {
        let step = if place == 0 { 'M' } else { 'L' };
        // Writing to a string does not fail.
        let _ = write!(path, "{step}{x:.1} {:.1}", scale.y(*value));
    }
    path
}

/// Along the highest values, and back along the lowest.
fn area(points: &[(f64, &ChartPoint)], scale: &Scale) -> String {
    if points.iter().all(|(_, point)| point.min >= point.max) {
        return String::new();
    }
    let there = points.iter().map(|(x, point)| (*x, point.max));
    let back = points.iter().rev().map(|(x, point)| (*x, point.min));
    let outline: Vec<(f64, f64)> = there.chain(back).collect();
    path(&outline, scale) + "Z"
}
