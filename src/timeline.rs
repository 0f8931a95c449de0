//! The timeline: a number that rises whenever the database goes back, that is, loses transactions.
//!
//! Before: `owners` and `react` are about to read Redis, or to write values from PostgreSQL to it. After: `cache` stores the number with
//! every value that is compared.
//! Promise: after a restore or a promotion that lost transactions, no older value in Redis wins over what the database has. A
//! promotion that lost none raises the number too, and costs a rebuild of the view.
//!
//! The number is kept in Redis next to the values it is compared with, so a restore of an older copy of Redis restores both.

use crate::cache::{Cache, CacheError, timeline};
use crate::store::{Store, StoreError, timeline as database};

/// Why the timeline is not known.
#[derive(Debug, thiserror::Error)]
pub enum TimelineError {
    /// Redis did not answer.
    #[error(transparent)]
    Cache(#[from] CacheError),
    /// The database did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Reads the timeline, raises it if the database went back, and stores it in `cache`.
///
/// # Errors
/// [`TimelineError`]; `cache` keeps the timeline it had.
pub async fn resolve(store: &Store, cache: &Cache) -> Result<i64, TimelineError> {
    update(store, cache, false).await
}

/// Raises the timeline: values in Redis carry a later one than the record. The master that holds the record was replaced by a replica
/// that had not received the last rise yet; the values lie on others.
///
/// # Errors
/// [`TimelineError`]; `cache` keeps the timeline it had.
pub async fn raise(store: &Store, cache: &Cache) -> Result<i64, TimelineError> {
    update(store, cache, true).await
}

async fn update(store: &Store, cache: &Cache, is_behind: bool) -> Result<i64, TimelineError> {
    loop {
        // Redis first: a database that did not go back is then at or past the recorded position.
        let record = timeline::read(cache).await?;
        let now = database::position(store).await?;
        let position = timeline::DatabasePosition { origin: &now.origin, number: now.number };
        // None: another instance changed the record in between, so read it once more.
        if let Some(number) = timeline::update(cache, &record, position, is_behind).await? {
            return Ok(number);
        }
    }
}

/// The timeline; it is resolved only if `cache` does not know it.
///
/// # Errors
/// [`TimelineError`].
pub async fn current(store: &Store, cache: &Cache) -> Result<i64, TimelineError> {
    match cache.timeline() {
        Some(number) => Ok(number),
        None => resolve(store, cache).await,
    }
}
