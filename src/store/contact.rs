//! `contact`: who can be notified, and to whom alerts can be assigned.
//!
//! Before: `http::api::contact`, `http::api::alert_assignment`, `vitals alerts contacts`. After: the table.

use std::collections::HashSet;

use super::alert::{Reach, of_json};
use super::{Statement, Store, StoreError, statement};
use crate::model::ContactSummary;

const LIST: Statement = statement!("contact", "list");
const OWN: Statement = statement!("contact", "own");
const IS_WITHIN: Statement = statement!("contact", "is_within");

/// At most `limit` contacts with numbers above `after`, within the reach of a caller.
///
/// # Errors
/// The database cannot be asked.
pub async fn list(
    store: &Store,
    reach: Reach,
    after: i64,
    limit: i64,
) -> Result<Vec<ContactSummary>, StoreError> {
    let client = store.client().await?;
    let rows = LIST.query(&client, &[&reach.customer_id, &reach.org_id, &after, &limit]).await?;
    rows.iter().map(|row| of_json(row, "contact")).collect()
}

/// Numbers of the contacts that belong to this tenant alone.
///
/// # Errors
/// The database cannot be asked.
pub async fn own(store: &Store, customer_id: i64) -> Result<HashSet<i64>, StoreError> {
    let client = store.client().await?;
    let rows = OWN.query(&client, &[&customer_id]).await?;
    Ok(rows.iter().map(|row| row.get("contact_id")).collect())
}

/// Whether a contact is within the reach of a caller. False also if there is none of this number.
///
/// # Errors
/// The database cannot be asked.
pub async fn is_within(store: &Store, contact_id: i64, reach: Reach) -> Result<bool, StoreError> {
    let client = store.client().await?;
    let rows = IS_WITHIN.query(&client, &[&contact_id, &reach.customer_id, &reach.org_id]).await?;
    Ok(rows.first().is_some_and(|row| row.get("is_within")))
}
