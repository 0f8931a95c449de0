//! The roles: what the service, a dashboard and a DBA may do.
//!
//! Before: `vitals roles`, `vitals migrate`, and the tests, as the owner of the tables. After: whoever is given one of the roles.
//! Promise: applied again, each role has what its file says and nothing else, all of them or none; no password is set.

use tokio_postgres::Transaction;

use super::migrate::{self, in_one_transaction};
use super::{Statement, Store, StoreError, schema, statement};
use crate::config::Settings;

/// A file of `sql/roles`, named as the role it is about.
macro_rules! role {
    ($name:literal) => {
        ($name, include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/sql/roles/", $name, ".sql")))
    };
}

const ROLES: [(&str, &str); 3] = [role!("vitals_service"), role!("vitals_dashboard"), role!("vitals_dba")];

const APPLIED: Statement = statement!("roles", "applied");
const REQUIREMENTS: Statement = statement!("roles", "requirements");

/// Makes the roles, or brings them to what the files say, and gives their names.
///
/// # Errors
/// The database is away or was not migrated, or we may not create roles or do not own the tables: then nothing was done.
pub async fn apply(settings: &Settings) -> Result<Vec<&'static str>, StoreError> {
    let store = Store::new(settings)?;
    let (mut client, _driver) = store.session().await?;
    migrate::refuse_lacking(&client, REQUIREMENTS, &[&names()]).await?;
    in_one_transaction(&mut client, settings, async |transaction| {
        schema::close_public(transaction).await?;
        for (name, sql) in ROLES {
            migrate::execute(transaction, name, sql).await?;
        }
        migrate::execute(transaction, "vitals.record_grants", "select vitals.record_grants()").await?;
        Ok(names())
    })
    .await
}

/// Brings those to what the files say that were applied to this database before.
///
/// # Errors
/// The database is away, or we do not own the tables.
pub(super) async fn apply_again(transaction: &Transaction<'_>) -> Result<(), StoreError> {
    let rows = transaction
        .query(APPLIED.sql, &[&names()])
        .await
        .map_err(|source| StoreError::Postgres { statement: APPLIED.name, source })?;
    for (name, sql) in ROLES {
        if rows.iter().any(|row| row.get::<_, &str>("name") == name) {
            migrate::execute(transaction, name, sql).await?;
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
