//! Applies policies on a timer, on both editions: jobs of TimescaleDB (Community) may not run, and on PostgreSQL 17.12 all of them
//! end in an error.
//!
//! Before: `app` starts it, in every instance of the service. After: `store::policy`, `apply_policies()`.
//! Promise: one of all instances applies at a time, every `policy_interval_seconds`; while the database is away the loop waits.

use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval_at};
use tokio_util::sync::CancellationToken;

use crate::config::Settings;
use crate::store::policy::PolicySession;
use crate::store::{Store, StoreError};

/// Applies policies until `stop`. The first time is one interval after the start, so that the rollups catch up first.
pub async fn run(store: Store, settings: Settings, stop: CancellationToken) {
    let every = Duration::from_secs(settings.policy_interval_seconds);
    let mut clock = interval_at(Instant::now() + every, every);
    clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = clock.tick() => {}
        }
        if let Err(error) = apply_if_leader(&store, &stop).await {
            tracing::warn!(%error, "policies are not applied");
        }
    }
}

async fn apply_if_leader(store: &Store, stop: &CancellationToken) -> Result<(), StoreError> {
    let session = PolicySession::open(store).await?;
    if !session.try_lock().await? {
        return Ok(());
    }
    let applied = tokio::select! {
        applied = session.apply() => Some(applied),
        () = stop.cancelled() => None,
    };
    match applied {
        Some(applied) => applied,
        None => {
            session.abandon().await;
            Ok(())
        }
    }
}
