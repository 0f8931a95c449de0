//! Rebuilding the view of latest values and open alerts from the database.
//!
//! Before: `react::redis_view` checks in intervals. After: `cache::latest`, the same door live values go through: newest
//! wins, so both may write at once. Promise: a view is marked whole only when every device and open alert known when the
//! build was read is in it and no alert that is over, nothing was flushed meanwhile, and no reaction had to do without Redis since.

use std::time::Instant;

use super::RedisView;
use crate::cache::alert;
use crate::cache::view::{self, RebuildLock};
use crate::cache::{self, CacheError, Hashes};
use crate::store::{StoreError, alert_change, device_info, health_data, latest_view};
use crate::timeline::{self, TimelineError};

/// Devices in one query and one pipeline: a few milliseconds each, so live values hardly wait.
const PAGE_DEVICES: u32 = 500;

/// Why the view could not be checked or rebuilt.
#[derive(Debug, thiserror::Error)]
pub(super) enum RebuildError {
    #[error(transparent)]
    Cache(#[from] CacheError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// True when Redis holds the whole view, be it after rebuilding it; false while another instance rebuilds it.
pub(super) async fn check(view: &RedisView) -> Result<bool, RebuildError> {
    view.cache.connect().await?;
    let before = view.cache.timeline();
    let timeline = match timeline::resolve(&view.store, &view.cache).await {
        Ok(number) => number,
        Err(TimelineError::Cache(error)) => return Err(error.into()),
        Err(TimelineError::Store(error)) => return Err(error.into()),
    };
    // What this instance showed while it did not know of the change may be gone.
    let is_unchanged = before.is_none_or(|before| before == timeline);
    // Read before any row: whatever is missed from here on belongs to a later build.
    let build = latest_view::build(&view.store).await?;
    let state = view::read_state(&view.cache).await?;
    let marker = state.marker_for(&build, timeline);
    if is_unchanged && state.marker.as_deref() == Some(marker.as_str()) {
        return Ok(true);
    }
    metrics::gauge!(crate::telemetry::names::VIEW_WHOLE).set(0.0);
    let Some(lock) = RebuildLock::acquire(&view.cache).await? else { return Ok(false) };
    let started = Instant::now();
    let filled = tokio::select! {
        filled = fill(view) => filled,
        lost = lock.keep_alive() => lost.map(|()| None).map_err(RebuildError::Cache),
    };
    match filled {
        Ok(Some(devices)) => {
            let whole = lock.complete(&marker).await?;
            let seconds = started.elapsed().as_secs_f64();
            tracing::info!(devices, seconds, whole, "view of latest values rebuilt");
            Ok(whole)
        }
        Ok(None) => {
            lock.release().await?;
            Ok(false)
        }
        Err(failure) => {
            // The first failure says why; if this one fails too, the right ends by time.
            let _ = lock.release().await;
            Err(failure)
        }
    }
}

/// Writes all open alerts, the newest row of every device, and what is known of it; `None`: stopped.
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

/// Takes away what never was, as far as the database knows.
async fn sweep(view: &RedisView) -> Result<(), RebuildError> {
    for hashes in [Hashes::Latest, Hashes::Infos] {
        let mut cursor = Some(0);
        while let Some(from) = cursor.filter(|_| !view.stop.is_cancelled()) {
            cursor = cache::sweep(&view.cache, hashes, from).await?;
        }
    }
    Ok(())
}

/// Takes away what is shown and over, then shows what is open; ends early when stopped.
async fn fill_alerts(view: &RedisView) -> Result<(), RebuildError> {
    let mut cursor = Some(0);
    while let Some(from) = cursor.filter(|_| !view.stop.is_cancelled()) {
        let step = alert::scan(&view.cache, from).await?;
        if !step.shown.is_empty() {
            view.write_alerts(&alert_change::now(&view.store, &step.shown).await?).await?;
        }
        cursor = step.next;
    }
    let mut after = Some((String::new(), 0));
    while let Some(from) = after.filter(|_| !view.stop.is_cancelled()) {
        let page = alert_change::open_alerts(&view.store, &from, PAGE_DEVICES).await?;
        view.write_alerts(&page.alerts).await?;
        after = page.next;
    }
    Ok(())
}
