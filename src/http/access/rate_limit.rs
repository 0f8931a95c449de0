//! A rate limit for each address or key.
//!
//! Before: `access` has an address or a key. After: the request goes on, or is answered when to retry.
//! Promise: memory is bounded: beyond [`MAX_BUCKETS`] the least recently used bucket is dropped, and its address or key starts anew.

use std::hash::Hash;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use governor::clock::{Clock, DefaultClock};
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use moka::policy::EvictionPolicy;
use moka::sync::Cache;

/// Most buckets; each takes about 300 bytes.
const MAX_BUCKETS: u64 = 50_000;

/// A bucket that was not used for this long is full again, and is dropped.
const IDLE: Duration = Duration::from_secs(120);

#[derive(Debug)]
pub(super) struct RateLimit<K: Hash + Eq + Send + Sync + 'static> {
    quota: Quota,
    buckets: Cache<K, Arc<Bucket>>,
    began: Instant,
}

#[derive(Debug)]
struct Bucket {
    limiter: DefaultDirectRateLimiter,
    /// Until when it is empty, as of the last request that was refused: milliseconds since `began`.
    empty_until: AtomicU64,
}

impl<K: Hash + Eq + Send + Sync + 'static> RateLimit<K> {
    /// `None`: no limit.
    pub(super) fn per_second(requests: u32, burst: u32) -> Option<Self> {
        let requests = NonZeroU32::new(requests)?;
        let quota = Quota::per_second(requests);
        Some(Self::of(NonZeroU32::new(burst).map_or(quota, |burst| quota.allow_burst(burst))))
    }

    /// A minute's worth may come at once.
    pub(super) fn per_minute(requests: u32) -> Self {
        Self::of(Quota::per_minute(NonZeroU32::new(requests).unwrap_or(NonZeroU32::MIN)))
    }

    fn of(quota: Quota) -> Self {
        let idle = IDLE.max(quota.burst_size_replenished_in());
        // Least recently used first: by default moka would not admit a crowd of new keys, and they would go uncounted.
        let buckets = Cache::builder()
            .max_capacity(MAX_BUCKETS)
            .time_to_idle(idle)
            .eviction_policy(EvictionPolicy::lru())
            .build();
        Self { quota, buckets, began: Instant::now() }
    }

    /// Takes one; else returns how long to wait for one.
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

    /// Takes none. Returns how long to wait if the last request was refused and the bucket is still empty.
    pub(super) fn peek(&self, key: K) -> Result<(), Duration> {
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
    fn a_burst_passes_and_one_more_is_told_how_long_to_wait() {
        let rate = RateLimit::per_second(1, 3).expect("a limit");
        for _ in 0..3 {
            assert_eq!(rate.take("a"), Ok(()));
            assert_eq!(rate.peek("a"), Ok(()));
        }
        let wait = rate.take("a").expect_err("too many");
        assert!(wait <= Duration::from_secs(1), "{wait:?}");
        assert!(rate.peek("a").is_err());
        assert_eq!(rate.take("b"), Ok(()), "counted apart");
    }

    #[test]
    fn zero_is_no_limit() {
        assert!(RateLimit::<u8>::per_second(0, 5).is_none());
    }

    #[test]
    fn the_buckets_are_bounded_and_the_newest_is_kept() {
        let rate = RateLimit::per_minute(1);
        for key in 0..MAX_BUCKETS + 5_000 {
            let _ = rate.take(key);
        }
        rate.buckets.run_pending_tasks();
        assert!(rate.buckets.entry_count() <= MAX_BUCKETS);
        assert!(rate.take(MAX_BUCKETS + 4_999).is_err(), "it took its one");
    }
}
