//! What was read last for a tenant or a unit, and drawn of it: all who look at the same share it.
//!
//! Before: a page or a part is asked for. After: `store::dashboard` is asked, but not again for each browser.
//! Promise: whoever asks for a fresh reading after something has changed sees the change. Readings follow each other no sooner than their
//! cost allows, and a slow one delays nobody who is content with a recent one. What was read for one viewer is shown to no other.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex as Lock, PoisonError};
use std::time::Duration;

use moka::sync::Cache;
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep_until};

use super::super::error::ApiError;
use crate::page::Markup;
use crate::store::dashboard::Viewer;

/// How long a reading is shown again if nothing is known to have changed.
const FRESH: Duration = Duration::from_secs(1);

/// After a change it is read anew, but not sooner than this after the last reading began.
const SPACING: Duration = Duration::from_millis(200);

/// Both are at least so many times as long as reading took, which grows with the devices.
const FRESH_PER_READING: u32 = 4;
const SPACING_PER_READING: u32 = 2;

/// How old a recent reading may be.
const RECENT: Duration = Duration::from_secs(15);

/// Tenants and units whose readings are kept.
const MOST_VIEWERS: u64 = 1_000;

/// Counters of what may change a reading.
pub(super) type ChangeCounts = (u64, u64);

/// The last reading of each viewer; `V` tells the ways to draw it apart.
#[derive(Debug)]
pub(super) struct Readings<T, V>(Cache<Viewer, Arc<ViewerReadings<T, V>>>)
where
    T: Send + Sync + 'static,
    V: Send + Sync + 'static;

#[derive(Debug)]
struct ViewerReadings<T, V> {
    last: Lock<Option<ReadingEntry<T, V>>>,
    /// Held by whoever reads; who asks meanwhile waits for it.
    reading: Mutex<()>,
}

/// `reading` is `None` if it failed.
#[derive(Debug)]
struct ReadingEntry<T, V> {
    /// What had changed before it was read.
    seen: ChangeCounts,
    began: Instant,
    took: Duration,
    reading: Option<Arc<Reading<T, V>>>,
}

/// A reading, and what was drawn of it.
#[derive(Debug)]
pub(super) struct Reading<T, V> {
    pub(super) value: T,
    rendered: Lock<HashMap<V, Arc<str>>>,
}

impl<T, V> Clone for ReadingEntry<T, V> {
    fn clone(&self) -> Self {
        Self { reading: self.reading.clone(), ..*self }
    }
}

impl<T, V> ReadingEntry<T, V> {
    /// Nothing is known to have changed, and not much can have.
    fn is_fresh(&self, seen: ChangeCounts) -> bool {
        self.seen == seen && self.began.elapsed() < FRESH.max(self.took * FRESH_PER_READING)
    }

    /// When it may be read anew.
    fn next_reading(&self) -> Instant {
        self.began + SPACING.max(self.took * SPACING_PER_READING)
    }
}

impl<T, V> ViewerReadings<T, V> {
    fn new() -> Self {
        Self { last: Lock::new(None), reading: Mutex::new(()) }
    }

    fn last(&self) -> Option<ReadingEntry<T, V>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl<T: Send + Sync + 'static, V: Eq + Hash + Send + Sync + 'static> Readings<T, V> {
    pub(super) fn new() -> Self {
        Self(Cache::builder().max_capacity(MOST_VIEWERS).time_to_idle(Duration::from_secs(60)).build())
    }

    /// A reading that began when nothing more had changed than is now.
    pub(super) async fn fresh(
        &self,
        viewer: Viewer,
        seen: impl Fn() -> ChangeCounts,
        read: impl AsyncFnOnce() -> Result<T, ApiError>,
    ) -> Result<Arc<Reading<T, V>>, ApiError> {
        let place = self.0.get_with(viewer, || Arc::new(ViewerReadings::new()));
        let _reading = place.reading.lock().await;
        if let Some(last) = place.last() {
            if last.is_fresh(seen()) {
                return last.reading.ok_or(ApiError::Unavailable);
            }
            sleep_until(last.next_reading()).await;
        }
        let (seen, began) = (seen(), Instant::now());
        let read = read().await.map(|value| Arc::new(Reading { value, rendered: Lock::default() }));
        let entry = ReadingEntry { seen, began, took: began.elapsed(), reading: read.as_ref().ok().cloned() };
        *place.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(entry);
        read
    }

    /// A reading that may miss the changes of the last seconds; without one, a fresh one.
    pub(super) async fn recent(
        &self,
        viewer: Viewer,
        seen: impl Fn() -> ChangeCounts,
        read: impl AsyncFnOnce() -> Result<T, ApiError>,
    ) -> Result<Arc<Reading<T, V>>, ApiError> {
        let last = self.0.get(&viewer).and_then(|place| place.last());
        match last.filter(|last| last.began.elapsed() < RECENT).and_then(|last| last.reading) {
            Some(reading) => Ok(reading),
            None => self.fresh(viewer, seen, read).await,
        }
    }
}

impl<T, V: Eq + Hash> Reading<T, V> {
    /// What `draw` draws of it, drawn once.
    pub(super) fn draw(&self, variant: V, draw: impl FnOnce(&T) -> Markup) -> Arc<str> {
        let mut rendered = self.rendered.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(rendered.entry(variant).or_insert_with(|| draw(&self.value).into_string().into()))
    }
}
