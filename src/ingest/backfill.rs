//! Lines of a history file, many in a transaction, on one connection.
//!
//! Before: `command::backfill` reads ranges of a file. After: `store::batch` commits them, together with the progress.
//! Promise: progress is written in the transaction of the rows, so a backfill that is resumed skips nothing and counts nothing
//! twice. A row that the database refuses does not affect other rows.

use std::collections::{BTreeSet, HashMap};

use super::context::{RetryPolicy, WriterContext, within};
use super::fold::{self, Row};
use super::recent::fold_documents;
use super::row_set::{RowSet, may_be_caused_by_a_row, may_be_too_large};
use crate::config::Settings;
use crate::model::{DeviceRecord, Item, Reject, Tenure, Upload};
use crate::store::accounting::BACKFILL_SHARD;
use crate::store::backfill::{Counts, FileRange};
use crate::store::batch::{Batch, BatchSession, Folded};
use crate::store::{Kind, Store, StoreError, owners};

/// Devices whose owners are asked for in one query.
const DEVICES_PER_QUERY: usize = 1_000;

/// Writes ranges, one after the other.
#[derive(Debug)]
pub struct Backfill {
    context: WriterContext,
}

/// What one transaction writes.
struct Part<'a> {
    rows: RowSet<'a>,
    rejects: &'a [Reject],
    /// Written with the last part of a range.
    progress: Option<(FileRange, Counts)>,
}

impl Backfill {
    /// Opens no session yet.
    pub fn new(store: &Store, settings: &Settings) -> Self {
        Self { context: WriterContext::new(store, settings) }
    }

    /// Commits what `lines` lines of a range hold: in one transaction, unless the database refuses a row.
    ///
    /// # Errors
    /// [`Kind::Down`]: a part may be committed without progress; a second run counts it as duplicate.
    pub async fn store(
        &mut self,
        mut upload: Upload,
        range: FileRange,
        lines: u64,
    ) -> Result<Counts, StoreError> {
        complete_owners(&self.context.store, &mut upload.items).await?;
        let mut rejects = upload.rejects;
        let mut readings: Vec<Row> = upload.items.into_iter().map(|item| Row::new(item, 0)).collect();
        fold::fold_rows(&mut readings, self.context.duplicates);
        let mut done = Counts { lines, ..Counts::default() };
        let mut pending = vec![RowSet { readings: &readings, events: &[], device_infos: &[] }];
        while let Some(rows) = pending.pop() {
            let last = pending.is_empty();
            let rejected: &[Reject] = if last { &rejects } else { &[] };
            let progress = last.then_some((range, done));
            match self.commit(&Part { rows, rejects: rejected, progress }).await {
                Ok(counts) => done.add(&counts),
                Err(error)
                    if rows.len() > 1 && (may_be_caused_by_a_row(&error) || may_be_too_large(&error)) =>
                {
                    let (first, second) = rows.halves();
                    pending.extend([second, first]);
                }
                Err(error) if rows.len() == 1 && may_be_caused_by_a_row(&error) => {
                    rejects.extend(rows.rejects(&error.to_string()).map(|(_, reject)| reject));
                    if last {
                        pending.push(RowSet::empty());
                    }
                }
                Err(error) => return Err(error),
            }
        }
        Ok(done)
    }

    /// One transaction, tried again when the same may work.
    async fn commit(&mut self, part: &Part<'_>) -> Result<Counts, StoreError> {
        let mut retry = RetryPolicy::no_wait();
        let mut merge_all = false;
        loop {
            let session = self.context.take_or_open_session().await?;
            let writing = write(&session, part, merge_all, &self.context);
            let error = match within(self.context.write_deadline, "backfill", writing).await {
                Ok(counts) => {
                    self.context.session = Some(session);
                    return Ok(counts);
                }
                Err(error) => error,
            };
            if matches!(error.kind(), Kind::Conflict | Kind::Refused) {
                // The session has rolled back. After any other error it is closed.
                self.context.session = Some(session);
            }
            if error.is_repeat() && !merge_all {
                merge_all = true;
            } else if !retry.should_retry(&error).await {
                return Err(error);
            }
        }
    }
}

/// History is expected to be new: all rows are copied straight in; if one of them exists, all are merged.
async fn write(
    session: &BatchSession,
    part: &Part<'_>,
    merge_all: bool,
    context: &WriterContext,
) -> Result<Counts, StoreError> {
    let rows = part.rows.readings;
    let items = || rows.iter().map(|row| &row.record);
    let batch = Batch {
        fresh: if merge_all { Vec::new() } else { items().collect() },
        repeats: if merge_all { items().collect() } else { Vec::new() },
        events: Vec::new(),
        device_infos: Vec::new(),
        folded: Folded { readings: part.rows.records() - rows.len(), ..Folded::default() },
        documents: fold_documents(rows),
        rejects: part.rejects,
        instance: &context.instance,
        shard: BACKFILL_SHARD,
    };
    let written = session.write(&batch, context.duplicates).await?;
    let stored = batch.fresh.len() + written.inserted.iter().filter(|new| **new).count();
    let counts = Counts {
        lines: 0,
        stored: stored as u64,
        duplicate: (part.rows.records() - stored) as u64,
        rejected: part.rejects.len() as u64,
    };
    if let Some((range, mut done)) = part.progress {
        done.add(&counts);
        session.advance_backfill(range, &done).await?;
    }
    session.account_and_commit(&batch, &written).await?;
    Ok(counts)
}

/// Most of history is of the current owner of its device. For the rest the owner at its time is asked for.
async fn complete_owners(store: &Store, items: &mut [Item]) -> Result<(), StoreError> {
    let incomplete = |item: &&mut Item| !item.owner().is_complete();
    let devices: BTreeSet<String> =
        items.iter_mut().filter(incomplete).map(|item| item.device_sn().to_owned()).collect();
    let devices: Vec<&str> = devices.iter().map(String::as_str).collect();
    let mut tenures: HashMap<Box<str>, Tenure> = HashMap::new();
    for chunk in devices.chunks(DEVICES_PER_QUERY) {
        tenures.extend(owners::tenures(store, chunk).await?.by_device);
    }
    let mut earlier = Vec::new();
    for item in items.iter_mut().filter(incomplete) {
        match tenures.get(item.device_sn()) {
            Some(tenure) if tenure.covers(item.ts()) => item.owner_mut().complete_from(&tenure.owner),
            _ => earlier.push(item.owner_slot()),
        }
    }
    owners::fill(store, earlier.into_iter()).await
}
