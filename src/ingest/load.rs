//! What one transaction is to hold: rows of every kind, and how they are halved and answered.
//!
//! Before: `ingest::plan` has folded the records. After: `ingest::writer` commits them, whole or in halves.
//! Promise: each half holds what the other does not.

use super::plan::{Place, Record, Row};
use super::{Answer, IngestError};
use crate::model::{Carried, DeviceInfoItem, EventItem, Reject};
use crate::store::StoreError;
use crate::store::batch::Written;

/// Whether data may be at fault, for those who keep what they took in: a replay, a backfill. What they hold to be at fault is, or
/// stays, among the rejected, which harms nothing if it is not.
pub(super) fn may_be_of_data(error: &StoreError) -> bool {
    error.refuses_a_row() || error.may_be_of_a_row()
}

/// Whether half the rows may be stored where all of them were not. A single row is then nobody's fault: the same again may work.
pub(super) fn may_be_of_size(error: &StoreError) -> bool {
    error.is_out_of_locks() || error.is_cancelled()
}

/// Rows of a transaction. An event and its sample are in one, unless the database refuses either.
#[derive(Debug, Clone, Copy)]
pub(super) struct Load<'a> {
    pub(super) readings: &'a [Row],
    pub(super) events: &'a [Row<EventItem>],
    pub(super) device_infos: &'a [Row<DeviceInfoItem>],
}

impl<'a> Load<'a> {
    /// Rows in it.
    pub(super) const fn len(&self) -> usize {
        self.readings.len() + self.events.len() + self.device_infos.len()
    }

    /// Records its rows stand for.
    pub(super) fn records(&self) -> usize {
        self.places().count()
    }

    /// Two halves. A part of one row is in the second.
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

    /// The same without any rows: what is left when the only row was refused.
    pub(super) fn nothing() -> Self {
        Self { readings: &[], events: &[], device_infos: &[] }
    }

    /// Every record as a reject, should the database refuse its row.
    pub(super) fn rejects(self, detail: &'a str) -> impl Iterator<Item = (usize, Reject)> {
        fn of<R: Record>(row: &Row<R>, detail: &str) -> Vec<(usize, Reject)> {
            row.places.iter().map(|place| place.part).zip(row.rejects(detail)).collect()
        }
        let readings = self.readings.iter().flat_map(|row| of(row, detail));
        let events = self.events.iter().flat_map(|row| of(row, detail));
        let device_infos = self.device_infos.iter().flat_map(|row| of(row, detail));
        readings.chain(events).chain(device_infos)
    }

    /// Where its records came from.
    pub(super) fn places(&self) -> impl Iterator<Item = &'a Place> {
        let readings = self.readings.iter().flat_map(|row| &row.places);
        let events = self.events.iter().flat_map(|row| &row.places);
        readings.chain(events).chain(self.device_infos.iter().flat_map(|row| &row.places))
    }
}

/// Tables rows go into.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Tables(u32);

impl Tables {
    /// Those of the rows of `load` and of the documents that are written with them.
    pub(super) fn of(load: Load<'_>, documents: &[Carried<'_>]) -> Self {
        let kinds = [load.readings.is_empty(), load.events.is_empty(), load.device_infos.is_empty()];
        let rows = kinds.iter().enumerate().filter(|(_, is_empty)| !**is_empty).map(|(kind, _)| kind as u32);
        let documents = documents.iter().map(|carried| 3 + carried.document.kind as u32);
        Self(rows.chain(documents).fold(0, |tables, table| tables | 1 << table))
    }

    pub(super) const fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub(super) const fn and(self, more: Self) -> Self {
        Self(self.0 | more.0)
    }

    pub(super) const fn include(self, others: Self) -> bool {
        self.0 & others.0 == others.0
    }
}

/// What a committed transaction did with its rows.
#[derive(Debug)]
pub(super) struct Stored {
    pub(super) batch_id: i64,
    pub(super) tables: Tables,
    /// For each row of the load, in its order: it is new.
    pub(super) readings: Vec<bool>,
    pub(super) events: Vec<bool>,
    pub(super) device_infos: Vec<bool>,
}

impl Stored {
    /// `repeats`: places, in the readings of the load, of those that went the way of repeats, ascending.
    pub(super) fn new(written: Written, tables: Tables, readings: usize, repeats: &[usize]) -> Self {
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

    /// New rows, by kind.
    pub(super) fn new_rows(&self) -> usize {
        let new = |rows: &[bool]| rows.iter().filter(|new| **new).count();
        new(&self.readings) + new(&self.events) + new(&self.device_infos)
    }

    /// Tells each sender what became of its records in `load`.
    pub(super) fn settle(&self, load: Load<'_>, answers: &mut [Answer]) {
        settle(load.readings, &self.readings, answers);
        settle(load.events, &self.events, answers);
        settle(load.device_infos, &self.device_infos, answers);
        for outcome in answers.iter_mut().flatten() {
            outcome.batch_id = Some(self.batch_id);
        }
    }
}

fn settle<R>(rows: &[Row<R>], new: &[bool], answers: &mut [Answer]) {
    for (row, new) in rows.iter().zip(new) {
        for (nth, place) in row.places.iter().enumerate() {
            if let Ok(outcome) = &mut answers[place.part] {
                if *new && nth == 0 {
                    outcome.stored += 1;
                } else {
                    outcome.duplicate += 1;
                }
            }
        }
    }
}

/// Takes back what was promised to those whose records were in a transaction that failed.
pub(super) fn fail(load: Load<'_>, rejects: &[Reject], error: IngestError, answers: &mut [Answer]) {
    for place in load.places() {
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

/// Every record of `load` is one that cannot be stored.
pub(super) fn reject(load: Load<'_>, detail: &str, rejects: &mut Vec<Reject>, answers: &mut [Answer]) {
    for (part, reject) in load.rejects(detail) {
        if let Ok(outcome) = &mut answers[part] {
            outcome.rejected.push(reject.refusal.clone());
        }
        rejects.push(reject);
    }
}
