//! Lines of history, many in a transaction, on one connection.
//!
//! Before: `command::backfill` reads stretches of a file. After: `store::batch` commits them, and the journal with them.
//! Promise: what is committed is noted in the same transaction, so whoever goes on skips nothing and counts nothing twice. A row
//! the database refuses costs its neighbours nothing.

use std::collections::{BTreeSet, HashMap};

use super::again::Tries;
use super::documents;
use super::load::{Load, may_be_of_data, may_be_of_size};
use super::means::Means;
use super::plan::{self, Place};
use super::within;
use crate::config::Settings;
use crate::model::{Item, Owned, Reject, Tenure, Upload};
use crate::store::accounting::BACKFILL_SHARD;
use crate::store::backfill::{Counts, Stretch};
use crate::store::batch::{Batch, Folded, Session};
use crate::store::{Kind, Store, StoreError, owners};

/// Devices in one question whom they belong to.
const DEVICES_PER_QUESTION: usize = 1_000;

/// Takes stretches in, one after the other.
#[derive(Debug)]
pub struct Backfill {
    means: Means,
}

/// What one transaction is to hold.
struct Part<'a> {
    load: Load<'a>,
    rejects: &'a [Reject],
    /// The journal follows with the last part of a stretch.
    note: Option<(Stretch, Counts)>,
}

impl Backfill {
    /// Takes no connection yet.
    pub fn new(store: &Store, settings: &Settings) -> Self {
        Self { means: Means::new(store, settings) }
    }

    /// Commits what `lines` lines of a stretch held: in one transaction, unless the database refuses a row.
    ///
    /// # Errors
    /// [`Kind::Down`]: what is not noted may be committed in part; the same again counts that as duplicate.
    pub async fn store(
        &mut self,
        mut upload: Upload,
        stretch: Stretch,
        lines: u64,
    ) -> Result<Counts, StoreError> {
        complete_owners(&self.means.store, &mut upload.items).await?;
        let mut rejects = upload.rejects;
        let placed = upload.items.into_iter().map(|item| {
            let place = Place::of(&item, 0);
            (item, place)
        });
        let readings = plan::fold_records(placed.collect(), self.means.duplicates);
        let mut done = Counts { lines, ..Counts::default() };
        let mut pending = vec![Load { readings: &readings, events: &[], device_infos: &[] }];
        while let Some(load) = pending.pop() {
            let last = pending.is_empty();
            let rejected: &[Reject] = if last { &rejects } else { &[] };
            let note = last.then_some((stretch, done));
            match self.commit(&Part { load, rejects: rejected, note }).await {
                Ok(counts) => done.add(&counts),
                Err(error) if (may_be_of_data(&error) || may_be_of_size(&error)) && load.len() > 1 => {
                    let (first, second) = load.halves();
                    pending.extend([second, first]);
                }
                Err(error) if may_be_of_data(&error) && load.len() == 1 => {
                    rejects.extend(load.rejects(&error.to_string()).map(|(_, reject)| reject));
                    if last {
                        pending.push(Load::nothing());
                    }
                }
                Err(error) => return Err(error),
            }
        }
        Ok(done)
    }

    /// One transaction, again when the same may work.
    async fn commit(&mut self, part: &Part<'_>) -> Result<Counts, StoreError> {
        let mut tries = Tries::at_once();
        let mut all_are_repeats = false;
        loop {
            let session = self.means.take_or_open().await?;
            let writing = write(&session, part, all_are_repeats, &self.means);
            let error = match within(self.means.write_deadline, "backfill", writing).await {
                Ok(counts) => {
                    self.means.session = Some(session);
                    return Ok(counts);
                }
                Err(error) => error,
            };
            if matches!(error.kind(), Kind::Conflict | Kind::Refused) {
                // Rolled back by the session itself; any other is closed.
                self.means.session = Some(session);
            }
            if error.is_repeat() && !all_are_repeats {
                all_are_repeats = true;
            } else if !tries.again(&error).await {
                return Err(error);
            }
        }
    }
}

/// History is expected to be new: it is copied straight in, or, if any of it is there, merged.
async fn write(
    session: &Session,
    part: &Part<'_>,
    all_are_repeats: bool,
    means: &Means,
) -> Result<Counts, StoreError> {
    let rows = part.load.readings;
    let items = || rows.iter().map(|row| &row.item);
    let batch = Batch {
        fresh: if all_are_repeats { Vec::new() } else { items().collect() },
        repeats: if all_are_repeats { items().collect() } else { Vec::new() },
        events: Vec::new(),
        device_infos: Vec::new(),
        folded: Folded { readings: part.load.records() - rows.len(), ..Folded::default() },
        documents: documents::fold(rows),
        rejects: part.rejects,
        instance: &means.instance,
        shard: BACKFILL_SHARD,
    };
    let written = session.write(&batch, means.duplicates).await?;
    let stored = batch.fresh.len() + written.inserted.iter().filter(|new| **new).count();
    let counts = Counts {
        lines: 0,
        stored: stored as u64,
        duplicate: (part.load.records() - stored) as u64,
        rejected: part.rejects.len() as u64,
    };
    if let Some((stretch, mut noted)) = part.note {
        noted.add(&counts);
        session.advance_backfill(stretch, &noted).await?;
    }
    session.account_and_commit(&batch, &written).await?;
    Ok(counts)
}

/// Most of history lies in the time of the owner of today; the rest is asked for by instant.
async fn complete_owners(store: &Store, items: &mut [Item]) -> Result<(), StoreError> {
    let incomplete = |item: &&mut Item| !item.owner().is_complete();
    let devices: BTreeSet<String> =
        items.iter_mut().filter(incomplete).map(|item| item.device_sn().to_owned()).collect();
    let devices: Vec<&str> = devices.iter().map(String::as_str).collect();
    let mut tenures: HashMap<Box<str>, Tenure> = HashMap::new();
    for some in devices.chunks(DEVICES_PER_QUESTION) {
        tenures.extend(owners::tenures(store, some).await?.by_device);
    }
    let mut earlier = Vec::new();
    for item in items.iter_mut().filter(incomplete) {
        match tenures.get(item.device_sn()) {
            Some(tenure) if tenure.covers(item.ts()) => item.owner_mut().complete_from(&tenure.owner),
            _ => earlier.push(item),
        }
    }
    owners::fill(store, earlier.into_iter()).await
}
