//! The writer of one shard or lane: gather, write, answer.
//!
//! Before: `ingest::batcher` gathers. After: `store::batch` commits; each sender is answered.
//! Promise: an answer follows the commit of all its rows. A row that the database refuses does not affect other rows:
//! the batch is halved until that row is alone, and the row is kept in `rejected_upload` (`writer::bisect`).

mod bisect;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use super::batcher::{BatchLimits, Batcher};
use super::chunks::{self, KnownChunks};
use super::commit_health::CommitHealth;
use super::context::{RECONNECT_PAUSE, RetryPolicy, WriterContext, within};
use super::fold::{self, Row};
use super::recent::{RecentDocuments, RecentTimes};
use super::row_set::{CommittedRows, RowSet, TableSet, may_be_too_large};
use super::stats::WriterStats;
use super::{QueuedUpload, UploadResult};
use crate::config::Settings;
use crate::model::{Reading, Reject, UploadOutcome};
use crate::store::batch::{self, Batch, BatchSession, Folded, Transaction};
use crate::store::handover::Handover;
use crate::store::wake::OutboxAnnouncer;
use crate::store::{Store, StoreError};
use crate::telemetry::{names, trace};

/// What a writer is optimised for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WriteMode {
    /// Many readings: lingers for more, and copies rows that are likely new.
    Bulk,
    /// Few events and device information, at once: no linger, a connection from the start, and readings are merged, because a
    /// shard may be writing the same ones.
    LowLatency,
    /// Late data, of few days at a time.
    Late,
}

/// Devices whose newest time the writer of [`WriteMode::Late`] remembers.
const LATE_DEVICES: usize = 10_000;

/// What a writer shares with the rest of the process.
pub(super) struct WriterHandles {
    pub(super) store: Store,
    pub(super) announcer: OutboxAnnouncer,
    pub(super) handover: Handover,
    pub(super) stats: Arc<WriterStats>,
    pub(super) commit_health: CommitHealth,
    pub(super) known_chunks: KnownChunks,
}

pub(super) struct Writer {
    shard: i16,
    mode: WriteMode,
    context: WriterContext,
    announcer: OutboxAnnouncer,
    handover: Handover,
    stats: Arc<WriterStats>,
    commit_health: CommitHealth,
    known_chunks: KnownChunks,
    recent_times: RecentTimes,
    recent_documents: RecentDocuments,
    /// Cancelled transactions since the last commit.
    cancelled: u32,
    limits: BatchLimits,
    commit_deadline: Duration,
}

impl Writer {
    pub(super) fn new(number: usize, mode: WriteMode, handles: WriterHandles, settings: &Settings) -> Self {
        let WriterHandles { store, announcer, handover, stats, commit_health, known_chunks } = handles;
        let (linger_ms, newest_devices, max_weight) = match mode {
            WriteMode::Bulk => (settings.linger_ms, settings.newest_devices, None),
            WriteMode::LowLatency => (0, 0, Some(chunks::LOW_LATENCY_WEIGHT)),
            WriteMode::Late => {
                (settings.linger_ms, settings.newest_devices.min(LATE_DEVICES), Some(chunks::LATE_WEIGHT))
            }
        };
        Self {
            mode,
            shard: i16::try_from(number).expect("fewer shards than 32 768"),
            context: WriterContext::new(&store, settings),
            announcer,
            handover,
            stats,
            commit_health,
            known_chunks,
            recent_times: RecentTimes::new(newest_devices),
            recent_documents: RecentDocuments::new(newest_devices),
            cancelled: 0,
            limits: BatchLimits {
                max_rows: settings.max_batch_rows,
                max_weight,
                linger: Duration::from_millis(linger_ms),
            },
            commit_deadline: settings.commit_deadline(),
        }
    }

    /// Runs until `stop`, then commits what is queued and ends.
    pub(super) async fn run(mut self, queue: mpsc::Receiver<QueuedUpload>, stop: CancellationToken) {
        // So that the first record need not wait for a connection. If none can be had now, the record asks again.
        self.context.session = match self.mode {
            WriteMode::LowLatency => self.prepared_session().await.ok(),
            WriteMode::Bulk | WriteMode::Late => BatchSession::open(&self.context.store).await.ok(),
        };
        let mut batcher = Batcher::new(queue, self.limits, self.known_chunks.clone());
        while let Some(uploads) = batcher.gather(&stop).await {
            let traces = uploads.iter().filter_map(|queued| queued.trace.as_ref());
            let span = trace::span_with_parents(traces, || trace::span!("batch", parts = uploads.len()));
            self.write(uploads).instrument(span).await;
        }
        self.context.session = None;
    }

    /// With the statements of events prepared too.
    async fn prepared_session(&self) -> Result<BatchSession, StoreError> {
        let session = BatchSession::open(&self.context.store).await?;
        session.prepare(self.context.duplicates).await?;
        Ok(session)
    }

    /// Commits what the uploads hold, and answers their senders.
    async fn write(&mut self, mut uploads: Vec<QueuedUpload>) {
        let received: Vec<usize> = uploads.iter().map(|queued| queued.upload.received()).collect();
        for queued in &uploads {
            metrics::histogram!(names::QUEUE_SECONDS).record(queued.queued_at.elapsed());
        }
        let duplicates = self.context.duplicates;
        let readings = fold::fold(&mut uploads, |queued| &mut queued.upload.items, duplicates);
        let events = fold::fold(&mut uploads, |queued| &mut queued.upload.events, duplicates);
        let device_infos = fold::fold(&mut uploads, |queued| &mut queued.upload.device_infos, duplicates);
        let rows = RowSet { readings: &readings, events: &events, device_infos: &device_infos };
        let mut rejects = Vec::new();
        let mut results: Vec<UploadResult> = Vec::with_capacity(uploads.len());
        for queued in &mut uploads {
            let own = std::mem::take(&mut queued.upload.rejects);
            let rejected = own.iter().map(|reject| reject.refusal.clone()).collect();
            results.push(Ok(UploadOutcome { rejected, ..UploadOutcome::default() }));
            rejects.extend(own);
        }
        self.commit_all(rows, rejects, &mut results).await;
        for ((queued, result), received) in uploads.into_iter().zip(results).zip(received) {
            if result.is_err() {
                self.stats.add_failed(received);
            }
            // Fails if nobody waits any more: the client is gone, or its deadline has passed.
            let _ = queued.reply.send(result);
        }
    }

    /// One transaction, tried again while the same may work, until `deadline`.
    async fn commit(
        &mut self,
        rows: RowSet<'_>,
        rejects: &[Reject],
        deadline: Instant,
    ) -> Result<CommittedRows, StoreError> {
        let mut merge_all = self.mode == WriteMode::LowLatency;
        let mut retry = RetryPolicy::wait_until(deadline);
        loop {
            let started = Instant::now();
            let error = match self.try_commit(rows, rejects, merge_all).await {
                Ok(committed) => {
                    self.count_committed(rows, rejects, &committed, started);
                    return Ok(committed);
                }
                Err(error) => error,
            };
            // A transaction that is too large for late data does not mean that current uploads fail.
            if self.mode != WriteMode::Late || !may_be_too_large(&error) {
                self.commit_health.failed(&error);
            }
            if error.is_repeat() && !merge_all {
                merge_all = true;
            } else if self.should_halve(&error) || !retry.should_retry(&error).await {
                return Err(error);
            }
        }
    }

    /// Whether fewer rows at once are better than a retry: when the server is out of locks, at once; when it cancelled the
    /// transaction, the second time. The first may have been another batch, because clients repeat their uploads.
    fn should_halve(&mut self, error: &StoreError) -> bool {
        self.cancelled += u32::from(error.is_cancelled());
        error.is_out_of_locks() || error.is_cancelled() && self.cancelled > 1
    }

    async fn try_commit(
        &mut self,
        rows: RowSet<'_>,
        rejects: &[Reject],
        merge_all: bool,
    ) -> Result<CommittedRows, StoreError> {
        let session = match self.context.take_session() {
            Some(session) => session,
            None => {
                // The new session may reach another server, which may not have what was committed last.
                self.recent_documents.clear();
                BatchSession::open(&self.context.store).await?
            }
        };
        let readings = rows.readings;
        let (mut fresh, mut repeats, mut repeat_rows) = (Vec::new(), Vec::new(), Vec::new());
        for (row, Row { record, .. }) in readings.iter().enumerate() {
            let Reading { device_sn, ts, .. } = &record.reading;
            if merge_all || self.recent_times.is_likely_repeat(device_sn, *ts) {
                repeats.push(record);
                repeat_rows.push(row);
            } else {
                fresh.push(record);
            }
        }
        let batch = Batch {
            fresh,
            repeats,
            events: rows.events.iter().map(|row| &row.record).collect(),
            device_infos: rows.device_infos.iter().map(|row| &row.record).collect(),
            folded: Folded {
                readings: count_repeats(readings),
                events: count_repeats(rows.events),
                device_infos: count_repeats(rows.device_infos),
            },
            documents: self.recent_documents.new_documents(readings),
            rejects,
            instance: &self.context.instance,
            shard: self.shard,
        };
        let writing = session.write(&batch, self.context.duplicates);
        let written = match within(self.context.write_deadline, "batch.write", writing).await {
            Ok(written) => written,
            Err(error) => {
                // These errors come from the server itself, so it is there, and the transaction is rolled back.
                self.context.put_back(session, Some(&error).filter(|error| !may_be_too_large(error)));
                return Err(error);
            }
        };
        // Offered before the commit, for a relay may claim the batch right after it. Rows that were merged may be more than what was sent.
        if batch.repeats.is_empty() {
            self.handover.offer_newest(written.transaction.batch_id, &batch.fresh);
        }
        let committing = session.account_and_commit(&batch, &written);
        match within(self.context.write_deadline, "batch.commit", committing).await {
            Ok(()) => self.context.session = Some(session),
            Err(error) => {
                drop(session);
                // After a crash of the server another transaction may get its number.
                self.handover.withdraw(written.transaction.batch_id);
                self.confirm_commit(written.transaction, error).await?;
            }
        }
        self.recent_documents.add(&batch.documents);
        let tables = TableSet::of(rows, &batch.documents);
        Ok(CommittedRows::new(written, tables, readings.len(), &repeat_rows))
    }

    /// A commit was not answered: asks the server, on another connection, whether it happened and is on the standby.
    async fn confirm_commit(&self, transaction: Transaction, error: StoreError) -> Result<(), StoreError> {
        let batch_id = transaction.batch_id;
        tracing::warn!(shard = self.shard, batch_id, %error, "commit not answered, asking whether it took place");
        let _unanswered = self.commit_health.unanswered();
        let until = Instant::now() + self.commit_deadline;
        while Instant::now() < until {
            tokio::time::sleep(RECONNECT_PAUSE).await;
            let asking = batch::confirm(&self.context.store, transaction);
            match tokio::time::timeout_at(until, asking).await {
                Ok(Ok(Some(true))) => return Ok(()),
                Ok(Ok(Some(false))) => break,
                Ok(Ok(None) | Err(_)) | Err(_) => {}
            }
        }
        Err(error)
    }

    fn count_committed(
        &mut self,
        rows: RowSet<'_>,
        rejects: &[Reject],
        committed: &CommittedRows,
        started: Instant,
    ) {
        self.announcer.announce(rows.events.iter().any(|row| row.record.event.is_urgent()));
        self.commit_health.committed();
        self.cancelled = 0;
        if self.mode != WriteMode::LowLatency {
            for row in rows.readings {
                self.recent_times.add(&row.record.reading.device_sn, row.record.reading.ts);
            }
        }
        if self.mode == WriteMode::Late {
            self.known_chunks.add(rows.readings.iter().map(|row| row.record.reading.ts));
        }
        let (records, new) = (rows.records(), committed.new_rows());
        for (outcome, count) in [
            ("received", records + rejects.len()),
            ("stored", new),
            ("duplicate", records - new),
            ("rejected", rejects.len()),
        ] {
            metrics::counter!(names::RECORDS, "outcome" => outcome).increment(count as u64);
        }
        self.stats.add_committed(new, records - new, rejects.len());
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52 rows")]
        metrics::histogram!(names::BATCH_ROWS).record(rows.len() as f64);
        metrics::histogram!(names::BATCH_SECONDS).record(started.elapsed());
    }
}

fn count_repeats<R>(rows: &[Row<R>]) -> usize {
    rows.iter().map(|row| row.repeats.len()).sum()
}
