//! An in-memory cache of lookups: bounded, expiring, and invalidated when a change is received.
//!
//! Before: `owners::lookup` and `keys` insert what they found, with the generation at which the lookup began. After: requests.
//! Promise: once [`LookupCache::invalidate`] or [`LookupCache::invalidate_all`] has returned, no lookup that began earlier is
//! given as an answer, even if that lookup ends later. A suspended cache gives no answers.

use std::borrow::Borrow;
use std::hash::Hash;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use moka::sync::Cache;

/// Above every generation: no entry is valid.
const SUSPENDED: u64 = u64::MAX;

/// Below every generation of a cache that receives changes: the entry is a hint only.
const STALE: u64 = 0;

/// Values by key. It is suspended until the first call of [`LookupCache::invalidate_all`].
#[derive(Debug)]
pub struct LookupCache<K, V>
where
    K: Hash + Eq + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    by_key: Cache<K, Entry<V>>,
    /// Raised by every change.
    generation: AtomicU64,
    /// Entries of an earlier generation are invalid.
    oldest_valid: AtomicU64,
    /// Held while an entry is inserted and while the generation is raised: never both at once.
    write_lock: Mutex<()>,
}

#[derive(Debug, Clone, Copy)]
struct Entry<V> {
    value: V,
    generation: u64,
}

impl<K, V> LookupCache<K, V>
where
    K: Hash + Eq + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    /// Keeps at most `max_entries`, each for at most `max_age`.
    pub fn new(max_entries: u64, max_age: Duration) -> Self {
        let by_key = Cache::builder().max_capacity(max_entries).time_to_live(max_age).build();
        Self {
            by_key,
            generation: AtomicU64::new(0),
            oldest_valid: AtomicU64::new(SUSPENDED),
            write_lock: Mutex::new(()),
        }
    }

    /// The value of `key`, if it is valid.
    pub fn get<Q: Hash + Eq + ?Sized>(&self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        let entry = self.by_key.get(key)?;
        (entry.generation >= self.oldest_valid.load(Ordering::SeqCst)).then_some(entry.value)
    }

    /// The value of `key`, valid or stale: a hint of what to look up first, not an answer.
    pub fn get_stale<Q: Hash + Eq + ?Sized>(&self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        self.by_key.get(key).map(|entry| entry.value)
    }

    /// All values, valid or stale, in no order.
    pub fn entries(&self) -> Vec<V> {
        self.by_key.iter().map(|(_, entry)| entry.value).collect()
    }

    /// The present generation; read it before a lookup begins.
    pub fn generation(&self) -> u64 {
        self.generation.load(Ordering::SeqCst)
    }

    /// Inserts the result of a lookup that began at `generation`.
    pub fn insert(&self, key: K, value: V, generation: u64) {
        let _lock = self.lock();
        // A change that came during the lookup is seen here; a later change finds the entry and drops it.
        if self.generation() == generation {
            self.by_key.insert(key, Entry { value, generation });
        } else if !self.by_key.contains_key(&key) {
            self.by_key.insert(key, Entry { value, generation: STALE });
        }
    }

    /// Drops the values of `keys`, which have changed.
    pub fn invalidate<'a, Q: Hash + Eq + ?Sized + 'a>(&self, keys: impl Iterator<Item = &'a Q>)
    where
        K: Borrow<Q>,
    {
        self.raise_generation();
        for key in keys {
            self.by_key.invalidate(key);
        }
    }

    /// Makes every entry stale, because anything may have changed; also ends a suspension.
    pub fn invalidate_all(&self) {
        let generation = self.raise_generation();
        self.oldest_valid.store(generation, Ordering::SeqCst);
    }

    fn raise_generation(&self) -> u64 {
        let _lock = self.lock();
        self.generation.fetch_add(1, Ordering::SeqCst) + 1
    }

    fn lock(&self) -> MutexGuard<'_, ()> {
        self.write_lock.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives no answers until [`LookupCache::invalidate_all`], because changes are not being received.
    pub fn suspend(&self) {
        self.oldest_valid.store(SUSPENDED, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn new() -> LookupCache<Box<str>, u64> {
        LookupCache::new(100, Duration::from_secs(600))
    }

    fn active() -> LookupCache<Box<str>, u64> {
        let cache = new();
        cache.invalidate_all();
        cache
    }

    #[test]
    fn a_lookup_that_began_before_a_change_is_stale_after_it() {
        let cache = active();
        let began = cache.generation();
        cache.invalidate(["A"].into_iter());
        cache.insert("A".into(), 1, began);
        assert_eq!((cache.get("A"), cache.get_stale("A")), (None, Some(1)));
        cache.insert("A".into(), 2, cache.generation());
        cache.insert("A".into(), 1, began);
        assert_eq!(cache.get("A"), Some(2));
    }

    #[test]
    fn nothing_from_before_a_change_is_given_back_however_lookups_and_changes_meet() {
        let cache = active();
        let ended = std::sync::atomic::AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !ended.load(Ordering::SeqCst) {
                    let began = cache.generation();
                    cache.insert("A".into(), began, began);
                }
            });
            for _ in 0..20_000 {
                cache.invalidate(["A"].into_iter());
                let changed = cache.generation();
                if let Some(found) = cache.get("A") {
                    assert!(found >= changed, "{found} {changed}");
                }
            }
            ended.store(true, Ordering::SeqCst);
        });
    }

    #[test]
    fn a_change_drops_what_it_names() {
        let cache = active();
        for key in ["A", "B"] {
            cache.insert(key.into(), 1, cache.generation());
        }
        cache.invalidate(["A"].into_iter());
        assert_eq!((cache.get("A"), cache.get("B")), (None, Some(1)));
        cache.invalidate_all();
        assert_eq!((cache.get("B"), cache.get_stale("B")), (None, Some(1)));
    }

    #[test]
    fn nothing_is_found_while_changes_are_not_received() {
        let cache = new();
        cache.insert("A".into(), 1, cache.generation());
        assert_eq!(cache.get("A"), None, "changes are not received yet");
        cache.invalidate_all();
        cache.insert("A".into(), 1, cache.generation());
        cache.suspend();
        assert_eq!(cache.get("A"), None, "suspended");
    }
}
