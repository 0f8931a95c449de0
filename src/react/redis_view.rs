//! The writer of the Redis view: latest values, device information and alerts; and the loop that checks the view.
//!
//! Before: `relay` calls [`RedisView::show`] with the rows it read back. After: `cache`. Promise: true means that Redis has all
//! values. False takes no time while Redis is away; the caller then reports it to `outbox::finish`, which marks the view as
//! incomplete, so that [`RedisView::watch`] rebuilds it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::rebuild;
use crate::cache::{self, Cache, CacheError, Shown};
use crate::config::Settings;
use crate::model::AlertUpdate;
use crate::store::Store;
use crate::store::device_info::Latest;
use crate::store::health_data::NewestRows;
use crate::telemetry::names;
use crate::timeline::{self, TimelineError};

/// The view in Redis. Clones are the same view.
#[derive(Debug, Clone)]
pub struct RedisView {
    pub(super) store: Store,
    pub(super) cache: Cache,
    pub(super) stop: CancellationToken,
    check_every: Duration,
    state: Arc<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Redis is away or refuses, and that was logged.
    away: AtomicBool,
    /// A value was missed: check at once whether Redis is back.
    check: Notify,
}

impl RedisView {
    /// A view over `cache`; [`RedisView::watch`] ends with `stop`.
    pub fn new(store: Store, cache: Cache, settings: &Settings, stop: CancellationToken) -> Self {
        metrics::gauge!(names::VIEW_WHOLE).set(0.0);
        Self {
            store,
            cache,
            stop,
            check_every: Duration::from_millis(settings.view_check_interval_ms),
            state: Arc::default(),
        }
    }

    /// Writes the newest rows of some batches; false: some did not reach Redis.
    pub async fn show(&self, newest: &NewestRows) -> bool {
        if newest.values.is_empty() {
            return true;
        }
        let written = self.write(newest).await;
        self.is_shown(written, newest.values.len())
    }

    /// Writes the information of devices of some batches; false: some did not reach Redis.
    pub async fn show_infos(&self, latest: &Latest) -> bool {
        let written = self.write_infos(latest).await;
        self.is_shown(written, latest.infos.len())
    }

    /// Writes the state of alerts; false: some did not reach Redis.
    pub async fn show_alerts(&self, alerts: &[AlertUpdate]) -> bool {
        let written = self.write_alerts(alerts).await;
        self.is_shown(written, alerts.len())
    }

    fn is_shown(&self, written: Result<(), CacheError>, values: usize) -> bool {
        let Err(error) = written else { return true };
        metrics::counter!(names::LATEST, "outcome" => "missed").increment(values as u64);
        metrics::gauge!(names::VIEW_WHOLE).set(0.0);
        self.log_away(&error);
        self.state.check.notify_one();
        false
    }

    pub(super) async fn write(&self, newest: &NewestRows) -> Result<(), CacheError> {
        self.persist(|| cache::latest::show(&self.cache, &newest.values, newest.read_version)).await
    }

    pub(super) async fn write_infos(&self, latest: &Latest) -> Result<(), CacheError> {
        self.persist(|| cache::device_info::show(&self.cache, &latest.infos, latest.read_version)).await
    }

    pub(super) async fn write_alerts(&self, alerts: &[AlertUpdate]) -> Result<(), CacheError> {
        self.persist(|| cache::alert::show(&self.cache, alerts)).await
    }

    /// Writes, and retries once on a new connection: most failures are a connection that has just broken.
    async fn persist<F: Future<Output = Result<Shown, CacheError>>>(
        &self,
        show: impl Fn() -> F,
    ) -> Result<(), CacheError> {
        let shown = match show().await {
            Err(CacheError::Timeline) => {
                self.resolve_timeline().await?;
                show().await?
            }
            Err(error) if !matches!(error, CacheError::Away) => {
                self.cache.connect().await?;
                show().await?
            }
            shown => shown?,
        };
        metrics::counter!(names::LATEST, "outcome" => "written").increment(shown.written);
        metrics::counter!(names::LATEST, "outcome" => "older").increment(shown.older);
        Ok(())
    }

    /// Resolves the timeline: it is not known yet, or another instance found a later one.
    async fn resolve_timeline(&self) -> Result<(), CacheError> {
        match timeline::resolve(&self.store, &self.cache).await {
            Ok(_) => Ok(()),
            Err(TimelineError::Cache(error)) => Err(error),
            Err(TimelineError::Store(_)) => Err(CacheError::Timeline),
        }
    }

    /// Checks every `view_check_interval_ms` whether Redis holds the complete view, and rebuilds it if it does not. Runs until
    /// the stop.
    pub async fn watch(self) {
        while !self.stop.is_cancelled() {
            match rebuild::check(&self).await {
                Ok(whole) => {
                    metrics::gauge!(names::VIEW_WHOLE).set(if whole { 1.0 } else { 0.0 });
                    if self.state.away.swap(false, Ordering::Relaxed) {
                        tracing::info!("Redis is back");
                    }
                }
                Err(rebuild::RebuildError::Cache(error)) => {
                    metrics::gauge!(names::VIEW_WHOLE).set(0.0);
                    self.log_away(&error);
                }
                // The relay logs it; while the database is away nothing new is missed either.
                Err(rebuild::RebuildError::Store(error)) => {
                    tracing::debug!(%error, "Redis view not checked")
                }
            }
            self.pause().await;
        }
    }

    /// Waits for the next check: shortly after a missed value, else for the interval.
    async fn pause(&self) {
        let missed = async {
            self.state.check.notified().await;
            sleep(self.check_every / 10).await;
        };
        tokio::select! {
            () = self.stop.cancelled() => {}
            () = sleep(self.check_every) => {}
            () = missed => {}
        }
    }

    fn log_away(&self, error: &CacheError) {
        if !self.state.away.swap(true, Ordering::Relaxed) {
            tracing::warn!(%error, "Redis does not take latest values; uploads and alerts go on, the view is rebuilt when Redis is back");
        }
    }
}
