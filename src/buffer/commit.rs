//! Commits buffered uploads in their order, through the ordinary ingest.
//!
//! Before: `buffer::drain` has read entries of a stream. After: `ingest` has committed them; `buffer::drain` removes them.
//! Promise: an entry is reported as stored only after its commit, or after the commit of the reject that has all of it. A record is read by
//! the rules and the retention of its time of receipt. Few uploads wait at a time in the queues that live uploads have too.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use futures_util::future::try_join_all;
use tokio::time::{sleep, timeout};
use tracing::Instrument;

use super::BufferServices;
use super::entry::{EntryReader, ReadEntry, key_of};
use super::pace::Pace;
use super::record::UnpackError;
use super::urgent::{Announcer, UrgentEvent};
use crate::cache::Cache;
use crate::cache::stream::{StreamEntry, shadow};
use crate::ingest::IngestError;
use crate::model::{ShadowCounts, Upload};
use crate::telemetry::names;
use crate::telemetry::trace;

/// Pause while live uploads fill the queues of the same kind.
const ROOM_PAUSE: Duration = Duration::from_millis(20);

/// How many times longer than the sender of a live upload draining waits for a commit: nobody waits for the answer, and a large upload that
/// is cancelled too early would be tried for ever.
const DEADLINE_FACTOR: u32 = 10;

/// How often an upload may fail by itself, while others are stored, before it is kept as rejected.
const MAX_FAILURES: u32 = 5;

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
    services: BufferServices,
    reader: EntryReader,
    announcer: Announcer,
    /// Whether its uploads are urgent events.
    is_urgent: bool,
    pace: Pace,
    commit_deadline: Duration,
    /// How often an entry has failed by itself.
    failures: HashMap<String, u32>,
}

impl Committer {
    pub(super) fn new(
        services: &BufferServices,
        reader: EntryReader,
        announcer: &Announcer,
        is_urgent: bool,
        commit_deadline: Duration,
    ) -> Self {
        Self {
            services: services.clone(),
            reader,
            announcer: announcer.clone(),
            is_urgent,
            pace: Pace::default(),
            commit_deadline,
            failures: HashMap::new(),
        }
    }

    /// Commits the first of `entries`, as many as one step takes; or compares them, with the sums in `cache`. Gives their number, at least 1.
    ///
    /// # Errors
    /// None of them is known to be stored.
    pub(super) async fn commit_some(
        &mut self,
        cache: &Cache,
        entries: &[StreamEntry],
    ) -> Result<usize, CommitError> {
        while !self.services.ingest.has_spare_room(self.is_urgent) {
            sleep(ROOM_PAUSE).await;
        }
        let step = self.read_step(entries)?;
        let count = step.len();
        if step.iter().any(|read| read.is_shadow) {
            self.compare(cache, step).await?;
            return Ok(count);
        }
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
            if !step.first().is_none_or(|first| fits && first.is_like(&read)) {
                break;
            }
            rows += read.upload.received();
            step.push(read);
        }
        Ok(step)
    }

    fn read(&self, entry: &StreamEntry) -> Result<ReadEntry, CommitError> {
        self.reader.read(entry).map_err(|error: UnpackError| {
            tracing::error!(id = entry.id, %error, "an upload stays in the buffer, and those behind it");
            CommitError::Later
        })
    }

    /// Completes the owners of uploads, as for a live upload; records that their keys may not write become rejects.
    async fn complete_owners(&self, uploads: &mut [Upload]) -> Result<(), IngestError> {
        let owners = &self.services.owners;
        let completing = try_join_all(uploads.iter_mut().map(async |upload| match key_of(upload) {
            Some(customer_id) => owners.keep_own(upload, customer_id).await,
            None => owners.fill(upload.owner_slots()).await,
        }));
        // It waits for a database that is away.
        match timeout(self.commit_deadline, completing).await {
            Ok(Ok(_)) => Ok(()),
            _ => Err(IngestError::Unavailable),
        }
    }

    /// What was erased after it was received is not stored; gives the number of records.
    async fn remove_erased(&self, uploads: &mut [Upload]) -> Result<usize, IngestError> {
        let removing = self.services.erased.remove_from(uploads);
        timeout(self.commit_deadline, removing).await.unwrap_or(Err(IngestError::Unavailable))
    }

    /// Compares shadow uploads with what is stored.
    async fn compare(&self, cache: &Cache, step: Vec<ReadEntry>) -> Result<(), CommitError> {
        let uploads_count = step.len();
        let mut uploads: Vec<Upload> = step.into_iter().map(|read| read.upload).collect();
        self.remove_erased(&mut uploads).await.map_err(|_| CommitError::Unavailable)?;
        self.complete_owners(&mut uploads).await.map_err(|_| CommitError::Unavailable)?;
        let mut all = Upload::default();
        uploads.into_iter().for_each(|later| all.append(later));
        let comparing = self.services.comparer.compare(&all);
        let compared = timeout(self.commit_deadline * DEADLINE_FACTOR, comparing).await;
        let counts = match compared {
            Ok(Ok(counts)) => counts,
            Ok(Err(IngestError::Failed)) => {
                ShadowCounts { unreadable: uploads_count as u64, ..ShadowCounts::default() }
            }
            Ok(Err(_)) | Err(_) => return Err(CommitError::Unavailable),
        };
        for (kind, count) in ShadowCounts::NAMES.into_iter().zip(counts.figures()) {
            metrics::counter!(names::BUFFER_SHADOW_RECORDS, "kind" => kind).increment(count);
        }
        if let Some(finding) = counts.finding() {
            tracing::warn!(uploads = uploads_count, "shadow uploads of the buffer: {finding}");
        }
        if let Err(error) = shadow::add(cache, &counts).await {
            tracing::warn!(%error, "the sums of compared shadow uploads lack some");
        }
        Ok(())
    }

    async fn commit(&mut self, step: Vec<ReadEntry>) -> Result<(), IngestError> {
        let uploads = step.len();
        let span = trace::span_with_parents(step.iter().filter_map(|read| read.trace.as_ref()), || {
            trace::span!("buffer.commit", uploads)
        });
        let mut sent: Vec<Upload> = step.into_iter().map(|read| read.upload).collect();
        let erased = self.remove_erased(&mut sent).instrument(span.clone()).await?;
        let urgent: Vec<UrgentEvent> = sent.iter().flat_map(UrgentEvent::all_of).collect();
        self.complete_owners(&mut sent).instrument(span.clone()).await?;
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
        self.announcer.complete(urgent);
        self.pace.adapt(rows, started.elapsed());
        for (label, records) in [
            ("stored", outcome.stored as usize),
            ("duplicate", outcome.duplicate as usize),
            ("rejected", outcome.rejected.len()),
            ("erased", erased),
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
        let reject = self.reader.reject(entry, reason);
        if self.commit(vec![reject]).await.is_err() {
            return Err(CommitError::Failed);
        }
        tracing::error!(id = entry.id, "a buffered upload could not be stored: it is in rejected_upload");
        self.failures.remove(&entry.id);
        Ok(())
    }
}
