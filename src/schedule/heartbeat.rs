//! Writes a heartbeat of this instance every few seconds.
//!
//! Before: `app` starts it, in every instance of the service. After: `vitals.instance`, which `vitals migrate --contract` reads.
//! Promise: it ends, and with it the instance, when the schema no longer serves this program; an instance that stops is no longer
//! counted.

use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use crate::store::Store;
use crate::store::instance::Instance;

/// Writes until `stop`.
pub async fn run(store: Store, instance: Instance, stop: CancellationToken) {
    let mut clock = interval(Instance::BEAT_EVERY);
    clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            _ = clock.tick() => {}
        }
        match instance.beat(&store).await {
            Ok(true) => {}
            Ok(false) => {
                tracing::error!("a newer program has contracted the schema, which no longer serves this one");
                return;
            }
            Err(error) => tracing::debug!(%error, "no heartbeat"),
        }
    }
    if let Err(error) = instance.leave(&store).await {
        tracing::debug!(%error, "counted as running for a minute longer");
    }
}
