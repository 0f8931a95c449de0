//! A clock that follows the time of the database.
//!
//! Before: PostgreSQL. After: `http` stamps what it receives, `notify` what it signs, `keys` sees which are over.
//! Promise: all instances use one time, whatever their own clocks show, so that no fresh breach counts as late; a step of the clock
//! of this machine has no effect; while the database is away, time continues from the last reading.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{Store, StoreError, statement};

/// How often the database is read: two clocks drift apart by less than a millisecond in that time.
const FOLLOW_EVERY: Duration = Duration::from_secs(10);

/// A reading that took longer is too inexact to use.
const LONGEST_ANSWER: Duration = Duration::from_secs(1);

/// A clock that follows the database's. Clones are the same clock.
#[derive(Debug, Clone)]
pub struct Clock {
    reading: Arc<Mutex<ClockReading>>,
}

/// The time of the database, and when it was read by the timer of this machine.
#[derive(Debug, Clone, Copy)]
struct ClockReading {
    time: Timestamp,
    at: Instant,
}

impl Clock {
    /// Reads the time once.
    ///
    /// # Errors
    /// The database is away.
    pub async fn read(store: &Store) -> Result<Self, StoreError> {
        let (reading, _) = ask(store).await?;
        Ok(Self { reading: Arc::new(Mutex::new(reading)) })
    }

    /// A clock that starts at this time and is never corrected.
    #[cfg(test)]
    pub(crate) fn stopped_at(time: Timestamp) -> Self {
        Self { reading: Arc::new(Mutex::new(ClockReading { time, at: Instant::now() })) }
    }

    /// Reads the time at intervals, and when another host accepts writes, until `stop`.
    pub async fn follow(self, store: Store, stop: CancellationToken) {
        let mut primary = store.primary();
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(FOLLOW_EVERY) => {}
                // Its clock may be ahead of that of the former host, or behind it.
                () = primary.changed() => {}
            }
            let answer = tokio::select! {
                () = stop.cancelled() => return,
                answer = store.with_timeout("clock.now", ask(&store)) => answer,
            };
            match answer {
                Ok((reading, took)) if took <= LONGEST_ANSWER => *self.lock() = reading,
                Ok((_, took)) => tracing::debug!(?took, "reading the time of the database took too long"),
                Err(error) => tracing::debug!(%error, "the time of the database could not be read"),
            }
        }
    }

    /// The time now.
    pub fn now(&self) -> Timestamp {
        let reading = *self.lock();
        reading.time.checked_add(reading.at.elapsed()).unwrap_or(reading.time)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, ClockReading> {
        // The lock is held for an assignment only, so the value is complete even after a panic.
        self.reading.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reads the time of the database, which is taken as that of the middle of the request; and how long the request took.
async fn ask(store: &Store) -> Result<(ClockReading, Duration), StoreError> {
    let client = store.client().await?;
    let began = Instant::now();
    let rows = statement!("clock", "now").query(&client, &[]).await?;
    let took = began.elapsed();
    let row = rows.first().ok_or_else(|| StoreError::State("clock.now returned no row".into()))?;
    Ok((ClockReading { time: row.get(0), at: began + took / 2 }, took))
}
