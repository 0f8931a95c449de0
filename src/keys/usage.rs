//! When keys were last used: noted with each request, told once a minute.
//!
//! Before: `keys` admits a request. After: `api_key.last_used_at`.
//! Promise: a request that is not the first of a key in its minute pays one look at a flag. What cannot be told is left out:
//! it is for people, who ask whether a key is still in use.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::{Known, Shared};
use crate::model::api_key::KeyId;
use crate::store::api_key;

/// Between two tellings.
const TELL_EVERY: Duration = Duration::from_secs(60);

#[derive(Debug, Default)]
pub(super) struct Usage {
    /// At most one entry a key, for the flag is up meanwhile.
    keys: Mutex<Vec<Arc<Known>>>,
    due: Notify,
}

impl Usage {
    pub(super) fn note(&self, known: &Arc<Known>) {
        if known.is_used.load(Ordering::Relaxed) || known.is_used.swap(true, Ordering::Relaxed) {
            return;
        }
        self.keys.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(known));
        self.due.notify_one();
    }

    fn take(&self) -> Vec<KeyId> {
        let keys = std::mem::take(&mut *self.keys.lock().unwrap_or_else(PoisonError::into_inner));
        let mut key_ids: Vec<KeyId> = keys.iter().map(|known| known.key_id).collect();
        for known in keys {
            known.is_used.store(false, Ordering::Relaxed);
        }
        // A key that was looked up anew meanwhile may be there twice.
        key_ids.sort_unstable();
        key_ids.dedup();
        key_ids
    }
}

/// Tells the first use at once, and then what gathered in a minute; until `stop`.
pub(super) async fn run(shared: Arc<Shared>, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = shared.usage.due.notified() => {}
        }
        if let Err(error) = api_key::used(&shared.store, &shared.usage.take()).await {
            tracing::debug!(%error, "when keys were used is not told");
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(TELL_EVERY) => {}
        }
    }
}
