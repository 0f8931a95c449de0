//! When keys were last used: noted for each request, written once a minute.
//!
//! Before: `keys` admits a request. After: `api_key.last_used_at`.
//! Promise: a request that is not the first of a key in its minute costs one read of a flag. A write that fails is dropped: the
//! time only shows people whether a key is still in use.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::{CachedKey, Shared};
use crate::model::api_key::KeyId;
use crate::store::api_key;

/// Pause between two writes.
const WRITE_EVERY: Duration = Duration::from_secs(60);

#[derive(Debug, Default)]
pub(super) struct Usage {
    /// At most one entry per key, because its flag is set meanwhile.
    keys: Mutex<Vec<Arc<CachedKey>>>,
    due: Notify,
}

impl Usage {
    pub(super) fn note(&self, key: &Arc<CachedKey>) {
        if key.is_used.load(Ordering::Relaxed) || key.is_used.swap(true, Ordering::Relaxed) {
            return;
        }
        self.keys.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(key));
        self.due.notify_one();
    }

    fn take(&self) -> Vec<KeyId> {
        let keys = std::mem::take(&mut *self.keys.lock().unwrap_or_else(PoisonError::into_inner));
        let mut key_ids: Vec<KeyId> = keys.iter().map(|key| key.key_id).collect();
        for key in keys {
            key.is_used.store(false, Ordering::Relaxed);
        }
        // A key that was looked up again meanwhile may be there twice.
        key_ids.sort_unstable();
        key_ids.dedup();
        key_ids
    }
}

/// Writes the first use at once, and then what was noted in a minute, until `stop`.
pub(super) async fn run(shared: Arc<Shared>, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = shared.usage.due.notified() => {}
        }
        if let Err(error) = api_key::used(&shared.store, &shared.usage.take()).await {
            tracing::debug!(%error, "the time of use of keys was not written");
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(WRITE_EVERY) => {}
        }
    }
}
