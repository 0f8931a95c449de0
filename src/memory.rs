//! What was looked up and may change: bounded, expiring, and dropped when a change is heard of.
//!
//! Before: `owners::lookup` and `keys` put in what they found, with the generation at which they began to look. After:
//! requests.
//! Promise: once [`Memory::forget`] or [`Memory::forget_all`] has returned, nothing that was looked up before is given
//! back as an answer, also when the lookup ends later. A deaf memory answers nothing.

use std::borrow::Borrow;
use std::hash::Hash;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use moka::sync::Cache;

/// Above every generation: nothing remembered is good.
const DEAF: u64 = u64::MAX;

/// Below every generation of a memory that hears: no good as an answer.
const VOID: u64 = 0;

/// Values by key. It is deaf until [`Memory::forget_all`] is called for the first time.
#[derive(Debug)]
pub struct Memory<K, V>
where
    K: Hash + Eq + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    by_key: Cache<K, Remembered<V>>,
    /// Raised by every change.
    generation: AtomicU64,
    /// What is remembered of an earlier generation is no good.
    floor: AtomicU64,
    /// Held while something is remembered and while the generation is raised: never both at once.
    turn: Mutex<()>,
}

#[derive(Debug, Clone, Copy)]
struct Remembered<V> {
    value: V,
    generation: u64,
}

impl<K, V> Memory<K, V>
where
    K: Hash + Eq + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    /// Of `most` values at most, each for `longest` at most.
    pub fn new(most: u64, longest: Duration) -> Self {
        let by_key = Cache::builder().max_capacity(most).time_to_live(longest).build();
        Self { by_key, generation: AtomicU64::new(0), floor: AtomicU64::new(DEAF), turn: Mutex::new(()) }
    }

    /// What is remembered of `key`.
    pub fn recall<Q: Hash + Eq + ?Sized>(&self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        let remembered = self.by_key.get(key)?;
        (remembered.generation >= self.floor.load(Ordering::SeqCst)).then_some(remembered.value)
    }

    /// What was remembered of `key`, be it void by now: no answer, but a hint of whom to look up first.
    pub fn recall_even_void<Q: Hash + Eq + ?Sized>(&self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        self.by_key.get(key).map(|remembered| remembered.value)
    }

    /// All that is remembered, void or not, in no order.
    pub fn entries(&self) -> Vec<V> {
        self.by_key.iter().map(|(_, remembered)| remembered.value).collect()
    }

    /// To be read before a lookup begins.
    pub fn generation(&self) -> u64 {
        self.generation.load(Ordering::SeqCst)
    }

    /// Remembers what a lookup found that began at `generation`.
    pub fn remember(&self, key: K, value: V, generation: u64) {
        let _turn = self.turn();
        // A change that came meanwhile is seen here; one that comes after it finds the entry and drops it.
        if self.generation() == generation {
            self.by_key.insert(key, Remembered { value, generation });
        } else if !self.by_key.contains_key(&key) {
            self.by_key.insert(key, Remembered { value, generation: VOID });
        }
    }

    /// These changed.
    pub fn forget<'a, Q: Hash + Eq + ?Sized + 'a>(&self, keys: impl Iterator<Item = &'a Q>)
    where
        K: Borrow<Q>,
    {
        self.raise();
        for key in keys {
            self.by_key.invalidate(key);
        }
    }

    /// Anything may have changed; also ends being deaf.
    pub fn forget_all(&self) {
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

    /// Changes are not heard any more, until [`Memory::forget_all`].
    pub fn deafen(&self) {
        self.floor.store(DEAF, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn new() -> Memory<Box<str>, u64> {
        Memory::new(100, Duration::from_secs(600))
    }

    fn hearing() -> Memory<Box<str>, u64> {
        let memory = new();
        memory.forget_all();
        memory
    }

    #[test]
    fn a_lookup_that_began_before_a_change_is_not_remembered_after_it() {
        let memory = hearing();
        let began = memory.generation();
        memory.forget(["A"].into_iter());
        memory.remember("A".into(), 1, began);
        assert_eq!((memory.recall("A"), memory.recall_even_void("A")), (None, Some(1)));
        memory.remember("A".into(), 2, memory.generation());
        memory.remember("A".into(), 1, began);
        assert_eq!(memory.recall("A"), Some(2));
    }

    #[test]
    fn nothing_from_before_a_change_is_given_back_however_lookups_and_changes_meet() {
        let memory = hearing();
        let ended = std::sync::atomic::AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !ended.load(Ordering::SeqCst) {
                    let began = memory.generation();
                    memory.remember("A".into(), began, began);
                }
            });
            for _ in 0..20_000 {
                memory.forget(["A"].into_iter());
                let changed = memory.generation();
                if let Some(found) = memory.recall("A") {
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
            memory.remember(key.into(), 1, memory.generation());
        }
        memory.forget(["A"].into_iter());
        assert_eq!((memory.recall("A"), memory.recall("B")), (None, Some(1)));
        memory.forget_all();
        assert_eq!((memory.recall("B"), memory.recall_even_void("B")), (None, Some(1)));
    }

    #[test]
    fn nothing_is_recalled_while_changes_are_not_heard() {
        let memory = new();
        memory.remember("A".into(), 1, memory.generation());
        assert_eq!(memory.recall("A"), None, "not heard yet");
        memory.forget_all();
        memory.remember("A".into(), 1, memory.generation());
        memory.deafen();
        assert_eq!(memory.recall("A"), None, "not heard any more");
    }
}
