//! Unknown names in uploads: counted, listed in answers, and written to the database every few seconds.
//!
//! Before: `wire` found them in an upload that was committed. After: `store::unknown_name` keeps them for operators.
//! Promise: no upload waits here; memory is bounded by [`MAX_PENDING`] names. A regular shutdown writes what was counted; if the
//! process is killed, what was counted since the last write is lost.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::model::{NameKind, UnknownName, UnknownNames};
use crate::store::{Store, StoreError, unknown_name};
use crate::telemetry::names;

/// Pause between two writes, and between two reads of the known event types.
const WRITE_EVERY: Duration = Duration::from_secs(10);

/// Most names that wait for a write.
const MAX_PENDING: usize = 1000;

/// Most names an answer lists.
const MAX_LISTED: usize = 10;

/// Names that wait for a write.
type PendingNames = BTreeMap<(NameKind, String), UnknownName>;

/// Counts of unknown names, and the known event types. Clones share them.
#[derive(Debug, Clone)]
pub struct UnknownNameCounts {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    store: Store,
    pending: Mutex<PendingNames>,
    /// There is something to write.
    added: Notify,
    event_types: RwLock<HashSet<String>>,
}

impl UnknownNameCounts {
    /// Reads the known event types.
    ///
    /// # Errors
    /// The database is away.
    pub async fn read(store: &Store) -> Result<Self, StoreError> {
        let shared = Shared {
            store: store.clone(),
            pending: Mutex::default(),
            added: Notify::new(),
            event_types: RwLock::default(),
        };
        let counts = Self { shared: Arc::new(shared) };
        counts.refresh().await?;
        Ok(counts)
    }

    /// Whether the table `event_type` or a rule names this type.
    pub(super) fn knows_event_type(&self, event_type: &str) -> bool {
        self.shared.event_types.read().unwrap_or_else(PoisonError::into_inner).contains(event_type)
    }

    /// Counts the unknown names of an upload, and returns those that its answer lists.
    pub(super) fn count(&self, found: &UnknownNames) -> Vec<String> {
        if found.is_empty() {
            return Vec::new();
        }
        for name in found.iter() {
            metrics::counter!(names::UNKNOWN_NAMES, "kind" => name.kind.name()).increment(name.count);
            count_in(&mut self.pending(), name);
        }
        self.shared.added.notify_one();
        found.iter().take(MAX_LISTED).map(|name| name.name.clone()).collect()
    }

    /// Writes counts and reads the known event types, again and again until `stop`.
    pub async fn follow(self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            tokio::select! {
                () = stop.cancelled() => break,
                () = self.shared.added.notified() => {}
                () = tokio::time::sleep(WRITE_EVERY) => {}
            }
            if let Err(error) = self.write().await.and(self.refresh().await) {
                tracing::debug!(%error, "unknown names are not written yet");
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(WRITE_EVERY) => {}
            }
        }
        // No request is being handled any more. What cannot be written now is lost.
        if let Err(error) = self.write().await {
            tracing::warn!(%error, "unknown names of the last seconds are lost");
        }
    }

    /// What cannot be written stays pending.
    async fn write(&self) -> Result<(), StoreError> {
        let taken = std::mem::take(&mut *self.pending());
        if taken.is_empty() {
            return Ok(());
        }
        let store = &self.shared.store;
        let names: Vec<UnknownName> = taken.into_values().collect();
        let adding = unknown_name::add(store, &names, Timestamp::now());
        let written = store.with_timeout("unknown_name.add", adding).await;
        if written.is_err() {
            let mut pending = self.pending();
            names.iter().for_each(|name| count_in(&mut pending, name));
        }
        written
    }

    async fn refresh(&self) -> Result<(), StoreError> {
        let store = &self.shared.store;
        let known = store.with_timeout("event_type.known", unknown_name::known_event_types(store)).await?;
        *self.shared.event_types.write().unwrap_or_else(PoisonError::into_inner) =
            known.into_iter().collect();
        Ok(())
    }

    fn pending(&self) -> MutexGuard<'_, PendingNames> {
        // A panic between two steps leaves at worst a count that is too low.
        self.shared.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn count_in(pending: &mut PendingNames, name: &UnknownName) {
    let key = (name.kind, name.name.clone());
    if let Some(known) = pending.get_mut(&key) {
        known.count += name.count;
    } else if pending.len() < MAX_PENDING {
        pending.insert(key, name.clone());
    }
}
