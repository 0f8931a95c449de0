//! Rows at which the database failed in a way that may be theirs or ours.
//!
//! Before: `ingest::writer` has halved a batch down to them. After: those that are guilty become rejects.
//! Promise: a row is guilty only if another of the same batch, which went into every table this one goes into, was stored.
//! So a trigger that stumbles over one row costs its neighbours nothing, and one that stumbles over all of them refuses
//! none: the senders keep what they have.

use super::load::{Load, Tables};
use crate::model::Reject;

/// Failed transactions until a batch of which nothing was stored is given up. A single guilty row of 5 000 is found with
/// 14, and the row beside it is stored.
const MAX_WITHOUT_PROOF: u32 = 64;

#[derive(Debug, Default)]
pub(super) struct Suspects<'a> {
    rows: Vec<Suspect<'a>>,
    /// Rejects that came with the batch, to be kept when its rows are settled.
    pub(super) rejects: Vec<Reject>,
    /// What rows of the batch were stored in.
    proven: Tables,
    failures: u32,
}

/// One row.
#[derive(Debug)]
pub(super) struct Suspect<'a> {
    pub(super) load: Load<'a>,
    pub(super) tables: Tables,
    pub(super) detail: String,
}

impl<'a> Suspects<'a> {
    /// Counts a failed transaction, and says whether it is worth another one to find the row.
    pub(super) fn may_be_found(&mut self) -> bool {
        self.failures += 1;
        !self.proven.is_empty() || self.failures < MAX_WITHOUT_PROOF
    }

    pub(super) fn add(&mut self, suspect: Suspect<'a>) {
        self.rows.push(suspect);
    }

    /// A row went into these tables.
    pub(super) fn prove(&mut self, tables: Tables) {
        self.proven = self.proven.and(tables);
    }

    /// Neither of the suspects nor of the others.
    pub(super) fn nothing_was_stored(&self) -> bool {
        self.proven.is_empty()
    }

    /// The guilty, and those of whom it is not known.
    pub(super) fn judge(&mut self) -> (Vec<Suspect<'a>>, Vec<Suspect<'a>>) {
        let rows = std::mem::take(&mut self.rows);
        rows.into_iter().partition(|suspect| self.proven.include(suspect.tables))
    }
}
