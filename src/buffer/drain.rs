//! Drains the streams: one consumer per stream at a time, urgent events apart from everything else.
//!
//! Before: uploads in Redis Streams. After: `buffer::commit` has committed them; they are removed.
//! Promise: an upload is removed only after its commit. What an instance had read when it died is taken over as soon as its lease ends, in the
//! order of the stream. While PostgreSQL does not commit, one step is tried at a time, and nothing is lost by that.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::commit::{CommitError, Committer};
use super::entry::EntryReader;
use super::shared::Shared;
use super::urgent::Announcer;
use super::{BufferServices, measure};
use crate::cache::stream::{self, StreamEntry, StreamLease, UploadStream};
use crate::cache::{Cache, CacheError};
use crate::config::Settings;

/// Tasks that drain streams without urgent events. Each has a step of uploads in the queues of the ingest.
const TASKS: usize = 3;

/// Entries that are read at once.
const ENTRIES: usize = 64;

/// How long a lease lasts without renewal, and how often it is renewed.
const LEASE: Duration = Duration::from_secs(5);
const RENEW_EVERY: Duration = Duration::from_secs(1);

/// How long a stream is drained before another gets its turn.
const SLICE: Duration = Duration::from_secs(2);

/// Longest wait for new uploads of this process; those of others are known after the next measurement.
const IDLE: Duration = Duration::from_millis(100);

/// Pause before a stream is tried once more that another instance drains, or after an error.
const RETRY_PAUSE: Duration = Duration::from_millis(500);

/// The same for a stream whose next upload only a later release can read.
const LATER_PAUSE: Duration = Duration::from_secs(30);

/// Time that a step has to end when the service stops.
const STOP_DEADLINE: Duration = Duration::from_secs(2);

/// Streams that a task of this process drains.
type Drained = Arc<Mutex<HashSet<UploadStream>>>;

/// Why a stream is not drained further for now.
#[derive(Debug, thiserror::Error)]
enum DrainError {
    #[error(transparent)]
    Commit(#[from] CommitError),
    #[error(transparent)]
    Redis(#[from] CacheError),
    #[error("another instance has the lease")]
    LeaseLost,
}

/// One task.
pub(super) struct Drain {
    shared: Arc<Shared>,
    services: BufferServices,
    cache: Cache,
    committer: Committer,
    is_urgent: bool,
    drained: Drained,
    /// Streams that are not tried before.
    not_before: HashMap<UploadStream, Instant>,
    /// Where the search for the next stream begins.
    next: usize,
}

/// The tasks.
///
/// # Errors
/// The settings cannot be used.
pub(super) fn drains(
    shared: &Arc<Shared>,
    services: &BufferServices,
    announcer: &Announcer,
    settings: &Settings,
) -> Result<Vec<Drain>, CacheError> {
    let drained = Drained::default();
    // A body in JSON: every character may become two.
    let max_upload_bytes = settings.max_decompressed_bytes.saturating_mul(2).saturating_add(64 * 1024);
    let task = |number| {
        let is_urgent = number == TASKS;
        let reader = EntryReader::new(services, max_upload_bytes);
        let deadline = settings.commit_deadline();
        Ok(Drain {
            shared: Arc::clone(shared),
            cache: Cache::of_buffer(settings)?,
            committer: Committer::new(services, reader, announcer, is_urgent, deadline),
            services: services.clone(),
            is_urgent,
            drained: Arc::clone(&drained),
            not_before: HashMap::new(),
            next: number * UploadStream::COUNT / TASKS,
        })
    };
    (0..=TASKS).map(task).collect()
}

impl Drain {
    /// Drains until `stop`.
    pub(super) async fn run(mut self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            let Some(stream) = self.take_stream() else {
                tokio::select! {
                    () = stop.cancelled() => return,
                    () = self.shared.appended.notified() => {}
                    () = sleep(IDLE) => {}
                }
                continue;
            };
            let outcome = tokio::select! {
                outcome = self.drain(stream, &stop) => outcome,
                () = end_of(&stop) => Ok(()),
            };
            self.give_back(stream, outcome);
        }
    }

    /// A stream that may hold uploads and that nobody in this process drains.
    fn take_stream(&mut self) -> Option<UploadStream> {
        if !self.services.ingest.can_commit() {
            return None;
        }
        let now = Instant::now();
        let mut drained = self.drained.lock().unwrap_or_else(PoisonError::into_inner);
        let streams: Vec<UploadStream> = UploadStream::all().collect();
        let (first, second) = streams.split_at(self.next);
        let stream = second.iter().chain(first).copied().find(|stream| {
            stream.is_urgent() == self.is_urgent
                && !self.shared.depths.is_empty(*stream)
                && !drained.contains(stream)
                && self.not_before.get(stream).is_none_or(|at| *at <= now)
        })?;
        drained.insert(stream);
        self.next = (stream.index() + 1) % UploadStream::COUNT;
        Some(stream)
    }

    fn give_back(&mut self, stream: UploadStream, outcome: Result<(), DrainError>) {
        let pause = match &outcome {
            // It may be empty: the next measurement shows it.
            Ok(()) => measure::EVERY,
            Err(DrainError::Commit(CommitError::Later)) => LATER_PAUSE,
            Err(_) => RETRY_PAUSE,
        };
        if let Err(error) = outcome {
            tracing::debug!(stream = stream.name(), %error, "not drained further for now");
        }
        self.not_before.insert(stream, Instant::now() + pause);
        self.drained.lock().unwrap_or_else(PoisonError::into_inner).remove(&stream);
    }

    async fn drain(&mut self, stream: UploadStream, stop: &CancellationToken) -> Result<(), DrainError> {
        self.cache.connect().await?;
        let Some(lease) = StreamLease::acquire(&self.cache, stream, LEASE).await? else {
            return Err(DrainError::LeaseLost);
        };
        let (cache, kept) = (self.cache.clone(), lease.clone());
        let outcome = tokio::select! {
            outcome = self.drain_under(&lease, stop) => outcome,
            error = keep(&cache, &kept) => Err(error),
        };
        // If it fails, the lease ends by itself.
        let _ = lease.release(&cache).await;
        outcome
    }

    async fn drain_under(&mut self, lease: &StreamLease, stop: &CancellationToken) -> Result<(), DrainError> {
        let until = Instant::now() + SLICE;
        let mut cursor = "0-0".to_owned();
        loop {
            let claimed = lease.claim(&self.cache, &cursor, ENTRIES).await;
            let (entries, next) =
                self.with_group(lease.stream(), claimed).await?.ok_or(DrainError::LeaseLost)?;
            self.commit_and_remove(lease.stream(), &entries, stop).await?;
            if next == "0-0" {
                break;
            }
            cursor = next;
        }
        while Instant::now() < until && !stop.is_cancelled() {
            let read = lease.read(&self.cache, ENTRIES).await;
            let entries = self.with_group(lease.stream(), read).await?.ok_or(DrainError::LeaseLost)?;
            if entries.is_empty() {
                break;
            }
            self.commit_and_remove(lease.stream(), &entries, stop).await?;
        }
        Ok(())
    }

    /// A group that is missing is created before the error is returned, so that the next attempt finds it.
    async fn with_group<T>(
        &self,
        stream: UploadStream,
        result: Result<T, CacheError>,
    ) -> Result<T, DrainError> {
        if result.as_ref().is_err_and(stream::is_missing_group) {
            measure::create_groups(&self.cache, &[stream]).await?;
        }
        Ok(result?)
    }

    async fn commit_and_remove(
        &mut self,
        stream: UploadStream,
        entries: &[StreamEntry],
        stop: &CancellationToken,
    ) -> Result<(), DrainError> {
        let mut left = entries;
        while !left.is_empty() && !stop.is_cancelled() {
            let count = self.committer.commit_some(&self.cache, left).await?;
            let (stored, rest) = left.split_at(count);
            let ids: Vec<String> = stored.iter().map(|entry| entry.id.clone()).collect();
            stream::remove(&self.cache, stream, &ids).await?;
            left = rest;
        }
        Ok(())
    }
}

/// Renews the lease until it is lost.
async fn keep(cache: &Cache, lease: &StreamLease) -> DrainError {
    loop {
        sleep(RENEW_EVERY).await;
        match timeout(LEASE - RENEW_EVERY * 2, lease.renew(cache)).await {
            Ok(Ok(true)) => {}
            Ok(Ok(false)) | Err(_) => return DrainError::LeaseLost,
            Ok(Err(error)) => return error.into(),
        }
    }
}

async fn end_of(stop: &CancellationToken) {
    stop.cancelled().await;
    sleep(STOP_DEADLINE).await;
}
