//! The files of `migrations/`: the version this program needs, the version of a database, and applying what is missing.
//!
//! Before: `store::migrate` applies them, `store::schema` compares the versions. After: the table `refinery_schema_history`.
//! refinery embeds, names and numbers the files and computes their checksums. It would commit before the functions, the rollups and
//! the grants, which belong to the same transaction; so the files are applied here, and recorded in refinery's own table.

use std::collections::BTreeMap;

use jiff::Timestamp;
use refinery::Migration;
use tokio_postgres::Transaction;

use super::schema_transaction::{execute, failed};
use super::{Store, StoreError};

mod files {
    refinery::embed_migrations!("migrations");
}

/// The table as refinery creates it.
const HISTORY: &str = "create table if not exists refinery_schema_history (
    version int4 primary key, name varchar(255), applied_on varchar(255), checksum varchar(255))";

/// Applies the files that were not applied yet, in order, and returns their names.
///
/// # Errors
/// A file was applied that this program does not have or whose text differs here; or the database refused a file.
pub(super) async fn apply(transaction: &Transaction<'_>) -> Result<Vec<String>, StoreError> {
    execute(transaction, "refinery_schema_history", HISTORY).await?;
    let mut applied = applied(transaction).await?;
    let newest = applied.keys().max().copied().unwrap_or(0);
    let mut done = Vec::new();
    for file in files() {
        match applied.remove(&file.version()) {
            Some(checksum) if checksum == file.checksum().to_string() => {}
            Some(_) => return Err(refused(&file, "was applied with a different text")),
            None if file.version() < newest => {
                return Err(refused(&file, "was never applied, but later ones were"));
            }
            None => {
                apply_one(transaction, &file).await?;
                done.push(file.to_string());
            }
        }
    }
    match applied.keys().max() {
        None => Ok(done),
        Some(version) => Err(StoreError::Migrate(format!(
            "version {version} was applied, which this program does not have: run a newer program"
        ))),
    }
}

/// Version this program needs: that of the last file.
pub fn head() -> i32 {
    files().last().map_or(0, refinery::Migration::version)
}

/// Version of the database; 0 before the first migration.
///
/// # Errors
/// The database is unreachable.
pub async fn version(store: &Store) -> Result<i32, StoreError> {
    let client = store.client().await?;
    let failed = |source| StoreError::Postgres { statement: "migrations.version", source };
    let is_migrated = client
        .query_one("select to_regclass('refinery_schema_history') is not null", &[])
        .await
        .map_err(failed)?;
    if !is_migrated.get::<_, bool>(0) {
        return Ok(0);
    }
    let row = client
        .query_one("select coalesce(max(version), 0) from refinery_schema_history", &[])
        .await
        .map_err(failed)?;
    Ok(row.get(0))
}

async fn apply_one(transaction: &Transaction<'_>, file: &Migration) -> Result<(), StoreError> {
    execute(transaction, &file.to_string(), file.sql().unwrap_or_default()).await?;
    transaction
        .execute(
            "insert into refinery_schema_history (version, name, applied_on, checksum) values ($1, $2, $3, $4)",
            &[
                &file.version(),
                &file.name(),
                &Timestamp::now().to_string(),
                &file.checksum().to_string(),
            ],
        )
        .await
        .map(drop)
        .map_err(|source| failed("refinery_schema_history", source))
}

/// Checksums by version.
async fn applied(transaction: &Transaction<'_>) -> Result<BTreeMap<i32, String>, StoreError> {
    let rows = transaction
        .query("select version, checksum from refinery_schema_history", &[])
        .await
        .map_err(|source| failed("refinery_schema_history", source))?;
    Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
}

fn refused(file: &Migration, what: &str) -> StoreError {
    StoreError::Migrate(format!("{file} {what}: this database was created by another program"))
}

fn files() -> Vec<Migration> {
    let mut files = files::migrations::runner().get_migrations().clone();
    files.sort();
    files
}
