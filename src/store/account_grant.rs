//! `account_grant`: what accounts may see and do.
//!
//! Before: `vitals people`; `/admin/accounts`; `accounts`, where an OIDC provider reports groups. After: the table, whose trigger notifies every instance.

use super::{Statement, Store, StoreError, statement};
use crate::model::{Id64, Role};

const ADD: Statement = statement!("account_grant", "add");
const FOLLOW_GROUPS: Statement = statement!("account_grant", "follow_groups");
const REVOKE: Statement = statement!("account_grant", "revoke");
const UNITS: Statement = statement!("account_grant", "units");

/// A role in a tenant or unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewGrant {
    /// The role.
    pub role: Role,
    /// Its tenant; `None`: every one.
    pub customer_id: Option<i64>,
    /// Its organisation unit; `None`: it is not limited to one.
    pub org_id: Option<i64>,
}

/// Grants it to the account of this login name; returns the number of the grant. `None`: there is no such account.
///
/// # Errors
/// The database is away, or refuses it.
pub async fn add(
    store: &Store,
    login: &str,
    grant: NewGrant,
    granted_by: &str,
) -> Result<Option<i64>, StoreError> {
    let client = store.client().await?;
    let NewGrant { role, customer_id, org_id } = grant;
    let rows = ADD.query(&client, &[&login, &role.name(), &customer_id, &org_id, &granted_by]).await?;
    Ok(rows.first().map(|row| row.get("grant_id")))
}

/// Makes the grants that come from the OIDC provider these. Returns the grant in which a session begins; `None`: there is none.
///
/// # Errors
/// The database is away.
pub async fn follow_groups(
    store: &Store,
    account_id: i64,
    issuer: &str,
    grants: &[NewGrant],
) -> Result<Option<i64>, StoreError> {
    let roles: Vec<&str> = grants.iter().map(|grant| grant.role.name()).collect();
    let customer_ids: Vec<Option<i64>> = grants.iter().map(|grant| grant.customer_id).collect();
    let org_ids: Vec<Option<i64>> = grants.iter().map(|grant| grant.org_id).collect();
    let client = store.client().await?;
    let rows = FOLLOW_GROUPS.query(&client, &[&account_id, &issuer, &roles, &customer_ids, &org_ids]).await?;
    Ok(rows.first().and_then(|row| row.get("grant_id")))
}

/// Revokes grants of the account of this login name, which ends the sessions that use them; `None`: all of them. Returns their numbers.
///
/// # Errors
/// The database is away.
pub async fn revoke(store: &Store, login: &str, grant_ids: Option<&[i64]>) -> Result<Vec<i64>, StoreError> {
    let client = store.client().await?;
    let rows = REVOKE.query(&client, &[&login, &grant_ids]).await?;
    Ok(rows.iter().map(|row| row.get("grant_id")).collect())
}

/// Number and name of the units in which a role can be granted: those of a tenant, or a unit of it with its sub-units.
///
/// # Errors
/// The database is away.
pub async fn units(
    store: &Store,
    customer_id: i64,
    org_id: Option<i64>,
) -> Result<Vec<(Id64, String)>, StoreError> {
    let client = store.client().await?;
    let rows = UNITS.query(&client, &[&customer_id, &org_id]).await?;
    Ok(rows.iter().map(|row| (Id64(row.get("org_id")), row.get("name"))).collect())
}
