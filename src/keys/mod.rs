//! Authenticates requests: by a key of `api_key`, or by the key of one device, which is derived from a secret.
//!
//! Before: `http` finds a key in a request. After: the request goes on with its [`CachedKey`] or its device, or is refused.
//! Promise: a cached key costs one cache lookup and one SHA-256; no secret is cached, and the time of a comparison reveals nothing. A
//! change takes effect as soon as its notification arrives, at the latest after [`RENEW_AFTER`]. Keys expire by the clock of
//! PostgreSQL. While the database is away, cached keys are accepted for `key_outage_seconds`. A key in use is renewed before it
//! has to be looked up again (`renew`). It never waits behind keys that do not exist: those are cached and looked up apart.
//!
//! ```text
//!  PresentedKey ─▶ cached? ─▶ compared ─▶ CachedKey
//!                  └ no ─▶ looked up, a few at a time
//!  DeviceKey ─▶ secrets and revocations, all of them in memory (`device_keys`)
//!  NOTIFY vitals_api_key ─▶ everything cached becomes stale; the keys in use are looked up again at once, in one query
//! ```

mod cached_key;
mod device_keys;
mod renew;
mod usage;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::sync::Semaphore;

use crate::config::Settings;
use crate::lookup_cache::LookupCache;
use crate::model::api_key::{KeyId, PresentedKey};
use crate::store::api_key::StoredKey;
use crate::store::clock::Clock;
use crate::store::notifier::Notifier;
use crate::store::wake::Topic;
use crate::store::{Kind, Store, StoreError, api_key};
use crate::tasks::Stage;
pub use cached_key::CachedKey;
use device_keys::DeviceKeyCache;
use usage::Usage;

/// Age at which a key is looked up again, in case the notification of a change was lost.
const RENEW_AFTER: Duration = Duration::from_secs(60);

/// Pause before the database is asked again for a key that was accepted without it.
const RETRY_AFTER: Duration = Duration::from_secs(2);

/// Most lookups at a time, of cached keys and of other keys each. Uploads and the relay keep the rest of the pool.
const MAX_LOOKUPS: usize = 2;

/// Most cached keys; each takes about 300 bytes.
const MAX_CACHED_KEYS: u64 = 100_000;

/// Most cached ids of keys that do not exist, so that trying one again and again causes one query. Apart from the keys, so that
/// trying many ids cannot evict a key.
const MAX_MISSING_KEYS: u64 = 10_000;

/// Why a key is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeysError {
    /// There is no such key, or it has another secret, or it has expired or was revoked. The caller does not learn which.
    #[error("the key is not known, or no longer works")]
    Refused,
    /// It is not cached, and the database is away.
    #[error("the key cannot be looked up: the database does not answer")]
    Unavailable,
}

/// What the cache knows about a key.
#[derive(Debug)]
pub enum KeyLookup {
    /// It is valid, or not.
    Answer(Result<Arc<CachedKey>, KeysError>),
    /// It was valid a minute ago, or before keys changed, and has to be looked up again.
    Stale,
    /// It is not cached, and has to be looked up.
    Unknown,
}

/// Authenticates keys. Clones share the cache.
#[derive(Debug, Clone)]
pub struct Keys {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    store: Store,
    time: Clock,
    cached: LookupCache<KeyId, Entry>,
    missing: LookupCache<KeyId, ()>,
    device_keys: DeviceKeyCache,
    /// Permits to look up keys that are cached.
    lookups: Semaphore,
    /// Permits to look up other keys.
    unknown_lookups: Semaphore,
    outage: Duration,
    usage: Usage,
}

#[derive(Debug, Clone)]
struct Entry {
    key: Arc<CachedKey>,
    found_at: Instant,
    renew_at: Instant,
    /// It was used since it was looked up.
    is_in_use: Arc<AtomicBool>,
}

impl Entry {
    fn new(key: Arc<CachedKey>) -> Self {
        let now = Instant::now();
        Self { key, found_at: now, renew_at: now + RENEW_AFTER, is_in_use: Arc::default() }
    }
}

impl Keys {
    /// Starts the tasks that follow changes, renew keys in use and write when keys were used, in `stage`, which must outlive the users
    /// of [`Keys`].
    pub fn start(
        store: &Store,
        time: &Clock,
        notifier: &Notifier,
        settings: &Settings,
        stage: &Stage,
    ) -> Self {
        let shared = Arc::new(Shared::new(store, time, settings));
        let follow = renew::follow(Arc::clone(&shared), notifier.wake(Topic::ApiKey), stage.stop_token());
        stage.spawn_loop("keys.follow", follow);
        stage.spawn_loop("keys.usage", usage::run(Arc::clone(&shared), stage.stop_token()));
        Self { shared }
    }

    /// Whether the key is valid, as far as the cache knows.
    pub fn cached(&self, key: &PresentedKey) -> KeyLookup {
        match self.shared.cached.get(&key.key_id) {
            Some(entry) if Instant::now() < entry.renew_at => {
                entry.is_in_use.store(true, Ordering::Relaxed);
                KeyLookup::Answer(self.shared.compare(entry.key, key))
            }
            Some(entry) => self.shared.stale(&entry, key),
            None if self.shared.missing.get(&key.key_id).is_some() => {
                KeyLookup::Answer(Err(KeysError::Refused))
            }
            None => self
                .shared
                .cached
                .get_stale(&key.key_id)
                .map_or(KeyLookup::Unknown, |entry| self.shared.stale(&entry, key)),
        }
    }

    /// Whether the key is valid, as the database says within `timeout`.
    ///
    /// # Errors
    /// [`KeysError`].
    pub async fn look_up(&self, key: &PresentedKey, timeout: Duration) -> Result<Arc<CachedKey>, KeysError> {
        let permits = match self.cached(key) {
            KeyLookup::Answer(answer) => return answer,
            KeyLookup::Stale => &self.shared.lookups,
            KeyLookup::Unknown => &self.shared.unknown_lookups,
        };
        let lookup = async {
            let _permit = permits.acquire().await.map_err(|_| KeysError::Unavailable)?;
            match self.cached(key) {
                // Another request has looked it up meanwhile.
                KeyLookup::Answer(answer) => answer,
                KeyLookup::Stale | KeyLookup::Unknown => self.shared.look_up(key).await,
            }
        };
        match tokio::time::timeout(timeout, lookup).await {
            Ok(answer) => answer,
            Err(_) => self.shared.accept_without_database(key),
        }
    }
}

impl Shared {
    fn new(store: &Store, time: &Clock, settings: &Settings) -> Self {
        let outage = Duration::from_secs(settings.key_outage_seconds);
        Self {
            store: store.clone(),
            time: time.clone(),
            cached: LookupCache::new(MAX_CACHED_KEYS, RENEW_AFTER + outage),
            missing: LookupCache::new(MAX_MISSING_KEYS, RENEW_AFTER),
            device_keys: DeviceKeyCache::new(RENEW_AFTER + outage),
            lookups: Semaphore::new(MAX_LOOKUPS),
            unknown_lookups: Semaphore::new(MAX_LOOKUPS),
            outage,
            usage: Usage::default(),
        }
    }

    /// What to do about a key whose cached entry is stale.
    fn stale(&self, entry: &Entry, key: &PresentedKey) -> KeyLookup {
        if entry.key.admits(key, self.now()) { KeyLookup::Stale } else { KeyLookup::Unknown }
    }

    async fn look_up(&self, key: &PresentedKey) -> Result<Arc<CachedKey>, KeysError> {
        let (cached, missing) = (self.cached.generation(), self.missing.generation());
        match api_key::find(&self.store, &[key.key_id]).await {
            Ok(found) => match found.into_iter().next() {
                Some((key_id, kept)) => self.compare(self.insert(key_id, kept, cached), key),
                None => {
                    self.missing.insert(key.key_id, (), missing);
                    Err(KeysError::Refused)
                }
            },
            Err(error) => {
                log_lookup_error(&error);
                self.accept_without_database(key)
            }
        }
    }

    fn insert(&self, key_id: KeyId, kept: StoredKey, generation: u64) -> Arc<CachedKey> {
        let key = Arc::new(CachedKey::of(key_id, kept));
        self.cached.insert(key_id, Entry::new(Arc::clone(&key)), generation);
        key
    }

    /// The key as it was before the database went away, for a limited time.
    fn accept_without_database(&self, key: &PresentedKey) -> Result<Arc<CachedKey>, KeysError> {
        let generation = self.cached.generation();
        let entry = self.cached.get(&key.key_id).ok_or(KeysError::Unavailable)?;
        if entry.found_at.elapsed() >= RENEW_AFTER + self.outage {
            return Err(KeysError::Unavailable);
        }
        let cached = Arc::clone(&entry.key);
        let entry = Entry { renew_at: Instant::now() + RETRY_AFTER, ..entry };
        self.cached.insert(key.key_id, entry, generation);
        self.compare(cached, key)
    }

    fn compare(&self, cached: Arc<CachedKey>, key: &PresentedKey) -> Result<Arc<CachedKey>, KeysError> {
        if !cached.admits(key, self.now()) {
            return Err(KeysError::Refused);
        }
        self.usage.note(&cached);
        Ok(cached)
    }

    /// The time of PostgreSQL: keys expire by its clock, not by that of this machine.
    fn now(&self) -> Timestamp {
        self.time.now()
    }
}

fn log_lookup_error(error: &StoreError) {
    match error.kind() {
        Kind::Down | Kind::Retry => tracing::debug!(%error, "a key cannot be looked up"),
        Kind::Conflict | Kind::Refused | Kind::Bug => tracing::error!(%error, "keys not read"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// With a database that is away, and one key that was looked up so long ago.
    fn away(key: &PresentedKey, found: Duration) -> Keys {
        let mut settings = Settings::defaults();
        settings.database_url = "postgres://x@127.0.0.1:1/x".to_owned();
        settings.key_outage_seconds = 30;
        let time = Clock::stopped_at(Timestamp::UNIX_EPOCH);
        let shared = Shared::new(&Store::new(&settings).expect("a URL"), &time, &settings);
        shared.cached.invalidate_all();
        let kept = StoredKey {
            customer_id: None,
            org_id: None,
            actor: None,
            may_vouch: false,
            scopes: Vec::new(),
            secret_hash: key.secret_hash(),
            previous: None,
            expires_at: None,
            is_revoked: false,
        };
        let found_at = Instant::now().checked_sub(found).expect("the machine runs for minutes");
        let entry = Entry::new(Arc::new(CachedKey::of(key.key_id, kept)));
        let entry = Entry { found_at, renew_at: found_at + RENEW_AFTER, ..entry };
        shared.cached.insert(key.key_id, entry, shared.cached.generation());
        Keys { shared: Arc::new(shared) }
    }

    fn key(secret: u8) -> PresentedKey {
        PresentedKey::of(KeyId::of([1; 6]), [secret; 32])
    }

    #[tokio::test]
    async fn while_the_database_is_away_a_cached_key_is_accepted_for_a_limited_time() {
        let (minute, timeout) = (RENEW_AFTER, Duration::from_secs(10));
        let keys = away(&key(1), minute / 2);
        assert!(matches!(keys.cached(&key(1)), KeyLookup::Answer(Ok(_))), "without a query");
        let keys = away(&key(1), minute + Duration::from_secs(20));
        assert!(matches!(keys.cached(&key(1)), KeyLookup::Stale));
        assert!(keys.look_up(&key(1), timeout).await.is_ok(), "for a limited time");
        assert!(matches!(keys.cached(&key(1)), KeyLookup::Answer(Ok(_))), "without a query each time");
        assert_eq!(
            keys.look_up(&key(2), timeout).await.err(),
            Some(KeysError::Refused),
            "its secret is wrong"
        );
        let keys = away(&key(1), minute / 2);
        keys.shared.cached.invalidate_all();
        assert!(
            matches!(keys.cached(&key(1)), KeyLookup::Stale),
            "keys changed: it is looked up before unknown keys"
        );
        assert!(matches!(keys.cached(&key(2)), KeyLookup::Unknown));
        assert_eq!(
            keys.look_up(&key(1), timeout).await.err(),
            Some(KeysError::Unavailable),
            "it may be revoked"
        );
        let keys = away(&key(1), minute + Duration::from_secs(31));
        assert_eq!(
            keys.look_up(&key(1), timeout).await.err(),
            Some(KeysError::Unavailable),
            "the time is over"
        );
    }

    /// The machine's clock is more than fifty years ahead of the database's here.
    #[tokio::test]
    async fn a_key_expires_by_the_clock_of_the_database_whatever_the_machine_says() {
        let at = |second| Timestamp::from_second(second).expect("a time");
        let keys = away(&key(1), Duration::ZERO);
        let ending = |expires_at| {
            let kept = StoredKey {
                customer_id: None,
                org_id: None,
                actor: None,
                may_vouch: false,
                scopes: Vec::new(),
                secret_hash: key(1).secret_hash(),
                previous: None,
                expires_at: Some(expires_at),
                is_revoked: false,
            };
            keys.shared.insert(key(1).key_id, kept, keys.shared.cached.generation());
            keys.cached(&key(1))
        };
        assert!(matches!(ending(at(3600)), KeyLookup::Answer(Ok(_))), "in an hour");
        assert!(matches!(ending(at(-1)), KeyLookup::Answer(Err(KeysError::Refused))), "a second ago");
    }

    #[tokio::test]
    async fn a_cached_key_waits_behind_no_key_that_does_not_exist() {
        let keys = away(&key(1), RENEW_AFTER + Duration::from_secs(20));
        let _taken = keys.shared.unknown_lookups.acquire_many(2).await.expect("open");
        assert!(keys.look_up(&key(1), Duration::from_secs(10)).await.is_ok());
        let unknown = keys.look_up(&key(2), Duration::from_millis(20)).await;
        assert_eq!(unknown.err(), Some(KeysError::Refused), "no permit was free, and its secret is another");
    }

    #[tokio::test]
    async fn keys_in_use_are_renewed_before_they_become_stale_and_others_are_not() {
        let keys = away(&key(1), RENEW_AFTER * 3 / 4);
        assert_eq!(renew::due(&keys.shared, renew::RENEW_BEFORE), []);
        assert!(matches!(keys.cached(&key(1)), KeyLookup::Answer(Ok(_))));
        assert_eq!(renew::due(&keys.shared, renew::RENEW_BEFORE), [key(1).key_id]);
        keys.shared.cached.invalidate_all();
        assert_eq!(renew::due(&keys.shared, renew::RENEW_BEFORE), [key(1).key_id], "keys changed");
    }
}
