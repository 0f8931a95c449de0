//! Keys in use, looked up again before they run out; all of them at once when keys changed.
//!
//! Before: triggers of the tables tell of a change; a key comes to its end in memory. After: requests find it remembered.
//! Promise: a request with a key in use waits for the database after a restart only; keys that nobody has hold up no renewal, and
//! neither do keys of the API and of devices each other.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use super::{Entry, RENEW_AFTER, Shared, tell};
use crate::model::api_key::KeyId;
use crate::store::wake::Wake;
use crate::store::{StoreError, api_key};

/// How long before a key runs out it is renewed: two tries, and some.
pub(super) const RENEW_BEFORE: Duration = Duration::from_secs(25);

/// How often it is looked which are to be.
const LOOK_EVERY: Duration = Duration::from_secs(10);

/// Keys in one statement.
const KEYS_PER_QUERY: usize = 1000;

/// Forgets everything at each change, and at each connection (what was told in between is lost), and looks up what is in use; and
/// renews that in between. Until `stop`.
pub(super) async fn follow(shared: Arc<Shared>, mut wake: Wake, stop: CancellationToken) {
    while !stop.is_cancelled() {
        wake.arm();
        shared.known.invalidate_all();
        shared.unknown.invalidate_all();
        shared.devices.forget();
        let of_api = async {
            loop {
                tell_of(renew(&shared).await);
                tokio::time::sleep(LOOK_EVERY).await;
            }
        };
        let of_devices = async {
            loop {
                tell_of(shared.renew_devices(RENEW_BEFORE).await);
                tokio::time::sleep(LOOK_EVERY).await;
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

fn tell_of(renewed: Result<(), StoreError>) {
    if let Err(error) = renewed {
        tell(&error);
    }
}

async fn renew(shared: &Shared) -> Result<(), StoreError> {
    for key_ids in due(shared, RENEW_BEFORE).chunks(KEYS_PER_QUERY) {
        let (known, unknown) = (shared.known.generation(), shared.unknown.generation());
        let found = api_key::find(&shared.store, key_ids).await?;
        let gone: Vec<KeyId> = key_ids.iter().filter(|id| !found.contains_key(id)).copied().collect();
        for (key_id, kept) in found {
            shared.remember(key_id, kept, known);
        }
        // After those that were found: what is forgotten makes an answer of before it count no more.
        for key_id in gone {
            shared.unknown.insert(key_id, (), unknown);
            shared.known.invalidate(std::iter::once(&key_id));
        }
    }
    Ok(())
}

/// Keys in use that run out within `soon`, or that are void since keys changed.
pub(super) fn due(shared: &Shared, soon: Duration) -> Vec<KeyId> {
    let now = Instant::now();
    let is_due = |entry: &Entry| {
        entry.is_wanted.load(Ordering::Relaxed) && (entry.renew_at <= now + soon)
            || shared.known.get(&entry.key.key_id).is_none()
    };
    let entries = shared.known.entries().into_iter().filter(is_due);
    entries
        .filter(|entry| entry.found_at.elapsed() < RENEW_AFTER + shared.outage)
        .map(|entry| entry.key.key_id)
        .collect()
}
