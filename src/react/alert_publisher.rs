//! Publishes changed alerts to the Redis view.
//!
//! Before: `vitals.show_alerts` records changes in the transaction that makes them; `queue` runs this worker. After: `cache::alert`.
//! Promise: every change is published; the newest state of an alert wins, whatever the order; changes claimed by an instance that died
//! are published by another when the lease ends; nothing waits for a Redis that is away: its view is rebuilt later.

use std::time::Duration;

use tokio::time::Instant;

use super::RedisView;
use crate::config::Settings;
use crate::queue::{Next, Worker};
use crate::store::lease::Lease;
use crate::store::{StoreError, alert_change};

/// Changes in one claim and one or two pipelines.
const CLAIM_CHANGES: u32 = 1000;

/// Publishes changed alerts.
#[derive(Debug)]
pub struct AlertPublisher {
    view: RedisView,
    lease: Lease,
    poll: Duration,
}

impl AlertPublisher {
    /// Publishes to the Redis of `view`.
    pub fn new(view: &RedisView, settings: &Settings) -> Self {
        Self {
            view: view.clone(),
            lease: Lease::new(settings.lease_seconds),
            poll: Duration::from_millis(settings.poll_interval_ms),
        }
    }

    /// Claims once and publishes the claimed changes; true: there may be more.
    async fn publish(&self) -> Result<bool, StoreError> {
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

impl Worker for AlertPublisher {
    fn name(&self) -> (&'static str, &'static str) {
        ("alert_change", "all")
    }

    async fn poll(&mut self, _reconnected: bool) -> Result<Next, StoreError> {
        self.view.yield_while_away().await;
        let full = self.view.store.with_timeout("alerts.poll", self.publish()).await?;
        let latest = Instant::now() + self.poll;
        Ok(if full { Next::Now } else { Next::Woken { gather: Duration::ZERO, latest } })
    }
}
