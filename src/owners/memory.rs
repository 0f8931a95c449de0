//! Whom devices belong to, as this instance remembers it: bounded, expiring, nobody's devices too.
//!
//! Before: `owners::lookup` puts in what it found, with the generation at which it began to look. After: uploads.
//! Promise: once [`Memory::forget`] or [`Memory::forget_all`] has returned, nothing that was looked up before is given
//! back any more, also when the lookup ends later. A deaf memory gives nothing.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use moka::sync::Cache;

use crate::config::Settings;
use crate::model::Tenure;

/// Above every generation: nothing remembered is good.
const DEAF: u64 = u64::MAX;

#[derive(Debug)]
pub(super) struct Memory {
    by_device: Cache<Box<str>, Remembered>,
    /// Raised by every change.
    generation: AtomicU64,
    /// What is remembered of an earlier generation is no good.
    floor: AtomicU64,
    /// Held while something is remembered and while the generation is raised: never both at once.
    turn: Mutex<()>,
}

#[derive(Debug, Clone, Copy)]
struct Remembered {
    tenure: Tenure,
    generation: u64,
}

impl Memory {
    pub(super) fn new(settings: &Settings) -> Self {
        let by_device = Cache::builder()
            .max_capacity(settings.owner_cache_devices)
            .time_to_live(Duration::from_secs(settings.owner_cache_seconds.into()))
            .build();
        Self { by_device, generation: AtomicU64::new(0), floor: AtomicU64::new(DEAF), turn: Mutex::new(()) }
    }

    pub(super) fn recall(&self, device_sn: &str) -> Option<Tenure> {
        let remembered = self.by_device.get(device_sn)?;
        (remembered.generation >= self.floor.load(Ordering::SeqCst)).then_some(remembered.tenure)
    }

    /// To be read before a lookup begins.
    pub(super) fn generation(&self) -> u64 {
        self.generation.load(Ordering::SeqCst)
    }

    /// Remembers what a lookup found that began at `generation`.
    pub(super) fn remember(&self, device_sn: &str, tenure: Tenure, generation: u64) {
        let _turn = self.turn();
        // A change that came meanwhile is seen here; one that comes after it finds the entry and drops it.
        if self.generation() == generation {
            self.by_device.insert(device_sn.into(), Remembered { tenure, generation });
        }
    }

    /// These devices changed owners.
    pub(super) fn forget<'a>(&self, device_sns: impl Iterator<Item = &'a str>) {
        self.raise();
        for device_sn in device_sns {
            self.by_device.invalidate(device_sn);
        }
    }

    /// Any device may have changed owners; also ends being deaf.
    pub(super) fn forget_all(&self) {
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
    pub(super) fn deafen(&self) {
        self.floor.store(DEAF, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Owner;

    const HERS: Tenure = Tenure {
        owner: Owner { customer_id: Some(1), org_id: Some(2), user_id: Some(3) },
        since: None,
        until: None,
    };

    fn hearing() -> Memory {
        let memory = Memory::new(&Settings::defaults());
        memory.forget_all();
        memory
    }

    #[test]
    fn a_lookup_that_began_before_a_change_is_not_remembered_after_it() {
        let memory = hearing();
        let began = memory.generation();
        memory.forget(["A"].into_iter());
        memory.remember("A", HERS, began);
        assert_eq!(memory.recall("A"), None);
        memory.remember("A", HERS, memory.generation());
        assert_eq!(memory.recall("A"), Some(HERS));
    }

    #[test]
    fn nothing_from_before_a_change_is_given_back_however_lookups_and_changes_meet() {
        let memory = hearing();
        let ended = std::sync::atomic::AtomicBool::new(false);
        let of = |generation: u64| Owner { user_id: i64::try_from(generation).ok(), ..Owner::default() };
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !ended.load(Ordering::SeqCst) {
                    let began = memory.generation();
                    memory.remember("A", Tenure { owner: of(began), ..HERS }, began);
                }
            });
            for _ in 0..20_000 {
                memory.forget(["A"].into_iter());
                let changed = memory.generation();
                if let Some(tenure) = memory.recall("A") {
                    assert!(tenure.owner.user_id >= of(changed).user_id, "{tenure:?} {changed}");
                }
            }
            ended.store(true, Ordering::SeqCst);
        });
    }

    #[test]
    fn a_change_drops_the_devices_it_names() {
        let memory = hearing();
        for device_sn in ["A", "B"] {
            memory.remember(device_sn, HERS, memory.generation());
        }
        memory.forget(["A"].into_iter());
        assert_eq!((memory.recall("A"), memory.recall("B")), (None, Some(HERS)));
        memory.forget_all();
        assert_eq!(memory.recall("B"), None);
    }

    #[test]
    fn nothing_is_recalled_while_changes_are_not_heard() {
        let memory = Memory::new(&Settings::defaults());
        memory.remember("A", HERS, memory.generation());
        assert_eq!(memory.recall("A"), None, "not heard yet");
        memory.forget_all();
        memory.remember("A", HERS, memory.generation());
        memory.deafen();
        assert_eq!(memory.recall("A"), None, "not heard any more");
    }

    #[test]
    fn that_nobody_wears_a_device_is_remembered_too() {
        let memory = hearing();
        memory.remember("A", Tenure::UNBOUND, memory.generation());
        assert_eq!(memory.recall("A"), Some(Tenure::UNBOUND));
    }
}
