//! The writer of the Redis view: latest values, device information and alerts; and the loop that checks the view.
//!
//! Before: `relay` calls [`RedisView::show`] with the rows it read back. After: `cache`. Promise: true means that Redis has all
//! values. False takes no time while Redis is away; the caller then reports it to `outbox::finish`, which marks the view as
//! incomplete, so that [`RedisView::watch`] rebuilds it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::rebuild;
use super::rebuild_pace::RebuildPace;
use crate::cache::view::ViewState;
use crate::cache::{self, Cache, CacheError, Shown};
use crate::config::Settings;
use crate::model::AlertUpdate;
use crate::store::Store;
use crate::store::device_info::LatestInfos;
use crate::store::health_data::NewestRows;
use crate::telemetry::names;
use crate::timeline::{self, TimelineError};

/// How long an instance without Redis leaves what was committed to the others. One that has Redis takes it within milliseconds.
const YIELD: Duration = Duration::from_millis(200);

/// The view in Redis. Clones are the same view.
#[derive(Debug, Clone)]
pub struct RedisView {
    pub(super) store: Store,
    pub(super) cache: Cache,
    pub(super) stop: CancellationToken,
    check_every: Duration,
    state: Arc<State>,
}

#[derive(Debug)]
struct State {
    /// Redis is away or refuses, and that was logged.
    away: AtomicBool,
    /// A value was missed: check at once whether Redis is back.
    check: Notify,
    /// Values were missed since the view was last complete.
    missed: AtomicBool,
    pace: Mutex<RebuildPace>,
}

impl RedisView {
    /// A view over `cache`; [`RedisView::watch`] ends with `stop`.
    pub fn new(store: Store, cache: Cache, settings: &Settings, stop: CancellationToken) -> Self {
        metrics::gauge!(names::VIEW_WHOLE).set(0.0);
        let check_every = Duration::from_millis(settings.view_check_interval_ms);
        let state = State {
            away: AtomicBool::new(false),
            check: Notify::new(),
            missed: AtomicBool::new(false),
            pace: Mutex::new(RebuildPace::new(check_every)),
        };
        Self { store, cache, stop, check_every, state: Arc::new(state) }
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
    pub async fn show_infos(&self, latest: &LatestInfos) -> bool {
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
        self.state.missed.store(true, Ordering::Relaxed);
        self.state.check.notify_one();
        false
    }

    pub(super) async fn write(&self, newest: &NewestRows) -> Result<(), CacheError> {
        self.persist(|| cache::latest::show(&self.cache, &newest.values, newest.read_version)).await
    }

    pub(super) async fn write_infos(&self, latest: &LatestInfos) -> Result<(), CacheError> {
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
                match show().await {
                    Err(CacheError::Timeline) => {
                        timeline::raise(&self.store, &self.cache).await.map_err(cache_error)?;
                        show().await?
                    }
                    shown => shown?,
                }
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
        timeline::resolve(&self.store, &self.cache).await.map(drop).map_err(cache_error)
    }

    /// Whether the view may be rebuilt because an instance missed values.
    pub(super) fn may_rebuild(&self) -> bool {
        self.pace().is_due(self.state.missed.load(Ordering::Relaxed), Instant::now())
    }

    /// Takes in what Redis says of its view.
    pub(super) fn observe(&self, state: &ViewState) {
        self.pace().observe(state.markers(), Instant::now());
    }

    fn pace(&self) -> MutexGuard<'_, RebuildPace> {
        // The lock is held for assignments only; a thread that panicked left complete values.
        self.state.pace.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits a moment while Redis is away, so that an instance that has it claims first. Whatever this one claims is missed, and costs a
    /// rebuild of the view.
    pub async fn yield_while_away(&self) {
        if self.state.away.load(Ordering::Relaxed) {
            sleep(YIELD).await;
        }
    }

    /// Checks every `view_check_interval_ms` whether Redis holds the complete view, and rebuilds it if it does not. Runs until
    /// the stop.
    pub async fn watch(self) {
        while !self.stop.is_cancelled() {
            match rebuild::check(&self).await {
                Ok(whole) => {
                    metrics::gauge!(names::VIEW_WHOLE).set(if whole { 1.0 } else { 0.0 });
                    self.state.missed.fetch_and(!whole, Ordering::Relaxed);
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

/// While the database does not answer, the timeline is not known.
fn cache_error(error: TimelineError) -> CacheError {
    match error {
        TimelineError::Cache(error) => error,
        TimelineError::Store(_) => CacheError::Timeline,
    }
}
