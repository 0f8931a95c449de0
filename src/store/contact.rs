//! `contact`: who can be notified, and to whom alerts can be assigned.
//!
//! Before: `http::api::contact`, `vitals alerts contacts`. After: the table.

use super::alert::of_json;
use super::{Statement, Store, StoreError, statement};
use crate::model::ContactSummary;

const LIST: Statement = statement!("contact", "list");

/// At most `limit` contacts with numbers above `after`; of a tenant, or of any.
///
/// # Errors
/// The database cannot be asked.
pub async fn list(
    store: &Store,
    customer_id: Option<i64>,
    after: i64,
    limit: i64,
) -> Result<Vec<ContactSummary>, StoreError> {
    let client = store.client().await?;
    let rows = LIST.query(&client, &[&customer_id, &after, &limit]).await?;
    rows.iter().map(|row| of_json(row, "contact")).collect()
}
