//! Who owns a device: from the cache of this process, then Redis, then PostgreSQL.
//!
//! Before: `http` has parsed an upload. After: `ingest` writes it with the missing ids completed.
//! Promise: [`Owners::fill`] costs one cache lookup per device that is cached, and nothing for records that name all ids; many
//! misses at once are one query. A cached owner is dropped in every instance as soon as the notification of a change arrives; a
//! lookup that began before the change is not cached after it. While notifications cannot be received,
//! neither this cache nor Redis is used. Owners from Redis only complete uploads; what a key may write is decided by owners from
//! PostgreSQL ([`OwnerSource`]).
//!
//! A record belongs to the binding in force at its own time, so a late record belongs to the user who wore the device then
//! (`sql/functions/device/device_owner_at.sql`).

mod follow;
mod lookup;
#[cfg(test)]
mod speed;
mod tenant;

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::mpsc;

use crate::cache::Cache;
use crate::config::Settings;
use crate::lookup_cache::LookupCache;
use crate::model::{Owner, OwnerSlot, Tenure};
use crate::store::notifier::Notifier;
use crate::store::owners::{self, Version};
use crate::store::{Kind, Store, StoreError};
use crate::tasks::Stage;
use crate::telemetry::names;
use lookup::LookupRequest;

/// Why owners could not be looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OwnersError {
    /// The service is shutting down.
    #[error("the service is stopping")]
    Stopping,
    /// The database is away.
    #[error("the database does not answer")]
    Unavailable,
    /// The database refuses the query, and will refuse it again.
    #[error("the database refuses to tell owners")]
    Refused,
}

type OwnersByDevice = HashMap<Box<str>, Tenure>;

/// Where an owner was read, and from where it has to be read at least.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum OwnerSource {
    /// Good enough to complete what an upload does not name.
    Redis,
    /// Needed to decide what a key may write.
    Database,
}

/// A cached owner of a device.
#[derive(Debug, Clone, Copy)]
struct CachedOwner {
    tenure: Tenure,
    source: OwnerSource,
}

/// Looks owners up. Clones share the cache.
#[derive(Debug, Clone)]
pub struct Owners {
    shared: Arc<Shared>,
    requests: mpsc::Sender<LookupRequest>,
}

/// What the tasks share.
#[derive(Debug)]
struct Shared {
    store: Store,
    redis: Cache,
    cache: LookupCache<Box<str>, CachedOwner>,
    verified_ids: tenant::VerifiedIds,
    /// The last known version of the directory; `None`: changes are not received at present.
    version: Mutex<Option<Version>>,
}

impl Shared {
    /// The cached owner, if it comes from this source or a better one.
    fn cached(&self, device_sn: &str, source: OwnerSource) -> Option<Tenure> {
        self.cache.get(device_sn).filter(|cached| cached.source >= source).map(|cached| cached.tenure)
    }

    fn version(&self) -> Option<Version> {
        // The lock is held for assignments only, so the value is valid even after a panic.
        self.version.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Owners {
    /// Starts the lookup task and the task that updates Redis, in `stage`, which must outlive the users of [`Owners`]; `notifier`
    /// reports the changes.
    pub fn start(
        store: &Store,
        redis: &Cache,
        notifier: &mut Notifier,
        settings: &Settings,
        stage: &Stage,
    ) -> Self {
        let shared = Arc::new(Shared {
            store: store.clone(),
            redis: redis.clone(),
            cache: LookupCache::new(
                settings.owner_cache_devices,
                Duration::from_secs(settings.owner_cache_seconds.into()),
            ),
            verified_ids: tenant::VerifiedIds::default(),
            version: Mutex::new(None),
        });
        let (requests, queue) = mpsc::channel(lookup::MAX_REQUESTS);
        let (updates, redis_updates) = mpsc::channel(follow::MAX_UPDATES);
        let lookup = lookup::run(Arc::clone(&shared), updates.clone(), queue, stage.stop_token());
        stage.spawn_loop("owners.lookup", lookup);
        let update_redis = follow::update_redis(Arc::clone(&shared), redis_updates, stage.stop_token());
        stage.spawn_loop("owners.keep", update_redis);
        let following = Arc::clone(&shared);
        notifier.on_directory_change(move |change| follow::apply_change(&following, &updates, change));
        Self { shared, requests }
    }

    /// Completes owners. Left as they are: owners with all ids, owners that contradict the directory, and those of devices that
    /// nobody owns. If the database refuses the query, all are left as they are: storing the data matters more than its owner.
    ///
    /// # Errors
    /// [`OwnersError`], never `Refused`. Waits for a database that is away: the caller has the deadline.
    pub async fn fill<'a>(&self, slots: impl Iterator<Item = OwnerSlot<'a>>) -> Result<(), OwnersError> {
        match self.fill_from(slots, OwnerSource::Redis).await {
            Err(OwnersError::Refused) => Ok(()),
            done => done,
        }
    }

    /// [`Self::fill`] from PostgreSQL, or from what is cached from there.
    ///
    /// # Errors
    /// [`OwnersError`]. Waits for a database that is away: the caller has the deadline.
    pub async fn fill_verified<'a>(
        &self,
        slots: impl Iterator<Item = OwnerSlot<'a>>,
    ) -> Result<(), OwnersError> {
        self.fill_from(slots, OwnerSource::Database).await
    }

    /// Completes owners as far as they are cached, without waiting for anything.
    pub fn complete_from_memory<'a>(&self, slots: impl Iterator<Item = OwnerSlot<'a>>) {
        self.fill_cached(slots, OwnerSource::Redis);
    }

    /// The current tenant of a device, looked up as by [`Self::fill_verified`]; `None`: it has none.
    ///
    /// # Errors
    /// [`OwnersError`]. Waits for a database that is away: the caller has the deadline.
    pub async fn current_tenant(&self, device_sn: &str) -> Result<Option<i64>, OwnersError> {
        Ok(self.current_tenants(&[device_sn]).await?.pop().flatten())
    }

    /// [`Self::current_tenant`] of several devices, in their order.
    ///
    /// # Errors
    /// [`OwnersError`]. Waits for a database that is away: the caller has the deadline.
    pub async fn current_tenants(&self, device_sns: &[&str]) -> Result<Vec<Option<i64>>, OwnersError> {
        let ts = Timestamp::now();
        let mut owners = vec![Owner::default(); device_sns.len()];
        let slots = device_sns.iter().zip(&mut owners);
        self.fill_verified(slots.map(|(device_sn, owner)| OwnerSlot { device_sn, ts, owner })).await?;
        Ok(owners.into_iter().map(|owner| owner.customer_id).collect())
    }

    async fn fill_from<'a>(
        &self,
        slots: impl Iterator<Item = OwnerSlot<'a>>,
        source: OwnerSource,
    ) -> Result<(), OwnersError> {
        let misses = self.fill_cached(slots, source);
        if misses.is_empty() {
            return Ok(());
        }
        let found = self.look_up(&misses, source).await?;
        let mut earlier = Vec::new();
        for slot in misses {
            match found.get(slot.device_sn) {
                Some(tenure) if tenure.covers(slot.ts) => slot.owner.complete_from(&tenure.owner),
                _ => earlier.push(slot),
            }
        }
        if earlier.is_empty() {
            return Ok(());
        }
        // Of another owner than the current one. Rare, so it is not cached.
        owners::fill(&self.shared.store, earlier.into_iter()).await.map_err(|error| owners_error(&error))
    }

    /// Completes from the cache, and returns the others.
    fn fill_cached<'a>(
        &self,
        slots: impl Iterator<Item = OwnerSlot<'a>>,
        source: OwnerSource,
    ) -> Vec<OwnerSlot<'a>> {
        let mut misses = Vec::new();
        let mut last: Option<(&'a str, Option<Tenure>)> = None;
        let mut hits = 0;
        slots.filter(|slot| !slot.owner.is_complete()).for_each(|slot| {
            let tenure = match last {
                Some((device_sn, tenure)) if device_sn == slot.device_sn => tenure,
                _ => {
                    let tenure = self.shared.cached(slot.device_sn, source);
                    hits += u64::from(tenure.is_some());
                    tenure
                }
            };
            last = Some((slot.device_sn, tenure));
            match tenure {
                Some(tenure) if tenure.covers(slot.ts) => slot.owner.complete_from(&tenure.owner),
                _ => misses.push(slot),
            }
        });
        if hits > 0 {
            metrics::counter!(names::OWNERS_FOUND, "in" => "memory").increment(hits);
        }
        misses
    }

    /// The current owners of the devices of these slots.
    async fn look_up(
        &self,
        slots: &[OwnerSlot<'_>],
        source: OwnerSource,
    ) -> Result<OwnersByDevice, OwnersError> {
        let now = Timestamp::now();
        let mut found = OwnersByDevice::new();
        let mut unknown = Vec::new();
        for device_sn in slots.iter().map(|slot| slot.device_sn).collect::<BTreeSet<_>>() {
            match self.shared.cached(device_sn, source) {
                Some(tenure) if tenure.until.is_none_or(|until| now < until) => {
                    found.insert(device_sn.into(), tenure);
                }
                _ => unknown.push(Box::from(device_sn)),
            }
        }
        // In several requests: between those of an upload of very many devices, others get their turn.
        for device_sns in unknown.chunks(lookup::MAX_DEVICES) {
            let answer = lookup::request(&self.requests, device_sns.to_vec(), source).await?;
            for device_sn in device_sns {
                if let Some((device_sn, tenure)) = answer.get_key_value(device_sn) {
                    found.insert(device_sn.clone(), *tenure);
                }
            }
        }
        Ok(found)
    }
}

/// Why the database did not return owners.
fn owners_error(error: &StoreError) -> OwnersError {
    match error.kind() {
        Kind::Down | Kind::Retry => OwnersError::Unavailable,
        Kind::Conflict | Kind::Refused | Kind::Bug => {
            tracing::error!(%error, "owners not read; uploads are stored without them, or refused where the key is of one tenant");
            OwnersError::Refused
        }
    }
}
