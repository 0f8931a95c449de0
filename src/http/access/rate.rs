//! So many in a time, for each address or key.
//!
//! Before: the door has an address, or a key. After: it goes on, or is told when to come again.
//! Promise: memory is bounded: of more than [`MOST`] those that came longest ago are forgotten, and may come as if anew.

use std::hash::Hash;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use governor::clock::{Clock, DefaultClock};
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use moka::policy::EvictionPolicy;
use moka::sync::Cache;

/// Buckets that are kept; each takes about 300 bytes.
const MOST: u64 = 50_000;

/// A bucket that nobody came to for so long is full again.
const IDLE: Duration = Duration::from_secs(120);

#[derive(Debug)]
pub(super) struct Rate<K: Hash + Eq + Send + Sync + 'static> {
    quota: Quota,
    buckets: Cache<K, Arc<Bucket>>,
    began: Instant,
}

#[derive(Debug)]
struct Bucket {
    limiter: DefaultDirectRateLimiter,
    /// Milliseconds since `began` until which there was nothing in it when somebody last came.
    empty_until: AtomicU64,
}

impl<K: Hash + Eq + Send + Sync + 'static> Rate<K> {
    /// `None`: any number.
    pub(super) fn per_second(requests: u32, burst: u32) -> Option<Self> {
        let requests = NonZeroU32::new(requests)?;
        let quota = Quota::per_second(requests);
        Some(Self::of(NonZeroU32::new(burst).map_or(quota, |burst| quota.allow_burst(burst))))
    }

    /// As many as in a minute may come at once.
    pub(super) fn per_minute(requests: u32) -> Self {
        Self::of(Quota::per_minute(NonZeroU32::new(requests).unwrap_or(NonZeroU32::MIN)))
    }

    fn of(quota: Quota) -> Self {
        let idle = IDLE.max(quota.burst_size_replenished_in());
        // The least recently used goes, so that a crowd of new ones cannot keep itself out, and thus uncounted.
        let buckets = Cache::builder()
            .max_capacity(MOST)
            .time_to_idle(idle)
            .eviction_policy(EvictionPolicy::lru())
            .build();
        Self { quota, buckets, began: Instant::now() }
    }

    /// Takes one; or how long until there is one.
    pub(super) fn take(&self, key: K) -> Result<(), Duration> {
        let bucket = self.buckets.get_with(key, || {
            Arc::new(Bucket { limiter: RateLimiter::direct(self.quota), empty_until: AtomicU64::new(0) })
        });
        bucket.limiter.check().map_err(|not_until| {
            let wait = not_until.wait_time_from(DefaultClock::default().now());
            let until = self.began.elapsed() + wait;
            let until_ms = u64::try_from(until.as_millis()).unwrap_or(u64::MAX);
            bucket.empty_until.store(until_ms, Ordering::Relaxed);
            wait
        })
    }

    /// Takes none, and says whether there was none when one was last wanted and is none yet.
    pub(super) fn look(&self, key: K) -> Result<(), Duration> {
        let Some(bucket) = self.buckets.get(&key) else { return Ok(()) };
        let until = Duration::from_millis(bucket.empty_until.load(Ordering::Relaxed));
        let left = until.saturating_sub(self.began.elapsed());
        if left.is_zero() { Ok(()) } else { Err(left) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_passes_and_one_more_is_told_when_to_come_again() {
        let rate = Rate::per_second(1, 3).expect("a limit");
        for _ in 0..3 {
            assert_eq!(rate.take("a"), Ok(()));
            assert_eq!(rate.look("a"), Ok(()));
        }
        let wait = rate.take("a").expect_err("too many");
        assert!(wait <= Duration::from_secs(1), "{wait:?}");
        assert!(rate.look("a").is_err());
        assert_eq!(rate.take("b"), Ok(()), "another's matter");
    }

    #[test]
    fn none_is_any_number() {
        assert!(Rate::<u8>::per_second(0, 5).is_none());
    }

    #[test]
    fn the_buckets_are_bounded_and_the_newest_is_kept() {
        let rate = Rate::per_minute(1);
        for key in 0..MOST + 5_000 {
            let _ = rate.take(key);
        }
        rate.buckets.run_pending_tasks();
        assert!(rate.buckets.entry_count() <= MOST);
        assert!(rate.take(MOST + 4_999).is_err(), "it took its one");
    }
}
