//! Lanes: which claimed batches can be finished at the same time, because no device has rows in two of them.
//!
//! Before: `relay::reaction` has prepared batches. After: it finishes the batches of a lane in order, and the lanes side by side.
//! Promise: batches of different lanes lock different partitions (`alert_locks.sql`), so their transactions do not wait for each other;
//! the batches of a device stay in order.

use std::cmp::Reverse;

use crate::model::Partitions;
use crate::store::outbox::Claimed;

/// The batches by lanes, each in the given order. The shards of the ingest write batches of different partitions, so behind a backlog
/// there are as many lanes as shards; a batch whose writer did not give its partitions joins all lanes. There are never more lanes than
/// full transactions of `transaction` records: what fits in one is finished in one, because the cost of a transaction hardly depends on the number of its rows.
pub(super) fn lanes(batches: Vec<Claimed>, transaction: u64) -> Vec<Vec<Claimed>> {
    let records: u64 = batches.iter().map(|batch| batch.records).sum();
    let lanes = share_out(disjoint(&batches), (records / transaction).max(1));
    let mut divided = vec![Vec::new(); lanes.len()];
    for batch in batches {
        if let Some(lane) = lanes.iter().position(|lane| lane.overlaps(batch.partitions)) {
            divided[lane].push(batch);
        }
    }
    divided
}

/// Sets of partitions of which no batch has two, the largest number of records first, with the number of their records.
fn disjoint(batches: &[Claimed]) -> Vec<(Partitions, u64)> {
    let mut sets: Vec<(Partitions, u64)> = Vec::new();
    for batch in batches {
        let (joined, mut apart): (Vec<_>, Vec<_>) =
            sets.into_iter().partition(|(set, _)| set.overlaps(batch.partitions));
        let all = joined
            .into_iter()
            .fold((batch.partitions, batch.records), |(all, sum), (set, records)| (all | set, sum + records));
        apart.push(all);
        sets = apart;
    }
    sets.sort_by_key(|&(_, records)| Reverse(records));
    sets
}

/// Joins sets to at most so many lanes, of about the same number of records.
fn share_out(sets: Vec<(Partitions, u64)>, most: u64) -> Vec<Partitions> {
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    let mut lanes: Vec<(Partitions, u64)> = Vec::new();
    for (set, records) in sets {
        if lanes.len() < most {
            lanes.push((set, records));
        } else if let Some((lane, sum)) = lanes.iter_mut().min_by_key(|(_, sum)| *sum) {
            *lane |= set;
            *sum += records;
        }
    }
    lanes.into_iter().map(|(lane, _)| lane).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::relay::groups::tests::claimed;

    /// Records of a full transaction.
    const FULL: u64 = 10_000;

    fn lanes_of(batches: &[(i64, i64)]) -> Vec<Vec<i64>> {
        let batches = batches.iter().map(|&(batch_id, bits)| Claimed {
            batch_id,
            partitions: Partitions::from_bits(bits),
            records: FULL,
            ..claimed(None)
        });
        let mut lanes: Vec<Vec<i64>> = lanes(batches.collect(), FULL)
            .iter()
            .map(|lane| lane.iter().map(|batch| batch.batch_id).collect())
            .collect();
        lanes.sort();
        lanes
    }

    #[test]
    fn batches_of_different_partitions_are_in_different_lanes_and_those_of_one_stay_in_order() {
        assert_eq!(lanes_of(&[(1, 0b01), (2, 0b10), (3, 0b01), (4, 0b10)]), [[1, 3], [2, 4]]);
    }

    #[test]
    fn a_batch_with_partitions_of_two_lanes_joins_them() {
        assert_eq!(lanes_of(&[(1, 0b001), (2, 0b010), (3, 0b100), (4, 0b011)]), [vec![1, 2, 4], vec![3]]);
        assert_eq!(lanes_of(&[(1, 0b01), (2, 0b10), (3, -1)]), [[1, 2, 3]]);
        assert!(lanes_of(&[]).is_empty());
    }

    #[test]
    fn small_batches_of_different_devices_are_finished_in_one_transaction() {
        let small = |batch_id: i64| Claimed {
            batch_id,
            partitions: Partitions::from_bits(1 << batch_id),
            records: FULL / 10,
            ..claimed(None)
        };
        let in_lanes = |count| lanes((0..count).map(small).collect(), FULL);
        assert_eq!(in_lanes(19).len(), 1);
        let two: Vec<Vec<i64>> =
            in_lanes(20).iter().map(|lane| lane.iter().map(|batch| batch.batch_id).collect()).collect();
        assert_eq!(two.iter().map(Vec::len).collect::<Vec<_>>(), [10, 10]);
        assert!(two.iter().all(|lane| lane.is_sorted()), "{two:?}");
    }
}
