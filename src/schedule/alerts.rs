//! What the clock does to alerts: they expire, devices fall silent and are heard again.
//!
//! Before: `app` starts it, in every instance of the service. After: `store::alert_sweep`; who is to be told is told by
//! `notify`. Promise: of all instances one sweeps at a time; a database that is away is waited for.

use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use crate::config::Settings;
use crate::store::wake::Announcer;
use crate::store::{Store, alert_sweep};

/// Sweeps every `alert_sweep_interval_ms` until `stop`.
pub async fn run(store: Store, notifications: Announcer, settings: Settings, stop: CancellationToken) {
    let mut clock = interval(Duration::from_millis(settings.alert_sweep_interval_ms));
    clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut failing = false;
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = clock.tick() => {}
        }
        match alert_sweep::sweep(&store).await {
            Ok(told) => {
                if told {
                    notifications.announce();
                }
                if std::mem::take(&mut failing) {
                    tracing::info!("alerts are swept again");
                }
            }
            Err(error) if !std::mem::replace(&mut failing, true) => {
                tracing::warn!(%error, "alerts neither expire nor are silent devices noticed until the next sweep");
            }
            Err(error) => tracing::debug!(%error, "alerts are not swept"),
        }
    }
}
