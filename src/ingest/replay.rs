//! Replays rejected items: reads them once more, and stores those that are valid now.
//!
//! Before: `vitals rejected replay` selects them, and reads each by the rules of `wire`. After: `store::replay` commits.
//! Promise: an item leaves `rejected_upload` in the transaction that stores it. So each item is stored and counted once, even if a replay
//! dies, runs twice, or runs at the same time as another. An item that is refused once more stays, with the new reason, and does not affect
//! other items. A replay works with and without a running service.

use std::collections::BTreeMap;

use super::context::{RetryPolicy, WriterContext, within};
use super::fold::{self, Record, Row};
use super::recent::fold_documents;
use super::row_set::{may_be_caused_by_a_row, may_be_too_large};
use crate::config::{Duplicates, Settings};
use crate::model::tenant::{self, OF_DIRECTORY};
use crate::model::{DeviceInfoItem, EventItem, Refusal, Reject, RejectReason, Source, Upload};
use crate::store::accounting::REPLAY_SHARD;
use crate::store::batch::{Batch, BatchSession, Folded, Written, kind_of};
use crate::store::rejected_upload::RejectedUpload;
use crate::store::replay::{MovedRecords, ReplayBatch};
use crate::store::{Store, StoreError, owners};

/// What a replay did with its items.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReplayCounts {
    /// Became a new row.
    pub stored: u64,
    /// The row existed already.
    pub duplicate: u64,
    /// Refused again, by reason.
    pub refused: BTreeMap<&'static str, u64>,
    /// Deleted meanwhile, or claimed by another replay.
    pub passed_over: u64,
}

impl ReplayCounts {
    /// Adds another.
    pub fn add(&mut self, other: &Self) {
        self.stored += other.stored;
        self.duplicate += other.duplicate;
        self.passed_over += other.passed_over;
        for (reason, items) in &other.refused {
            *self.refused.entry(reason).or_default() += items;
        }
    }

    /// Items refused again.
    pub fn refused(&self) -> u64 {
        self.refused.values().sum()
    }
}

/// Replays, one transaction at a time, on one connection.
#[derive(Debug)]
pub struct Replay {
    context: WriterContext,
}

/// Reads a rejected item again, into an upload of one record or one reject.
pub type ReadRejected<'r> = dyn Fn(&RejectedUpload) -> Upload + Send + Sync + 'r;

impl Replay {
    /// Opens no session yet.
    pub fn new(store: &Store, settings: &Settings) -> Self {
        Self { context: WriterContext::new(store, settings) }
    }

    /// Replays those of `ids` that still exist and that no other replay has claimed: in one transaction, unless the
    /// database refuses a row.
    ///
    /// # Errors
    /// [`crate::store::Kind::Down`]: a part may be committed, the rest is in `rejected_upload` as before; replaying the same
    /// again is safe.
    pub async fn replay(&mut self, ids: &[i64], read: &ReadRejected<'_>) -> Result<ReplayCounts, StoreError> {
        let mut counts = ReplayCounts::default();
        let mut pending = vec![ids];
        while let Some(ids) = pending.pop() {
            match self.commit(ids, read, None).await {
                Ok(part) => counts.add(&part),
                Err(error)
                    if ids.len() > 1 && (may_be_caused_by_a_row(&error) || may_be_too_large(&error)) =>
                {
                    let (first, second) = ids.split_at(ids.len() / 2);
                    pending.extend([second, first]);
                }
                Err(error) if ids.len() == 1 && may_be_caused_by_a_row(&error) => {
                    counts.add(&self.commit(ids, read, Some(&error.to_string())).await?);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(counts)
    }

    /// One transaction, tried again when the same may work.
    async fn commit(
        &mut self,
        ids: &[i64],
        read: &ReadRejected<'_>,
        refuse: Option<&str>,
    ) -> Result<ReplayCounts, StoreError> {
        let mut retry = RetryPolicy::no_wait();
        loop {
            let session = self.context.take_or_open_session().await?;
            let commit = try_commit(&self.context, &session, ids, read, refuse);
            let done = within(self.context.write_deadline, "replay", commit).await;
            self.context.put_back(session, done.as_ref().err());
            match done {
                Err(error) if retry.should_retry(&error).await => {}
                done => return done,
            }
        }
    }
}

async fn try_commit(
    context: &WriterContext,
    session: &BatchSession,
    ids: &[i64],
    read: &ReadRejected<'_>,
    refuse: Option<&str>,
) -> Result<ReplayCounts, StoreError> {
    let claimed = session.claim(ids).await?;
    let mut uploads: Vec<Upload> = claimed.iter().map(read).collect();
    if let Err(error) = complete_owners(&context.store, &claimed, &mut uploads).await {
        session.release().await;
        return Err(error);
    }
    let plan = Plan::of(&claimed, uploads, refuse, context.duplicates);
    let batch = Batch {
        fresh: Vec::new(),
        repeats: plan.readings.iter().map(|row| &row.record).collect(),
        events: plan.events.iter().map(|row| &row.record).collect(),
        device_infos: plan.device_infos.iter().map(|row| &row.record).collect(),
        folded: Folded::default(),
        documents: fold_documents(&plan.readings),
        rejects: &[],
        instance: &context.instance,
        shard: REPLAY_SHARD,
    };
    let ids_taken: Vec<i64> = plan.taken.iter().map(|(id, ..)| *id).collect();
    let replayed = ReplayBatch { batch, taken: &ids_taken, refused: &plan.refused };
    let mut moved = Vec::new();
    let settle = |written: &Written| {
        moved = plan.moved(written);
        moved.clone()
    };
    session.write_replayed(&replayed, context.duplicates, settle).await?;
    session.commit().await?;
    Ok(plan.tally(&moved, ids.len() - claimed.len()))
}

/// A reject that came with a key of one tenant, or of one device, may be stored only if that key may write it.
async fn complete_owners(
    store: &Store,
    claimed: &[RejectedUpload],
    uploads: &mut [Upload],
) -> Result<(), StoreError> {
    for (rejected, upload) in claimed.iter().zip(uploads.iter_mut()) {
        if rejected.key_customer_id == Some(OF_DIRECTORY) {
            // Unless it was rejected as another device's, it is of the device of the key.
            let is_own = rejected.reason != RejectReason::OtherDevice.name();
            upload.keep_device(rejected.device_sn.as_deref().filter(|_| is_own).unwrap_or_default());
        }
        if let Some(customer_id) = rejected.key_customer_id {
            tenant::keep_own(store, upload, customer_id).await?;
        }
    }
    owners::fill(store, uploads.iter_mut().flat_map(Upload::owner_slots)).await
}

/// What a replay writes for the rejects that it claimed.
struct Plan {
    readings: Vec<Row>,
    events: Vec<Row<EventItem>>,
    device_infos: Vec<Row<DeviceInfoItem>>,
    /// Rejects that can be stored: id, route, and how often each was sent. [`fold::Origin::upload`] is the position here.
    taken: Vec<(i64, Source, usize)>,
    refused: Vec<(i64, Reject)>,
    /// Number of items that these stand for, by reason.
    refused_items: BTreeMap<&'static str, u64>,
}

impl Plan {
    fn of(
        claimed: &[RejectedUpload],
        uploads: Vec<Upload>,
        refuse: Option<&str>,
        duplicates: Duplicates,
    ) -> Self {
        let (mut readings, mut events, mut device_infos) = (Vec::new(), Vec::new(), Vec::new());
        let (mut taken, mut refused, mut refused_items) = (Vec::new(), Vec::new(), BTreeMap::new());
        for (rejected, mut upload) in claimed.iter().zip(uploads) {
            let reject = same_or_first(rejected, std::mem::take(&mut upload.rejects));
            if let Some(reject) = reject.or_else(|| refuse.and_then(|why| refusal(&upload, why))) {
                *refused_items.entry(reject.refusal.reason.name()).or_default() +=
                    u64::try_from(rejected.times).unwrap_or(1);
                refused.push((rejected.id, reject));
                continue;
            }
            let number = taken.len();
            taken.push((rejected.id, rejected.source, usize::try_from(rejected.times).unwrap_or(1)));
            readings.extend(upload.items.into_iter().map(|record| Row::new(record, number)));
            events.extend(upload.events.into_iter().map(|record| Row::new(record, number)));
            device_infos.extend(upload.device_infos.into_iter().map(|record| Row::new(record, number)));
        }
        fold::fold_rows(&mut readings, duplicates);
        fold::fold_rows(&mut events, duplicates);
        fold::fold_rows(&mut device_infos, duplicates);
        Self { readings, events, device_infos, taken, refused, refused_items }
    }

    /// Counts by kind of record. A reject counts as stored if a record of it became a row; the other times it was sent count as
    /// duplicates.
    fn moved(&self, written: &Written) -> Vec<MovedRecords> {
        let mut stored = vec![false; self.taken.len()];
        mark_stored(&self.readings, &written.inserted, &mut stored);
        mark_stored(&self.events, &written.events, &mut stored);
        mark_stored(&self.device_infos, &written.device_infos, &mut stored);
        let mut moved: Vec<MovedRecords> = Vec::new();
        for ((_, source, times), stored) in self.taken.iter().zip(stored) {
            let kind = kind_of(*source);
            let position = moved.iter().position(|moved| moved.kind == kind).unwrap_or_else(|| {
                moved.push(MovedRecords { kind, stored: 0, duplicate: 0 });
                moved.len() - 1
            });
            moved[position].stored += usize::from(stored);
            moved[position].duplicate += times - usize::from(stored);
        }
        moved
    }

    fn tally(&self, moved: &[MovedRecords], passed_over: usize) -> ReplayCounts {
        ReplayCounts {
            stored: moved.iter().map(|moved| moved.stored as u64).sum(),
            duplicate: moved.iter().map(|moved| moved.duplicate as u64).sum(),
            refused: self.refused_items.clone(),
            passed_over: passed_over as u64,
        }
    }
}

fn mark_stored<R>(rows: &[Row<R>], new: &[bool], stored: &mut [bool]) {
    for (row, _) in rows.iter().zip(new).filter(|(_, new)| **new) {
        stored[row.first.upload] = true;
    }
}

/// The reject among `now` that is the same as before, else the first. An event and its samples may be refused for several
/// reasons, each of which is a reject with the text of the whole.
fn same_or_first(rejected: &RejectedUpload, mut now: Vec<Reject>) -> Option<Reject> {
    let differs = |reject: &Reject| {
        let Refusal { reason, detail, .. } = &reject.refusal;
        (reason.name() != rejected.reason, *detail != rejected.detail)
    };
    now.sort_by_key(differs);
    now.into_iter().next()
}

/// The record that the database refuses, as a reject.
fn refusal(upload: &Upload, detail: &str) -> Option<Reject> {
    fn reject<R: Record>(record: &R, detail: &str) -> Option<Reject> {
        Row::new(record.clone(), 0).rejects(detail).next()
    }
    let event = upload.events.first().and_then(|event| reject(event, detail));
    let info = || upload.device_infos.first().and_then(|info| reject(info, detail));
    let reading = || upload.items.first().and_then(|item| reject(item, detail));
    event.or_else(info).or_else(reading)
}
