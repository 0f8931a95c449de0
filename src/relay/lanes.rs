//! Lanes: which claimed batches can be finished at the same time, because no device has rows in two of them.
//!
//! Before: `relay::reaction` has prepared batches. After: it finishes the batches of a lane in order, and the lanes side by side.
//! Promise: batches of different lanes lock different partitions (`alert_locks.sql`), so their transactions do not wait for each other;
//! the batches of a device stay in order.

use crate::model::Partitions;
use crate::store::outbox::Claimed;

/// The batches by lanes, each in the given order. The shards of the ingest write batches of different partitions, so there are as many
/// lanes as shards; a batch whose writer did not give its partitions joins all lanes.
pub(super) fn lanes(batches: Vec<Claimed>) -> Vec<Vec<Claimed>> {
    let mut partitions: Vec<Partitions> = Vec::new();
    for batch in &batches {
        let (joined, mut apart): (Vec<_>, Vec<_>) =
            partitions.into_iter().partition(|lane| lane.overlaps(batch.partitions));
        apart.push(joined.into_iter().fold(batch.partitions, |all, lane| all | lane));
        partitions = apart;
    }
    let mut lanes = vec![Vec::new(); partitions.len()];
    for batch in batches {
        if let Some(lane) = partitions.iter().position(|lane| lane.overlaps(batch.partitions)) {
            lanes[lane].push(batch);
        }
    }
    lanes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::relay::groups::tests::claimed;

    fn lanes_of(batches: &[(i64, i64)]) -> Vec<Vec<i64>> {
        let batches = batches.iter().map(|&(batch_id, bits)| Claimed {
            batch_id,
            partitions: Partitions::from_bits(bits),
            ..claimed(None)
        });
        let mut lanes: Vec<Vec<i64>> = lanes(batches.collect())
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
}
