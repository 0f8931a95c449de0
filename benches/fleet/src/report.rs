//! The report of a run: text for people, JSON for machines.
//!
//! Before: `load` counts into a [`LoadRecorder`]. After: a person, a bench, the demo.
//! Promise: `acknowledged = stored + duplicate + rejected` is checked answer by answer; one that does not add up is an
//! error of kind `unbalanced answer`.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use hdrhistogram::Histogram;
use serde::Serialize;

/// Longest latency that is recorded exactly, microseconds.
const MAX_LATENCY_US: u64 = 120_000_000;

/// Counters of some connections, or of all.
#[derive(Debug, Clone)]
pub(super) struct LoadRecorder {
    latency_us: Histogram<u64>,
    pub(super) counts: Counts,
}

/// What is counted.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Counts {
    /// Requests sent, answered or not.
    pub requests: u64,
    /// Bytes of their bodies.
    pub body_bytes: u64,
    /// Records in answers of 200: each is stored, duplicate or rejected.
    pub acknowledged: u64,
    /// Acknowledged as a new row.
    pub stored: u64,
    /// Acknowledged as known already.
    pub duplicate: u64,
    /// Acknowledged as rejected; the simulated fleet sends nothing that should be, so this is an error, too.
    pub rejected: u64,
    /// Acknowledged records of uploads that were repeated on purpose (`--duplicates`): the duplicates to expect, unless
    /// uploads were sent again after a failure.
    pub repeated: u64,
    /// Acknowledged records from hours to days ago (`--late`).
    pub late: u64,
    /// Answers of 503; the upload was sent again, after the wait asked for or (`--impatient`) when the next was due.
    pub refused: u64,
    /// Records that were not acknowledged when the run ended.
    pub abandoned: u64,
    /// Connections opened again after the service or an error had closed them.
    pub reconnects: u64,
    /// Answers by status.
    pub statuses: BTreeMap<u16, u64>,
    /// Errors by kind.
    pub errors: BTreeMap<String, u64>,
}

impl Default for LoadRecorder {
    fn default() -> Self {
        let latency_us = Histogram::new_with_bounds(1, MAX_LATENCY_US, 3).expect("the bounds are possible");
        Self { latency_us, counts: Counts::default() }
    }
}

impl LoadRecorder {
    pub(super) fn answered(&mut self, status: u16) {
        *self.counts.statuses.entry(status).or_default() += 1;
    }

    /// An answer of 503; one that does not say when to come again is an error.
    pub(super) fn refused(&mut self, wait: Option<Duration>) {
        self.answered(503);
        self.counts.refused += 1;
        if wait.is_none() {
            self.failed("refused without Retry-After");
        }
    }

    pub(super) fn failed(&mut self, kind: &str) {
        *self.counts.errors.entry(kind.to_owned()).or_default() += 1;
    }

    pub(super) fn took(&mut self, latency: Duration) {
        self.latency_us.saturating_record(u64::try_from(latency.as_micros()).unwrap_or(MAX_LATENCY_US));
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.latency_us.add(&other.latency_us).expect("the same bounds");
        let (sum, part) = (&mut self.counts, &other.counts);
        for (sum, part) in [
            (&mut sum.requests, part.requests),
            (&mut sum.body_bytes, part.body_bytes),
            (&mut sum.acknowledged, part.acknowledged),
            (&mut sum.stored, part.stored),
            (&mut sum.duplicate, part.duplicate),
            (&mut sum.rejected, part.rejected),
            (&mut sum.repeated, part.repeated),
            (&mut sum.late, part.late),
            (&mut sum.refused, part.refused),
            (&mut sum.abandoned, part.abandoned),
            (&mut sum.reconnects, part.reconnects),
        ] {
            *sum += part;
        }
        for (status, count) in &part.statuses {
            *sum.statuses.entry(*status).or_default() += count;
        }
        for (kind, count) in &part.errors {
            *sum.errors.entry(kind.clone()).or_default() += count;
        }
    }

    pub(super) fn latency(&self) -> Latency {
        let ms = |us: u64| us as f64 / 1000.0;
        let at = |quantile| ms(self.latency_us.value_at_quantile(quantile));
        Latency {
            mean_ms: self.latency_us.mean() / 1000.0,
            p50_ms: at(0.50),
            p95_ms: at(0.95),
            p99_ms: at(0.99),
            max_ms: ms(self.latency_us.max()),
        }
    }
}

impl Counts {
    /// Errors of all kinds. A refusal (503) is none: it is how the service says "later".
    pub fn errors(&self) -> u64 {
        self.errors.values().sum()
    }
}

/// From the moment an upload was due to its acknowledgement, milliseconds. Due is the scheduled time when a rate is
/// given (a late answer delays the next upload and counts there, too), else the time of sending.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Latency {
    /// Mean.
    pub mean_ms: f64,
    /// Median.
    pub p50_ms: f64,
    /// 95 of 100 are below.
    pub p95_ms: f64,
    /// 99 of 100 are below.
    pub p99_ms: f64,
    /// The longest.
    pub max_ms: f64,
}

/// What one part of a run came to: the history, or the live uploads.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PartReport {
    /// From the first request to the last answer, seconds.
    pub seconds: f64,
    /// Requests a second.
    pub requests_per_second: f64,
    /// Acknowledged records a second.
    pub records_per_second: f64,
    /// Time to acknowledgement.
    pub latency: Latency,
    /// Counters.
    #[serde(flatten)]
    pub counts: Counts,
}

/// What a run came to.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// Serial of the first device; the others follow.
    pub first_serial: String,
    /// Devices of the fleet.
    pub devices: u32,
    /// Open connections.
    pub connections: u32,
    /// Records of a request.
    pub batch: u32,
    /// The history, if there was any.
    pub history: Option<PartReport>,
    /// The live uploads, if there were any.
    pub live: Option<PartReport>,
    /// The alarms beside them, if there were any: one event is one record.
    pub alarms: Option<PartReport>,
}

impl PartReport {
    pub(super) fn new(recorder: &LoadRecorder, took: Duration) -> Self {
        let seconds = took.as_secs_f64().max(1e-6);
        Self {
            seconds,
            requests_per_second: recorder.counts.requests as f64 / seconds,
            records_per_second: recorder.counts.acknowledged as f64 / seconds,
            latency: recorder.latency(),
            counts: recorder.counts.clone(),
        }
    }
}

impl Report {
    /// Errors of all kinds and parts.
    pub fn errors(&self) -> u64 {
        self.parts().map(|(_, part)| part.counts.errors()).sum()
    }

    fn parts(&self) -> impl Iterator<Item = (&'static str, &PartReport)> {
        let parts = [("history", &self.history), ("live", &self.live), ("alarms", &self.alarms)];
        parts.into_iter().filter_map(|(name, part)| part.as_ref().map(|part| (name, part)))
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} devices from {}, {} connections, batches of {}",
            grouped(self.devices.into()),
            self.first_serial,
            grouped(self.connections.into()),
            self.batch
        )?;
        for (name, part) in self.parts() {
            writeln!(f, "\n{name}, {:.1} s", part.seconds)?;
            part.fmt(f)?;
        }
        Ok(())
    }
}

impl fmt::Display for PartReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = &self.counts;
        let rate = |value: f64| grouped(value.round() as u64);
        writeln!(
            f,
            "  requests  {:>13}  {:>9} /s",
            grouped(counts.requests),
            rate(self.requests_per_second)
        )?;
        writeln!(
            f,
            "  records   {:>13}  {:>9} /s",
            grouped(counts.acknowledged),
            rate(self.records_per_second)
        )?;
        let Latency { mean_ms, p50_ms, p95_ms, p99_ms, max_ms } = self.latency;
        writeln!(
            f,
            "  latency   mean {mean_ms:.1} ms, p50 {p50_ms:.1}, p95 {p95_ms:.1}, p99 {p99_ms:.1}, max {max_ms:.1}"
        )?;
        writeln!(
            f,
            "  records   {} acknowledged = {} stored + {} duplicate + {} rejected",
            grouped(counts.acknowledged),
            grouped(counts.stored),
            grouped(counts.duplicate),
            grouped(counts.rejected)
        )?;
        writeln!(
            f,
            "            {} repeated on purpose, {} late, {} abandoned",
            grouped(counts.repeated),
            grouped(counts.late),
            grouped(counts.abandoned)
        )?;
        let statuses: Vec<String> =
            counts.statuses.iter().map(|(status, count)| format!("{status}: {}", grouped(*count))).collect();
        writeln!(
            f,
            "  answers   {}",
            if statuses.is_empty() { "none".to_owned() } else { statuses.join(", ") }
        )?;
        let errors: Vec<String> =
            counts.errors.iter().map(|(kind, count)| format!("{kind}: {}", grouped(*count))).collect();
        write!(f, "  errors    {}", if errors.is_empty() { "none".to_owned() } else { errors.join(", ") })?;
        if counts.reconnects > 0 {
            writeln!(f, " ({} reconnects)", grouped(counts.reconnects))
        } else {
            writeln!(f)
        }
    }
}

/// `1234567` as `1 234 567`.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_grouped_by_three() {
        for (number, text) in [(0, "0"), (999, "999"), (1_000, "1 000"), (1_234_567, "1 234 567")] {
            assert_eq!(grouped(number), text);
        }
    }

    #[test]
    fn tallies_add_up() {
        let mut one = LoadRecorder::default();
        one.took(Duration::from_millis(4));
        one.failed("connection lost");
        one.answered(200);
        one.counts.stored = 3;
        let mut sum = one.clone();
        sum.add(&one);
        assert_eq!(sum.counts.stored, 6);
        assert_eq!(sum.counts.errors(), 2);
        assert_eq!(sum.counts.statuses[&200], 2);
        assert!((3.9..4.1).contains(&sum.latency().p50_ms));
    }
}
