//! `vitals.backfill`: how far files of history are taken in.
//!
//! Before: `ingest::backfill` writes the lines of a file. After: whoever takes the same file in again goes on from there.
//! Promise: the journal is written in the transaction of its rows.

use super::batch::BatchSession;
use super::{Statement, Store, StoreError, statement};

const BEGIN: Statement = statement!("backfill", "begin");
const ADVANCE: Statement = statement!("backfill", "advance");

/// What became of records.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Lines of the file.
    pub lines: u64,
    /// Became new rows.
    pub stored: u64,
    /// Were there already.
    pub duplicate: u64,
    /// Are in `rejected_upload`.
    pub rejected: u64,
}

impl Counts {
    /// Adds others.
    pub fn add(&mut self, other: &Self) {
        self.lines += other.lines;
        self.stored += other.stored;
        self.duplicate += other.duplicate;
        self.rejected += other.rejected;
    }
}

/// How far a file is.
#[derive(Debug, Clone, Copy)]
pub struct Journal {
    /// Its number.
    pub id: i64,
    /// Everything before this byte is committed.
    pub offset: u64,
    /// What became of it.
    pub counts: Counts,
    /// Its last line is committed.
    pub ended: bool,
}

/// A range of bytes of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileRange {
    /// Number of the file.
    pub id: i64,
    /// Its first byte.
    pub from: u64,
    /// First byte behind it.
    pub to: u64,
}

/// Begins with a file, or finds how far it is.
///
/// # Errors
/// The database is away.
pub async fn begin(store: &Store, file_hash: &str, file_bytes: u64) -> Result<Journal, StoreError> {
    let client = store.client().await?;
    let rows = BEGIN.query(&client, &[&file_hash, &whole(file_bytes)]).await?;
    let row = rows.first().ok_or_else(|| StoreError::State("backfill.begin gave no row".into()))?;
    let count = |name| u64::try_from(row.get::<_, i64>(name)).unwrap_or(0);
    Ok(Journal {
        id: row.get("backfill_id"),
        offset: count("offset_bytes"),
        counts: Counts {
            lines: count("lines"),
            stored: count("stored"),
            duplicate: count("duplicate"),
            rejected: count("rejected"),
        },
        ended: row.get("ended"),
    })
}

impl BatchSession {
    /// Notes in the open transaction what became of a range.
    ///
    /// # Errors
    /// [`StoreError::State`]: somebody else takes the same file in. The transaction is to be rolled back: drop the session.
    pub async fn advance_backfill(&self, range: FileRange, counts: &Counts) -> Result<(), StoreError> {
        let Counts { lines, stored, duplicate, rejected } = *counts;
        let counts = [lines, stored, duplicate, rejected].map(whole);
        let (from, to) = (whole(range.from), whole(range.to));
        let rows = ADVANCE
            .query(&*self.client, &[&range.id, &from, &to, &counts[0], &counts[1], &counts[2], &counts[3]])
            .await?;
        if rows.is_empty() {
            return Err(StoreError::State("somebody else takes the same file in at this moment".into()));
        }
        Ok(())
    }
}

fn whole(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
