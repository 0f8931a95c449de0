//! A batch over which the database stumbles is halved until the row stands alone.
//!
//! Before: `writer` has folded the rows. After: each sender has its answer.
//! Promise: a row costs its neighbours nothing. What the database refuses is kept in `rejected_upload` at once; what may
//! be our fault only when it is shown to be the row's (`ingest::suspects`). What is too much for one transaction (locks, time) is
//! stored in several.

use tokio::time::Instant;

use super::Writer;
use crate::ingest::load::{Load, Tables, fail, reject};
use crate::ingest::suspects::{Suspect, Suspects};
use crate::ingest::{Answer, IngestError};
use crate::model::Reject;
use crate::store::{Kind, StoreError};

/// Whether half the rows may be stored where these were not, and it is worth trying.
fn may_fit_in_halves(error: &StoreError, suspects: &mut Suspects<'_>) -> bool {
    if error.is_cancelled() {
        suspects.may_be_found_in_time()
    } else {
        error.is_out_of_locks() && suspects.may_be_found()
    }
}

impl Writer {
    /// Commits `load` and `rejects`, in one transaction unless the database stumbles over a row.
    pub(super) async fn store_all(&mut self, load: Load<'_>, rejects: Vec<Reject>, answers: &mut [Answer]) {
        let until = Instant::now() + self.commit_deadline;
        let mut suspects = Suspects::default();
        let mut pending = vec![(load, rejects)];
        loop {
            while let Some((load, mut rejects)) = pending.pop() {
                match self.commit(load, &rejects, until).await {
                    Ok(stored) => {
                        suspects.prove(load, stored.tables);
                        stored.settle(load, answers);
                    }
                    Err(error)
                        if load.len() > 1
                            && (error.refuses_a_row() || may_fit_in_halves(&error, &mut suspects)) =>
                    {
                        let (first, second) = load.halves();
                        pending.push((second, Vec::new()));
                        pending.push((first, rejects));
                    }
                    Err(error) if error.refuses_a_row() && load.len() == 1 => {
                        reject(load, &error.to_string(), &mut rejects, answers);
                        pending.push((Load::nothing(), rejects));
                    }
                    Err(error) if self.may_be_of_a_row(&error, load, until) && suspects.may_be_found() => {
                        suspects.rejects.append(&mut rejects);
                        if load.len() > 1 {
                            let (first, second) = load.halves();
                            pending.push((second, Vec::new()));
                            pending.push((first, Vec::new()));
                        } else {
                            let tables = Tables::of(load, &self.documents.unstored(load.readings));
                            let (detail, was_cancelled) = (error.to_string(), error.is_cancelled());
                            suspects.add(Suspect { load, tables, detail, was_cancelled });
                        }
                    }
                    Err(error) => self.give_up(load, &rejects, &error, answers),
                }
            }
            pending.extend(suspects.second_chance().into_iter().map(|load| (load, Vec::new())));
            if !pending.is_empty() {
                continue;
            }
            let rejects = self.judge(&mut suspects, answers);
            if rejects.is_empty() {
                return;
            }
            pending.push((Load::nothing(), rejects));
        }
    }

    /// Answers for the rows that may be at fault; gives what is to be kept as rejected.
    fn judge(&self, suspects: &mut Suspects<'_>, answers: &mut [Answer]) -> Vec<Reject> {
        let (guilty, unknown) = suspects.judge();
        let mut rejects = std::mem::take(&mut suspects.rejects);
        for suspect in unknown {
            tracing::error!(shard = self.shard, error = suspect.detail, "row not stored");
            let answer = if suspect.was_cancelled { IngestError::Unavailable } else { IngestError::Failed };
            fail(suspect.load, &[], answer, answers);
        }
        for suspect in guilty {
            tracing::error!(
                shard = self.shard,
                error = suspect.detail,
                "row refused, others like it were stored"
            );
            reject(suspect.load, &suspect.detail, &mut rejects, answers);
        }
        if suspects.nothing_was_stored() {
            // What is sent again as a whole is not kept twice.
            fail(Load::nothing(), &std::mem::take(&mut rejects), IngestError::Failed, answers);
        }
        rejects
    }

    /// Whether it is worth looking for a row that `error` is about: the connection survived it, so it was not the commit. A row
    /// by itself that is cancelled again and again is looked at whatever the time: halving has taken most of it.
    fn may_be_of_a_row(&self, error: &StoreError, load: Load<'_>, until: Instant) -> bool {
        let is_suspect = error.may_be_of_a_row() && self.means.session.is_some() && Instant::now() < until;
        load.len() > 0 && (is_suspect || load.len() == 1 && error.is_cancelled())
    }

    fn give_up(&self, load: Load<'_>, rejects: &[Reject], error: &StoreError, answers: &mut [Answer]) {
        tracing::error!(shard = self.shard, rows = load.len(), kind = ?error.kind(), %error, "batch not stored");
        let answer = match error.kind() {
            Kind::Down | Kind::Retry => IngestError::Unavailable,
            Kind::Conflict | Kind::Refused | Kind::Bug => IngestError::Failed,
        };
        fail(load, rejects, answer, answers);
    }
}
