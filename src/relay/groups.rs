//! Which claimed batches are reacted to together: many are shown in Redis at once, fewer are finished in a transaction.
//!
//! Before: `relay::worker` claims. After: `relay::reaction`. Promise: a group spans few days and holds a bounded number of records.

use jiff::SignedDuration;

use crate::store::outbox::{Claimed, TimeRange};

/// Longest time range of rows that are reacted to together; what devices send all day spans half of it.
const MAX_RANGE: SignedDuration = SignedDuration::from_hours(32 * 24);

/// Most records whose newest values are written to Redis at once: when the relay is behind, most of them are of the same devices.
pub(super) const MAX_SHOWN: u64 = 50_000;

/// Groups rows of neighbouring times, at most `most_records` together: the cost of reading them back follows the days their range
/// spans. The newest times are first, because people wait for them; rows of neighbouring times are in the order of their commits, so
/// that those of a device are, because rows that are evaluated before older ones of their device cost several times as much.
pub(super) fn group(claimed: Vec<Claimed>, most_records: u64) -> Vec<Vec<Claimed>> {
    let mut groups: Vec<Vec<Claimed>> = Vec::new();
    for neighbours in by_time(claimed) {
        let mut records = most_records;
        for row in neighbours {
            records += row.records;
            match groups.last_mut() {
                Some(group) if records <= most_records => group.push(row),
                _ => {
                    records = row.records;
                    groups.push(vec![row]);
                }
            }
        }
    }
    groups
}

/// Rows whose times span at most [`MAX_RANGE`] together, the newest first; each in the order of the commits.
fn by_time(mut claimed: Vec<Claimed>) -> Vec<Vec<Claimed>> {
    claimed.sort_by_key(|row| std::cmp::Reverse(row.range.map(|range| range.last)));
    let mut groups: Vec<Vec<Claimed>> = Vec::new();
    let mut span: Option<TimeRange> = None;
    for row in claimed {
        let joined = span.zip(row.range).map(|(span, range)| span.span_with(range));
        let is_near = joined.is_none_or(|range| range.last.duration_since(range.first) <= MAX_RANGE);
        match groups.last_mut() {
            Some(group) if is_near => {
                span = joined;
                group.push(row);
            }
            _ => {
                span = row.range;
                groups.push(vec![row]);
            }
        }
    }
    for group in &mut groups {
        group.sort_by_key(|row| row.batch_id);
    }
    groups
}

/// The range of all of them; `None` if one has none.
pub(super) fn common_range(claimed: &[Claimed]) -> Option<TimeRange> {
    let mut ranges = claimed.iter().map(|row| row.range);
    let first = ranges.next()??;
    ranges.try_fold(first, |span, range| Some(span.span_with(range?)))
}

#[cfg(test)]
pub(super) mod tests {
    use std::time::Duration;

    use super::*;
    use crate::model::Partitions;

    pub(in crate::relay) fn claimed(range: Option<(i64, i64)>) -> Claimed {
        let at = |second| jiff::Timestamp::from_second(second).expect("in range");
        Claimed {
            batch_id: 1,
            range: range.map(|(first, last)| TimeRange { first: at(first), last: at(last) }),
            attempts: 1,
            records: 100,
            partitions: Partitions::ALL,
            sliced: false,
            may_hold_device_infos: false,
            age: Duration::ZERO,
            trace: None,
        }
    }

    #[test]
    fn the_range_of_several_batches_holds_all_of_them() {
        let range = common_range(&[claimed(Some((5, 6))), claimed(Some((1, 2)))]).expect("each has one");
        assert_eq!((range.first.as_second(), range.last.as_second()), (1, 6));
    }

    #[test]
    fn rows_of_distant_times_are_grouped_apart_and_the_newest_first() {
        const DAY: i64 = 86_400;
        let rows = [0, 1, 500, 900, 905, 1000]
            .map(|day| Claimed { batch_id: day, ..claimed(Some((day * DAY, (day + 10) * DAY))) });
        let groups: Vec<Vec<i64>> = group(rows.to_vec(), 5_000)
            .iter()
            .map(|group| group.iter().filter_map(|row| Some(row.range?.first.as_second() / DAY)).collect())
            .collect();
        assert_eq!(groups, [vec![1000], vec![900, 905], vec![500], vec![0, 1]]);
        assert_eq!(group(vec![claimed(None), claimed(None)], 5_000).len(), 1);
        assert!(group(Vec::new(), 5_000).is_empty());
    }

    #[test]
    fn rows_of_neighbouring_times_are_finished_in_the_order_of_their_commits() {
        let batches = [(3, 50), (1, 90), (4, 70), (2, 10)]
            .map(|(batch_id, last)| Claimed { batch_id, ..claimed(Some((0, last))) });
        let groups: Vec<Vec<i64>> = group(batches.to_vec(), 200)
            .iter()
            .map(|group| group.iter().map(|row| row.batch_id).collect())
            .collect();
        assert_eq!(groups, [[1, 2], [3, 4]]);
    }

    #[test]
    fn a_transaction_finishes_a_bounded_number_of_records() {
        let rows = vec![claimed(Some((0, 1))); 450];
        let groups: Vec<usize> = group(rows, 5_000).iter().map(Vec::len).collect();
        assert_eq!(groups, [50; 9]);
        let large = Claimed { records: 1_000_000, ..claimed(Some((0, 1))) };
        assert_eq!(group(vec![large.clone(), large], 5_000).len(), 2);
    }

    #[test]
    fn one_batch_without_a_range_makes_the_range_unknown() {
        assert_eq!(common_range(&[claimed(Some((5, 6))), claimed(None)]), None);
        assert_eq!(common_range(&[]), None);
    }
}
