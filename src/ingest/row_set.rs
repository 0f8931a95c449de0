//! The rows of one transaction: how they are halved, and how their senders are answered.
//!
//! Before: `ingest::fold` has folded the records. After: `ingest::writer` commits them, all at once or in halves.
//! Promise: no row is in both halves, and none is lost.

use super::fold::{Origin, Record, Row};
use super::{IngestError, UploadResult};
use crate::model::{DeviceInfoItem, EventItem, Reject, SampleDocument};
use crate::store::StoreError;
use crate::store::batch::Written;

/// Whether a row may be the cause, for those who keep what they took in: a replay, a backfill. A row that they take for the cause
/// is, or stays, in `rejected_upload`, which does no harm if it is not.
pub(super) fn may_be_caused_by_a_row(error: &StoreError) -> bool {
    error.refuses_a_row() || error.may_be_of_a_row()
}

/// Whether half the rows may be stored where all of them were not. A single row is then not the cause: a retry may work.
pub(super) fn may_be_too_large(error: &StoreError) -> bool {
    error.is_out_of_locks() || error.is_cancelled()
}

/// Rows of one transaction, of every kind. An event and its sample are in one, unless the database refuses either.
#[derive(Debug, Clone, Copy)]
pub(super) struct RowSet<'a> {
    pub(super) readings: &'a [Row],
    pub(super) events: &'a [Row<EventItem>],
    pub(super) device_infos: &'a [Row<DeviceInfoItem>],
}

impl<'a> RowSet<'a> {
    /// Number of rows.
    pub(super) const fn len(&self) -> usize {
        self.readings.len() + self.events.len() + self.device_infos.len()
    }

    /// Number of records that the rows stand for.
    pub(super) fn records(&self) -> usize {
        self.origins().count()
    }

    /// Two halves. A single row is in the second.
    pub(super) fn halves(self) -> (Self, Self) {
        let middle = self.len() / 2;
        let (readings, later_readings) = self.readings.split_at(middle.min(self.readings.len()));
        let middle = middle - readings.len();
        let (events, later_events) = self.events.split_at(middle.min(self.events.len()));
        let middle = middle - events.len();
        let (device_infos, later_device_infos) = self.device_infos.split_at(middle);
        (
            Self { readings, events, device_infos },
            Self { readings: later_readings, events: later_events, device_infos: later_device_infos },
        )
    }

    /// No rows: what is left when the only row was refused.
    pub(super) const fn empty() -> Self {
        Self { readings: &[], events: &[], device_infos: &[] }
    }

    /// Every record as a reject, with the number of its upload, because the database refuses its row.
    pub(super) fn rejects(self, detail: &'a str) -> impl Iterator<Item = (usize, Reject)> {
        fn of<R: Record>(row: &Row<R>, detail: &str) -> Vec<(usize, Reject)> {
            row.origins().map(|origin| origin.upload).zip(row.rejects(detail)).collect()
        }
        let readings = self.readings.iter().flat_map(|row| of(row, detail));
        let events = self.events.iter().flat_map(|row| of(row, detail));
        let device_infos = self.device_infos.iter().flat_map(|row| of(row, detail));
        readings.chain(events).chain(device_infos)
    }

    /// Where its records came from.
    pub(super) fn origins(&self) -> impl Iterator<Item = &'a Origin> {
        let readings = self.readings.iter().flat_map(Row::origins);
        let events = self.events.iter().flat_map(Row::origins);
        readings.chain(events).chain(self.device_infos.iter().flat_map(Row::origins))
    }
}

/// The tables that rows go into.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct TableSet(u32);

impl TableSet {
    /// Those of `rows`, and of the documents that are written with them.
    pub(super) fn of(rows: RowSet<'_>, documents: &[SampleDocument<'_>]) -> Self {
        let kinds = [rows.readings.is_empty(), rows.events.is_empty(), rows.device_infos.is_empty()];
        let rows = kinds.iter().enumerate().filter(|(_, is_empty)| !**is_empty).map(|(kind, _)| kind as u32);
        let documents = documents.iter().map(|carried| 3 + carried.document.kind as u32);
        Self(rows.chain(documents).fold(0, |tables, table| tables | 1 << table))
    }

    pub(super) const fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub(super) const fn union(self, more: Self) -> Self {
        Self(self.0 | more.0)
    }

    pub(super) const fn contains(self, others: Self) -> bool {
        self.0 & others.0 == others.0
    }
}

/// What a committed transaction did with its rows.
#[derive(Debug)]
pub(super) struct CommittedRows {
    pub(super) batch_id: i64,
    pub(super) tables: TableSet,
    /// For each row, in the order of the [`RowSet`]: it is new.
    pub(super) readings: Vec<bool>,
    pub(super) events: Vec<bool>,
    pub(super) device_infos: Vec<bool>,
}

impl CommittedRows {
    /// `readings`: their number. `repeats`: positions of the readings that were merged instead of copied, ascending.
    pub(super) fn new(written: Written, tables: TableSet, readings: usize, repeats: &[usize]) -> Self {
        let mut new = vec![true; readings];
        for (row, inserted) in repeats.iter().zip(&written.inserted) {
            new[*row] = *inserted;
        }
        Self {
            batch_id: written.transaction.batch_id,
            tables,
            readings: new,
            events: written.events,
            device_infos: written.device_infos,
        }
    }

    /// Number of new rows.
    pub(super) fn new_rows(&self) -> usize {
        let new = |rows: &[bool]| rows.iter().filter(|new| **new).count();
        new(&self.readings) + new(&self.events) + new(&self.device_infos)
    }

    /// Counts the records of `rows` in the results of their uploads.
    pub(super) fn count_in(&self, rows: RowSet<'_>, results: &mut [UploadResult]) {
        count_rows(rows.readings, &self.readings, results);
        count_rows(rows.events, &self.events, results);
        count_rows(rows.device_infos, &self.device_infos, results);
        for outcome in results.iter_mut().flatten() {
            outcome.batch_id = Some(self.batch_id);
        }
    }
}

fn count_rows<R>(rows: &[Row<R>], new: &[bool], results: &mut [UploadResult]) {
    for (row, is_new) in rows.iter().zip(new) {
        if let Ok(outcome) = &mut results[row.first.upload] {
            if *is_new {
                outcome.stored += 1;
            } else {
                outcome.duplicate += 1;
            }
        }
        for repeat in &row.repeats {
            if let Ok(outcome) = &mut results[repeat.upload] {
                outcome.duplicate += 1;
            }
        }
    }
}

/// The uploads of these rows and rejects failed, because their transaction did.
pub(super) fn fail(rows: RowSet<'_>, rejects: &[Reject], error: IngestError, results: &mut [UploadResult]) {
    for origin in rows.origins() {
        results[origin.upload] = Err(error);
    }
    if !rejects.is_empty() {
        for result in results.iter_mut() {
            if result.as_ref().is_ok_and(|outcome| !outcome.rejected.is_empty()) {
                *result = Err(error);
            }
        }
    }
}

/// Every record of `rows` is rejected.
pub(super) fn reject(
    rows: RowSet<'_>,
    detail: &str,
    rejects: &mut Vec<Reject>,
    results: &mut [UploadResult],
) {
    for (upload, reject) in rows.rejects(detail) {
        if let Ok(outcome) = &mut results[upload] {
            outcome.rejected.push(reject.refusal.clone());
        }
        rejects.push(reject);
    }
}
