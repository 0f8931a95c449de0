//! Rejected items, once more: read again, and stored if they can be now.
//!
//! Before: `vitals rejected replay` says which, and reads each as `wire` reads it. After: `store::replay` commits.
//! Promise: what is stored leaves `rejected_upload` in the same transaction, so a replay that dies, runs twice or runs
//! beside another stores and counts each item once. What is refused again stays, with the reason of now, and costs its
//! neighbours nothing. It needs no running service, and none has to be stopped for it.

use std::collections::BTreeMap;

use super::again::Tries;
use super::load::{may_be_of_data, may_be_of_size};
use super::means::Means;
use super::plan::{self, Place, Record, Row};
use super::{documents, within};
use crate::config::{Duplicates, Settings};
use crate::model::tenant::OF_DIRECTORY;
use crate::model::{DeviceInfoItem, EventItem, Refusal, Reject, RejectReason, Source, Upload};
use crate::store::accounting::REPLAY_SHARD;
use crate::store::batch::{Batch, Folded, Session, Written, kind_of};
use crate::store::rejected_upload::RejectedUpload;
use crate::store::replay::{Moved, Replayed};
use crate::store::{Store, StoreError, owners};

/// What became of the items of a replay.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// Became a new row.
    pub stored: u64,
    /// Was there already.
    pub duplicate: u64,
    /// Refused again, by reason.
    pub refused: BTreeMap<&'static str, u64>,
    /// Gone meanwhile, or in the hands of another replay.
    pub passed_over: u64,
}

impl Tally {
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
    means: Means,
}

/// Makes one item, or one reject, of a rejected one.
pub type Reader<'r> = dyn Fn(&RejectedUpload) -> Upload + Send + Sync + 'r;

impl Replay {
    /// Takes no connection yet.
    pub fn new(store: &Store, settings: &Settings) -> Self {
        Self { means: Means::new(store, settings) }
    }

    /// Replays those of `ids` that are still there and that no other replay is at: in one transaction, unless the
    /// database refuses a row.
    ///
    /// # Errors
    /// [`crate::store::Kind::Down`]: what was committed stays so, the rest is in `rejected_upload` as before; the same again is
    /// safe.
    pub async fn replay(&mut self, ids: &[i64], read: &Reader<'_>) -> Result<Tally, StoreError> {
        let mut tally = Tally::default();
        let mut pending = vec![ids];
        while let Some(ids) = pending.pop() {
            match self.commit(ids, read, None).await {
                Ok(part) => tally.add(&part),
                Err(error) if (may_be_of_data(&error) || may_be_of_size(&error)) && ids.len() > 1 => {
                    let (first, second) = ids.split_at(ids.len() / 2);
                    pending.extend([second, first]);
                }
                Err(error) if may_be_of_data(&error) && ids.len() == 1 => {
                    tally.add(&self.commit(ids, read, Some(&error.to_string())).await?);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(tally)
    }

    /// One transaction, again when the same may work.
    async fn commit(
        &mut self,
        ids: &[i64],
        read: &Reader<'_>,
        refuse: Option<&str>,
    ) -> Result<Tally, StoreError> {
        let mut tries = Tries::at_once();
        loop {
            let session = self.means.take_or_open().await?;
            let attempt = attempt(&self.means, &session, ids, read, refuse);
            let done = within(self.means.write_deadline, "replay", attempt).await;
            self.means.put_back(session, done.as_ref().err());
            match done {
                Err(error) if tries.again(&error).await => {}
                done => return done,
            }
        }
    }
}

async fn attempt(
    means: &Means,
    session: &Session,
    ids: &[i64],
    read: &Reader<'_>,
    refuse: Option<&str>,
) -> Result<Tally, StoreError> {
    let claimed = session.claim(ids).await?;
    let mut uploads: Vec<Upload> = claimed.iter().map(read).collect();
    if let Err(error) = complete_owners(&means.store, &claimed, &mut uploads).await {
        session.release().await;
        return Err(error);
    }
    let plan = Plan::of(&claimed, uploads, refuse, means.duplicates);
    let batch = Batch {
        fresh: Vec::new(),
        repeats: plan.readings.iter().map(|row| &row.item).collect(),
        events: plan.events.iter().map(|row| &row.item).collect(),
        device_infos: plan.device_infos.iter().map(|row| &row.item).collect(),
        folded: Folded::default(),
        documents: documents::fold(&plan.readings),
        rejects: &[],
        instance: &means.instance,
        shard: REPLAY_SHARD,
    };
    let ids_taken: Vec<i64> = plan.taken.iter().map(|(id, ..)| *id).collect();
    let replayed = Replayed { batch, taken: &ids_taken, refused: &plan.refused };
    let mut moved = Vec::new();
    let settle = |written: &Written| {
        moved = plan.moved(written);
        moved.clone()
    };
    session.write_replayed(&replayed, means.duplicates, settle).await?;
    session.commit().await?;
    Ok(plan.tally(&moved, ids.len() - claimed.len()))
}

/// What came with a key of one tenant, or of one device, goes by the bounds of that key, now as then.
async fn complete_owners(
    store: &Store,
    claimed: &[RejectedUpload],
    uploads: &mut [Upload],
) -> Result<(), StoreError> {
    for (rejected, upload) in claimed.iter().zip(uploads.iter_mut()) {
        if rejected.key_customer_id == Some(OF_DIRECTORY) {
            // What was not refused as another device's is of the device of the key.
            let is_own = rejected.reason != RejectReason::OtherDevice.name();
            upload.keep_device(rejected.device_sn.as_deref().filter(|_| is_own).unwrap_or_default());
        }
        if let Some(customer_id) = rejected.key_customer_id {
            owners::keep_own(store, upload, customer_id).await?;
        }
    }
    owners::fill(store, uploads.iter_mut().flat_map(|upload| &mut upload.items)).await?;
    owners::fill(store, uploads.iter_mut().flat_map(|upload| &mut upload.events)).await?;
    owners::fill(store, uploads.iter_mut().flat_map(|upload| &mut upload.device_infos)).await
}

/// What is to become of the claimed.
struct Plan {
    readings: Vec<Row>,
    events: Vec<Row<EventItem>>,
    device_infos: Vec<Row<DeviceInfoItem>>,
    /// The rejects of which all can be stored, their routes, and how often each came. The rows' places name them by their place here.
    taken: Vec<(i64, Source, usize)>,
    refused: Vec<(i64, Reject)>,
    /// Items they stand for, by reason.
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
            readings.extend(placed(upload.items, number));
            events.extend(placed(upload.events, number));
            device_infos.extend(placed(upload.device_infos, number));
        }
        Self {
            readings: plan::fold_records(readings, duplicates),
            events: plan::fold_records(events, duplicates),
            device_infos: plan::fold_records(device_infos, duplicates),
            taken,
            refused,
            refused_items,
        }
    }

    /// By kind of record. A reject is stored if anything it holds became a row; that it came before is a duplicate.
    fn moved(&self, written: &Written) -> Vec<Moved> {
        let mut stored = vec![false; self.taken.len()];
        note_new(&self.readings, &written.inserted, &mut stored);
        note_new(&self.events, &written.events, &mut stored);
        note_new(&self.device_infos, &written.device_infos, &mut stored);
        let mut moved: Vec<Moved> = Vec::new();
        for ((_, source, times), stored) in self.taken.iter().zip(stored) {
            let kind = kind_of(*source);
            let at = moved.iter().position(|moved| moved.kind == kind).unwrap_or_else(|| {
                moved.push(Moved { kind, stored: 0, duplicate: 0 });
                moved.len() - 1
            });
            moved[at].stored += usize::from(stored);
            moved[at].duplicate += times - usize::from(stored);
        }
        moved
    }

    fn tally(&self, moved: &[Moved], passed_over: usize) -> Tally {
        Tally {
            stored: moved.iter().map(|moved| moved.stored as u64).sum(),
            duplicate: moved.iter().map(|moved| moved.duplicate as u64).sum(),
            refused: self.refused_items.clone(),
            passed_over: passed_over as u64,
        }
    }
}

fn placed<R: Record>(records: Vec<R>, number: usize) -> impl Iterator<Item = (R, Place)> {
    records.into_iter().map(move |record| {
        let place = Place::of(&record, number);
        (record, place)
    })
}

fn note_new<R>(rows: &[Row<R>], new: &[bool], stored: &mut [bool]) {
    for (row, _) in rows.iter().zip(new).filter(|(_, new)| **new) {
        if let Some(first) = row.places.first() {
            stored[first.part] = true;
        }
    }
}

/// An event and its samples may be refused for several reasons, each of which is a reject with the text of the whole: it
/// keeps its own if that still holds.
fn same_or_first(rejected: &RejectedUpload, mut now: Vec<Reject>) -> Option<Reject> {
    let differs = |reject: &Reject| {
        let Refusal { reason, detail, .. } = &reject.refusal;
        (reason.name() != rejected.reason, *detail != rejected.detail)
    };
    now.sort_by_key(differs);
    now.into_iter().next()
}

/// What the database refuses, as the reject it was.
fn refusal(upload: &Upload, detail: &str) -> Option<Reject> {
    fn of<R: Record>(record: &R, detail: &str) -> Reject {
        record.refused(&Place::of(record, 0), detail)
    }
    let event = upload.events.first().map(|event| of(event, detail));
    let info = || upload.device_infos.first().map(|info| of(info, detail));
    let reading = || upload.items.first().map(|item| of(item, detail));
    event.or_else(info).or_else(reading)
}
