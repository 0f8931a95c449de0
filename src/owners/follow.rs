//! Changes of the directory: memory drops what they concern at once, Redis as soon as it can.
//!
//! Before: `store::notifier` hears what triggers tell of the directory's tables, whoever changed them. After: the next
//! upload is looked up anew.
//! Promise: memory is dropped before Redis; Redis is brought to the version of the directory also when it was away
//! or flushed, and until then nothing is read from it (`cache::owner`).

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::Shared;
use crate::cache::{CacheError, owner};
use crate::store::owners::{Change, Tenures, Version};
use crate::timeline::{self, TimelineError};

/// News that may wait for Redis. What does not fit is made good by the next look at the versions.
pub(super) const NEWS: usize = 256;

/// How often Redis is tried again while it is behind.
const AGAIN_EVERY: Duration = Duration::from_secs(1);

/// Longest wait for Redis to keep what was found; it is a favour to the next instance.
const KEEP_PATIENCE: Duration = Duration::from_millis(500);

/// What Redis should learn.
#[derive(Debug)]
pub(super) enum News {
    /// There is another version than before.
    Changed {
        number: i64,
        /// `None`: of any device.
        device_sns: Option<Vec<Box<str>>>,
    },
    /// This was found in the database.
    Found(Tenures),
}

/// Takes in a change of the directory, or that changes are not heard.
pub(super) fn hear(shared: &Shared, news: &mpsc::Sender<News>, change: Change) {
    let mut version = shared.version.lock().unwrap_or_else(PoisonError::into_inner);
    let told = match change {
        Change::Connected(now) => {
            let number = now.number;
            // The connection was lost: the database behind this one may have gone back.
            shared.cache.forget_timeline();
            *version = Some(now);
            shared.memory.invalidate_all();
            News::Changed { number, device_sns: None }
        }
        Change::Changed { number, device_sns } => {
            // Before the first version is read everything is dropped anyway.
            let Some(version) = version.as_mut() else { return };
            version.number = version.number.max(number);
            match &device_sns {
                Some(device_sns) => shared.memory.invalidate(device_sns.iter().map(AsRef::as_ref)),
                None => shared.memory.invalidate_all(),
            }
            News::Changed { number, device_sns }
        }
        Change::Disconnected => {
            *version = None;
            shared.memory.suspend();
            return;
        }
    };
    // Full: the keeper sees by the version that it missed something.
    let _ = news.try_send(told);
}

/// Keeps Redis at the version of the directory until `stop`.
pub(super) async fn keep(shared: Arc<Shared>, mut news: mpsc::Receiver<News>, stop: CancellationToken) {
    let mut keeper = Keeper { shared, told: None };
    loop {
        let next = tokio::select! {
            () = stop.cancelled() => return,
            next = timeout(AGAIN_EVERY, news.recv()) => next.ok().flatten(),
        };
        let is_last = news.is_empty();
        let work = keeper.take(next, is_last);
        let outcome = tokio::select! {
            () = stop.cancelled() => return,
            outcome = work => outcome,
        };
        if let Err(error) = outcome {
            // The view of latest values says aloud that Redis is away.
            tracing::debug!(%error, "redis not told of owners");
            tokio::select! {
                () = stop.cancelled() => return,
                () = sleep(AGAIN_EVERY / 10) => {}
            }
        }
    }
}

struct Keeper {
    shared: Arc<Shared>,
    /// The version Redis was told of last, by this instance.
    told: Option<Version>,
}

impl Keeper {
    async fn take(&mut self, news: Option<News>, is_last: bool) -> Result<(), CacheError> {
        match news {
            Some(News::Changed { number, device_sns }) => self.tell(number, device_sns.as_deref()).await?,
            Some(News::Found(found)) => self.remember(&found).await?,
            None => {}
        }
        match self.shared.version() {
            // What was told while Redis was away, or did not fit the queue.
            Some(now) if is_last && !self.is_level() => self.tell(now.number, None).await,
            _ => Ok(()),
        }
    }

    fn is_level(&self) -> bool {
        self.shared.version().is_none_or(|now| self.told.as_ref() == Some(&now))
    }

    /// The script of `cache::owner` sees whether this version follows the one Redis knows.
    async fn tell(&mut self, number: i64, device_sns: Option<&[Box<str>]>) -> Result<(), CacheError> {
        let Some(Version { directory_id, .. }) = self.shared.version() else { return Ok(()) };
        let cache = &self.shared.cache;
        cache.connect().await?;
        known_timeline(&self.shared).await?;
        let at = owner::DirectoryVersion { directory_id: &directory_id, number };
        let everything_is_void = owner::apply_change(cache, at, device_sns).await?;
        self.told = Some(Version { directory_id, number });
        if everything_is_void {
            owner::remove_all(cache).await?;
        }
        Ok(())
    }

    async fn remember(&self, found: &Tenures) -> Result<(), CacheError> {
        known_timeline(&self.shared).await?;
        let cache = &self.shared.cache;
        let at = owner::DirectoryVersion {
            directory_id: &found.version.directory_id,
            number: found.version.number,
        };
        let tenures = found.by_device.iter().map(|(device_sn, tenure)| (device_sn.as_ref(), tenure));
        if !owner::put(cache, at, tenures.clone(), KEEP_PATIENCE).await? {
            // Redis knows of another version: of a later one, and this changes nothing; or of an earlier one or none
            // (it was flushed, or is told for the first time), and is brought to this one.
            owner::apply_change(cache, at, None).await?;
            owner::put(cache, at, tenures, KEEP_PATIENCE).await?;
        }
        Ok(())
    }
}

async fn known_timeline(shared: &Shared) -> Result<(), CacheError> {
    match timeline::current(&shared.store, &shared.cache).await {
        Ok(_) => Ok(()),
        Err(TimelineError::Cache(error)) => Err(error),
        Err(TimelineError::Store(error)) => {
            tracing::debug!(%error, "which timeline of the database this is cannot be told");
            Err(CacheError::Timeline)
        }
    }
}
