//! The writer of one shard or lane: gather, write, answer.
//!
//! Before: `ingest::batcher` gathers. After: `store::batch` commits; each sender is answered.
//! Promise: an answer follows the commit of all its rows. A row the database refuses costs its neighbours
//! nothing: the batch is halved until the row stands alone, and it is kept in `rejected_upload`.

mod bisect;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use super::again::{RECONNECT_PAUSE, Tries};
use super::batcher::{Batcher, Limits};
use super::days::{self, Known};
use super::documents::Documents;
use super::load::{Load, Stored, Tables, may_be_of_size};
use super::means::Means;
use super::meter::Meter;
use super::newest::Newest;
use super::outlook::Outlook;
use super::plan::{self, Row};
use super::{Answer, Part, within};
use crate::config::Settings;
use crate::model::{Reject, UploadOutcome};
use crate::store::batch::{self, Batch, Folded, Session, Transaction};
use crate::store::wake::Announcer;
use crate::store::{Store, StoreError};
use crate::telemetry::{names, trace};

/// How a writer goes about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Manner {
    /// Many readings: lingers for company, copies what is likely new.
    Bulk,
    /// Events and device information, few and soon: no linger, a connection from the start, and readings merged, for a
    /// shard may be writing the same.
    Prompt,
    /// Readings of long ago, of few days at a time.
    Far,
}

/// Devices the writer of [`Manner::Far`] remembers.
const FAR_DEVICES: usize = 10_000;

/// Where a writer's work goes, and where it is counted.
pub(super) struct Outlets {
    pub(super) store: Store,
    pub(super) announcer: Announcer,
    pub(super) meter: Arc<Meter>,
    pub(super) outlook: Outlook,
    pub(super) known: Known,
}

pub(super) struct Writer {
    shard: i16,
    manner: Manner,
    means: Means,
    announcer: Announcer,
    meter: Arc<Meter>,
    outlook: Outlook,
    newest: Newest,
    known: Known,
    documents: Documents,
    /// Transactions that were cancelled since one was committed.
    cancelled: u32,
    limits: Limits,
    commit_deadline: Duration,
}

impl Writer {
    pub(super) fn new(
        number: usize,
        manner: Manner,
        Outlets { store, announcer, meter, outlook, known }: Outlets,
        settings: &Settings,
    ) -> Self {
        let (linger_ms, newest_devices, max_weight) = match manner {
            Manner::Bulk => (settings.linger_ms, settings.newest_devices, None),
            Manner::Prompt => (0, 0, Some(days::PROMPT_WEIGHT)),
            Manner::Far => {
                (settings.linger_ms, settings.newest_devices.min(FAR_DEVICES), Some(days::FAR_WEIGHT))
            }
        };
        Self {
            manner,
            shard: i16::try_from(number).expect("fewer shards than 32 768"),
            means: Means::new(&store, settings),
            announcer,
            meter,
            outlook,
            newest: Newest::new(newest_devices),
            known,
            documents: Documents::new(newest_devices),
            cancelled: 0,
            limits: Limits {
                max_rows: settings.max_batch_rows,
                max_weight,
                linger: Duration::from_millis(linger_ms),
            },
            commit_deadline: settings.commit_deadline(),
        }
    }

    /// Runs until `stop`, then commits what is queued and ends.
    pub(super) async fn run(mut self, queue: mpsc::Receiver<Part>, stop: CancellationToken) {
        // So that the first record need not wait for a connection; if none can be had now, the record asks again.
        self.means.session = match self.manner {
            Manner::Prompt => self.prepared_session().await.ok(),
            Manner::Bulk | Manner::Far => Session::open(&self.means.store).await.ok(),
        };
        let mut batcher = Batcher::new(queue, self.limits, self.known.clone());
        while let Some(parts) = batcher.gather(&stop).await {
            let traces = parts.iter().filter_map(|part| part.trace.as_ref());
            let span = trace::span_with_parents(traces, || trace::span!("batch", parts = parts.len()));
            self.serve(parts).instrument(span).await;
        }
        self.means.session = None;
    }

    /// With the statements of events prepared too.
    async fn prepared_session(&self) -> Result<Session, StoreError> {
        let session = Session::open(&self.means.store).await?;
        session.prepare(self.means.duplicates).await?;
        Ok(session)
    }

    async fn serve(&mut self, mut parts: Vec<Part>) {
        let entered: Vec<usize> = parts.iter().map(Part::records).collect();
        for part in &parts {
            metrics::histogram!(names::QUEUE_SECONDS).record(part.entered.elapsed());
        }
        let duplicates = self.means.duplicates;
        let readings = plan::fold(&mut parts, |part| &mut part.upload.items, duplicates);
        let events = plan::fold(&mut parts, |part| &mut part.upload.events, duplicates);
        let device_infos = plan::fold(&mut parts, |part| &mut part.upload.device_infos, duplicates);
        let load = Load { readings: &readings, events: &events, device_infos: &device_infos };
        let mut rejects = Vec::new();
        let mut answers: Vec<Answer> = vec![Ok(UploadOutcome::default()); parts.len()];
        for (part, answer) in parts.iter_mut().zip(&mut answers) {
            let part_rejects = std::mem::take(&mut part.upload.rejects);
            if let Ok(outcome) = answer {
                outcome.rejected.extend(part_rejects.iter().map(|reject| reject.refusal.clone()));
            }
            rejects.extend(part_rejects);
        }
        self.store_all(load, rejects, &mut answers).await;
        for ((part, answer), records) in parts.into_iter().zip(answers).zip(entered) {
            if answer.is_err() {
                self.meter.refused(records);
            }
            // Nobody waits any more: the client went, or its deadline passed.
            let _ = part.answer.send(answer);
        }
    }

    /// One transaction, again when the same may work, until `until`.
    async fn commit(
        &mut self,
        load: Load<'_>,
        rejects: &[Reject],
        until: Instant,
    ) -> Result<Stored, StoreError> {
        let mut all_are_repeats = self.manner == Manner::Prompt;
        let mut tries = Tries::until(until);
        loop {
            let started = Instant::now();
            let error = match self.attempt(load, rejects, all_are_repeats).await {
                Ok(stored) => {
                    self.committed(load, rejects, &stored, started);
                    return Ok(stored);
                }
                Err(error) => error,
            };
            // What is too much of long ago says nothing of what is uploaded now.
            if self.manner != Manner::Far || !may_be_of_size(&error) {
                self.outlook.failed(&error);
            }
            if error.is_repeat() && !all_are_repeats {
                all_are_repeats = true;
            } else if self.is_too_much(&error) || !tries.again(&error).await {
                return Err(error);
            }
        }
    }

    /// Whether less at once is better than the same again: without locks to be had at once, when cancelled once it was cancelled
    /// before, be it another batch, for its senders may have sent the same.
    fn is_too_much(&mut self, error: &StoreError) -> bool {
        self.cancelled += u32::from(error.is_cancelled());
        error.is_out_of_locks() || error.is_cancelled() && self.cancelled > 1
    }

    async fn attempt(
        &mut self,
        load: Load<'_>,
        rejects: &[Reject],
        all_are_repeats: bool,
    ) -> Result<Stored, StoreError> {
        let session = match self.means.take() {
            Some(session) => session,
            None => {
                self.documents.forget();
                Session::open(&self.means.store).await?
            }
        };
        let rows = load.readings;
        let (fresh, repeats): (Vec<usize>, Vec<usize>) = (0..rows.len()).partition(|row| {
            let reading = &rows[*row].item.reading;
            !all_are_repeats && !self.newest.is_likely_repeat(&reading.device_sn, reading.ts)
        });
        let batch = Batch {
            fresh: fresh.iter().map(|row| &rows[*row].item).collect(),
            repeats: repeats.iter().map(|row| &rows[*row].item).collect(),
            events: load.events.iter().map(|row| &row.item).collect(),
            device_infos: load.device_infos.iter().map(|row| &row.item).collect(),
            folded: Folded {
                readings: folded(rows),
                events: folded(load.events),
                device_infos: folded(load.device_infos),
            },
            documents: self.documents.unstored(rows),
            rejects,
            instance: &self.means.instance,
            shard: self.shard,
        };
        let writing = session.write(&batch, self.means.duplicates);
        let written = match within(self.means.write_deadline, "batch.write", writing).await {
            Ok(written) => written,
            Err(error) => {
                // The server has said so itself: it is there, and the transaction is rolled back.
                self.means.put_back(session, Some(&error).filter(|error| !may_be_of_size(error)));
                return Err(error);
            }
        };
        let committing = session.account_and_commit(&batch, &written);
        match within(self.means.write_deadline, "batch.commit", committing).await {
            Ok(()) => self.means.session = Some(session),
            Err(error) => {
                drop(session);
                self.find_out(written.transaction, error).await?;
            }
        }
        self.documents.stored(&batch.documents);
        Ok(Stored::new(written, Tables::of(load, &batch.documents), rows.len(), &repeats))
    }

    /// A commit was not answered: asks the server, on another connection, whether it took place and is on the standby.
    async fn find_out(&self, transaction: Transaction, error: StoreError) -> Result<(), StoreError> {
        let batch_id = transaction.batch_id;
        tracing::warn!(shard = self.shard, batch_id, %error, "commit not answered, asking whether it took place");
        let _asked_for = self.outlook.unanswered();
        let until = Instant::now() + self.commit_deadline;
        while Instant::now() < until {
            tokio::time::sleep(RECONNECT_PAUSE).await;
            let asking = batch::confirm(&self.means.store, transaction);
            match tokio::time::timeout_at(until, asking).await {
                Ok(Ok(Some(true))) => return Ok(()),
                Ok(Ok(Some(false))) => break,
                Ok(Ok(None) | Err(_)) | Err(_) => {}
            }
        }
        Err(error)
    }

    fn committed(&mut self, load: Load<'_>, rejects: &[Reject], stored: &Stored, started: Instant) {
        self.announcer.announce();
        self.outlook.committed();
        self.cancelled = 0;
        if self.manner != Manner::Prompt {
            for row in load.readings {
                self.newest.saw(&row.item.reading.device_sn, row.item.reading.ts);
            }
        }
        if self.manner == Manner::Far {
            self.known.add(load.readings.iter().map(|row| row.item.reading.ts));
        }
        let (records, new) = (load.records(), stored.new_rows());
        for (outcome, count) in [
            ("received", records + rejects.len()),
            ("stored", new),
            ("duplicate", records - new),
            ("rejected", rejects.len()),
        ] {
            metrics::counter!(names::RECORDS, "outcome" => outcome).increment(count as u64);
        }
        self.meter.committed(new, records - new, rejects.len());
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52 rows")]
        metrics::histogram!(names::BATCH_ROWS).record(load.len() as f64);
        metrics::histogram!(names::BATCH_SECONDS).record(started.elapsed());
    }
}

fn folded<R>(rows: &[Row<R>]) -> usize {
    rows.iter().map(|row| row.places.len() - 1).sum()
}
