//! A batch that the database refuses is halved until the row that causes it is alone.
//!
//! Before: `writer` has folded the rows. After: each upload has its result.
//! Promise: a bad row does not affect other rows. A row that the database refuses is kept in `rejected_upload` at once. Some errors may be
//! caused by a row or by the service. After such an error a row is a culprit only if another row of the batch was stored in the same
//! tables. After a cancelled statement, that other row must be of the same day, because somebody may have locked the chunk. So a trigger that
//! fails for one row rejects only that row. A trigger that fails for all rows rejects none of them, and the senders keep their data. Rows
//! that are too much for one transaction (locks, time) are stored in several.

use std::collections::BTreeSet;

use tokio::time::Instant;

use super::Writer;
use crate::ingest::chunks;
use crate::ingest::row_set::{RowSet, TableSet, fail, reject};
use crate::ingest::{IngestError, UploadResult};
use crate::model::Reject;
use crate::store::{Kind, StoreError};

/// Failed transactions until the search is abandoned if nothing of the batch was stored. A single culprit among 5 000 rows is found
/// with 14, and the row beside it is stored.
const MAX_FAILED_WITHOUT_COMMIT: u32 = 64;

/// Cancelled transactions until the search is abandoned: each may take as long as `statement_timeout_ms`. The slowest of 5 000
/// rows is found with 14.
const MAX_CANCELLED: u32 = 16;

/// The search for the rows of one batch that make its transactions fail.
#[derive(Debug, Default)]
struct CulpritSearch<'a> {
    failed_rows: Vec<FailedRow<'a>>,
    /// Rejects that came with the batch, to be kept when the search is over.
    rejects: Vec<Reject>,
    /// Tables in which rows of the batch were stored.
    stored_tables: TableSet,
    /// Days of readings that were stored after a transaction was cancelled.
    stored_days: BTreeSet<i64>,
    failed: u32,
    cancelled: u32,
    cancelled_were_retried: bool,
}

/// A single row whose transaction failed, for which the row or the service may be the cause.
#[derive(Debug)]
struct FailedRow<'a> {
    row: RowSet<'a>,
    tables: TableSet,
    error: String,
    /// Its statement was cancelled, which a lock that somebody else holds may cause.
    was_cancelled: bool,
}

impl<'a> CulpritSearch<'a> {
    /// Counts a failed transaction, and says whether halving is worth another one.
    fn may_halve_failed(&mut self) -> bool {
        self.failed += 1;
        !self.stored_tables.is_empty() || self.failed < MAX_FAILED_WITHOUT_COMMIT
    }

    /// Whether half the rows may be stored where these were too much for one transaction, and halving is worth it.
    fn may_halve_too_large(&mut self, error: &StoreError) -> bool {
        if error.is_cancelled() {
            self.cancelled += 1;
            self.may_halve_failed() && self.cancelled < MAX_CANCELLED
        } else {
            error.is_out_of_locks() && self.may_halve_failed()
        }
    }

    /// These rows were stored in these tables.
    fn add_stored(&mut self, rows: RowSet<'_>, tables: TableSet) {
        self.stored_tables = self.stored_tables.union(tables);
        if self.cancelled > 0 {
            let days = rows.readings.iter().map(|row| chunks::day_of(row.record.reading.ts));
            self.stored_days.extend(days);
        }
    }

    /// The failed rows that were cancelled, to be tried once more if other rows were stored: the lock may be gone.
    fn take_cancelled_once(&mut self) -> Vec<RowSet<'a>> {
        if self.cancelled_were_retried || self.stored_tables.is_empty() {
            return Vec::new();
        }
        let cancelled: Vec<RowSet<'a>> =
            self.failed_rows.extract_if(.., |failed| failed.was_cancelled).map(|failed| failed.row).collect();
        self.cancelled_were_retried = !cancelled.is_empty();
        cancelled
    }

    /// Nothing of the batch was stored, failed rows or not.
    fn nothing_was_stored(&self) -> bool {
        self.stored_tables.is_empty()
    }

    /// The culprits, and the failed rows that may be innocent.
    fn conclude(&mut self) -> (Vec<FailedRow<'a>>, Vec<FailedRow<'a>>) {
        std::mem::take(&mut self.failed_rows).into_iter().partition(|failed| {
            let readings = failed.row.readings.iter();
            let mut days = readings.map(|row| chunks::day_of(row.record.reading.ts));
            self.stored_tables.contains(failed.tables)
                && (!failed.was_cancelled || days.all(|day| self.stored_days.contains(&day)))
        })
    }
}

impl Writer {
    /// Commits the rows and rejects: in one transaction, unless the database refuses a row.
    pub(super) async fn commit_all(
        &mut self,
        rows: RowSet<'_>,
        rejects: Vec<Reject>,
        results: &mut [UploadResult],
    ) {
        let deadline = Instant::now() + self.commit_deadline;
        let mut search = CulpritSearch::default();
        let mut pending = vec![(rows, rejects)];
        loop {
            while let Some((rows, mut rejects)) = pending.pop() {
                match self.commit(rows, &rejects, deadline).await {
                    Ok(committed) => {
                        search.add_stored(rows, committed.tables);
                        committed.count_in(rows, results);
                    }
                    Err(error)
                        if rows.len() > 1
                            && (error.refuses_a_row() || search.may_halve_too_large(&error)) =>
                    {
                        let (first, second) = rows.halves();
                        pending.push((second, Vec::new()));
                        pending.push((first, rejects));
                    }
                    Err(error) if error.refuses_a_row() && rows.len() == 1 => {
                        reject(rows, &error.to_string(), &mut rejects, results);
                        pending.push((RowSet::empty(), rejects));
                    }
                    Err(error)
                        if self.may_be_caused_by_a_row(&error, rows, deadline)
                            && search.may_halve_failed() =>
                    {
                        search.rejects.append(&mut rejects);
                        if rows.len() > 1 {
                            let (first, second) = rows.halves();
                            pending.push((second, Vec::new()));
                            pending.push((first, Vec::new()));
                        } else {
                            let documents = self.recent_documents.new_documents(rows.readings);
                            search.failed_rows.push(FailedRow {
                                row: rows,
                                tables: TableSet::of(rows, &documents),
                                error: error.to_string(),
                                was_cancelled: error.is_cancelled(),
                            });
                        }
                    }
                    Err(error) => self.abandon(rows, &rejects, &error, results),
                }
            }
            pending.extend(search.take_cancelled_once().into_iter().map(|row| (row, Vec::new())));
            if !pending.is_empty() {
                continue;
            }
            let rejects = self.conclude(&mut search, results);
            if rejects.is_empty() {
                return;
            }
            pending.push((RowSet::empty(), rejects));
        }
    }

    /// Rejects the culprits, and fails the uploads of the other failed rows. Returns what is still to be written to `rejected_upload`.
    fn conclude(&self, search: &mut CulpritSearch<'_>, results: &mut [UploadResult]) -> Vec<Reject> {
        let (culprits, undecided) = search.conclude();
        let mut rejects = std::mem::take(&mut search.rejects);
        for failed in undecided {
            tracing::error!(shard = self.shard, error = failed.error, "row not stored");
            let error = if failed.was_cancelled { IngestError::Unavailable } else { IngestError::Failed };
            fail(failed.row, &[], error, results);
        }
        for culprit in culprits {
            tracing::error!(
                shard = self.shard,
                error = culprit.error,
                "row refused, others like it were stored"
            );
            reject(culprit.row, &culprit.error, &mut rejects, results);
        }
        if search.nothing_was_stored() {
            // The whole upload is sent again; its rejects must not be kept twice.
            fail(RowSet::empty(), &std::mem::take(&mut rejects), IngestError::Failed, results);
        }
        rejects
    }

    /// Whether a row may have caused `error`, and searching for it is worth it. The connection survived, so the error did not
    /// come from the commit. A single row that is cancelled is searched for even after the deadline: halving has used up most of
    /// the time.
    fn may_be_caused_by_a_row(&self, error: &StoreError, rows: RowSet<'_>, deadline: Instant) -> bool {
        let is_candidate =
            error.may_be_of_a_row() && self.context.session.is_some() && Instant::now() < deadline;
        rows.len() > 0 && (is_candidate || rows.len() == 1 && error.is_cancelled())
    }

    fn abandon(
        &self,
        rows: RowSet<'_>,
        rejects: &[Reject],
        error: &StoreError,
        results: &mut [UploadResult],
    ) {
        tracing::error!(shard = self.shard, rows = rows.len(), kind = ?error.kind(), %error, "batch not stored");
        let error = match error.kind() {
            Kind::Down | Kind::Retry => IngestError::Unavailable,
            Kind::Conflict | Kind::Refused | Kind::Bug => IngestError::Failed,
        };
        fail(rows, rejects, error, results);
    }
}
