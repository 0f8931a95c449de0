//! The roles: what the service, a dashboard and a DBA may do.
//!
//! Before: `vitals roles`, and the tests, as the owner of the tables. After: whoever is given one of the roles.
//! Promise: applied again, each role has what its file says and nothing else; no password is set.

use super::{Store, StoreError};

/// A file of `sql/roles`, named as the role it is about.
macro_rules! role {
    ($name:literal) => {
        ($name, include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/sql/roles/", $name, ".sql")))
    };
}

const ROLES: [(&str, &str); 3] = [role!("vitals_service"), role!("vitals_dashboard"), role!("vitals_dba")];

/// Makes the roles, or brings them to what the files say, and gives their names.
///
/// # Errors
/// The database is away or was not migrated, or we may not create roles or do not own the tables.
pub async fn apply(store: &Store) -> Result<Vec<&'static str>, StoreError> {
    let (client, _driver) = store.session().await?;
    for (name, sql) in ROLES {
        client.batch_execute(sql).await.map_err(|source| StoreError::Postgres { statement: name, source })?;
    }
    Ok(ROLES.iter().map(|(name, _)| *name).collect())
}
