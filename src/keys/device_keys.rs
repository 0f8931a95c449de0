//! Keys of single devices: all secrets and revocations are in memory.
//!
//! Before: `store::device_key`. After: uploads with such a key are accepted; the configuration of a watch has its key.
//! Promise: checking a key costs one HMAC and no query; however many keys are tried, no other key waits for them.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{Keys, KeysError, RENEW_AFTER, RETRY_AFTER, Shared, log_lookup_error};
use crate::lookup_cache::LookupCache;
use crate::model::device_key::{DeviceKey, DeviceKeys};
use crate::store::{StoreError, device_key};

/// The cached content of the tables.
#[derive(Debug)]
pub(super) struct DeviceKeyCache(LookupCache<(), Entry>);

#[derive(Debug, Clone)]
struct Entry {
    keys: Arc<DeviceKeys>,
    found_at: Instant,
    renew_at: Instant,
}

impl DeviceKeyCache {
    pub(super) fn new(longest: Duration) -> Self {
        Self(LookupCache::new(1, longest))
    }

    pub(super) fn invalidate(&self) {
        self.0.invalidate_all();
    }
}

impl Keys {
    /// Whether the key of a device is valid, decided within `timeout`. Returns the secrets and revocations, which may need the owner of
    /// the device to decide ([`DeviceKeys::depend_on_owners`]).
    ///
    /// # Errors
    /// [`KeysError`].
    pub async fn admit_device(
        &self,
        key: &DeviceKey,
        timeout: Duration,
    ) -> Result<Arc<DeviceKeys>, KeysError> {
        let keys = self.device_keys(timeout).await?;
        if keys.admits(key, self.shared.now()) { Ok(keys) } else { Err(KeysError::Refused) }
    }

    /// The secrets and revocations of device keys.
    ///
    /// # Errors
    /// [`KeysError::Unavailable`].
    pub async fn device_keys(&self, timeout: Duration) -> Result<Arc<DeviceKeys>, KeysError> {
        let shared = &self.shared;
        if let Some(keys) = shared.cached_device_keys() {
            return Ok(keys);
        }
        let loading = async {
            let _permit = shared.lookups.acquire().await.map_err(|_| KeysError::Unavailable)?;
            match shared.cached_device_keys() {
                // Another request has read them meanwhile.
                Some(keys) => Ok(keys),
                None => shared.load_device_keys().await.map_err(|error| {
                    log_lookup_error(&error);
                    KeysError::Unavailable
                }),
            }
        };
        match tokio::time::timeout(timeout, loading).await {
            Ok(Ok(keys)) => Ok(keys),
            Ok(Err(_)) | Err(_) => shared.device_keys_without_database(),
        }
    }
}

impl Shared {
    /// Reads the tables again if nothing is cached, or it becomes stale within `soon`.
    pub(super) async fn renew_device_keys(&self, soon: Duration) -> Result<(), StoreError> {
        let is_fresh =
            self.device_keys.0.get(&()).is_some_and(|entry| Instant::now() + soon < entry.renew_at);
        if is_fresh { Ok(()) } else { self.load_device_keys().await.map(drop) }
    }

    fn cached_device_keys(&self) -> Option<Arc<DeviceKeys>> {
        self.device_keys.0.get(&()).filter(|entry| Instant::now() < entry.renew_at).map(|entry| entry.keys)
    }

    async fn load_device_keys(&self) -> Result<Arc<DeviceKeys>, StoreError> {
        let generation = self.device_keys.0.generation();
        let keys = Arc::new(device_key::load(&self.store).await?);
        let now = Instant::now();
        let entry = Entry { keys: Arc::clone(&keys), found_at: now, renew_at: now + RENEW_AFTER };
        self.device_keys.0.insert((), entry, generation);
        Ok(keys)
    }

    /// The keys as they were before the database went away, for a limited time.
    fn device_keys_without_database(&self) -> Result<Arc<DeviceKeys>, KeysError> {
        let generation = self.device_keys.0.generation();
        let entry = self.device_keys.0.get(&()).ok_or(KeysError::Unavailable)?;
        if entry.found_at.elapsed() >= RENEW_AFTER + self.outage {
            return Err(KeysError::Unavailable);
        }
        let keys = Arc::clone(&entry.keys);
        let entry = Entry { renew_at: Instant::now() + RETRY_AFTER, ..entry };
        self.device_keys.0.insert((), entry, generation);
        Ok(keys)
    }
}
