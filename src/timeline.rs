//! Which timeline of the database Redis is shown: a number that is raised whenever the database went back.
//!
//! Before: `owners` and `react` are about to read Redis, or to write there what they read from PostgreSQL. After: `cache` carries the
//! number in everything that is compared.
//! Promise: after a restore or a promotion that lost transactions, nothing of before wins over what the database has. A promotion that
//! lost none raises the number too, and costs a rebuild of the view.
//!
//! The number is kept in Redis beside what it is compared with, so an older copy of Redis takes both back together.

use crate::cache::{Cache, CacheError, timeline};
use crate::store::{Store, StoreError, timeline as database};

/// Why it is not known.
#[derive(Debug, thiserror::Error)]
pub enum TimelineError {
    /// Redis did not answer.
    #[error(transparent)]
    Cache(#[from] CacheError),
    /// The database did not.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Finds out the number, raises it if the database went back, and lets `cache` know it.
///
/// # Errors
/// [`TimelineError`]; what `cache` knew before stays.
pub async fn resolve(store: &Store, cache: &Cache) -> Result<i64, TimelineError> {
    loop {
        // Redis first: a database that did not go back is then at least where Redis saw it.
        let seen = timeline::read(cache).await?;
        let now = database::position(store).await?;
        let at = timeline::DatabasePosition { origin: &now.origin, position: now.number };
        // Somebody else raised it meanwhile: look again.
        if let Some(number) = timeline::update(cache, &seen, at).await? {
            return Ok(number);
        }
    }
}

/// The number, found out only if `cache` does not know it.
///
/// # Errors
/// [`TimelineError`].
pub async fn current(store: &Store, cache: &Cache) -> Result<i64, TimelineError> {
    match cache.timeline() {
        Some(number) => Ok(number),
        None => resolve(store, cache).await,
    }
}
