//! Keys of single devices: their secrets and revocations, whole in memory.
//!
//! Before: `store::device_key`. After: uploads with such a key are let in; the configuration of a watch holds its key.
//! Promise: a key costs one HMAC and no look at the database; however many are tried, no other key waits for them.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{ASK_AGAIN_AFTER, Keys, KeysError, RENEW_AFTER, Shared, tell};
use crate::lookup_cache::LookupCache;
use crate::model::device_key::{DeviceKey, DeviceKeys};
use crate::store::{StoreError, device_key};

/// What is remembered of the tables.
#[derive(Debug)]
pub(super) struct Devices(LookupCache<(), Entry>);

#[derive(Debug, Clone)]
struct Entry {
    keys: Arc<DeviceKeys>,
    found_at: Instant,
    renew_at: Instant,
}

impl Devices {
    pub(super) fn new(longest: Duration) -> Self {
        Self(LookupCache::new(1, longest))
    }

    pub(super) fn forget(&self) {
        self.0.invalidate_all();
    }
}

impl Keys {
    /// Whether the key of a device is in force, as said within `patience`; gives what it was held against, which may have to know
    /// whose the device is now ([`DeviceKeys::depend_on_owners`]).
    ///
    /// # Errors
    /// [`KeysError`].
    pub async fn admit_device(
        &self,
        key: &DeviceKey,
        patience: Duration,
    ) -> Result<Arc<DeviceKeys>, KeysError> {
        let keys = self.device_keys(patience).await?;
        if keys.admits(key, self.shared.now()) { Ok(keys) } else { Err(KeysError::Refused) }
    }

    /// What keys of devices are made of and held against.
    ///
    /// # Errors
    /// [`KeysError::Unavailable`].
    pub async fn device_keys(&self, patience: Duration) -> Result<Arc<DeviceKeys>, KeysError> {
        let shared = &self.shared;
        if let Some(keys) = shared.remembered_devices() {
            return Ok(keys);
        }
        let loading = async {
            let _turn = shared.turns.acquire().await.map_err(|_| KeysError::Unavailable)?;
            match shared.remembered_devices() {
                // Somebody else read them meanwhile.
                Some(keys) => Ok(keys),
                None => shared.load_devices().await.map_err(|error| {
                    tell(&error);
                    KeysError::Unavailable
                }),
            }
        };
        match tokio::time::timeout(patience, loading).await {
            Ok(Ok(keys)) => Ok(keys),
            Ok(Err(_)) | Err(_) => shared.devices_without_database(),
        }
    }
}

impl Shared {
    /// Reads the tables again if what is remembered runs out within `soon`, or is none.
    pub(super) async fn renew_devices(&self, soon: Duration) -> Result<(), StoreError> {
        let is_fresh = self.devices.0.get(&()).is_some_and(|entry| Instant::now() + soon < entry.renew_at);
        if is_fresh { Ok(()) } else { self.load_devices().await.map(drop) }
    }

    fn remembered_devices(&self) -> Option<Arc<DeviceKeys>> {
        self.devices.0.get(&()).filter(|entry| Instant::now() < entry.renew_at).map(|entry| entry.keys)
    }

    async fn load_devices(&self) -> Result<Arc<DeviceKeys>, StoreError> {
        let generation = self.devices.0.generation();
        let keys = Arc::new(device_key::load(&self.store).await?);
        let now = Instant::now();
        let entry = Entry { keys: Arc::clone(&keys), found_at: now, renew_at: now + RENEW_AFTER };
        self.devices.0.insert((), entry, generation);
        Ok(keys)
    }

    /// As they were before the database went away, for a while.
    fn devices_without_database(&self) -> Result<Arc<DeviceKeys>, KeysError> {
        let generation = self.devices.0.generation();
        let entry = self.devices.0.get(&()).ok_or(KeysError::Unavailable)?;
        if entry.found_at.elapsed() >= RENEW_AFTER + self.outage {
            return Err(KeysError::Unavailable);
        }
        let keys = Arc::clone(&entry.keys);
        let entry = Entry { renew_at: Instant::now() + ASK_AGAIN_AFTER, ..entry };
        self.devices.0.insert((), entry, generation);
        Ok(keys)
    }
}
