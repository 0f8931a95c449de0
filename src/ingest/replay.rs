//! Rejected items, once more: read again, and stored if they can be now.
//!
//! Before: `vitals rejected replay` says which, and reads each as `wire` reads it. After: `store::replay` commits.
//! Promise: what is stored leaves `rejected_upload` in the same transaction, so a replay that dies, runs twice or runs
//! beside another stores and counts each item once. What is refused again stays, with the reason of now, and costs its
//! neighbours nothing. It needs no running service, and none has to be stopped for it.

use std::collections::BTreeMap;
use std::time::Duration;

use super::plan::{self, Place, Row};
use super::within;
use crate::config::{Duplicates, Settings};
use crate::model::{Item, Refusal, Reject, RejectReason, Upload};
use crate::store::accounting::REPLAY_SHARD;
use crate::store::batch::{Batch, Session};
use crate::store::rejected_upload::RejectedUpload;
use crate::store::replay::{Moved, Replayed};
use crate::store::{Kind, Store, StoreError, owners};

/// Tries of one transaction when the database says that the same again may work.
const MAX_TRIES: u32 = 5;

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
pub struct Replay {
    store: Store,
    session: Option<Session>,
    instance: String,
    duplicates: Duplicates,
    write_deadline: Duration,
}

impl std::fmt::Debug for Replay {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Replay").finish_non_exhaustive()
    }
}

/// Makes one item, or one reject, of a rejected one.
pub type Reader<'r> = dyn Fn(&RejectedUpload) -> Upload + Send + Sync + 'r;

impl Replay {
    /// Takes no connection yet.
    pub fn new(store: &Store, settings: &Settings) -> Self {
        Self {
            store: store.clone(),
            session: None,
            instance: settings.instance_name(),
            duplicates: settings.duplicates,
            write_deadline: settings.statement_timeout(),
        }
    }

    /// Replays those of `ids` that are still there and that no other replay is at: in one transaction, unless the
    /// database refuses a row.
    ///
    /// # Errors
    /// [`Kind::Down`]: what was committed stays so, the rest is in `rejected_upload` as before; the same again is safe.
    pub async fn replay(&mut self, ids: &[i64], read: &Reader<'_>) -> Result<Tally, StoreError> {
        let mut tally = Tally::default();
        let mut pending = vec![ids];
        while let Some(ids) = pending.pop() {
            match self.commit(ids, read, None).await {
                Ok(part) => tally.add(&part),
                Err(error) if error.kind() == Kind::Refused && ids.len() > 1 => {
                    let (first, second) = ids.split_at(ids.len() / 2);
                    pending.extend([second, first]);
                }
                Err(error) if error.kind() == Kind::Refused && ids.len() == 1 => {
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
        let mut tries = 0;
        loop {
            let session = match self.session.take() {
                Some(session) if !session.is_closed() => session,
                _ => Session::open(&self.store).await?,
            };
            tries += 1;
            let attempt = attempt(&self.store, &session, ids, read, refuse, &self.instance, self.duplicates);
            match within(self.write_deadline, "replay", attempt).await {
                Err(error) if error.kind() == Kind::Down => {
                    session.discard();
                    return Err(error);
                }
                Err(error) if error.kind() == Kind::Retry && tries < MAX_TRIES => {}
                done => {
                    self.session = Some(session);
                    return done;
                }
            }
            self.session = Some(session);
        }
    }
}

async fn attempt(
    store: &Store,
    session: &Session,
    ids: &[i64],
    read: &Reader<'_>,
    refuse: Option<&str>,
    instance: &str,
    duplicates: Duplicates,
) -> Result<Tally, StoreError> {
    let claimed = session.claim(ids).await?;
    let mut uploads: Vec<Upload> = claimed.iter().map(read).collect();
    owners::fill(store, uploads.iter_mut().flat_map(|upload| &mut upload.items)).await?;
    let plan = Plan::of(&claimed, uploads, refuse, duplicates);
    let batch = Batch {
        fresh: Vec::new(),
        repeats: plan.rows.iter().map(|row| &row.item).collect(),
        folded: plan.taken.len() - plan.rows.len(),
        rejects: &[],
        instance,
        shard: REPLAY_SHARD,
    };
    let replayed = Replayed { batch, taken: &plan.taken, refused: &plan.refused };
    let moved = session.write_replayed(&replayed, duplicates).await?;
    session.commit().await?;
    Ok(plan.tally(moved, ids.len() - claimed.len()))
}

/// What is to become of the claimed.
struct Plan {
    rows: Vec<Row>,
    taken: Vec<i64>,
    refused: Vec<(i64, Reject)>,
}

impl Plan {
    fn of(
        claimed: &[RejectedUpload],
        uploads: Vec<Upload>,
        refuse: Option<&str>,
        duplicates: Duplicates,
    ) -> Self {
        let (mut records, mut taken, mut refused) = (Vec::new(), Vec::new(), Vec::new());
        for (rejected, Upload { items, rejects }) in claimed.iter().zip(uploads) {
            refused.extend(rejects.into_iter().map(|reject| (rejected.id, reject)));
            for item in items {
                match refuse {
                    None => {
                        taken.push(rejected.id);
                        let place = Place::of(&item, 0);
                        records.push((item, place));
                    }
                    Some(detail) => refused.push((rejected.id, refused_by_database(item, detail))),
                }
            }
        }
        Self { rows: plan::fold_records(records, duplicates), taken, refused }
    }

    fn tally(&self, moved: Moved, passed_over: usize) -> Tally {
        let mut refused = BTreeMap::new();
        for (_, reject) in &self.refused {
            *refused.entry(reject.refusal.reason.name()).or_default() += 1;
        }
        Tally {
            stored: moved.stored.into(),
            duplicate: moved.duplicate.into(),
            refused,
            passed_over: passed_over as u64,
        }
    }
}

fn refused_by_database(item: Item, detail: &str) -> Reject {
    Reject {
        refusal: Refusal {
            index: item.index,
            reason: RejectReason::RefusedByDatabase,
            detail: detail.to_owned(),
        },
        device_sn: Some(item.reading.device_sn),
        text: item.text,
        inherited: item.inherited,
        source: item.source,
        received_at: item.received_at,
    }
}
