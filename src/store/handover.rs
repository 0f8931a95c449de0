//! What writers of this process committed, kept in memory for the reaction, so that it need not be read back.
//!
//! Before: `ingest::writer` offers the newest row of each device of a batch before its commit. After: `relay::reaction` takes the rows
//! of the batches that it claims, which are committed. Promise: it only saves reads. The outbox says what is to be done, and a batch
//! that is not here is read back. It is bounded: the oldest batches are dropped first; another instance may have claimed them.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::model::{Item, LatestValue, effective_ts};

/// Most rows that are kept, about 50 MB. A relay that is behind takes half of them at once; what it had to read back would keep it behind.
const MAX_VALUES: usize = 100_000;

/// How long they are kept: an erasure waits for what may be in the memory of an instance (`erasure.under_way`).
const MAX_AGE: Duration = Duration::from_secs(5);

/// The rows of this process. Clones are the same.
#[derive(Debug, Clone, Default)]
pub struct Handover(Arc<Mutex<Batches>>);

#[derive(Debug, Default)]
struct Batches {
    values: BTreeMap<i64, (Instant, Vec<LatestValue>)>,
    count: usize,
}

/// What was taken of some batches.
#[derive(Debug, Default)]
pub struct Taken {
    /// The newest row of each device.
    pub values: Vec<LatestValue>,
    /// Of two reads of one row the later has a larger version: this one is smaller than that of any read that saw the rows.
    pub read_version: i64,
    /// Batches that have to be read back.
    pub missing: Vec<i64>,
}

impl Handover {
    /// Keeps the newest row of each device of a batch, whose rows are sorted by device and time. All of them are new rows: what
    /// was merged with a stored row is not known here.
    pub fn offer_newest(&self, batch_id: i64, rows: &[&Item]) {
        let of_devices = rows.chunk_by(|one, next| one.reading.device_sn == next.reading.device_sn);
        let newest = of_devices.filter_map(|rows| {
            rows.iter().max_by_key(|item| effective_ts(item.reading.ts, item.received_at))
        });
        self.offer(batch_id, newest.map(|item| LatestValue::of(&item.reading, item.received_at)).collect());
    }

    fn offer(&self, batch_id: i64, values: Vec<LatestValue>) {
        if values.is_empty() || values.len() > MAX_VALUES {
            return;
        }
        let mut batches = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        batches.count += values.len();
        if let Some((_, replaced)) = batches.values.insert(batch_id, (Instant::now(), values)) {
            batches.count -= replaced.len();
        }
        while batches.count > MAX_VALUES
            && let Some((_, (_, oldest))) = batches.values.pop_first()
        {
            batches.count -= oldest.len();
        }
    }

    /// Forgets a batch whose commit was not confirmed.
    pub fn withdraw(&self, batch_id: i64) {
        drop(self.take(&[batch_id]));
    }

    /// Forgets everything: another server may give the same numbers to other batches.
    pub fn clear(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Batches::default();
    }

    /// Takes what is here of these batches.
    pub fn take(&self, batch_ids: &[i64]) -> Taken {
        let mut taken = Taken { read_version: i64::MAX, ..Taken::default() };
        let mut newest: HashMap<String, LatestValue> = HashMap::new();
        let mut batches = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for batch_id in batch_ids {
            let kept = batches.values.remove(batch_id);
            batches.count -= kept.as_ref().map_or(0, |(_, values)| values.len());
            let Some((_, values)) = kept.filter(|(offered_at, _)| offered_at.elapsed() < MAX_AGE) else {
                taken.missing.push(*batch_id);
                continue;
            };
            taken.read_version = taken.read_version.min(version(*batch_id));
            for value in values {
                match newest.get_mut(&value.device_sn) {
                    Some(known) if known.effective_ts > value.effective_ts => {}
                    Some(known) => *known = value,
                    None => drop(newest.insert(value.device_sn.clone(), value)),
                }
            }
        }
        drop(batches);
        taken.values = newest.into_values().collect();
        taken
    }
}

/// A snapshot that sees a batch has a higher `xmax`, and so a higher version (see `health_data.newest_of_batches`).
fn version(batch_id: i64) -> i64 {
    batch_id.saturating_mul(1000)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::model::Owner;

    pub(crate) fn value(device_sn: &str, second: i64) -> LatestValue {
        let ts = jiff::Timestamp::from_second(second).expect("in range");
        LatestValue {
            device_sn: device_sn.to_owned(),
            ts,
            owner: Owner::default(),
            measured: crate::metric::Measurements::default(),
            upload_method: None,
            effective_ts: ts,
            received_at: Some(ts),
        }
    }

    #[test]
    fn the_newest_row_of_each_device_is_taken_once() {
        let handover = Handover::default();
        handover.offer(7, vec![value("A", 1), value("B", 9)]);
        handover.offer(8, vec![value("A", 3), value("B", 2)]);
        let mut taken = handover.take(&[6, 7, 8]);
        taken.values.sort_by(|one, other| one.device_sn.cmp(&other.device_sn));
        assert_eq!(taken.values, [value("A", 3), value("B", 9)]);
        assert_eq!((taken.read_version, taken.missing), (7000, vec![6]));
        assert_eq!(handover.take(&[7, 8]).missing, [7, 8]);
    }

    #[test]
    fn the_oldest_batches_give_way() {
        let handover = Handover::default();
        for batch_id in 0..5 {
            handover.offer(batch_id, vec![value("A", batch_id); MAX_VALUES / 3]);
        }
        assert_eq!(handover.take(&[0, 1, 2, 3, 4]).missing, [0, 1]);
    }
}
