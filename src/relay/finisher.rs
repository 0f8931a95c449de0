//! Finishes prepared batches a few at a time, while the worker claims and shows the next ones.
//!
//! Before: `relay::reaction` hands groups over. After: `store::outbox::finish`. Promise: groups are finished in their order; the lease of
//! everything in the hand of the worker is renewed; what cannot be finished because the database is away is claimed again.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use backon::ExponentialBackoff;
use futures_util::future::join_all;
use tokio::sync::{Semaphore, mpsc};
use tokio::time::sleep;
use tracing::Instrument;

use super::groups::{common_range, group};
use super::lanes::lanes;
use super::reaction::{Group, Prepared, Reaction, ids, lease_lost, record_reaction};
use super::transaction_size::{RECORDS, TransactionSize};
use crate::model::{Partition, Partitions};
use crate::store::outbox::{self, Batches, Claimed};
use crate::store::{StoreError, outage_delays};

pub(super) struct Finisher {
    reaction: Arc<Reaction>,
    groups: mpsc::Receiver<Group>,
    /// A permit for each transaction that finishes batches. The workers share them, except for the urgent one, so that other parts of
    /// the service always find a free connection.
    permits: Arc<Semaphore>,
    size: Mutex<TransactionSize>,
}

impl Finisher {
    /// Also gives what the worker hands groups over to. One group may wait while another is finished.
    pub(super) fn new(reaction: &Arc<Reaction>, permits: Arc<Semaphore>) -> (mpsc::Sender<Group>, Self) {
        let (sender, groups) = mpsc::channel(1);
        (
            sender,
            Self {
                reaction: Arc::clone(reaction),
                groups,
                permits,
                size: Mutex::new(TransactionSize::new(RECORDS)),
            },
        )
    }

    /// Until the worker has ended and its groups are finished.
    pub(super) async fn run(mut self) {
        let reaction = Arc::clone(&self.reaction);
        tokio::select! {
            () = self.finish_groups() => {}
            never = reaction.keep_lease_renewed(|| reaction.hand().batch_ids()) => match never {},
        }
    }

    async fn finish_groups(&mut self) {
        let mut outage: Option<ExponentialBackoff> = None;
        while let Some(Group { batches, prepared, held }) = self.groups.recv().await {
            let finished = self.finish_in_lanes(batches, &prepared).await;
            drop(held);
            let Err(error) = finished else {
                outage = None;
                continue;
            };
            tracing::debug!(%error, "batches were not finished; they are claimed again");
            self.reaction.hand().report_returned();
            let delay = outage.get_or_insert_with(outage_delays).next().unwrap_or_default();
            if !self.groups.is_closed() {
                sleep(delay).await;
            }
        }
    }

    /// Finishes prepared batches, those of different devices at the same time. A lane that fails does not interrupt the others.
    async fn finish_in_lanes(&self, batches: Vec<Claimed>, prepared: &Prepared) -> Result<(), StoreError> {
        let transaction = self.size().get();
        let lanes = lanes(batches, transaction).into_iter().map(|lane| self.finish_lane(lane, prepared));
        join_all(lanes).await.into_iter().collect()
    }

    /// Finishes batches in their order, as many as possible at a time.
    async fn finish_lane(&self, batches: Vec<Claimed>, prepared: &Prepared) -> Result<(), StoreError> {
        let mut steps = VecDeque::from(group(batches, self.size().get()));
        while let Some(batches) = steps.pop_front() {
            let permit = self.permits.acquire().await.expect("the semaphore is never closed");
            let finish = self.finish(&batches, prepared).instrument(prepared.span.clone());
            let began = Instant::now();
            let finished = self.reaction.store.with_timeout("relay.react", finish).await;
            drop(permit);
            let took = began.elapsed();
            match finished {
                Ok(()) => self.size().took(batches.iter().map(|batch| batch.records).sum(), took),
                Err(error) => {
                    if error.is_cancelled() {
                        self.size().was_cancelled();
                    }
                    self.reaction.halve_or_park(batches, error, &mut steps).await?;
                }
            }
        }
        Ok(())
    }

    fn size(&self) -> MutexGuard<'_, TransactionSize> {
        self.size.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn finish(&self, claimed: &[Claimed], prepared: &Prepared) -> Result<(), StoreError> {
        let reaction = &self.reaction;
        let range = common_range(claimed).or(prepared.range);
        let devices = prepared.devices.as_deref().map(|all| devices_in(all, claimed));
        let batches = Batches { ids: &ids(claimed), devices, range };
        let finished = outbox::finish(&reaction.store, reaction.lease(), &batches).await?;
        if finished.notified {
            reaction.notifications.announce();
        }
        if finished.held {
            record_reaction(claimed, prepared.claimed_at);
        } else {
            lease_lost(claimed);
        }
        Ok(())
    }
}

/// Those of the devices that batches may have: all in their partitions.
fn devices_in<'a>(all: &'a [String], batches: &[Claimed]) -> Vec<&'a str> {
    let partitions = batches.iter().fold(Partitions::default(), |all, batch| all | batch.partitions);
    all.iter().map(String::as_str).filter(|device_sn| partitions.contains(Partition::of(device_sn))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::relay::groups::tests::claimed;

    #[test]
    fn a_part_of_a_group_has_the_devices_of_its_partitions() {
        let all = ["A", "B", "C", "D"].map(str::to_owned);
        let of =
            |devices: &[&str]| Claimed { partitions: devices.iter().copied().collect(), ..claimed(None) };
        assert_eq!(devices_in(&all, &[of(&["B"]), of(&["D"])]), ["B", "D"]);
        assert_eq!(devices_in(&all, &[of(&["B"]), claimed(None)]), all, "one whose writer did not give them");
    }
}
