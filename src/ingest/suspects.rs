//! Rows at which the database failed in a way that may be theirs or ours.
//!
//! Before: `ingest::writer` has halved a batch down to them. After: those that are guilty become rejects.
//! Promise: a row is guilty only if another of the same batch, which went into every table this one goes into, was stored. One whose
//! statement was cancelled is guilty only if another of its day was stored, for somebody may have locked the chunk.
//! So a trigger that stumbles over one row costs its neighbours nothing, and one that stumbles over all of them refuses
//! none: the senders keep what they have.

use std::collections::BTreeSet;

use super::days;
use super::load::{Load, Tables};
use crate::model::Reject;

/// Failed transactions until a batch of which nothing was stored is given up. A single guilty row of 5 000 is found with
/// 14, and the row beside it is stored.
const MAX_WITHOUT_PROOF: u32 = 64;

/// Cancelled transactions until a batch is given up: each may take as long as `statement_timeout_ms`. The slowest of 5 000 rows
/// is found with 14.
const MAX_CANCELLED: u32 = 16;

#[derive(Debug, Default)]
pub(super) struct Suspects<'a> {
    rows: Vec<Suspect<'a>>,
    /// Rejects that came with the batch, to be kept when its rows are settled.
    pub(super) rejects: Vec<Reject>,
    /// What rows of the batch were stored in.
    proven: Tables,
    /// Days of readings that were stored, once something had failed.
    proven_days: BTreeSet<i64>,
    failures: u32,
    cancelled: u32,
    second_chance_given: bool,
}

/// One row.
#[derive(Debug)]
pub(super) struct Suspect<'a> {
    pub(super) load: Load<'a>,
    pub(super) tables: Tables,
    pub(super) detail: String,
    /// Its statement was cancelled, which somebody's lock may cause.
    pub(super) was_cancelled: bool,
}

impl<'a> Suspects<'a> {
    /// Counts a failed transaction, and says whether it is worth another one to find the row.
    pub(super) fn may_be_found(&mut self) -> bool {
        self.failures += 1;
        !self.proven.is_empty() || self.failures < MAX_WITHOUT_PROOF
    }

    /// The same for one that was cancelled.
    pub(super) fn may_be_found_in_time(&mut self) -> bool {
        self.cancelled += 1;
        self.may_be_found() && self.cancelled < MAX_CANCELLED
    }

    pub(super) fn add(&mut self, suspect: Suspect<'a>) {
        self.rows.push(suspect);
    }

    /// The rows of `load` went into these tables.
    pub(super) fn prove(&mut self, load: Load<'_>, tables: Tables) {
        self.proven = self.proven.and(tables);
        if self.cancelled > 0 {
            self.proven_days.extend(load.readings.iter().map(|row| days::day_of(row.item.reading.ts)));
        }
    }

    /// Those that were cancelled, to be tried once more where others were stored: what held them up may be over.
    pub(super) fn second_chance(&mut self) -> Vec<Load<'a>> {
        if self.second_chance_given || self.proven.is_empty() {
            return Vec::new();
        }
        let cancelled: Vec<Load<'a>> =
            self.rows.extract_if(.., |row| row.was_cancelled).map(|row| row.load).collect();
        self.second_chance_given = !cancelled.is_empty();
        cancelled
    }

    /// Neither of the suspects nor of the others.
    pub(super) fn nothing_was_stored(&self) -> bool {
        self.proven.is_empty()
    }

    /// The guilty, and those of whom it is not known.
    pub(super) fn judge(&mut self) -> (Vec<Suspect<'a>>, Vec<Suspect<'a>>) {
        let rows = std::mem::take(&mut self.rows);
        rows.into_iter().partition(|suspect| {
            let readings = suspect.load.readings.iter();
            let mut days = readings.map(|row| days::day_of(row.item.reading.ts));
            self.proven.include(suspect.tables)
                && (!suspect.was_cancelled || days.all(|day| self.proven_days.contains(&day)))
        })
    }
}
