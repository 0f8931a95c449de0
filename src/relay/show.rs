//! The newest rows of claimed batches, written to Redis.
//!
//! Before: `relay::reaction`. After: `react::RedisView`. Promise: what this process committed a moment ago comes from memory, the rest is read
//! back; batches of too many devices, and what Redis did not take, are shown by a rebuild of the view.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use tracing::Instrument;

use super::groups::common_range;
use crate::model::LatestValue;
use crate::react::RedisView;
use crate::store::device_info;
use crate::store::handover::{Handover, Taken};
use crate::store::health_data::{self, NewestRows};
use crate::store::outbox::{Claimed, TimeRange};
use crate::store::{StatementTimeout, Store, StoreError};
use crate::telemetry::trace;

/// Most devices held in memory at once, about 20 MB. Batches with more (a large import) cause a rebuild of the view
/// instead, which reads page by page.
const MAX_DEVICES: usize = 50_000;

pub(super) struct Show {
    store: Store,
    view: RedisView,
    handover: Handover,
}

/// The newest rows of some batches.
pub(super) struct BatchValues {
    /// Their devices, each once; `None`: too many.
    pub(super) devices: Option<Vec<String>>,
    /// Time range of the rows; `None`: there are none.
    pub(super) range: Option<TimeRange>,
    /// Devices whose clock may be off, with the time of their newest row.
    pub(super) clocks: Vec<(String, Timestamp)>,
    handed_over: NewestRows,
    read_back: NewestRows,
}

impl Show {
    pub(super) fn new(store: &Store, view: &RedisView, handover: &Handover) -> Self {
        Self { store: store.clone(), view: view.clone(), handover: handover.clone() }
    }

    /// Lets instances that have Redis claim first.
    pub(super) async fn yield_while_redis_is_away(&self) {
        self.view.yield_while_away().await;
    }

    /// The connection to the server was lost, and it may be another server now.
    pub(super) fn reconnected(&self) {
        self.handover.clear();
    }

    /// The newest rows of batches: those that this process committed a moment ago, and the others, which are read back.
    pub(super) async fn newest(
        &self,
        claimed: &[Claimed],
        batch_ids: &[i64],
        timeout: StatementTimeout,
    ) -> Result<BatchValues, StoreError> {
        let range = match common_range(claimed) {
            Some(range) => Some(range),
            None => health_data::range_of_batches(&self.store, timeout, batch_ids).await?,
        };
        let Taken { values, read_version, missing } = self.handover.take(batch_ids);
        let mut handed_over = NewestRows { values, read_version };
        let limit = MAX_DEVICES + 1;
        let mut read_back = match range {
            Some(range) if !missing.is_empty() => {
                health_data::newest_of_batches(&self.store, timeout, &missing, range, limit).await?
            }
            _ => NewestRows::default(),
        };
        if read_back.values.len() > MAX_DEVICES {
            let none = NewestRows::default();
            return Ok(BatchValues {
                devices: None,
                range,
                clocks: Vec::new(),
                handed_over,
                read_back: none,
            });
        }
        keep_newest(&mut handed_over.values, &mut read_back.values);
        let values = || handed_over.values.iter().chain(&read_back.values);
        let clocks = values()
            .filter(|value| value.is_far_from_receipt())
            .map(|value| (value.device_sn.clone(), value.ts))
            .collect();
        let devices = Some(values().map(|value| value.device_sn.clone()).collect());
        Ok(BatchValues { devices, range, clocks, handed_over, read_back })
    }

    /// Writes the newest rows of batches to Redis. False: some of it did not reach Redis.
    pub(super) async fn show(
        &self,
        newest: &BatchValues,
        claimed: &[Claimed],
        batch_ids: &[i64],
        timeout: StatementTimeout,
    ) -> Result<bool, StoreError> {
        let is_shown = newest.devices.is_some()
            && async { self.view.show(&newest.handed_over).await & self.view.show(&newest.read_back).await }
                .instrument(trace::child!("show_latest"))
                .await;
        Ok(self.show_infos(claimed, batch_ids, timeout).await? && is_shown)
    }

    /// Writes the information of devices that sent some in these batches. False: some of it did not reach Redis.
    async fn show_infos(
        &self,
        claimed: &[Claimed],
        batch_ids: &[i64],
        timeout: StatementTimeout,
    ) -> Result<bool, StoreError> {
        if !claimed.iter().any(|row| row.may_hold_device_infos) {
            return Ok(true);
        }
        let (range, limit) = (common_range(claimed), MAX_DEVICES + 1);
        let latest = device_info::latest_of_batches(&self.store, timeout, batch_ids, range, limit).await?;
        Ok(latest.infos.len() <= MAX_DEVICES && self.view.show_infos(&latest).await)
    }
}

/// Of a device that is in both, only the newer row stays; of the same time the one that was read back, which may have been completed.
fn keep_newest(handed_over: &mut Vec<LatestValue>, read_back: &mut Vec<LatestValue>) {
    let times: HashMap<String, Timestamp> =
        read_back.iter().map(|value| (value.device_sn.clone(), value.effective_ts)).collect();
    handed_over.retain(|value| times.get(&value.device_sn).is_none_or(|ts| value.effective_ts > *ts));
    let newer: HashSet<&str> = handed_over.iter().map(|value| value.device_sn.as_str()).collect();
    read_back.retain(|value| !newer.contains(value.device_sn.as_str()));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::handover::tests::value;

    #[test]
    fn a_device_is_shown_once_with_its_newest_row() {
        let mut handed_over = vec![value("A", 2), value("B", 2), value("C", 2), value("D", 2)];
        let mut read_back = vec![value("B", 1), value("C", 2), value("D", 3), value("E", 2)];
        keep_newest(&mut handed_over, &mut read_back);
        assert_eq!(handed_over, [value("A", 2), value("B", 2)]);
        assert_eq!(read_back, [value("C", 2), value("D", 3), value("E", 2)]);
    }
}
