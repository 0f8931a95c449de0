//! What was looked up and may change: bounded, expiring, and dropped when a change is heard of.
//!
//! Before: `owners::lookup` and `keys` put in what they found, with the generation at which they began to look. After:
//! requests.
//! Promise: once [`LookupCache::invalidate`] or [`LookupCache::invalidate_all`] has returned, nothing that was looked up before is given
//! back as an answer, also when the lookup ends later. A deaf memory answers nothing.

use std::borrow::Borrow;
use std::hash::Hash;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use moka::sync::Cache;

/// Above every generation: nothing entry is good.
const SUSPENDED: u64 = u64::MAX;

/// Below every generation of a memory that hears: no good as an answer.
const STALE: u64 = 0;

/// Values by key. It is deaf until [`LookupCache::invalidate_all`] is called for the first time.
#[derive(Debug)]
pub struct LookupCache<K, V>
where
    K: Hash + Eq + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    by_key: Cache<K, Entry<V>>,
    /// Raised by every change.
    generation: AtomicU64,
    /// What is entry of an earlier generation is no good.
    floor: AtomicU64,
    /// Held while something is entry and while the generation is raised: never both at once.
    turn: Mutex<()>,
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
    /// Of `most` values at most, each for `longest` at most.
    pub fn new(most: u64, longest: Duration) -> Self {
        let by_key = Cache::builder().max_capacity(most).time_to_live(longest).build();
        Self { by_key, generation: AtomicU64::new(0), floor: AtomicU64::new(SUSPENDED), turn: Mutex::new(()) }
    }

    /// What is entry of `key`.
    pub fn get<Q: Hash + Eq + ?Sized>(&self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        let entry = self.by_key.get(key)?;
        (entry.generation >= self.floor.load(Ordering::SeqCst)).then_some(entry.value)
    }

    /// What was entry of `key`, be it void by now: no answer, but a hint of whom to look up first.
    pub fn get_stale<Q: Hash + Eq + ?Sized>(&self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        self.by_key.get(key).map(|entry| entry.value)
    }

    /// All that is entry, void or not, in no order.
    pub fn entries(&self) -> Vec<V> {
        self.by_key.iter().map(|(_, entry)| entry.value).collect()
    }

    /// To be read before a lookup begins.
    pub fn generation(&self) -> u64 {
        self.generation.load(Ordering::SeqCst)
    }

    /// Remembers what a lookup found that began at `generation`.
    pub fn insert(&self, key: K, value: V, generation: u64) {
        let _turn = self.turn();
        // A change that came meanwhile is seen here; one that comes after it finds the entry and drops it.
        if self.generation() == generation {
            self.by_key.insert(key, Entry { value, generation });
        } else if !self.by_key.contains_key(&key) {
            self.by_key.insert(key, Entry { value, generation: STALE });
        }
    }

    /// These changed.
    pub fn invalidate<'a, Q: Hash + Eq + ?Sized + 'a>(&self, keys: impl Iterator<Item = &'a Q>)
    where
        K: Borrow<Q>,
    {
        self.raise();
        for key in keys {
            self.by_key.invalidate(key);
        }
    }

    /// Anything may have changed; also ends being deaf.
    pub fn invalidate_all(&self) {
        let generation = self.raise();
        self.floor.store(generation, Ordering::SeqCst);
    }

    fn raise(&self) -> u64 {
        let _turn = self.turn();
        self.generation.fetch_add(1, Ordering::SeqCst) + 1
    }

    fn turn(&self) -> MutexGuard<'_, ()> {
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes are not heard any more, until [`LookupCache::invalidate_all`].
    pub fn suspend(&self) {
        self.floor.store(SUSPENDED, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn new() -> LookupCache<Box<str>, u64> {
        LookupCache::new(100, Duration::from_secs(600))
    }

    fn hearing() -> LookupCache<Box<str>, u64> {
        let memory = new();
        memory.invalidate_all();
        memory
    }

    #[test]
    fn a_lookup_that_began_before_a_change_is_not_remembered_after_it() {
        let memory = hearing();
        let began = memory.generation();
        memory.invalidate(["A"].into_iter());
        memory.insert("A".into(), 1, began);
        assert_eq!((memory.get("A"), memory.get_stale("A")), (None, Some(1)));
        memory.insert("A".into(), 2, memory.generation());
        memory.insert("A".into(), 1, began);
        assert_eq!(memory.get("A"), Some(2));
    }

    #[test]
    fn nothing_from_before_a_change_is_given_back_however_lookups_and_changes_meet() {
        let memory = hearing();
        let ended = std::sync::atomic::AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !ended.load(Ordering::SeqCst) {
                    let began = memory.generation();
                    memory.insert("A".into(), began, began);
                }
            });
            for _ in 0..20_000 {
                memory.invalidate(["A"].into_iter());
                let changed = memory.generation();
                if let Some(found) = memory.get("A") {
                    assert!(found >= changed, "{found} {changed}");
                }
            }
            ended.store(true, Ordering::SeqCst);
        });
    }

    #[test]
    fn a_change_drops_what_it_names() {
        let memory = hearing();
        for key in ["A", "B"] {
            memory.insert(key.into(), 1, memory.generation());
        }
        memory.invalidate(["A"].into_iter());
        assert_eq!((memory.get("A"), memory.get("B")), (None, Some(1)));
        memory.invalidate_all();
        assert_eq!((memory.get("B"), memory.get_stale("B")), (None, Some(1)));
    }

    #[test]
    fn nothing_is_recalled_while_changes_are_not_heard() {
        let memory = new();
        memory.insert("A".into(), 1, memory.generation());
        assert_eq!(memory.get("A"), None, "not heard yet");
        memory.invalidate_all();
        memory.insert("A".into(), 1, memory.generation());
        memory.suspend();
        assert_eq!(memory.get("A"), None, "not heard any more");
    }
}
