//! Where reads that change nothing go: to a standby that is close enough behind, else to the primary.
//!
//! Before: `http` reads lists, summaries and statistics. After: the query runs on a server of `read.database_url`, or on that of
//! `database_url`.
//! Promise: a read has everything that was committed `read.max_lag_ms` ago, and every change made through the API before it. Whatever
//! is wrong with a standby costs a read some time, and fails none.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use super::read_horizon::{Lsn, ReadHorizon};
use super::wake::Wake;
use super::{Store, StoreError, statement};
use crate::config::Settings;
use crate::telemetry::names;

/// How often within `read.max_lag_ms` the primary is asked how far it is.
const SAMPLES_PER_LAG: u32 = 4;

/// After a failed read no standby is tried for so long.
const PAUSE: Duration = Duration::from_secs(1);

/// Where reads go. Clones are the same.
#[derive(Debug, Clone)]
pub struct Reads {
    primary: Store,
    /// `None`: there is no `read.database_url`.
    standby: Option<Arc<Standby>>,
}

#[derive(Debug)]
struct Standby {
    store: Store,
    horizon: Arc<ReadHorizon>,
    sample_every: Duration,
    paused_until: Mutex<Option<Instant>>,
}

impl Reads {
    /// Connects to nothing yet.
    ///
    /// # Errors
    /// `read.database_url` is not a URL.
    pub fn new(settings: &Settings, primary: &Store) -> Result<Self, StoreError> {
        let mut reads = Self { primary: primary.clone(), standby: None };
        if let Some(of_standbys) = settings.of_standbys() {
            let max_lag = settings.read.max_lag();
            let horizon = Arc::new(ReadHorizon::new(max_lag));
            reads.standby = Some(Arc::new(Standby {
                store: Store::of_standbys(&of_standbys, Arc::clone(&horizon))?,
                horizon,
                sample_every: max_lag / SAMPLES_PER_LAG,
                paused_until: Mutex::default(),
            }));
        }
        Ok(reads)
    }

    /// Reads from a standby or, where none is good enough or the read fails there, from the primary.
    ///
    /// # Errors
    /// Those of `read` on the primary.
    pub async fn run<T>(
        &self,
        read: impl AsyncFnOnce(Store) -> Result<T, StoreError> + Clone,
    ) -> Result<T, StoreError> {
        if let Some(standby) = self.standby.as_ref().filter(|standby| standby.may_be_tried()) {
            match read.clone()(standby.store.clone()).await {
                Ok(answer) => {
                    metrics::counter!(names::READS, "server" => "standby").increment(1);
                    return Ok(answer);
                }
                Err(error) => {
                    tracing::debug!(%error, "not read from a standby");
                    standby.pause();
                }
            }
        }
        metrics::counter!(names::READS, "server" => "primary").increment(1);
        read(self.primary.clone()).await
    }

    /// Something was changed: whoever reads from now on, through this instance or another, reads the change. The answer to the change
    /// waits for this.
    pub async fn changed(&self) {
        let Some(standby) = &self.standby else { return };
        standby.horizon.changed(Instant::now());
        let notified = async {
            let client = self.primary.client().await?;
            statement!("reads", "notify_change").query(&client, &[]).await
        };
        if let Err(error) = self.primary.with_timeout("reads.notify_change", notified).await {
            tracing::warn!(%error, "other instances were not notified of a change; they may show it later");
        }
    }

    /// Samples how far the primary is, and learns of changes through other instances, until `stop`.
    pub async fn follow(self, mut change: Wake, stop: CancellationToken) {
        let Some(standby) = &self.standby else { return stop.cancelled().await };
        let mut primary = self.primary.primary();
        let mut ticks = tokio::time::interval(standby.sample_every);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        // What was notified while there was no connection is lost.
        change.arm();
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = primary.changed() => standby.horizon.forget(),
                () = change.woken() => {
                    change.arm();
                    standby.horizon.changed(Instant::now());
                }
                _ = ticks.tick() => {}
            }
            let requested_at = Instant::now();
            let sampled = tokio::select! {
                () = stop.cancelled() => return,
                sampled = self.primary.with_timeout("reads.position", self.position()) => sampled,
            };
            match sampled {
                Ok(lsn) => standby.horizon.sampled(requested_at, lsn),
                Err(error) => tracing::debug!(%error, "it is not known how far the primary is"),
            }
        }
    }

    async fn position(&self) -> Result<Lsn, StoreError> {
        let client = self.primary.client().await?;
        let rows = statement!("reads", "position").query(&client, &[]).await?;
        let row = rows.first().ok_or_else(|| StoreError::State("reads.position gave no row".into()))?;
        Ok(row.get("lsn"))
    }

    /// Closes the connections to standbys.
    pub fn close(&self) {
        if let Some(standby) = &self.standby {
            standby.store.close();
        }
    }
}

impl Standby {
    fn may_be_tried(&self) -> bool {
        let paused_until = *self.paused_until.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        paused_until.is_none_or(|until| now >= until) && self.horizon.required(now).is_some()
    }

    fn pause(&self) {
        *self.paused_until.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now() + PAUSE);
    }
}
