//! `org_unit`: the units of the directory that a caller may choose from.
//!
//! Before: `http::page`, for the filters of lists. After: the table.

use super::alert::Reach;
use super::{Statement, Store, StoreError, statement};
use crate::model::Id64;

const LIST: Statement = statement!("org_unit", "list");

/// Number and name of the units within a reach, by name, `limit` at most.
///
/// # Errors
/// The database cannot be asked.
pub async fn list(store: &Store, reach: Reach, limit: i64) -> Result<Vec<(Id64, String)>, StoreError> {
    let client = store.client().await?;
    let rows = LIST.query(&client, &[&reach.customer_id, &reach.org_id, &limit]).await?;
    Ok(rows.iter().map(|row| (Id64(row.get("org_id")), row.get("name"))).collect())
}
