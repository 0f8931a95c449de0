//! Schema public: who may create in it, and what others created there.
//!
//! Before: `store::migrate` and `store::roles` close it before they run anything as its owner; `store::schema` reports it.
//! After: PostgreSQL. A function or an operator of somebody else in schema public could be called in place of the one that is meant.
//! Promise: nothing is resolved in schema public before it was checked.

use tokio_postgres::{GenericClient, Row, Transaction};

use super::schema_transaction::execute;
use super::{Statement, StoreError, statement};

const FOREIGN_FUNCTIONS: Statement = statement!("public_schema", "foreign_functions");
const WRITABLE: Statement = statement!("public_schema", "writable");

/// Creates the same check as a function of the database, for functions that run as the owner.
pub(super) fn foreign_functions_in_sql() -> String {
    format!(
        "create or replace function vitals.foreign_functions() returns table (name text, owner name)
        language sql stable set search_path = pg_catalog, pg_temp as $$ {} $$;
        comment on function vitals.foreign_functions() is
            'Functions and operators of other roles in schema public that could be called in place of the intended ones.'",
        FOREIGN_FUNCTIONS.sql
    )
}

/// Functions and operators of others, each with its owner.
pub(super) async fn foreign_functions(client: &impl GenericClient) -> Result<Vec<String>, StoreError> {
    let rows = client
        .query("select name, owner from vitals.foreign_functions()", &[])
        .await
        .map_err(failed(FOREIGN_FUNCTIONS))?;
    Ok(with_owners(&rows))
}

/// Takes the right to create in schema public from everybody, if this role may do so, and refuses to go on when others have
/// created functions or operators there.
///
/// # Errors
/// The functions and operators, with their owners.
pub(super) async fn close(transaction: &Transaction<'_>) -> Result<(), StoreError> {
    execute(transaction, "search_path", "set local search_path = pg_catalog, pg_temp").await?;
    match writable(transaction).await? {
        Some((_, true)) => {
            execute(transaction, "schema public", "revoke create on schema public from public").await?;
        }
        Some((owner, false)) => tracing::warn!(
            "every role may create objects in schema public: have {owner} run `revoke create on schema public from public`"
        ),
        None => {}
    }
    let rows = transaction.query(FOREIGN_FUNCTIONS.sql, &[]).await.map_err(failed(FOREIGN_FUNCTIONS))?;
    if !rows.is_empty() {
        return Err(StoreError::Migrate(format!(
            "nothing was done: schema public contains functions or operators of other roles that could be called in place of \
             the intended ones: {}. Inspect and drop them",
            with_owners(&rows).join("; ")
        )));
    }
    execute(transaction, "search_path", "set local search_path = public").await
}

fn with_owners(rows: &[Row]) -> Vec<String> {
    rows.iter()
        .map(|row| format!("{} of role {}", row.get::<_, &str>("name"), row.get::<_, &str>("owner")))
        .collect()
}

/// The owner of schema public if every role may create in it, and whether this role may change that.
pub(super) async fn writable(client: &impl GenericClient) -> Result<Option<(String, bool)>, StoreError> {
    let row = client.query_opt(WRITABLE.sql, &[]).await.map_err(failed(WRITABLE))?;
    Ok(row.map(|row| (row.get("owner"), row.get("is_ours"))))
}

fn failed(statement: Statement) -> impl Fn(tokio_postgres::Error) -> StoreError {
    move |source| StoreError::Postgres { statement: statement.name, source }
}
