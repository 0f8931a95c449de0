//! Changes of the directory: cached owners are dropped at once, those in Redis as soon as possible.
//!
//! Before: triggers on the directory's tables notify `store::notifier`, whoever changes them. After: the owners of the next upload
//! are looked up again.
//! Promise: the cache is dropped before Redis. Redis is brought to the version of the directory even if it was away or
//! flushed; until then nothing is read from it (`cache::owner`).

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::Shared;
use crate::cache::{CacheError, owner};
use crate::store::owners::{OwnerChange, Tenures, Version};
use crate::timeline::{self, TimelineError};

/// Most updates that may wait for Redis. An update that does not fit is made up for when the versions are compared next.
pub(super) const MAX_UPDATES: usize = 256;

/// How often an update of Redis is retried while it is behind.
const RETRY_EVERY: Duration = Duration::from_secs(1);

/// Longest wait when owners are put into Redis, which only saves another instance a query.
const PUT_TIMEOUT: Duration = Duration::from_millis(500);

/// What is to be written to Redis.
#[derive(Debug)]
pub(super) enum RedisUpdate {
    /// The directory has a new version.
    Changed {
        number: i64,
        /// `None`: of any device.
        device_sns: Option<Vec<Box<str>>>,
    },
    /// These owners were read from the database.
    Found(Tenures),
}

/// Takes in a change of the directory, or that changes are not heard.
pub(super) fn apply_change(shared: &Shared, updates: &mpsc::Sender<RedisUpdate>, change: OwnerChange) {
    let mut version = shared.version.lock().unwrap_or_else(PoisonError::into_inner);
    let update = match change {
        OwnerChange::Listening(now) => {
            let number = now.number;
            // The connection was lost: the database behind the new one may have lost transactions.
            shared.redis.forget_timeline();
            *version = Some(now);
            shared.cache.invalidate_all();
            RedisUpdate::Changed { number, device_sns: None }
        }
        OwnerChange::Changed { number, device_sns } => {
            // When the first version is read, everything is dropped anyway.
            let Some(version) = version.as_mut() else { return };
            version.number = version.number.max(number);
            match &device_sns {
                Some(device_sns) => shared.cache.invalidate(device_sns.iter().map(AsRef::as_ref)),
                None => shared.cache.invalidate_all(),
            }
            RedisUpdate::Changed { number, device_sns }
        }
        OwnerChange::Disconnected => {
            *version = None;
            shared.cache.suspend();
            return;
        }
    };
    // If the queue is full, `RedisUpdater` sees from the version that it missed an update.
    let _ = updates.try_send(update);
}

/// Keeps Redis at the version of the directory until `stop`.
pub(super) async fn update_redis(
    shared: Arc<Shared>,
    mut updates: mpsc::Receiver<RedisUpdate>,
    stop: CancellationToken,
) {
    let mut updater = RedisUpdater { shared, redis_version: None };
    loop {
        let next = tokio::select! {
            () = stop.cancelled() => return,
            next = timeout(RETRY_EVERY, updates.recv()) => next.ok().flatten(),
        };
        let is_last = updates.is_empty();
        let work = updater.apply(next, is_last);
        let outcome = tokio::select! {
            () = stop.cancelled() => return,
            outcome = work => outcome,
        };
        if let Err(error) = outcome {
            // That Redis is away is logged by the Redis view.
            tracing::debug!(%error, "owners not updated in redis");
            tokio::select! {
                () = stop.cancelled() => return,
                () = sleep(RETRY_EVERY / 10) => {}
            }
        }
    }
}

struct RedisUpdater {
    shared: Arc<Shared>,
    /// The version that this instance wrote to Redis last.
    redis_version: Option<Version>,
}

impl RedisUpdater {
    async fn apply(&mut self, update: Option<RedisUpdate>, is_last: bool) -> Result<(), CacheError> {
        match update {
            Some(RedisUpdate::Changed { number, device_sns }) => {
                self.write_version(number, device_sns.as_deref()).await?;
            }
            Some(RedisUpdate::Found(found)) => self.put(&found).await?,
            None => {}
        }
        match self.shared.version() {
            // After changes while Redis was away, or that did not fit the queue.
            Some(now) if is_last && self.redis_version.as_ref() != Some(&now) => {
                self.write_version(now.number, None).await
            }
            _ => Ok(()),
        }
    }

    /// The script of `cache::owner` checks whether this version follows the one in Redis.
    async fn write_version(
        &mut self,
        number: i64,
        device_sns: Option<&[Box<str>]>,
    ) -> Result<(), CacheError> {
        let Some(Version { directory_id, .. }) = self.shared.version() else { return Ok(()) };
        let redis = &self.shared.redis;
        redis.connect().await?;
        check_timeline(&self.shared).await?;
        let at = owner::DirectoryVersion { directory_id: &directory_id, number };
        let drops_everything = owner::apply_change(redis, at, device_sns).await?;
        self.redis_version = Some(Version { directory_id, number });
        if drops_everything {
            owner::remove_all(redis).await?;
        }
        Ok(())
    }

    async fn put(&self, found: &Tenures) -> Result<(), CacheError> {
        check_timeline(&self.shared).await?;
        let redis = &self.shared.redis;
        let at = owner::DirectoryVersion {
            directory_id: &found.version.directory_id,
            number: found.version.number,
        };
        let tenures = found.by_device.iter().map(|(device_sn, tenure)| (device_sn.as_ref(), tenure));
        if !owner::put(redis, at, tenures.clone(), PUT_TIMEOUT).await? {
            // Redis has another version. If it is a later one, this changes nothing. If it is an earlier one or none (Redis
            // was flushed, or is new), Redis is brought to this one.
            owner::apply_change(redis, at, None).await?;
            owner::put(redis, at, tenures, PUT_TIMEOUT).await?;
        }
        Ok(())
    }
}

async fn check_timeline(shared: &Shared) -> Result<(), CacheError> {
    match timeline::current(&shared.store, &shared.redis).await {
        Ok(_) => Ok(()),
        Err(TimelineError::Cache(error)) => Err(error),
        Err(TimelineError::Store(error)) => {
            tracing::debug!(%error, "the timeline of the database cannot be determined");
            Err(CacheError::Timeline)
        }
    }
}
