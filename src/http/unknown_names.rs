//! Names in uploads that have no meaning here: counted, listed in answers, and written down now and then.
//!
//! Before: `wire` met them in an upload that was committed. After: `store::unknown_name` keeps them for operators.
//! Promise: an upload waits for nothing here; memory is bounded by [`MAX_WAITING`] names; what was counted when the service
//! stops in order is written down, what was counted since the last write is lost with a process that is killed.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::model::{NameKind, UnknownName, UnknownNames};
use crate::store::{Store, StoreError, unknown_name};
use crate::telemetry::names;

/// Pause between two writes, and between two looks which types of events are known.
const WRITE_EVERY: Duration = Duration::from_secs(10);

/// Most names that wait for a write.
const MAX_WAITING: usize = 1000;

/// Most names an answer lists.
const MAX_LISTED: usize = 10;

/// Names that wait for a write.
type Waiting = BTreeMap<(NameKind, String), UnknownName>;

/// What was met, and what is known. Clones share it.
#[derive(Debug, Clone)]
pub struct NameCounts {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    store: Store,
    waiting: Mutex<Waiting>,
    /// Something waits.
    met: Notify,
    event_types: RwLock<HashSet<String>>,
}

impl NameCounts {
    /// Reads which types of events are known.
    ///
    /// # Errors
    /// The database is away.
    pub async fn read(store: &Store) -> Result<Self, StoreError> {
        let shared = Shared {
            store: store.clone(),
            waiting: Mutex::default(),
            met: Notify::new(),
            event_types: RwLock::default(),
        };
        let counts = Self { shared: Arc::new(shared) };
        counts.refresh().await?;
        Ok(counts)
    }

    /// Does `event_type` or a rule name this type?
    pub(super) fn knows_event_type(&self, event_type: &str) -> bool {
        self.shared.event_types.read().unwrap_or_else(PoisonError::into_inner).contains(event_type)
    }

    /// Counts the names of an upload; gives those an answer lists.
    pub(super) fn count(&self, met: &UnknownNames) -> Vec<String> {
        if met.is_empty() {
            return Vec::new();
        }
        for name in met.iter() {
            metrics::counter!(names::UNKNOWN_NAMES, "kind" => name.kind.name()).increment(name.count);
            count_in(&mut self.waiting(), name);
        }
        self.shared.met.notify_one();
        met.iter().take(MAX_LISTED).map(|name| name.name.clone()).collect()
    }

    /// Writes down what was met, and looks which types of events are known, until `stop`.
    pub async fn follow(self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            tokio::select! {
                () = stop.cancelled() => break,
                () = self.shared.met.notified() => {}
                () = tokio::time::sleep(WRITE_EVERY) => {}
            }
            if let Err(error) = self.write().await.and(self.refresh().await) {
                tracing::debug!(%error, "unknown names are not written down yet");
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(WRITE_EVERY) => {}
            }
        }
        // No request is under way any more. What cannot be written now is lost.
        if let Err(error) = self.write().await {
            tracing::warn!(%error, "unknown names of the last seconds are not written down");
        }
    }

    /// What cannot be written waits on.
    async fn write(&self) -> Result<(), StoreError> {
        let taken = std::mem::take(&mut *self.waiting());
        if taken.is_empty() {
            return Ok(());
        }
        let store = &self.shared.store;
        let names: Vec<UnknownName> = taken.into_values().collect();
        let adding = unknown_name::add(store, &names, Timestamp::now());
        let written = store.with_timeout("unknown_name.add", adding).await;
        if written.is_err() {
            let mut waiting = self.waiting();
            names.iter().for_each(|name| count_in(&mut waiting, name));
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

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        // A panic between two steps leaves a count too low at worst.
        self.shared.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn count_in(waiting: &mut Waiting, name: &UnknownName) {
    let key = (name.kind, name.name.clone());
    if let Some(known) = waiting.get_mut(&key) {
        known.count += name.count;
    } else if waiting.len() < MAX_WAITING {
        waiting.insert(key, name.clone());
    }
}
