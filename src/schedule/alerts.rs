//! Sweeps alerts on a timer: alerts expire, devices become silent or send once more.
//!
//! Before: `app` starts it, in every instance of the service. After: `store::alert_sweep`; `notify` sends the notifications.
//! Promise: one of all instances sweeps at a time; while the database is away the loop waits for it.

use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use crate::config::Settings;
use crate::store::wake::{Announcer, Wake};
use crate::store::{Store, alert_sweep};

/// Sweeps every `alert_sweep_interval_ms`, and when `wake` says so, until `stop`.
pub async fn run(
    store: Store,
    mut wake: Wake,
    notifications: Announcer,
    settings: Settings,
    stop: CancellationToken,
) {
    let mut clock = interval(Duration::from_millis(settings.alert_sweep_interval_ms));
    clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut failing = false;
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = clock.tick() => {}
            // A rule was disabled: its alerts are resolved at once.
            () = wake.woken() => {}
        }
        // Armed before the sweep: a rule that is disabled meanwhile causes another one.
        wake.arm();
        match alert_sweep::sweep(&store).await {
            Ok(has_notifications) => {
                if has_notifications {
                    notifications.announce();
                }
                if std::mem::take(&mut failing) {
                    tracing::info!("alert sweeps work again");
                }
            }
            Err(error) if !std::mem::replace(&mut failing, true) => {
                tracing::warn!(%error, "alert sweep failed: until the next one alerts do not expire and silent devices are not noticed");
            }
            Err(error) => tracing::debug!(%error, "alert sweep failed"),
        }
    }
}
