//! Renews keys in use before they become stale, and all of them at once when keys changed.
//!
//! Before: triggers on the tables send a notification, or a cached key is about to become stale. After: requests find it cached.
//! Promise: a request with a key in use waits for the database only after a restart. Keys that do not exist delay no renewal; keys of
//! the API and of devices do not delay each other.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use super::{Entry, RENEW_AFTER, Shared, log_lookup_error};
use crate::model::api_key::KeyId;
use crate::store::wake::Wake;
use crate::store::{StoreError, api_key};

/// How long before a key becomes stale it is renewed: time for two tries.
pub(super) const RENEW_BEFORE: Duration = Duration::from_secs(25);

/// How often keys that are due are looked for.
const CHECK_EVERY: Duration = Duration::from_secs(10);

/// Keys in one statement.
const KEYS_PER_QUERY: usize = 1000;

/// At each change, and at each new connection (notifications before it are lost), invalidates everything and looks up the keys in use.
/// In between, renews them. Runs until `stop`.
pub(super) async fn follow(shared: Arc<Shared>, mut wake: Wake, stop: CancellationToken) {
    while !stop.is_cancelled() {
        wake.arm();
        shared.cached.invalidate_all();
        shared.missing.invalidate_all();
        shared.device_keys.invalidate();
        let of_api = async {
            loop {
                log_error(renew(&shared).await);
                tokio::time::sleep(CHECK_EVERY).await;
            }
        };
        let of_devices = async {
            loop {
                log_error(shared.renew_device_keys(RENEW_BEFORE).await);
                tokio::time::sleep(CHECK_EVERY).await;
            }
        };
        tokio::select! {
            () = of_api => {}
            () = of_devices => {}
            () = wake.woken() => {}
            () = stop.cancelled() => {}
        }
    }
}

fn log_error(renewed: Result<(), StoreError>) {
    if let Err(error) = renewed {
        log_lookup_error(&error);
    }
}

async fn renew(shared: &Shared) -> Result<(), StoreError> {
    for key_ids in due(shared, RENEW_BEFORE).chunks(KEYS_PER_QUERY) {
        let (cached, missing) = (shared.cached.generation(), shared.missing.generation());
        let found = api_key::find(&shared.store, key_ids).await?;
        let gone: Vec<KeyId> = key_ids.iter().filter(|id| !found.contains_key(id)).copied().collect();
        for (key_id, kept) in found {
            shared.insert(key_id, kept, cached);
        }
        // After the keys that were found: invalidating raises the generation, and answers from before it are not cached.
        for key_id in gone {
            shared.missing.insert(key_id, (), missing);
            shared.cached.invalidate(std::iter::once(&key_id));
        }
    }
    Ok(())
}

/// Keys in use that become stale within `soon`, or that are stale because keys changed.
pub(super) fn due(shared: &Shared, soon: Duration) -> Vec<KeyId> {
    let now = Instant::now();
    let is_due = |entry: &Entry| {
        entry.is_in_use.load(Ordering::Relaxed) && (entry.renew_at <= now + soon)
            || shared.cached.get(&entry.key.key_id).is_none()
    };
    let entries = shared.cached.entries().into_iter().filter(is_due);
    entries
        .filter(|entry| entry.found_at.elapsed() < RENEW_AFTER + shared.outage)
        .map(|entry| entry.key.key_id)
        .collect()
}
