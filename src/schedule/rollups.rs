//! Keeps the rollups up to date, on both editions: a job of TimescaleDB does only what no service does.
//!
//! Before: `app` starts it, in every instance of the service. After: `store::rollups`, `refresh_rollups()`.
//! Promise: of all instances one refreshes at a time, as often as the policy says; a database that is away is waited for.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::store::rollups::Turn;
use crate::store::{Store, StoreError};
use crate::telemetry::names;

/// How often the policy is looked at between two refreshes that are far apart.
const FOLLOW_EVERY: Duration = Duration::from_secs(10);

/// Runs until `stop`.
pub async fn run(store: Store, stop: CancellationToken) {
    let mut waits = back_off();
    loop {
        let result = tokio::select! {
            () = stop.cancelled() => return,
            session = Turn::open(&store) => match session {
                Ok(turn) => keep_fresh(turn, &stop, || waits = back_off()).await,
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

/// Refreshes by the clock over one session; returns when asked to stop.
async fn keep_fresh(
    turn: Turn,
    stop: &CancellationToken,
    mut refreshed: impl FnMut(),
) -> Result<(), StoreError> {
    loop {
        let started = Instant::now();
        let result = tokio::select! {
            () = stop.cancelled() => None,
            result = refresh_in_turn(&turn) => Some(result),
        };
        let Some(result) = result else {
            turn.abandon().await;
            return Ok(());
        };
        let every = result?;
        refreshed();
        tokio::select! {
            () = stop.cancelled() => return Ok(()),
            waited = wait(&turn, started, every) => waited?,
        }
    }
}

/// Until the next refresh is due; a pace that is changed meanwhile counts at once.
async fn wait(turn: &Turn, started: Instant, mut every: Duration) -> Result<(), StoreError> {
    loop {
        let (due, look) = (started + every, Instant::now() + FOLLOW_EVERY);
        tokio::time::sleep_until(due.min(look)).await;
        if due <= look {
            return Ok(());
        }
        every = turn.refresh_every().await?;
    }
}

/// One refresh, if it is our turn. Gives the time to the next one.
async fn refresh_in_turn(turn: &Turn) -> Result<Duration, StoreError> {
    let every = turn.refresh_every().await?;
    if turn.take().await? {
        let started = Instant::now();
        turn.refresh().await?;
        metrics::histogram!(names::REFRESH_SECONDS).record(started.elapsed());
    }
    Ok(every)
}
