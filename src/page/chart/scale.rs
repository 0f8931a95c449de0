//! The scale of values: round numbers at even distances, from below the lowest value to above the highest.

use super::{BOTTOM, TOP};

/// About how many distances between lines.
const DISTANCES: f64 = 4.0;

/// The least that a scale covers, so that a constant value is no mountain range.
const LEAST_SPAN: f64 = 2.0;

/// Round numbers, and where they are drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Scale {
    step: f64,
    /// The first and the last line, in steps.
    first: f64,
    last: f64,
}

impl Scale {
    /// A scale that holds these values.
    pub(super) fn around(values: impl Iterator<Item = f64>) -> Self {
        let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
        for value in values.filter(|value| value.is_finite()) {
            (low, high) = (low.min(value), high.max(value));
        }
        if low > high {
            (low, high) = (0.0, LEAST_SPAN);
        }
        let short = (LEAST_SPAN - (high - low)).max(0.0) / 2.0;
        // No value is below zero, so nothing is drawn there.
        let (low, high) =
            if low >= 0.0 && low < short { (0.0, high + 2.0 * short) } else { (low - short, high + short) };
        let step = round_step((high - low) / DISTANCES);
        Self { step, first: (low / step).floor(), last: (high / step).ceil() }
    }

    /// The round numbers, the lowest first.
    pub(super) fn ticks(&self) -> impl Iterator<Item = f64> + use<> {
        let Self { step, first, last } = *self;
        std::iter::successors(Some(first), |place| Some(place + 1.0))
            .take_while(move |place| *place <= last)
            .map(move |place| place * step)
    }

    /// Where a value is drawn, px from the top.
    pub(super) fn y(&self, value: f64) -> f64 {
        let (low, high) = (self.first * self.step, self.last * self.step);
        BOTTOM - (value - low) / (high - low) * (BOTTOM - TOP)
    }

    /// A round number as it is written: with the decimals that the step has.
    pub(super) fn label(&self, tick: f64) -> String {
        let decimals = if self.step >= 1.0 { 0 } else { 1 };
        format!("{tick:.decimals$}")
    }
}

/// The least of 1, 2, 5 times a power of ten that is not below `rough`.
fn round_step(rough: f64) -> f64 {
    let power = 10_f64.powf(rough.log10().floor());
    [1.0, 2.0, 5.0].into_iter().map(|digit| digit * power).find(|step| *step >= rough).unwrap_or(10.0 * power)
}
