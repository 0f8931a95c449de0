//! The servers that hold the view: the only one, or each master of a cluster; and keys that lie on a certain one.
//!
//! Before: `view` marks every master, since each of them can be flushed or fail over by itself; `key_scan` scans each. After:
//! `connection`.
//! Promise: the masters of a cluster together hold all slots; two instances that see the same cluster name its keys alike.

use std::collections::{BTreeMap, HashMap};
use std::sync::{LazyLock, Mutex, PoisonError};

use redis::cluster_routing::Slot;
use redis::{Value, from_redis_value};

use super::{Cache, CacheError};

/// Slots of a cluster.
const SLOTS: u16 = 16384;

/// A server that takes writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Master {
    /// First and last of each range of slots, in order; none: it is a single Redis.
    ranges: Vec<(u16, u16)>,
}

impl Master {
    /// The only server.
    pub(super) const fn single() -> Self {
        Self { ranges: Vec::new() }
    }

    /// A key of this master: `name`, in a cluster with a hash tag that puts it into the first of the slots.
    pub(super) fn key(&self, name: &str) -> String {
        match self.slot() {
            Some(slot) => format!("{name}:{{{}}}", tag_of(slot)),
            None => name.to_owned(),
        }
    }

    /// The slot of its keys; `None`: it is a single Redis.
    pub(super) fn slot(&self) -> Option<Slot> {
        self.ranges.first().and_then(|(first, _)| Slot::new(*first))
    }

    /// Whether it holds this slot; the only server holds every one.
    pub(super) fn holds(&self, slot: Slot) -> bool {
        let holds =
            |(first, last): &(u16, u16)| (*first..=*last).any(|number| Slot::new(number) == Some(slot));
        !self.is_of_cluster() || self.ranges.iter().any(holds)
    }

    /// Whether there may be others.
    pub(super) fn is_of_cluster(&self) -> bool {
        !self.ranges.is_empty()
    }
}

/// All masters, in the order of their slots.
///
/// # Errors
/// Redis did not answer, or there are slots without a master.
pub(super) async fn all(cache: &Cache) -> Result<Vec<Master>, CacheError> {
    match cache.with_connection(async |mut connection| connection.slots().await).await? {
        None => Ok(vec![Master::single()]),
        Some(slots) => of_slots(slots),
    }
}

/// Reads the answer to CLUSTER SLOTS: ranges, each with its first and last slot, its master and that one's replicas.
fn of_slots(slots: Value) -> Result<Vec<Master>, CacheError> {
    let ranges: Vec<Vec<Value>> = from_redis_value(slots).map_err(redis::RedisError::from)?;
    let mut ranges_of: BTreeMap<String, Vec<(u16, u16)>> = BTreeMap::new();
    for range in ranges {
        let Some([Value::Int(first), Value::Int(last), Value::Array(node)]) = range.first_chunk() else {
            continue;
        };
        let (Ok(first), Ok(last)) = (u16::try_from(*first), u16::try_from(*last)) else { continue };
        ranges_of.entry(format!("{:?}", node.get(..3))).or_default().push((first, last));
    }
    let mut masters: Vec<Master> = ranges_of
        .into_values()
        .map(|mut ranges| {
            ranges.sort_unstable();
            Master { ranges }
        })
        .collect();
    masters.sort_by_key(|master| master.ranges.first().copied());
    let held: u16 =
        masters.iter().flat_map(|master| &master.ranges).map(|(first, last)| last - first + 1).sum();
    if held < SLOTS { Err(CacheError::Uncovered(SLOTS - held)) } else { Ok(masters) }
}

/// The key of ours that goes with `key`, and lies in the same slot, so that one script may name both. Redis hashes what stands between
/// the first braces of a key if there are any, and a serial may hold braces.
pub(super) fn in_slot_of(name: &str, key: &str) -> String {
    let slot = Slot::for_key(key);
    [format!("{name}:{{{key}}}"), format!("{name}:{key}")]
        .into_iter()
        .find(|name| Slot::for_key(name) == slot)
        .unwrap_or_else(|| format!("{name}:{{{}}}:{key}", tag_of(slot)))
}

/// The smallest number whose text lies in the slot. Some ten thousand are tried, so those that were needed are kept.
fn tag_of(slot: Slot) -> u32 {
    static TAGS: LazyLock<Mutex<HashMap<Slot, u32>>> = LazyLock::new(Mutex::default);
    let mut tags = TAGS.lock().unwrap_or_else(PoisonError::into_inner);
    *tags.entry(slot).or_insert_with(|| {
        (0..).find(|tag: &u32| Slot::for_key(tag.to_string()) == slot).expect("every slot has one")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slots(ranges: &[(i64, i64, &str)]) -> Value {
        let node = |id: &str| {
            Value::Array(vec![
                Value::BulkString(b"127.0.0.1".to_vec()),
                Value::Int(7000),
                Value::BulkString(id.as_bytes().to_vec()),
                Value::Array(Vec::new()),
            ])
        };
        let range = |(first, last, id): &(i64, i64, &str)| {
            Value::Array(vec![Value::Int(*first), Value::Int(*last), node(id), node("a replica")])
        };
        Value::Array(ranges.iter().map(range).collect())
    }

    #[test]
    fn the_keys_of_a_master_lie_in_its_slots() {
        let masters = of_slots(slots(&[(9000, 16383, "b"), (0, 99, "a"), (101, 8999, "a"), (100, 100, "b")]));
        let masters = masters.expect("all slots");
        assert_eq!(masters.len(), 2);
        assert_eq!(masters[0].ranges, [(0, 99), (101, 8999)]);
        for master in &masters {
            assert_eq!(Some(Slot::for_key(master.key("vitals:view"))), master.slot());
        }
        assert_eq!(Slot::new(100), masters[1].slot());
    }

    #[test]
    fn slots_without_a_master_are_counted() {
        let uncovered = of_slots(slots(&[(0, 99, "a"), (110, 16383, "b")])).expect_err("refused");
        assert!(matches!(uncovered, CacheError::Uncovered(10)), "{uncovered}");
    }

    #[test]
    fn a_key_alongside_another_lies_in_its_slot_whatever_braces_the_serial_has() {
        for serial in ["SN-1", "a{b}c", "a}b", "a{b", "a{}b", "}{", "{}", "{x}{y}", "a{b}{}", "a{{b}}"] {
            let key = format!("alert_info:{serial}");
            let helper = in_slot_of("vitals:alert_version", &key);
            assert_eq!(Slot::for_key(&helper), Slot::for_key(&key), "{helper}");
        }
        assert_eq!(
            in_slot_of("vitals:alert_version", "alert_info:SN-1"),
            "vitals:alert_version:{alert_info:SN-1}"
        );
    }
}
