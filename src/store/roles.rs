//! The roles: what the service, a dashboard and a DBA may do.
//!
//! Before: `vitals roles`, `vitals migrate`, and the tests, as the owner of the tables. After: logins that are granted a role.
//! Promise: afterwards each role has exactly the rights of its file; all roles are changed or none; no password is set.

use tokio_postgres::Transaction;

use super::schema_transaction::{self, check_requirements, execute};
use super::{Statement, Store, StoreError, public_schema, statement};
use crate::config::Settings;

/// A file of `sql/roles`, named after its role.
macro_rules! role {
    ($name:literal) => {
        ($name, include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/sql/roles/", $name, ".sql")))
    };
}

const ROLES: [(&str, &str); 4] =
    [role!("vitals_service"), role!("vitals_administration"), role!("vitals_dashboard"), role!("vitals_dba")];

const APPLIED: Statement = statement!("roles", "applied");
const REQUIREMENTS: Statement = statement!("roles", "requirements");

/// Creates the roles, or gives them the rights of their files, and returns their names.
///
/// # Errors
/// The database is unreachable or was not migrated, or this role may not create roles or does not own the tables; nothing was done.
pub async fn apply(settings: &Settings) -> Result<Vec<&'static str>, StoreError> {
    let store = Store::new(settings)?;
    let (mut client, _driver) = store.session().await?;
    check_requirements(&client, REQUIREMENTS, &[&names()]).await?;
    schema_transaction::run(&mut client, settings, async |transaction| {
        public_schema::close(transaction).await?;
        for (name, sql) in ROLES {
            execute(transaction, name, sql).await?;
        }
        execute(transaction, "vitals.record_grants", "select vitals.record_grants()").await?;
        Ok(names())
    })
    .await
}

/// Gives the rights of their files to the roles that were applied to this database before.
///
/// # Errors
/// The database is unreachable, or this role does not own the tables.
pub(super) async fn reapply(transaction: &Transaction<'_>) -> Result<(), StoreError> {
    let rows = transaction
        .query(APPLIED.sql, &[&names()])
        .await
        .map_err(|source| StoreError::Postgres { statement: APPLIED.name, source })?;
    for (name, sql) in ROLES {
        if rows.iter().any(|row| row.get::<_, &str>("name") == name) {
            execute(transaction, name, sql).await?;
        }
    }
    Ok(())
}

/// The texts of the files.
pub(super) fn texts() -> impl Iterator<Item = &'static str> {
    ROLES.iter().map(|(_, sql)| *sql)
}

fn names() -> Vec<&'static str> {
    ROLES.iter().map(|(name, _)| *name).collect()
}
