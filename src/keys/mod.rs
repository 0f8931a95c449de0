//! Who is asking: a key, held against `api_key`; or that of one device, held against the secret it was derived from.
//!
//! Before: `http` finds a key in a request. After: the request goes on with its [`Known`] or its device, or is refused.
//! Promise: a key that is remembered costs one look into memory and one SHA-256; no secret is remembered, and how long a
//! comparison takes says nothing of one. A change is followed as soon as its notification arrives, at the latest after
//! [`RENEW_AFTER`]. Keys end by the clock of PostgreSQL. While the database is away keys that were known go on for
//! `key_outage_seconds`. A key that is in use is renewed before it has to be looked up again (`renew`), and waits behind no key
//! that nobody has: those are remembered apart, and looked up apart.
//!
//! ```text
//!  Presented ─▶ remembered? ─▶ compared ─▶ Known
//!                   └ no ─▶ one of few looks up, the others wait for it
//!  DeviceKey ─▶ secrets and revocations, all of them in memory (`devices`)
//!  NOTIFY vitals_api_key ─▶ nothing remembered is an answer any more; what is in use is looked up again, at once and together
//! ```

mod devices;
mod known;
mod renew;
mod usage;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::sync::Semaphore;

use crate::config::Settings;
use crate::lookup_cache::LookupCache;
use crate::model::api_key::{KeyId, Presented};
use crate::store::api_key::StoredKey;
use crate::store::clock::Clock;
use crate::store::notifier::Notifier;
use crate::store::wake::Subject;
use crate::store::{Kind, Store, StoreError, api_key};
use crate::tasks::Stage;
use devices::Devices;
pub use known::Known;
use usage::Usage;

/// From then on a key is looked up again: for the case that a change was not heard of.
const RENEW_AFTER: Duration = Duration::from_secs(60);

/// Pause before the database is asked for a key again that went on without it.
const ASK_AGAIN_AFTER: Duration = Duration::from_secs(2);

/// Keys that are looked up at a time, of those that were known and of those that were not. Uploads and the relay keep the rest of
/// the pool.
const AT_A_TIME: usize = 2;

/// Keys that are remembered; each takes about 300 bytes.
const KNOWN_KEYS: u64 = 100_000;

/// Public parts that are remembered to be nobody's, so that one that is tried again and again asks the database once. Apart
/// from the keys: these nobody who tries can push out.
const UNKNOWN_KEYS: u64 = 10_000;

/// Why a key does not do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeysError {
    /// There is no such key, or it has another secret, or it is over. Which of these is nobody's business.
    #[error("the key is not known, or does no longer")]
    Refused,
    /// It is not remembered, and the database is away.
    #[error("the key cannot be looked up: the database does not answer")]
    Unavailable,
}

/// What memory says of a key.
#[derive(Debug)]
pub enum Recalled {
    /// It is good, or not.
    Answer(Result<Arc<Known>, KeysError>),
    /// It was good a minute ago, or before keys changed, and has to be looked up again.
    Stale,
    /// It has to be looked up.
    New,
}

/// The door. Clones share the memory.
#[derive(Debug, Clone)]
pub struct Keys {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    store: Store,
    time: Clock,
    known: LookupCache<KeyId, Entry>,
    unknown: LookupCache<KeyId, ()>,
    devices: Devices,
    /// For keys that were known.
    turns: Semaphore,
    /// For those that were not.
    turns_of_new: Semaphore,
    outage: Duration,
    usage: Usage,
}

#[derive(Debug, Clone)]
struct Entry {
    key: Arc<Known>,
    found_at: Instant,
    renew_at: Instant,
    /// It was asked for since it was found.
    is_wanted: Arc<AtomicBool>,
}

impl Entry {
    fn found(key: Arc<Known>) -> Self {
        let now = Instant::now();
        Self { key, found_at: now, renew_at: now + RENEW_AFTER, is_wanted: Arc::default() }
    }
}

impl Keys {
    /// Starts what follows changes, renews what is in use and says when keys were used, in `stage`. It must outlive whoever asks.
    pub fn start(
        store: &Store,
        time: &Clock,
        notifier: &Notifier,
        settings: &Settings,
        stage: &Stage,
    ) -> Self {
        let shared = Arc::new(Shared::new(store, time, settings));
        let follow = renew::follow(Arc::clone(&shared), notifier.wake(Subject::ApiKey), stage.stop_token());
        stage.spawn_loop("keys.follow", follow);
        stage.spawn_loop("keys.usage", usage::run(Arc::clone(&shared), stage.stop_token()));
        Self { shared }
    }

    /// Whether the key is good, as far as memory says.
    pub fn recall(&self, key: &Presented) -> Recalled {
        match self.shared.known.get(&key.key_id) {
            Some(entry) if Instant::now() < entry.renew_at => {
                entry.is_wanted.store(true, Ordering::Relaxed);
                Recalled::Answer(self.shared.compare(entry.key, key))
            }
            Some(entry) => self.shared.stale(&entry, key),
            None if self.shared.unknown.get(&key.key_id).is_some() => {
                Recalled::Answer(Err(KeysError::Refused))
            }
            None => self
                .shared
                .known
                .get_stale(&key.key_id)
                .map_or(Recalled::New, |entry| self.shared.stale(&entry, key)),
        }
    }

    /// Whether the key is good, as the database says within `patience`.
    ///
    /// # Errors
    /// [`KeysError`].
    pub async fn look_up(&self, key: &Presented, patience: Duration) -> Result<Arc<Known>, KeysError> {
        let turns = match self.recall(key) {
            Recalled::Answer(answer) => return answer,
            Recalled::Stale => &self.shared.turns,
            Recalled::New => &self.shared.turns_of_new,
        };
        let looking = async {
            let _turn = turns.acquire().await.map_err(|_| KeysError::Unavailable)?;
            match self.recall(key) {
                // Somebody else looked it up meanwhile.
                Recalled::Answer(answer) => answer,
                Recalled::Stale | Recalled::New => self.shared.look_up(key).await,
            }
        };
        match tokio::time::timeout(patience, looking).await {
            Ok(answer) => answer,
            Err(_) => self.shared.go_on_without(key),
        }
    }
}

impl Shared {
    fn new(store: &Store, time: &Clock, settings: &Settings) -> Self {
        let outage = Duration::from_secs(settings.key_outage_seconds);
        Self {
            store: store.clone(),
            time: time.clone(),
            known: LookupCache::new(KNOWN_KEYS, RENEW_AFTER + outage),
            unknown: LookupCache::new(UNKNOWN_KEYS, RENEW_AFTER),
            devices: Devices::new(RENEW_AFTER + outage),
            turns: Semaphore::new(AT_A_TIME),
            turns_of_new: Semaphore::new(AT_A_TIME),
            outage,
            usage: Usage::default(),
        }
    }

    /// What is to be done about a key of which no more is known than that it was this.
    fn stale(&self, entry: &Entry, key: &Presented) -> Recalled {
        if entry.key.admits(key, self.now()) { Recalled::Stale } else { Recalled::New }
    }

    async fn look_up(&self, key: &Presented) -> Result<Arc<Known>, KeysError> {
        let (known, unknown) = (self.known.generation(), self.unknown.generation());
        match api_key::find(&self.store, &[key.key_id]).await {
            Ok(found) => match found.into_iter().next() {
                Some((key_id, kept)) => self.compare(self.remember(key_id, kept, known), key),
                None => {
                    self.unknown.insert(key.key_id, (), unknown);
                    Err(KeysError::Refused)
                }
            },
            Err(error) => {
                tell(&error);
                self.go_on_without(key)
            }
        }
    }

    fn remember(&self, key_id: KeyId, kept: StoredKey, generation: u64) -> Arc<Known> {
        let key = Arc::new(Known::of(key_id, kept));
        self.known.insert(key_id, Entry::found(Arc::clone(&key)), generation);
        key
    }

    /// The key as it was known before the database went away, for a while.
    fn go_on_without(&self, key: &Presented) -> Result<Arc<Known>, KeysError> {
        let generation = self.known.generation();
        let entry = self.known.get(&key.key_id).ok_or(KeysError::Unavailable)?;
        if entry.found_at.elapsed() >= RENEW_AFTER + self.outage {
            return Err(KeysError::Unavailable);
        }
        let known = Arc::clone(&entry.key);
        let entry = Entry { renew_at: Instant::now() + ASK_AGAIN_AFTER, ..entry };
        self.known.insert(key.key_id, entry, generation);
        self.compare(known, key)
    }

    fn compare(&self, known: Arc<Known>, key: &Presented) -> Result<Arc<Known>, KeysError> {
        if !known.admits(key, self.now()) {
            return Err(KeysError::Refused);
        }
        self.usage.note(&known);
        Ok(known)
    }

    /// The time of PostgreSQL: a key ends when the database says so, whatever the clock of this machine.
    fn now(&self) -> Timestamp {
        self.time.now()
    }
}

fn tell(error: &StoreError) {
    match error.kind() {
        Kind::Down | Kind::Retry => tracing::debug!(%error, "a key cannot be looked up"),
        Kind::Conflict | Kind::Refused | Kind::Bug => tracing::error!(%error, "keys not read"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Keys of a database that is away, of which one was found so long ago.
    fn away(key: &Presented, found: Duration) -> Keys {
        let mut settings = Settings::defaults();
        settings.database_url = "postgres://x@127.0.0.1:1/x".to_owned();
        settings.key_outage_seconds = 30;
        let time = Clock::stopped_at(Timestamp::UNIX_EPOCH);
        let shared = Shared::new(&Store::new(&settings).expect("a URL"), &time, &settings);
        shared.known.invalidate_all();
        let kept = StoredKey {
            customer_id: None,
            scopes: Vec::new(),
            secret_hash: key.secret_hash(),
            previous: None,
            expires_at: None,
            is_revoked: false,
        };
        let found_at = Instant::now().checked_sub(found).expect("the machine runs for minutes");
        let entry = Entry::found(Arc::new(Known::of(key.key_id, kept)));
        let entry = Entry { found_at, renew_at: found_at + RENEW_AFTER, ..entry };
        shared.known.insert(key.key_id, entry, shared.known.generation());
        Keys { shared: Arc::new(shared) }
    }

    fn key(secret: u8) -> Presented {
        Presented::of(KeyId::of([1; 6]), [secret; 32])
    }

    #[tokio::test]
    async fn while_the_database_is_away_a_known_key_goes_on_and_not_for_ever() {
        let (minute, patience) = (RENEW_AFTER, Duration::from_secs(10));
        let keys = away(&key(1), minute / 2);
        assert!(matches!(keys.recall(&key(1)), Recalled::Answer(Ok(_))), "it is asked of nobody");
        let keys = away(&key(1), minute + Duration::from_secs(20));
        assert!(matches!(keys.recall(&key(1)), Recalled::Stale));
        assert!(keys.look_up(&key(1), patience).await.is_ok(), "for a while");
        assert!(matches!(keys.recall(&key(1)), Recalled::Answer(Ok(_))), "without asking each time");
        assert_eq!(
            keys.look_up(&key(2), patience).await.err(),
            Some(KeysError::Refused),
            "its secret is known"
        );
        let keys = away(&key(1), minute / 2);
        keys.shared.known.invalidate_all();
        assert!(
            matches!(keys.recall(&key(1)), Recalled::Stale),
            "keys changed: it may go before those nobody knows"
        );
        assert!(matches!(keys.recall(&key(2)), Recalled::New));
        assert_eq!(
            keys.look_up(&key(1), patience).await.err(),
            Some(KeysError::Unavailable),
            "it may be revoked"
        );
        let keys = away(&key(1), minute + Duration::from_secs(31));
        assert_eq!(keys.look_up(&key(1), patience).await.err(), Some(KeysError::Unavailable), "not for ever");
    }

    /// The machine's clock is more than fifty years ahead of the database's here.
    #[tokio::test]
    async fn a_key_ends_by_the_clock_of_the_database_whatever_the_machine_says() {
        let at = |second| Timestamp::from_second(second).expect("a time");
        let keys = away(&key(1), Duration::ZERO);
        let ending = |expires_at| {
            let kept = StoredKey {
                customer_id: None,
                scopes: Vec::new(),
                secret_hash: key(1).secret_hash(),
                previous: None,
                expires_at: Some(expires_at),
                is_revoked: false,
            };
            keys.shared.remember(key(1).key_id, kept, keys.shared.known.generation());
            keys.recall(&key(1))
        };
        assert!(matches!(ending(at(3600)), Recalled::Answer(Ok(_))), "in an hour");
        assert!(matches!(ending(at(-1)), Recalled::Answer(Err(KeysError::Refused))), "a second ago");
    }

    #[tokio::test]
    async fn a_key_that_is_known_waits_behind_none_that_nobody_has() {
        let keys = away(&key(1), RENEW_AFTER + Duration::from_secs(20));
        let _taken = keys.shared.turns_of_new.acquire_many(2).await.expect("open");
        assert!(keys.look_up(&key(1), Duration::from_secs(10)).await.is_ok());
        let unknown = keys.look_up(&key(2), Duration::from_millis(20)).await;
        assert_eq!(
            unknown.err(),
            Some(KeysError::Refused),
            "its turn did not come, and its secret is another"
        );
    }

    #[tokio::test]
    async fn keys_in_use_are_renewed_before_they_run_out_and_others_are_not() {
        let keys = away(&key(1), RENEW_AFTER * 3 / 4);
        assert_eq!(renew::due(&keys.shared, renew::RENEW_BEFORE), []);
        assert!(matches!(keys.recall(&key(1)), Recalled::Answer(Ok(_))));
        assert_eq!(renew::due(&keys.shared, renew::RENEW_BEFORE), [key(1).key_id]);
        keys.shared.known.invalidate_all();
        assert_eq!(renew::due(&keys.shared, renew::RENEW_BEFORE), [key(1).key_id], "keys changed");
    }
}
