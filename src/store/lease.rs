//! The lease of rows of a queue: `outbox`, `vitals.alert_change`, `notification`.
//!
//! Before: a worker makes one. After: its token and its end stand in the rows that are claimed. Promise: nobody else has its token.

use std::time::Duration;

use uuid::Uuid;

/// A token and how long a claim holds.
#[derive(Debug, Clone)]
pub struct Lease {
    token: Uuid,
    seconds: f64,
}

impl Lease {
    /// A lease nobody else has, of `seconds` per claim or renewal.
    pub fn new(seconds: u32) -> Self {
        Self { token: Uuid::new_v4(), seconds: seconds.into() }
    }

    /// Identifies the lease.
    pub(super) fn token(&self) -> Uuid {
        self.token
    }

    /// How long a claim holds.
    pub fn duration(&self) -> Duration {
        Duration::from_secs_f64(self.seconds)
    }

    /// The same in seconds.
    pub(super) fn seconds(&self) -> f64 {
        self.seconds
    }
}
