//! Records every few seconds that this instance can receive and store uploads.
//!
//! Before: `app` starts it, in every instance of the service. After: `vitals.reception_period`. Promise: while one instance can store,
//! the period lasts; after an outage of all of them, or of the database, a new one begins, and no device counts as silent because of it.

use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use crate::store::{Store, reception};

/// Well below the half minute after which `vitals.record_reception` begins a new period.
const EVERY: Duration = Duration::from_secs(5);

/// How late uploads may be stored for the service to count as receiving: those of a buffer are stored after an outage.
pub const MAX_DELAY: Duration = Duration::from_secs(30);

/// Records until `stop`, except while `is_late`: then what devices have sent is not stored yet, and silence would be wrong.
pub async fn run(store: Store, is_late: impl Fn() -> bool, stop: CancellationToken) {
    let mut clock = interval(EVERY);
    clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = clock.tick() => {}
        }
        if is_late() {
            continue;
        }
        if let Err(error) = reception::record(&store).await {
            tracing::debug!(%error, "the service cannot store uploads now");
        }
    }
}
