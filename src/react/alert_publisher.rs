//! The loop that publishes changed alerts to the Redis view.
//!
//! Before: `vitals.show_alerts` records changes in the transaction that makes them; this loop is woken, or polls. After:
//! `cache::alert`. Promise: every change is published; the newest state of an alert wins, whatever the order; changes claimed by
//! an instance that died are published by another when the lease ends; nothing waits for a Redis that is away: its view is
//! rebuilt later.

use std::time::Duration;

use backon::ExponentialBackoff;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::RedisView;
use crate::config::Settings;
use crate::store::outbox::Lease;
use crate::store::wake::Wake;
use crate::store::{StoreError, alert_change, outage_delays};

/// Changes in one claim and one or two pipelines.
const CLAIM_CHANGES: u32 = 1000;

/// Publishes changed alerts.
#[derive(Debug)]
pub struct AlertPublisher {
    view: RedisView,
    wake: Wake,
    lease: Lease,
    poll: Duration,
}

impl AlertPublisher {
    /// Publishes to the Redis of `view`.
    pub fn new(view: &RedisView, wake: Wake, settings: &Settings) -> Self {
        Self {
            view: view.clone(),
            wake,
            lease: Lease::new(settings.lease_seconds),
            poll: Duration::from_millis(settings.poll_interval_ms),
        }
    }

    /// Runs until `stop`; claimed changes are finished.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut outage: Option<ExponentialBackoff> = None;
        while !stop.is_cancelled() {
            self.wake.arm();
            let pause = match self.view.store.with_timeout("alerts.poll", self.poll()).await {
                Ok(full) => {
                    outage = None;
                    if full { Duration::ZERO } else { self.poll }
                }
                Err(error) => {
                    if outage.is_none() {
                        tracing::warn!(%error, "alerts are not published while the database is away");
                    }
                    outage.get_or_insert_with(outage_delays).next().unwrap_or_default()
                }
            };
            let woken = async {
                // A wake-up does not end the wait for a database that is away.
                if outage.is_some() { std::future::pending().await } else { self.wake.woken().await }
            };
            tokio::select! {
                () = stop.cancelled() => {}
                () = sleep(pause) => {}
                () = woken => {}
            }
            self.view.yield_while_away().await;
        }
    }

    /// Claims once and publishes the claimed changes; true: there may be more.
    async fn poll(&self) -> Result<bool, StoreError> {
        let store = &self.view.store;
        let claimed = alert_change::claim(store, &self.lease, CLAIM_CHANGES).await?;
        if claimed.change_ids.is_empty() {
            return Ok(false);
        }
        let alerts = alert_change::now(store, &claimed.alerts).await?;
        let missed = !self.view.show_alerts(&alerts).await;
        alert_change::finish(store, &self.lease, &claimed.change_ids, missed).await?;
        Ok(claimed.change_ids.len() >= CLAIM_CHANGES as usize)
    }
}
