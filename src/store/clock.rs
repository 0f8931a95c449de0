//! The time, as the database has it.
//!
//! Before: PostgreSQL. After: `http` stamps what it receives, `notify` what it signs, `keys` sees which are over.
//! Promise: all instances have one time, whatever their own clocks say, so that a fresh breach is not taken for a late one; a
//! step of this machine's clock does not show; while the database is away time goes on from its last word.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{Store, StoreError, statement};

/// How often the database is asked: two clocks drift apart by less than a millisecond in that time.
const FOLLOW_EVERY: Duration = Duration::from_secs(10);

/// An answer that took longer says too little of the time it was given at.
const LONGEST_ANSWER: Duration = Duration::from_secs(1);

/// A clock that follows the database's. Clones are the same clock.
#[derive(Debug, Clone)]
pub struct Clock {
    said: Arc<Mutex<Said>>,
}

/// What the database said, and when by this machine's timer.
#[derive(Debug, Clone, Copy)]
struct Said {
    time: Timestamp,
    at: Instant,
}

impl Clock {
    /// Asks once.
    ///
    /// # Errors
    /// The database is away.
    pub async fn read(store: &Store) -> Result<Self, StoreError> {
        let (said, _) = ask(store).await?;
        Ok(Self { said: Arc::new(Mutex::new(said)) })
    }

    /// A clock that shows this time, and follows nothing.
    #[cfg(test)]
    pub(crate) fn stopped_at(time: Timestamp) -> Self {
        Self { said: Arc::new(Mutex::new(Said { time, at: Instant::now() })) }
    }

    /// Asks again and again until `stop`.
    pub async fn follow(self, store: Store, stop: CancellationToken) {
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(FOLLOW_EVERY) => {}
            }
            let asked = tokio::select! {
                () = stop.cancelled() => return,
                asked = store.unless_silent("clock.now", ask(&store)) => asked,
            };
            match asked {
                Ok((said, took)) if took <= LONGEST_ANSWER => *self.lock() = said,
                Ok((_, took)) => tracing::debug!(?took, "the database took too long to tell the time"),
                Err(error) => tracing::debug!(%error, "the database does not tell the time"),
            }
        }
    }

    /// The time now.
    pub fn now(&self) -> Timestamp {
        let said = *self.lock();
        said.time.checked_add(said.at.elapsed()).unwrap_or(said.time)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Said> {
        // The lock is held for an assignment only; one that panicked left a whole value.
        self.said.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What it said, taken to be the time half way through asking, and how long that took.
async fn ask(store: &Store) -> Result<(Said, Duration), StoreError> {
    let client = store.client().await?;
    let asked = Instant::now();
    let rows = statement!("clock", "now").query(&client, &[]).await?;
    let took = asked.elapsed();
    let row = rows.first().ok_or_else(|| StoreError::State("clock.now gave no row".into()))?;
    Ok((Said { time: row.get(0), at: asked + took / 2 }, took))
}
