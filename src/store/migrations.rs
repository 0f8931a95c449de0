//! Which files of `migrations/` a database has, and applying those that are missing.
//!
//! Before: `store::program` has the files; `store::migrate` runs the parts of a plan, `store::schema` compares.
//! After: the table `refinery_schema_history`. refinery would commit before the functions, the rollups and the grants, which belong to
//! the same transaction; so the files are applied here, and recorded in refinery's own table.

pub(super) mod outside;
pub(super) mod plan;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use tokio_postgres::{GenericClient, Transaction};

use super::program::{MigrationFile, Program};
use super::schema_transaction::{execute, failed};
use super::{Store, StoreError};

/// The table as refinery creates it.
const HISTORY: &str = "create table if not exists public.refinery_schema_history (
    version int4 primary key, name varchar(255), applied_on varchar(255), checksum varchar(255))";

/// Version of this program: that of its last file.
pub fn head() -> i32 {
    Program::this().head()
}

/// Version of the database; 0 before the first migration.
///
/// # Errors
/// The database is unreachable.
pub async fn version(store: &Store) -> Result<i32, StoreError> {
    let client = store.client().await?;
    Ok(applied(&**client).await?.last().copied().unwrap_or(0))
}

/// The files that were applied, by number.
pub(super) async fn applied(client: &impl GenericClient) -> Result<BTreeSet<i32>, StoreError> {
    Ok(checksums(client).await?.into_keys().collect())
}

/// Refuses a database to which files were applied that differ from those of the program.
///
/// # Errors
/// A file was applied with another text; or one was never applied, but later ones were.
pub(super) async fn verify(client: &impl GenericClient, program: &Program) -> Result<(), StoreError> {
    let applied = checksums(client).await?;
    let newest =
        program.files().iter().rfind(|file| !file.is_outside && applied.contains_key(&file.version()));
    let newest = newest.map_or(0, MigrationFile::version);
    for file in program.files() {
        match applied.get(&file.version()) {
            Some(checksum) if *checksum == file.checksum() => {}
            Some(_) => return Err(refused(file, "was applied with a different text")),
            None if !file.is_outside && file.version() < newest => {
                return Err(refused(file, "was never applied, but later ones were"));
            }
            None => {}
        }
    }
    Ok(())
}

/// Applies these files, in order.
///
/// # Errors
/// The database refused one.
pub(super) async fn apply(transaction: &Transaction<'_>, files: &[&MigrationFile]) -> Result<(), StoreError> {
    execute(transaction, "refinery_schema_history", HISTORY).await?;
    for file in files {
        execute(transaction, &file.to_string(), file.sql()).await?;
        record(transaction, file).await?;
    }
    Ok(())
}

async fn record(client: &impl GenericClient, file: &MigrationFile) -> Result<(), StoreError> {
    client
        .execute(
            "insert into public.refinery_schema_history (version, name, applied_on, checksum) values ($1, $2, $3, $4)",
            &[&file.version(), &file.migration.name(), &Timestamp::now().to_string(), &file.checksum()],
        )
        .await
        .map(drop)
        .map_err(|source| failed("refinery_schema_history", source))
}

/// Checksums of the applied files by number.
async fn checksums(client: &impl GenericClient) -> Result<BTreeMap<i32, String>, StoreError> {
    let failed = |source| StoreError::Postgres { statement: "migrations.version", source };
    let is_migrated = client
        .query_one("select to_regclass('public.refinery_schema_history') is not null", &[])
        .await
        .map_err(failed)?;
    if !is_migrated.get::<_, bool>(0) {
        return Ok(BTreeMap::new());
    }
    let rows = client
        .query("select version, checksum from public.refinery_schema_history", &[])
        .await
        .map_err(failed)?;
    Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
}

fn refused(file: &MigrationFile, what: &str) -> StoreError {
    StoreError::Migrate(format!("{file} {what}: this database was created by another program"))
}
