//! Whether a transaction is tried again, for uploads and replays alike.
//!
//! Before: `ingest::writer` and `ingest::replay` have failed. After: they try once more, or give up.
//! Promise: no more than [`MAX_TRIES`] where the database says that the same may work at once; while it is away only as
//! long as somebody waits, with a pause between.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::store::{Kind, StoreError};

/// Tries of one transaction when the database says that the same again may work.
const MAX_TRIES: u32 = 5;

/// Pause before a new connection is asked for while the database is away.
pub(super) const RECONNECT_PAUSE: Duration = Duration::from_millis(200);

/// The tries of one transaction.
#[derive(Debug)]
pub(super) struct Tries {
    made: u32,
    /// Until when a database that is away is waited for.
    until: Option<Instant>,
}

impl Tries {
    /// A database that is away is waited for until then.
    pub(super) fn until(until: Instant) -> Self {
        Self { made: 0, until: Some(until) }
    }

    /// A database that is away is not waited for.
    pub(super) fn at_once() -> Self {
        Self { made: 0, until: None }
    }

    /// After a try that failed: waits if that helps, and says whether to try again.
    pub(super) async fn again(&mut self, error: &StoreError) -> bool {
        self.made += 1;
        match error.kind() {
            Kind::Retry => self.made < MAX_TRIES,
            Kind::Down if self.until.is_some_and(|until| Instant::now() < until) => {
                tracing::warn!(%error, "database away, trying again");
                sleep(RECONNECT_PAUSE).await;
                true
            }
            _ => false,
        }
    }
}
