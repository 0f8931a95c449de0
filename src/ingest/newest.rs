//! The newest event time of each device a shard has committed, to tell likely repeats before they are written.
//!
//! Promise: bounded; a device that was forgotten costs one refused COPY, never a wrong answer.

use std::num::NonZeroUsize;

use jiff::Timestamp;
use lru::LruCache;

pub(super) struct Newest {
    by_device: LruCache<Box<str>, Timestamp>,
}

impl Newest {
    pub(super) fn new(devices: usize) -> Self {
        Self { by_device: LruCache::new(NonZeroUsize::new(devices).unwrap_or(NonZeroUsize::MIN)) }
    }

    /// A time not newer than the newest is likely a repeat.
    pub(super) fn is_likely_repeat(&mut self, device_sn: &str, ts: Timestamp) -> bool {
        self.by_device.get(device_sn).is_some_and(|newest| ts <= *newest)
    }

    /// To be called after the commit.
    pub(super) fn saw(&mut self, device_sn: &str, ts: Timestamp) {
        match self.by_device.get_mut(device_sn) {
            Some(newest) => *newest = ts.max(*newest),
            None => drop(self.by_device.put(device_sn.into(), ts)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_newer_time_is_taken_for_new() {
        let mut newest = Newest::new(2);
        let [early, late] = [1, 2].map(|second| Timestamp::from_second(second).expect("a time"));
        assert!(!newest.is_likely_repeat("a", early));
        newest.saw("a", late);
        newest.saw("a", early);
        assert!(newest.is_likely_repeat("a", early));
        assert!(newest.is_likely_repeat("a", late));
        assert!(!newest.is_likely_repeat("b", early));
    }

    #[test]
    fn the_memory_is_bounded() {
        let mut newest = Newest::new(2);
        for device in ["a", "b", "c"] {
            newest.saw(device, Timestamp::UNIX_EPOCH);
        }
        assert!(!newest.is_likely_repeat("a", Timestamp::UNIX_EPOCH), "a is the one forgotten");
        assert!(newest.is_likely_repeat("c", Timestamp::UNIX_EPOCH));
    }
}
