//! The worker that notifies people until somebody has acknowledged an alert: it does the steps that are due.
//!
//! Before: `vitals.notify_alerts` begins the steps. After: the sender loops send the notifications that a step adds.
//! Promise: steps survive restarts; of several instances one does each; an acknowledged alert has none.

use std::time::Duration;

use tokio::time::Instant;

use crate::config::Settings;
use crate::queue::{Next, Worker};
use crate::store::wake::Announcer;
use crate::store::{Store, StoreError, notification_step};

/// Steps of one transaction.
const MAX_STEPS: i32 = 500;

pub(super) struct StepWorker {
    store: Store,
    notifications: Announcer,
    poll: Duration,
}

impl StepWorker {
    pub(super) fn new(store: &Store, notifications: Announcer, settings: &Settings) -> Self {
        Self { store: store.clone(), notifications, poll: Duration::from_millis(settings.poll_interval_ms) }
    }
}

impl Worker for StepWorker {
    fn name(&self) -> (&'static str, &'static str) {
        ("notification_step", "all")
    }

    async fn poll(&mut self, _reconnected: bool) -> Result<Next, StoreError> {
        let due = notification_step::notify_due(&self.store, MAX_STEPS);
        let steps = self.store.with_timeout("notify.steps", due).await?;
        if steps > 0 {
            self.notifications.announce();
        }
        let latest = Instant::now() + self.poll;
        Ok(if steps == MAX_STEPS { Next::Now } else { Next::Woken { gather: Duration::ZERO, latest } })
    }
}
