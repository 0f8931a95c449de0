//! Which build of the Redis view of latest values is good.
//!
//! Before: `outbox::finish` raises it when a reaction had to do without Redis. After: `react` rebuilds a view that is
//! of another build.

use super::{Store, StoreError, statement};

/// The build a whole view is marked with: opaque, compared for equality.
///
/// # Errors
/// The database cannot be asked.
pub async fn build(store: &Store) -> Result<String, StoreError> {
    let client = store.client().await?;
    let rows = statement!("latest_view", "build").query(&client, &[]).await?;
    let row = rows.first().ok_or_else(|| StoreError::State("vitals.latest_view has no row".into()))?;
    Ok(row.get("build"))
}

/// Which of some devices have no row any more.
///
/// # Errors
/// The database cannot be asked.
pub async fn gone(store: &Store, device_sns: &[String]) -> Result<Vec<String>, StoreError> {
    let client = store.client().await?;
    let rows = statement!("latest_view", "gone").query(&client, &[&device_sns]).await?;
    Ok(rows.iter().map(|row| row.get("device_sn")).collect())
}
