//! Rebuilds the Redis view from the database: latest values, device information, open alerts.
//!
//! Before: `react::redis_view` checks the view at intervals. After: `cache::latest` and its neighbours, which live values use
//! too: the newest value wins, so both may write at once. Promise: a view is marked complete only if it holds every device and
//! open alert that was known when the rebuild began and no alert that has ended, nothing was flushed meanwhile, and no reaction
//! had to do without Redis since.

use std::time::Instant;

use super::RedisView;
use crate::cache::alert;
use crate::cache::view::{self, RebuildLock};
use crate::cache::{self, CacheError, Hashes};
use crate::store::{StoreError, alert_change, device_info, health_data, latest_view};
use crate::timeline::{self, TimelineError};

/// Devices in one query and one pipeline, which take a few milliseconds each, so that live values hardly wait.
const PAGE_DEVICES: u32 = 500;

/// Why the view could not be checked or rebuilt.
#[derive(Debug, thiserror::Error)]
pub(super) enum RebuildError {
    #[error(transparent)]
    Cache(#[from] CacheError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Checks the view and rebuilds it if necessary. True: Redis holds the complete view; false: another instance rebuilds it, or it was
/// rebuilt too recently because values were missed.
pub(super) async fn check(view: &RedisView) -> Result<bool, RebuildError> {
    view.cache.connect().await?;
    let before = view.cache.timeline();
    let timeline = match timeline::resolve(&view.store, &view.cache).await {
        Ok(number) => number,
        Err(TimelineError::Cache(error)) => return Err(error.into()),
        Err(TimelineError::Store(error)) => return Err(error.into()),
    };
    // What this instance wrote before it knew of a new timeline may be lost.
    let is_unchanged = before.is_none_or(|before| before == timeline);
    // Read before any row: a value that is missed from here on belongs to a later rebuild.
    let build = latest_view::build(&view.store).await?;
    let state = view::read_state(&view.cache).await?;
    view.observe(&state);
    if is_unchanged && state.is_complete(&build, timeline) {
        return Ok(true);
    }
    metrics::gauge!(crate::telemetry::names::VIEW_WHOLE).set(0.0);
    if is_unchanged && state.was_complete(&build, timeline) && !view.may_rebuild() {
        return Ok(false);
    }
    let Some(lock) = RebuildLock::acquire(&view.cache, &state).await? else { return Ok(false) };
    let started = Instant::now();
    let filled = tokio::select! {
        filled = fill(view) => filled,
        lost = lock.keep_alive() => lost.map(|()| None).map_err(RebuildError::Cache),
    };
    match filled {
        Ok(Some(devices)) => {
            let complete = lock.complete(&state, &build, timeline).await?;
            let seconds = started.elapsed().as_secs_f64();
            tracing::info!(devices, seconds, complete, "Redis view rebuilt");
            Ok(complete)
        }
        Ok(None) => {
            lock.release().await?;
            Ok(false)
        }
        Err(failure) => {
            // The first failure says why; if the release fails too, the lock expires.
            let _ = lock.release().await;
            Err(failure)
        }
    }
}

/// Writes all open alerts, the newest row of every device, and its information. Gives the number of devices; `None`: stopped.
async fn fill(view: &RedisView) -> Result<Option<usize>, RebuildError> {
    fill_alerts(view).await?;
    let (mut after, mut devices) = (String::new(), 0);
    loop {
        if view.stop.is_cancelled() {
            return Ok(None);
        }
        let page = health_data::newest_of_devices(&view.store, &after, PAGE_DEVICES).await?;
        view.write(&page.newest).await?;
        devices += page.newest.values.len();
        match page.next {
            Some(next) => after = next,
            None => break,
        }
    }
    after.clear();
    loop {
        if view.stop.is_cancelled() {
            return Ok(None);
        }
        let page = device_info::latest_of_devices(&view.store, &after, PAGE_DEVICES).await?;
        view.write_infos(&page.latest).await?;
        match page.next {
            Some(next) => after = next,
            None => break,
        }
    }
    sweep(view).await?;
    Ok(Some(devices))
}

/// Deletes values of an earlier timeline, which the database has lost, and lets those of devices that are gone expire.
async fn sweep(view: &RedisView) -> Result<(), RebuildError> {
    for hashes in [Hashes::Latest, Hashes::Infos] {
        let mut scan = hashes.scan(&view.cache).await?;
        while !view.stop.is_cancelled()
            && let Some(device_sns) = cache::sweep(&view.cache, &mut scan).await?
        {
            let gone = latest_view::gone(&view.store, &device_sns).await?;
            cache::expire(&view.cache, hashes, &gone).await?;
        }
    }
    Ok(())
}

/// Removes the alerts that have ended, then writes those that are open; ends early when stopped.
async fn fill_alerts(view: &RedisView) -> Result<(), RebuildError> {
    let mut scan = alert::scan(&view.cache).await?;
    while !view.stop.is_cancelled()
        && let Some(alerts) = alert::next_page(&view.cache, &mut scan).await?
    {
        if !alerts.is_empty() {
            view.write_alerts(&alert_change::now(&view.store, &alerts).await?).await?;
        }
    }
    let mut after = None;
    while !view.stop.is_cancelled() {
        let page = alert_change::open_alerts(&view.store, after.as_ref(), PAGE_DEVICES).await?;
        view.write_alerts(&page.alerts).await?;
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    Ok(())
}
