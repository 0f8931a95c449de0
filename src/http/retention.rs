//! How old a sample may be: a cached copy of the policy for raw rows.
//!
//! Before: a DBA changes `policy`. After: older samples are rejected as `too_old`.
//! Promise: a change takes effect within [`FOLLOW_EVERY`]; while the database is away the last known policy applies.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio_util::sync::CancellationToken;

use crate::store::{Store, StoreError, policy};

/// How often the policy is read.
pub const FOLLOW_EVERY: Duration = Duration::from_secs(30);

const UNLIMITED: i64 = i64::MAX;

/// Age from which raw rows may be dropped.
#[derive(Debug, Clone)]
pub struct RawRetention {
    keep_seconds: Arc<AtomicI64>,
}

impl RawRetention {
    /// Reads the policy once.
    ///
    /// # Errors
    /// The database is away.
    pub async fn read(store: &Store) -> Result<Self, StoreError> {
        let retention = Self { keep_seconds: Arc::new(AtomicI64::new(UNLIMITED)) };
        retention.refresh(store).await?;
        Ok(retention)
    }

    /// Reads the policy again and again until `stop`.
    pub async fn follow(self, store: Store, stop: CancellationToken) {
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(FOLLOW_EVERY) => {}
            }
            if let Err(error) = store.with_timeout("policy.raw_keep_seconds", self.refresh(&store)).await {
                tracing::warn!(%error, "retention of raw rows not read, the last known one applies");
            }
        }
    }

    /// Oldest event time that is accepted at `now`; `None`: any.
    pub fn oldest(&self, now: Timestamp) -> Option<Timestamp> {
        match self.keep_seconds.load(Ordering::Relaxed) {
            UNLIMITED => None,
            seconds => now.checked_sub(SignedDuration::from_secs(seconds)).ok(),
        }
    }

    async fn refresh(&self, store: &Store) -> Result<(), StoreError> {
        let seconds = policy::raw_keep_seconds(store).await?;
        self.keep_seconds.store(seconds.unwrap_or(UNLIMITED), Ordering::Relaxed);
        Ok(())
    }
}
