//! The files of `migrations/`: which were applied, and those that were not.
//!
//! refinery embeds the files and names, numbers and sums them up; it would commit after each of them, or after all of them, but
//! functions, rollups and grants belong into the same transaction. So they are applied here, into refinery's own table.

use std::collections::BTreeMap;

use jiff::Timestamp;
use refinery::Migration;
use tokio_postgres::Transaction;

use super::{StoreError, execute, failed};

mod files {
    refinery::embed_migrations!("migrations");
}

/// As refinery makes it.
const HISTORY: &str = "create table if not exists refinery_schema_history (
    version int4 primary key, name varchar(255), applied_on varchar(255), checksum varchar(255))";

/// Applies what is not, in order, and gives their names.
///
/// # Errors
/// One that was applied is not of this program, or is another text here; or the database refused one.
pub(super) async fn apply(transaction: &Transaction<'_>) -> Result<Vec<String>, StoreError> {
    execute(transaction, "refinery_schema_history", HISTORY).await?;
    let mut applied = applied(transaction).await?;
    let newest = applied.keys().max().copied().unwrap_or(0);
    let mut done = Vec::new();
    for file in files() {
        match applied.remove(&file.version()) {
            Some(checksum) if checksum == file.checksum().to_string() => {}
            Some(_) => return Err(refused(&file, "was applied with another text")),
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
            "version {version} was applied, which this program does not have: run a newer one"
        ))),
    }
}

/// Version of the last file.
pub(super) fn head() -> i32 {
    files().last().map_or(0, refinery::Migration::version)
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
    StoreError::Migrate(format!("{file} {what}: this program is not the one that made this database"))
}

fn files() -> Vec<Migration> {
    let mut files = files::migrations::runner().get_migrations().clone();
    files.sort();
    files
}
