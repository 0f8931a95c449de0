//! Commits buffered uploads in their order, through the ordinary ingest.
//!
//! Before: `buffer::drain` has read entries of a stream. After: `ingest` has committed them; `buffer::drain` removes them.
//! Promise: an entry is reported as stored only after its commit, or after the commit of the reject that has all of it. A record is read by
//! the rules and the retention of its time of receipt. Few uploads wait at a time in the queues that live uploads have too.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::future::try_join_all;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use tokio::time::{sleep, timeout};
use tracing::Instrument;

use super::pace::Pace;
use super::record::{UnpackError, unpack};
use crate::cache::stream::StreamEntry;
use crate::ingest::{Ingest, IngestError};
use crate::model::{Refusal, Reject, RejectReason, Source, Upload};
use crate::owners::Owners;
use crate::telemetry::names;
use crate::telemetry::trace::{self, TraceContext};
use crate::wire::Context;
use crate::wire::buffered::BufferedUpload;

/// Pause while live uploads fill the queues of the same kind.
const ROOM_PAUSE: Duration = Duration::from_millis(20);

/// How many times longer than the sender of a live upload draining waits for a commit: nobody waits for the answer, and a large upload that
/// is cancelled too early would be tried for ever.
const DEADLINE_FACTOR: u32 = 10;

/// How often an upload may fail by itself, while others are stored, before it is kept as rejected.
const MAX_FAILURES: u32 = 5;

/// What draining uses of the rest of the service.
#[derive(Clone)]
pub struct DrainServices {
    /// Commits uploads.
    pub ingest: Arc<Ingest>,
    /// Looks up who owns a device.
    pub owners: Owners,
    /// Zone of times without a zone.
    pub device_zone: TimeZone,
    /// Start of the time for which raw rows are kept, at a time of receipt.
    pub oldest: Arc<dyn Fn(Timestamp) -> Option<Timestamp> + Send + Sync>,
}

impl std::fmt::Debug for DrainServices {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DrainServices").finish_non_exhaustive()
    }
}

/// Why the rest of the entries is not stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum CommitError {
    /// PostgreSQL cannot store it now.
    #[error("PostgreSQL cannot store uploads now")]
    Unavailable,
    /// The next entry was written by a later release.
    #[error("a later release has written the next upload, and must drain it")]
    Later,
    /// PostgreSQL refuses the next entry, not for the last time.
    #[error("the next upload could not be stored")]
    Failed,
}

/// Commits entries.
pub(super) struct Committer {
    services: DrainServices,
    /// Whether its uploads are urgent events.
    is_urgent: bool,
    pace: Pace,
    commit_deadline: Duration,
    max_upload_bytes: usize,
    /// How often an entry has failed by itself.
    failures: HashMap<String, u32>,
}

/// An entry that was read.
struct ReadEntry {
    upload: Upload,
    trace: Option<TraceContext>,
}

impl Committer {
    pub(super) fn new(
        services: DrainServices,
        is_urgent: bool,
        commit_deadline: Duration,
        max_upload_bytes: usize,
    ) -> Self {
        let (pace, failures) = (Pace::default(), HashMap::new());
        Self { services, is_urgent, pace, commit_deadline, max_upload_bytes, failures }
    }

    /// Commits the first of `entries`, as many as one step takes. Gives their number, at least 1.
    ///
    /// # Errors
    /// None of them is known to be stored.
    pub(super) async fn commit_some(&mut self, entries: &[StreamEntry]) -> Result<usize, CommitError> {
        while !self.services.ingest.has_spare_room(self.is_urgent) {
            sleep(ROOM_PAUSE).await;
        }
        let step = self.read_step(entries)?;
        let count = step.len();
        match self.commit(step).await {
            Err(IngestError::Failed) if count > 1 => self.commit_alone(&entries[0]).await.map(|()| 1),
            Err(IngestError::Failed) => self.count_failure(&entries[0]).await.map(|()| 1),
            Err(IngestError::Full | IngestError::Stopping | IngestError::Unavailable) => {
                Err(CommitError::Unavailable)
            }
            Ok(()) => Ok(count),
        }
    }

    /// Reads entries until they are enough for a step. Readings are committed together, and so are events; a step has one of both.
    fn read_step(&self, entries: &[StreamEntry]) -> Result<Vec<ReadEntry>, CommitError> {
        let mut step: Vec<ReadEntry> = Vec::new();
        let mut rows = 0;
        for entry in entries {
            let read = match self.read(entry) {
                Ok(read) => read,
                Err(CommitError::Later) if !step.is_empty() => break,
                Err(error) => return Err(error),
            };
            let fits = rows + read.upload.received() <= self.pace.rows();
            let is_alike =
                |first: &ReadEntry| has_readings_only(&first.upload) == has_readings_only(&read.upload);
            if !step.first().is_none_or(|first| fits && is_alike(first)) {
                break;
            }
            rows += read.upload.received();
            step.push(read);
        }
        Ok(step)
    }

    fn read(&self, entry: &StreamEntry) -> Result<ReadEntry, CommitError> {
        let buffered = match unpack(&entry.upload, self.max_upload_bytes) {
            Ok(buffered) => buffered,
            Err(error @ UnpackError::Later(_)) => {
                tracing::error!(id = entry.id, %error, "an upload stays in the buffer, and those behind it");
                return Err(CommitError::Later);
            }
            Err(error) => return Ok(ReadEntry { upload: of_corrupt(entry, &error), trace: None }),
        };
        let context = Context {
            received_at: buffered.received_at,
            device_zone: self.services.device_zone.clone(),
            oldest: (self.services.oldest)(buffered.received_at),
            key_customer_id: buffered.key_customer_id,
        };
        let upload = buffered
            .read(&context)
            .unwrap_or_else(|error| rejected(&buffered, RejectReason::NotJson, error.to_string()));
        let trace = buffered.traceparent.as_deref().and_then(TraceContext::parse);
        Ok(ReadEntry { upload, trace })
    }

    async fn commit(&mut self, step: Vec<ReadEntry>) -> Result<(), IngestError> {
        let uploads = step.len();
        let span = trace::span_with_parents(step.iter().filter_map(|read| read.trace.as_ref()), || {
            trace::span!("buffer.commit", uploads)
        });
        let mut sent: Vec<Upload> = step.into_iter().map(|read| read.upload).collect();
        let completing = async {
            let owners = &self.services.owners;
            try_join_all(sent.iter_mut().map(async |upload| match key_of(upload) {
                Some(customer_id) => owners.keep_own(upload, customer_id).await,
                None => owners.fill(upload.owner_slots()).await,
            }))
            .await
        };
        // It waits for a database that is away.
        let completed = timeout(self.commit_deadline, completing.instrument(span.clone())).await;
        if !matches!(completed, Ok(Ok(_))) {
            return Err(IngestError::Unavailable);
        }
        let mut upload = Upload::default();
        sent.into_iter().for_each(|later| upload.append(later));
        let (rows, started) = (upload.received(), Instant::now());
        let longest = self.commit_deadline * DEADLINE_FACTOR;
        let deadline = tokio::time::Instant::now() + longest;
        let outcome = self.services.ingest.submit_until(upload, deadline).instrument(span).await;
        if outcome.is_err() && started.elapsed() >= longest && self.services.ingest.can_commit() {
            self.pace.halve();
            tracing::warn!(
                uploads,
                rows,
                "buffered uploads were not committed in time: fewer are tried at once"
            );
        }
        let outcome = outcome?;
        self.pace.adapt(rows, started.elapsed());
        for (label, records) in [
            ("stored", outcome.stored as usize),
            ("duplicate", outcome.duplicate as usize),
            ("rejected", outcome.rejected.len()),
        ] {
            metrics::counter!(names::BUFFER_DRAINED_RECORDS, "outcome" => label).increment(records as u64);
        }
        metrics::counter!(names::BUFFER_DRAINED).increment(uploads as u64);
        Ok(())
    }

    /// The step failed: perhaps because of another of its uploads.
    async fn commit_alone(&mut self, entry: &StreamEntry) -> Result<(), CommitError> {
        let read = self.read(entry)?;
        match self.commit(vec![read]).await {
            Ok(()) => Ok(()),
            Err(IngestError::Failed) => self.count_failure(entry).await,
            Err(_) => Err(CommitError::Unavailable),
        }
    }

    /// An upload that fails by itself is kept as rejected, if a reject can be stored: then it is not PostgreSQL that fails.
    async fn count_failure(&mut self, entry: &StreamEntry) -> Result<(), CommitError> {
        let failures = self.failures.entry(entry.id.clone()).or_default();
        *failures += 1;
        if *failures < MAX_FAILURES {
            return Err(CommitError::Failed);
        }
        let reason = "it could not be stored; the log of the service says why";
        let upload = match unpack(&entry.upload, self.max_upload_bytes) {
            Ok(buffered) => rejected(&buffered, RejectReason::RefusedByDatabase, reason.to_owned()),
            Err(error) => of_corrupt(entry, &error),
        };
        let reject = ReadEntry { upload, trace: None };
        if self.commit(vec![reject]).await.is_err() {
            return Err(CommitError::Failed);
        }
        tracing::error!(id = entry.id, "a buffered upload could not be stored: it is in rejected_upload");
        self.failures.remove(&entry.id);
        Ok(())
    }
}

/// Its lane in the ingest is that of its device, so readings of many uploads can be one.
fn has_readings_only(upload: &Upload) -> bool {
    let is_of_readings = |reject: &Reject| !matches!(reject.source, Source::Event | Source::DeviceInfo);
    upload.events.is_empty() && upload.device_infos.is_empty() && upload.rejects.iter().all(is_of_readings)
}

/// The tenant of the key that an upload came with.
fn key_of(upload: &Upload) -> Option<i64> {
    let items = upload.items.iter().map(|item| item.key_customer_id);
    let events = upload.events.iter().map(|item| item.key_customer_id);
    let infos = upload.device_infos.iter().map(|item| item.key_customer_id);
    items.chain(events).chain(infos).next().flatten()
}

fn rejected(buffered: &BufferedUpload, reason: RejectReason, detail: String) -> Upload {
    Upload { rejects: vec![buffered.reject(reason, detail)], ..Upload::default() }
}

/// An entry that is no upload, as hexadecimal digits.
fn of_corrupt(entry: &StreamEntry, error: &UnpackError) -> Upload {
    let digits: String = entry.upload.iter().map(|byte| format!("{byte:02x}")).collect();
    let reject = Reject {
        refusal: Refusal { index: 0, reason: RejectReason::NotJson, detail: error.to_string() },
        device_sn: None,
        text: Bytes::from(digits),
        inherited: None,
        source: Source::Buffer,
        received_at: Timestamp::from_millisecond(entry.appended_at_ms()).unwrap_or(Timestamp::UNIX_EPOCH),
        key_customer_id: None,
    };
    Upload { rejects: vec![reject], ..Upload::default() }
}
