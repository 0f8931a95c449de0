//! `vitals migrate`: migrations, functions, rollups and grants, in one transaction.
//!
//! Before: `vitals migrate`, `vitals demo`, the tests. After: every other statement.
//! Promise: when several programs migrate at once, one does the work and the others find it done; after an error the database is
//! as it was.

use tokio_postgres::Transaction;

use super::functions::FUNCTIONS;
use super::schema_transaction::{self, check_requirements, execute};
use super::{Statement, Store, StoreError, migrations, public_schema, roles, rollups, schema, statement};
use crate::config::Settings;

const REQUIREMENTS: Statement = statement!("migrate", "requirements");

/// What a migrate did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MigrateResult {
    /// Versions applied now, such as `V1__health_data`.
    pub applied: Vec<String>,
    /// Version of the schema.
    pub version: i32,
    /// Whether functions, views and grants were applied: they differed from those of this program.
    pub applied_functions: bool,
}

/// Brings the schema to the version of this program, and functions, views and grants to its texts.
///
/// # Errors
/// The server or the role lacks something, which is named before anything is done; other sessions hold a lock for too long; or an
/// existing rollup has another definition. In every case the database is as it was.
pub async fn run(settings: &Settings) -> Result<MigrateResult, StoreError> {
    let store = Store::new(settings)?;
    let (mut client, _connection) = store.session().await?;
    check_requirements(&client, REQUIREMENTS, &[]).await?;
    schema_transaction::run(&mut client, settings, async |transaction| migrate(transaction, settings).await)
        .await
}

async fn migrate(transaction: &Transaction<'_>, settings: &Settings) -> Result<MigrateResult, StoreError> {
    public_schema::close(transaction).await?;
    let applied = migrations::apply(transaction).await?;
    let is_current = applied.is_empty() && schema::is_current(transaction).await?;
    if !is_current {
        let foreign_functions = public_schema::foreign_functions_in_sql();
        execute(transaction, "vitals.foreign_functions", &foreign_functions).await?;
        for (name, body) in FUNCTIONS {
            execute(transaction, &format!("sql/functions/{name}.sql"), body).await?;
        }
    }
    rollups::sync(transaction, settings, is_current).await?;
    if !is_current {
        roles::reapply(transaction).await?;
        schema::record(transaction, !applied.is_empty()).await?;
    }
    Ok(MigrateResult { applied, version: migrations::head(), applied_functions: !is_current })
}
