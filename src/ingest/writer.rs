//! The writer of one shard: gather, write, answer.
//!
//! Before: `ingest::batcher` gathers. After: `store::batch` commits; each sender is answered.
//! Promise: an answer follows the commit of all its rows. A row the database refuses costs its neighbours
//! nothing: the batch is halved until the row stands alone, and it is kept in `rejected_upload`.

use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::batcher::{self, Limits};
use super::newest::Newest;
use super::plan::{self, Row};
use super::{IngestError, Part, within};
use crate::config::{Duplicates, Settings};
use crate::model::{Reject, UploadOutcome};
use crate::store::batch::{self, Batch, Session};
use crate::store::wake::Announcer;
use crate::store::{Kind, Store, StoreError};
use crate::telemetry::names;

/// Tries of one transaction when the database says that the same again may work.
const MAX_TRIES: u32 = 5;

/// Pause before a new connection is asked for while the database is away.
const RECONNECT_PAUSE: Duration = Duration::from_millis(200);

pub(super) struct Writer {
    shard: i16,
    instance: String,
    store: Store,
    announcer: Announcer,
    session: Option<Session>,
    newest: Newest,
    limits: Limits,
    duplicates: Duplicates,
    write_deadline: Duration,
    commit_deadline: Duration,
}

impl Writer {
    pub(super) fn new(number: usize, store: Store, announcer: Announcer, settings: &Settings) -> Self {
        Self {
            shard: i16::try_from(number).expect("fewer shards than 32 768"),
            instance: settings.instance_name(),
            store,
            announcer,
            session: None,
            newest: Newest::new(settings.newest_devices),
            limits: Limits {
                max_rows: settings.max_batch_rows,
                linger: Duration::from_millis(settings.linger_ms),
            },
            duplicates: settings.duplicates,
            write_deadline: settings.statement_timeout(),
            commit_deadline: settings.commit_deadline(),
        }
    }

    /// Runs until `stop`, then commits what is queued and ends.
    pub(super) async fn run(mut self, mut queue: mpsc::Receiver<Part>, stop: CancellationToken) {
        // So that the first upload need not wait for a connection to be made. Without one it will see why.
        self.session = Session::open(&self.store).await.ok();
        while let Some(parts) = batcher::gather(&mut queue, self.limits, &stop).await {
            self.serve(parts).await;
        }
        if let Some(session) = self.session.take() {
            session.discard();
        }
    }

    async fn serve(&mut self, mut parts: Vec<Part>) {
        let rows = plan::fold(&mut parts, self.duplicates);
        let mut rejects = Vec::new();
        let mut answers: Vec<Answer> = vec![Ok(UploadOutcome::default()); parts.len()];
        for (part, answer) in parts.iter_mut().zip(&mut answers) {
            let part_rejects = std::mem::take(&mut part.rejects);
            if let Ok(outcome) = answer {
                outcome.rejected.extend(part_rejects.iter().map(|reject| reject.refusal.clone()));
            }
            rejects.extend(part_rejects);
        }
        self.store_all(&rows, rejects, &mut answers).await;
        for (part, answer) in parts.into_iter().zip(answers) {
            // Nobody waits any more: the client went, or its deadline passed.
            let _ = part.answer.send(answer);
        }
    }

    /// Commits `rows` and `rejects`, in one transaction unless the database refuses a row.
    async fn store_all(&mut self, rows: &[Row], rejects: Vec<Reject>, answers: &mut [Answer]) {
        let until = Instant::now() + self.commit_deadline;
        let mut pending = vec![(rows, rejects)];
        while let Some((rows, rejects)) = pending.pop() {
            match self.commit(rows, &rejects, until).await {
                Ok(stored) => settle(rows, &stored, answers),
                Err(error) if error.kind() == Kind::Refused && rows.len() > 1 => {
                    let (first, second) = rows.split_at(rows.len() / 2);
                    pending.push((second, Vec::new()));
                    pending.push((first, rejects));
                }
                Err(error) if error.kind() == Kind::Refused && rows.len() == 1 => {
                    let detail = error.to_string();
                    refuse(&rows[0], &detail, answers);
                    let rejects = rejects.into_iter().chain(rows[0].rejects(&detail)).collect();
                    pending.push((&[], rejects));
                }
                Err(error) => {
                    tracing::error!(shard = self.shard, rows = rows.len(), kind = ?error.kind(), %error, "batch not stored");
                    let answer = match error.kind() {
                        Kind::Down | Kind::Retry => IngestError::Unavailable,
                        Kind::Conflict | Kind::Refused | Kind::Bug => IngestError::Failed,
                    };
                    fail(rows, &rejects, answer, answers);
                }
            }
        }
    }

    /// One transaction, again when the same may work, until `until`.
    async fn commit(
        &mut self,
        rows: &[Row],
        rejects: &[Reject],
        until: Instant,
    ) -> Result<Stored, StoreError> {
        let mut all_are_repeats = false;
        let mut tries = 0;
        loop {
            let started = Instant::now();
            let error = match self.attempt(rows, rejects, all_are_repeats).await {
                Ok(stored) => {
                    self.committed(rows, rejects, &stored, started);
                    return Ok(stored);
                }
                Err(error) => error,
            };
            tries += 1;
            match error.kind() {
                Kind::Conflict if !all_are_repeats => all_are_repeats = true,
                Kind::Retry if tries < MAX_TRIES => {}
                Kind::Down if Instant::now() < until => {
                    tracing::warn!(shard = self.shard, %error, "database away, trying again");
                    tokio::time::sleep(RECONNECT_PAUSE).await;
                }
                _ => return Err(error),
            }
        }
    }

    async fn attempt(
        &mut self,
        rows: &[Row],
        rejects: &[Reject],
        all_are_repeats: bool,
    ) -> Result<Stored, StoreError> {
        let session = match self.session.take() {
            Some(session) if !session.is_closed() => session,
            _ => Session::open(&self.store).await?,
        };
        let (fresh, repeats): (Vec<usize>, Vec<usize>) = (0..rows.len()).partition(|row| {
            let reading = &rows[*row].item.reading;
            !all_are_repeats && !self.newest.is_likely_repeat(&reading.device_sn, reading.ts)
        });
        let batch = Batch {
            fresh: fresh.iter().map(|row| &rows[*row].item).collect(),
            repeats: repeats.iter().map(|row| &rows[*row].item).collect(),
            folded: rows.iter().map(|row| row.places.len() - 1).sum(),
            rejects,
            instance: &self.instance,
            shard: self.shard,
        };
        let writing = session.write(&batch, self.duplicates);
        let written = match within(self.write_deadline, "batch.write", writing).await {
            Ok(written) => written,
            Err(error) => {
                match error.kind() {
                    Kind::Down => session.discard(),
                    _ => self.session = Some(session),
                }
                return Err(error);
            }
        };
        match within(self.write_deadline, "batch.commit", session.commit()).await {
            Ok(()) => self.session = Some(session),
            Err(error) => {
                session.discard();
                self.find_out(written.batch_id, error).await?;
            }
        }
        let duplicates = repeats.into_iter().zip(&written.inserted).filter(|(_, new)| !**new);
        Ok(Stored { batch_id: written.batch_id, duplicates: duplicates.map(|(row, _)| row).collect() })
    }

    /// The connection broke in a commit: asks the server, on another one, whether it took place.
    async fn find_out(&self, batch_id: i64, error: StoreError) -> Result<(), StoreError> {
        tracing::warn!(shard = self.shard, batch_id, %error, "commit not answered, asking whether it took place");
        let until = Instant::now() + self.commit_deadline;
        while Instant::now() < until {
            tokio::time::sleep(RECONNECT_PAUSE).await;
            let asking = batch::is_committed(&self.store, batch_id);
            match within(self.write_deadline, "batch.status", asking).await {
                Ok(Some(true)) => return Ok(()),
                Ok(Some(false)) => break,
                Ok(None) | Err(_) => {}
            }
        }
        Err(error)
    }

    fn committed(&mut self, rows: &[Row], rejects: &[Reject], stored: &Stored, started: Instant) {
        self.announcer.announce();
        for row in rows {
            self.newest.saw(&row.item.reading.device_sn, row.item.reading.ts);
        }
        let records: usize = rows.iter().map(|row| row.places.len()).sum();
        let new = rows.len() - stored.duplicates.len();
        for (outcome, count) in [
            ("received", records + rejects.len()),
            ("stored", new),
            ("duplicate", records - new),
            ("rejected", rejects.len()),
        ] {
            metrics::counter!(names::RECORDS, "outcome" => outcome).increment(count as u64);
        }
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52 rows")]
        metrics::histogram!(names::BATCH_ROWS).record(rows.len() as f64);
        metrics::histogram!(names::BATCH_SECONDS).record(started.elapsed());
    }
}

type Answer = Result<UploadOutcome, IngestError>;

/// What a committed transaction did with its rows.
struct Stored {
    batch_id: i64,
    /// Places, in the rows written, of those that were there already; ascending.
    duplicates: Vec<usize>,
}

/// Tells each sender what became of its records in `rows`.
fn settle(rows: &[Row], stored: &Stored, answers: &mut [Answer]) {
    for (number, row) in rows.iter().enumerate() {
        let new = stored.duplicates.binary_search(&number).is_err();
        for (nth, place) in row.places.iter().enumerate() {
            if let Ok(outcome) = &mut answers[place.part] {
                if new && nth == 0 {
                    outcome.stored += 1;
                } else {
                    outcome.duplicate += 1;
                }
            }
        }
    }
    for outcome in answers.iter_mut().flatten() {
        outcome.batch_id = Some(stored.batch_id);
    }
}

fn refuse(row: &Row, detail: &str, answers: &mut [Answer]) {
    for (place, reject) in row.places.iter().zip(row.rejects(detail)) {
        if let Ok(outcome) = &mut answers[place.part] {
            outcome.rejected.push(reject.refusal);
        }
    }
}

/// Takes back what was promised to those whose records were in a transaction that failed.
fn fail(rows: &[Row], rejects: &[Reject], error: IngestError, answers: &mut [Answer]) {
    for place in rows.iter().flat_map(|row| &row.places) {
        answers[place.part] = Err(error);
    }
    if !rejects.is_empty() {
        for answer in answers.iter_mut() {
            if answer.as_ref().is_ok_and(|outcome| !outcome.rejected.is_empty()) {
                *answer = Err(error);
            }
        }
    }
}
