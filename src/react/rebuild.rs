//! Rebuilding the view of latest values and open alerts from the database.
//!
//! Before: `react::latest` checks in intervals. After: `cache::latest`, the same door live values go through: newest
//! wins, so both may write at once. Promise: a view is marked whole only when every device and open alert known when the
//! build was read is in it and no alert that is over, nothing was flushed meanwhile, and no reaction had to do without Redis since.

use std::time::Instant;

use super::LatestView;
use crate::cache::alert;
use crate::cache::view::{self, Builder};
use crate::cache::{self, CacheError, Hashes};
use crate::store::{StoreError, alert_change, device_info, health_data, latest_view};
use crate::timeline::{self, TimelineError};

/// Devices in one query and one pipeline: a few milliseconds each, so live values hardly wait.
const PAGE_DEVICES: u32 = 500;

/// Why the view could not be checked or rebuilt.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    #[error(transparent)]
    Cache(#[from] CacheError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// True when Redis holds the whole view, be it after rebuilding it; false while another instance rebuilds it.
pub(super) async fn check(latest: &LatestView) -> Result<bool, Failure> {
    latest.cache.connect().await?;
    let before = latest.cache.timeline();
    let timeline = match timeline::settle(&latest.store, &latest.cache).await {
        Ok(number) => number,
        Err(TimelineError::Cache(error)) => return Err(error.into()),
        Err(TimelineError::Store(error)) => return Err(error.into()),
    };
    // What this instance showed while it did not know of the change may be gone.
    let is_unchanged = before.is_none_or(|before| before == timeline);
    // Read before any row: whatever is missed from here on belongs to a later build.
    let build = latest_view::build(&latest.store).await?;
    let view = view::look(&latest.cache).await?;
    let mark = view.mark_of(&build, timeline);
    if is_unchanged && view.mark.as_deref() == Some(mark.as_str()) {
        return Ok(true);
    }
    metrics::gauge!(crate::telemetry::names::VIEW_WHOLE).set(0.0);
    let Some(builder) = Builder::take(&latest.cache).await? else { return Ok(false) };
    let started = Instant::now();
    let filled = tokio::select! {
        filled = fill(latest) => filled,
        lost = builder.hold() => lost.map(|()| None).map_err(Failure::Cache),
    };
    match filled {
        Ok(Some(devices)) => {
            let whole = builder.complete(&mark).await?;
            let seconds = started.elapsed().as_secs_f64();
            tracing::info!(devices, seconds, whole, "view of latest values rebuilt");
            Ok(whole)
        }
        Ok(None) => {
            builder.release().await?;
            Ok(false)
        }
        Err(failure) => {
            // The first failure says why; if this one fails too, the right ends by time.
            let _ = builder.release().await;
            Err(failure)
        }
    }
}

/// Writes all open alerts, the newest row of every device, and what is known of it; `None`: stopped.
async fn fill(latest: &LatestView) -> Result<Option<usize>, Failure> {
    fill_alerts(latest).await?;
    let (mut after, mut devices) = (String::new(), 0);
    loop {
        if latest.stop.is_cancelled() {
            return Ok(None);
        }
        let page = health_data::newest_of_devices(&latest.store, &after, PAGE_DEVICES).await?;
        latest.write(&page.newest).await?;
        devices += page.newest.values.len();
        match page.next {
            Some(next) => after = next,
            None => break,
        }
    }
    after.clear();
    loop {
        if latest.stop.is_cancelled() {
            return Ok(None);
        }
        let page = device_info::latest_of_devices(&latest.store, &after, PAGE_DEVICES).await?;
        latest.write_infos(&page.latest).await?;
        match page.next {
            Some(next) => after = next,
            None => break,
        }
    }
    sweep(latest).await?;
    Ok(Some(devices))
}

/// Takes away what never was, as far as the database knows.
async fn sweep(latest: &LatestView) -> Result<(), Failure> {
    for hashes in [Hashes::Latest, Hashes::Infos] {
        let mut cursor = Some(0);
        while let Some(from) = cursor.filter(|_| !latest.stop.is_cancelled()) {
            cursor = cache::sweep(&latest.cache, hashes, from).await?;
        }
    }
    Ok(())
}

/// Takes away what is shown and over, then shows what is open; ends early when stopped.
async fn fill_alerts(latest: &LatestView) -> Result<(), Failure> {
    let mut cursor = Some(0);
    while let Some(from) = cursor.filter(|_| !latest.stop.is_cancelled()) {
        let step = alert::look(&latest.cache, from).await?;
        if !step.shown.is_empty() {
            latest.write_alerts(&alert_change::now(&latest.store, &step.shown).await?).await?;
        }
        cursor = step.next;
    }
    let mut after = Some((String::new(), 0));
    while let Some(from) = after.filter(|_| !latest.stop.is_cancelled()) {
        let page = alert_change::open_alerts(&latest.store, &from, PAGE_DEVICES).await?;
        latest.write_alerts(&page.alerts).await?;
        after = page.next;
    }
    Ok(())
}
