//! Refreshes the rollups on a timer, on both editions: the job of TimescaleDB refreshes only while no service runs.
//!
//! Before: `app` starts it, in every instance of the service. After: `store::rollups`, `refresh_rollups()`.
//! Promise: one of all instances refreshes at a time, as often as the policy says; while the database is away the loop waits.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::store::rollups::RefreshSession;
use crate::store::{Store, StoreError};
use crate::telemetry::names;

/// How often the policy is read between two refreshes that are far apart.
const READ_POLICY_EVERY: Duration = Duration::from_secs(10);

/// Runs until `stop`.
pub async fn run(store: Store, stop: CancellationToken) {
    let mut waits = back_off();
    loop {
        let result = tokio::select! {
            () = stop.cancelled() => return,
            session = RefreshSession::open(&store) => match session {
                Ok(session) => keep_fresh(session, &stop, || waits = back_off()).await,
                Err(error) => Err(error),
            },
        };
        let Err(error) = result else { return };
        let wait = waits.next().expect("does not end");
        tracing::warn!(%error, wait_seconds = wait.as_secs_f64(), "rollups are not refreshed");
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(wait) => {}
        }
    }
}

fn back_off() -> impl Iterator<Item = Duration> {
    ExponentialBuilder::default()
        .with_min_delay(Duration::from_millis(500))
        .with_max_delay(Duration::from_secs(20))
        .with_jitter()
        .without_max_times()
        .build()
}

/// Refreshes on a timer in one session; returns when asked to stop.
async fn keep_fresh(
    session: RefreshSession,
    stop: &CancellationToken,
    mut refreshed: impl FnMut(),
) -> Result<(), StoreError> {
    loop {
        let started = Instant::now();
        let result = tokio::select! {
            () = stop.cancelled() => None,
            result = refresh_if_leader(&session) => Some(result),
        };
        let Some(result) = result else {
            session.abandon().await;
            return Ok(());
        };
        let every = result?;
        refreshed();
        tokio::select! {
            () = stop.cancelled() => return Ok(()),
            waited = wait(&session, started, every) => waited?,
        }
    }
}

/// Waits until the next refresh is due; a change of the policy takes effect meanwhile.
async fn wait(session: &RefreshSession, started: Instant, mut every: Duration) -> Result<(), StoreError> {
    loop {
        let (due, read) = (started + every, Instant::now() + READ_POLICY_EVERY);
        tokio::time::sleep_until(due.min(read)).await;
        if due <= read {
            return Ok(());
        }
        every = session.refresh_every().await?;
    }
}

/// Refreshes once, if this instance holds the refresh lock. Gives the interval to the next refresh.
async fn refresh_if_leader(session: &RefreshSession) -> Result<Duration, StoreError> {
    let every = session.refresh_every().await?;
    if session.try_lock().await? {
        let started = Instant::now();
        session.refresh().await?;
        metrics::histogram!(names::REFRESH_SECONDS).record(started.elapsed());
    }
    Ok(every)
}
