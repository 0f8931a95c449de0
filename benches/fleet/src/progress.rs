//! How far a run is: a bar on a terminal, a line a second elsewhere, on standard error.
//!
//! Before: `load` asks it to show the recorder of now. After: a person.

use std::io::{IsTerminal, stderr};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::report::{LoadRecorder, grouped};

/// Where progress goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Show {
    /// Nowhere.
    Nothing,
    /// A line a second.
    Lines,
    /// A bar that moves.
    Bar,
}

impl Show {
    /// A bar if standard error is a terminal, lines otherwise.
    pub fn on_standard_error() -> Self {
        if stderr().is_terminal() { Self::Bar } else { Self::Lines }
    }
}

/// The end that is in sight.
#[derive(Debug, Clone, Copy)]
pub(super) enum RunEnd {
    /// After so many records.
    Records(u64),
    /// After so much time.
    Time(Duration),
    /// None.
    Unknown,
}

/// Progress of one part of a run.
#[derive(Debug)]
pub(super) struct Progress {
    part: &'static str,
    show: Show,
    end: RunEnd,
    bar: Option<ProgressBar>,
    records_before: u64,
    shown_at: Duration,
}

/// Parts of a whole bar.
const WHOLE: u64 = 1000;

impl Progress {
    pub(super) fn new(part: &'static str, show: Show, end: RunEnd) -> Self {
        let bar = (show == Show::Bar).then(|| new_bar(part, end));
        Self { part, show, end, bar, records_before: 0, shown_at: Duration::ZERO }
    }

    /// How often to call [`Self::show`].
    pub(super) fn every(&self) -> Duration {
        if self.show == Show::Bar { Duration::from_millis(200) } else { Duration::from_secs(1) }
    }

    /// Shows how far it is after `passed`.
    pub(super) fn show(&mut self, recorder: &LoadRecorder, passed: Duration) {
        let since = passed.saturating_sub(self.shown_at);
        if self.show == Show::Nothing || since < Duration::from_millis(100) {
            return;
        }
        let records = recorder.counts.acknowledged;
        let rate = (records - self.records_before) as f64 / since.as_secs_f64();
        let latency = recorder.latency();
        let mut text = format!(
            "{:>11} records {:>9} /s   p50 {:.1} ms  p99 {:.1} ms",
            grouped(records),
            grouped(rate.round() as u64),
            latency.p50_ms,
            latency.p99_ms,
        );
        for (what, count) in [("errors", recorder.counts.errors()), ("refused", recorder.counts.refused)] {
            if count > 0 {
                text.push_str(&format!("  {what} {}", grouped(count)));
            }
        }
        (self.records_before, self.shown_at) = (records, passed);
        match &self.bar {
            Some(bar) => {
                bar.set_position((self.share(records, passed) * WHOLE as f64) as u64);
                bar.set_message(text);
            }
            None => eprintln!("{:9} {:>4} s {text}", self.part, passed.as_secs()),
        }
    }

    /// Clears the bar: the report has the rest.
    pub(super) fn end(&mut self, recorder: &LoadRecorder, passed: Duration) {
        match self.bar.take() {
            Some(bar) => bar.finish_and_clear(),
            None => self.show(recorder, passed),
        }
    }

    fn share(&self, records: u64, passed: Duration) -> f64 {
        let share = match self.end {
            RunEnd::Records(end) => records as f64 / end.max(1) as f64,
            RunEnd::Time(end) => passed.as_secs_f64() / end.as_secs_f64().max(0.001),
            RunEnd::Unknown => 0.0,
        };
        share.clamp(0.0, 1.0)
    }
}

fn new_bar(part: &'static str, end: RunEnd) -> ProgressBar {
    let template = match end {
        RunEnd::Unknown => "{prefix:9} {spinner} {elapsed:>4} {wide_msg}",
        RunEnd::Records(_) | RunEnd::Time(_) => "{prefix:9} {bar:20} {elapsed:>4} {wide_msg}",
    };
    let style = ProgressStyle::with_template(template).expect("the templates above are well formed");
    ProgressBar::new(WHOLE).with_style(style).with_prefix(part)
}
