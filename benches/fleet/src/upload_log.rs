//! What was accepted, upload by upload and record by record: for whoever compares it with the database afterwards.
//!
//! Before: `load` enters each upload that was answered 200. After: `vitals demo --cluster`, and the tests of a cluster.
//! Promise: only what was answered 200 is in it; moments are those of the answers.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

/// An upload that was answered 200.
#[derive(Debug, Clone, Copy)]
pub struct AcceptedUpload {
    /// When the answer arrived.
    pub at: Instant,
    /// How often it was sent.
    pub attempts: u32,
    /// From the moment it was due to the answer.
    pub delay: Duration,
}

/// What happened to the uploads in a range of time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Span {
    /// The longest time in which no upload was accepted.
    pub longest_gap: Duration,
    /// Accepted uploads that had to be sent more than once.
    pub resent: u64,
    /// The longest delay of an accepted upload.
    pub longest_delay: Duration,
}

/// All accepted uploads of a run; shared by its connections.
#[derive(Debug, Default)]
pub struct UploadLog {
    entries: Mutex<Entries>,
}

#[derive(Debug, Default)]
struct Entries {
    /// In the order of their answers.
    uploads: Vec<AcceptedUpload>,
    records: BTreeSet<(String, Timestamp)>,
}

impl UploadLog {
    /// Enters an upload and its records: serial, and time of the sample.
    pub fn accept(&self, upload: AcceptedUpload, records: impl IntoIterator<Item = (String, Timestamp)>) {
        let mut entries = self.entries();
        entries.uploads.push(upload);
        entries.records.extend(records);
    }

    /// The records of all accepted uploads, each once.
    pub fn records(&self) -> BTreeSet<(String, Timestamp)> {
        self.entries().records.clone()
    }

    /// How many uploads were accepted.
    pub fn uploads(&self) -> usize {
        self.entries().uploads.len()
    }

    /// Accepted uploads that had to be sent more than once.
    pub fn resent(&self) -> u64 {
        count_resent(&self.entries().uploads)
    }

    /// When an upload was accepted last.
    pub fn newest(&self) -> Option<Instant> {
        self.entries().uploads.last().map(|upload| upload.at)
    }

    /// What happened from `from` to the newest accepted upload.
    pub fn since(&self, from: Instant) -> Span {
        let newest = self.newest().unwrap_or(from);
        self.between(from, newest)
    }

    /// What happened from `from` to the first upload that was accepted at `to` or later.
    pub fn between(&self, from: Instant, to: Instant) -> Span {
        let entries = self.entries();
        let first = entries.uploads.partition_point(|upload| upload.at <= from);
        let last = entries.uploads.partition_point(|upload| upload.at < to);
        let end = entries.uploads.len().min(last + 1);
        let uploads = &entries.uploads[first.min(end)..end];
        let mut span = Span { resent: count_resent(uploads), ..Span::default() };
        let mut last = from;
        for upload in uploads {
            span.longest_gap = span.longest_gap.max(upload.at.saturating_duration_since(last));
            span.longest_delay = span.longest_delay.max(upload.delay);
            last = upload.at;
        }
        span
    }

    fn entries(&self) -> MutexGuard<'_, Entries> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn count_resent(uploads: &[AcceptedUpload]) -> u64 {
    uploads.iter().filter(|upload| upload.attempts > 1).count() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_has_its_longest_gap_and_what_was_resent_in_it() {
        let (upload_log, start) = (UploadLog::default(), Instant::now());
        let at = |ms| start + Duration::from_millis(ms);
        for (ms, attempts, delay_ms) in [(10, 3, 900), (100, 1, 5), (400, 2, 310), (450, 1, 7)] {
            let upload = AcceptedUpload { at: at(ms), attempts, delay: Duration::from_millis(delay_ms) };
            upload_log.accept(upload, [("SIM1".to_owned(), Timestamp::UNIX_EPOCH)]);
        }
        let span = upload_log.since(at(50));
        assert_eq!((span.longest_gap, span.resent), (Duration::from_millis(300), 1));
        assert_eq!(span.longest_delay, Duration::from_millis(310));
        assert_eq!((upload_log.uploads(), upload_log.resent(), upload_log.records().len()), (4, 2, 1));
        assert_eq!(upload_log.newest(), Some(at(450)));
        assert_eq!(upload_log.since(at(450)), Span::default());
        let gap = |from, to| upload_log.between(at(from), at(to)).longest_gap;
        assert_eq!((gap(20, 90), gap(20, 110)), (Duration::from_millis(80), Duration::from_millis(300)));
        assert_eq!(gap(420, 500), Duration::from_millis(30));
    }
}
