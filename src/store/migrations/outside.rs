//! Files whose statements cannot run in a transaction, such as `create index concurrently`: one statement after the other.
//!
//! Before: `store::migrate`, after the transaction of the files before it. After: the table `refinery_schema_history`.
//! Promise: after an interruption the file is run once more from its beginning, so each statement has to be repeatable; an index that
//! was left invalid is dropped and built again, and one that is valid is kept.

use tokio_postgres::Client;

use super::{MigrationFile, record};
use crate::config::Settings;
use crate::store::error::describe;
use crate::store::{Statement, StoreError, statement};

const INDEX_IS_VALID: Statement = statement!("migrate", "index_is_valid");

/// An index that a statement creates.
#[derive(Debug, PartialEq, Eq)]
struct CreatedIndex {
    /// With its schema.
    name: String,
    is_concurrent: bool,
}

/// Runs the statements of the file, and records it.
///
/// # Errors
/// The database refused a statement; those before it are done.
pub(in crate::store) async fn run(
    client: &Client,
    settings: &Settings,
    file: &MigrationFile,
) -> Result<(), StoreError> {
    for statement in statements(file.sql()) {
        let index = CreatedIndex::of(&statement);
        if let Some(index) = &index {
            match is_valid(client, index).await? {
                Some(true) => continue,
                Some(false) => execute(client, file, &index.drop_statement()).await?,
                None => {}
            }
        }
        // Nobody waits behind a lock request of a concurrent build, and it has to wait for the transactions that began before it.
        let waits = index.is_some_and(|index| index.is_concurrent);
        let lock_timeout = if waits { 0 } else { settings.migrate_lock_timeout_ms };
        execute(client, file, &format!("set lock_timeout = {lock_timeout}")).await?;
        execute(client, file, &statement).await?;
    }
    record(client, file).await
}

async fn execute(client: &Client, file: &MigrationFile, statement: &str) -> Result<(), StoreError> {
    client.batch_execute(statement).await.map_err(|source| {
        let (cause, first_line) = (describe(&source), statement.lines().next().unwrap_or_default());
        StoreError::Migrate(format!(
            "{file}: {cause}, in: {first_line} …; run the command once more to continue"
        ))
    })
}

/// Whether the index is valid. `None`: it does not exist.
async fn is_valid(client: &Client, index: &CreatedIndex) -> Result<Option<bool>, StoreError> {
    let row = client
        .query_opt(INDEX_IS_VALID.sql, &[&index.name])
        .await
        .map_err(|source| StoreError::Postgres { statement: INDEX_IS_VALID.name, source })?;
    Ok(row.map(|row| row.get("indisvalid")))
}

/// The statements of a file: each ends with a semicolon at the end of a line.
fn statements(sql: &str) -> Vec<String> {
    let code: Vec<&str> = sql.lines().filter(|line| !line.trim_start().starts_with("--")).collect();
    let code = code.join("\n") + "\n";
    code.split(";\n").map(|statement| statement.trim().to_owned()).filter(|text| !text.is_empty()).collect()
}

impl CreatedIndex {
    /// The index that the statement creates, if it creates one.
    fn of(statement: &str) -> Option<Self> {
        let mut words = statement.split_whitespace().filter(|word| *word != "unique").peekable();
        if words.next()? != "create" || words.next()? != "index" {
            return None;
        }
        let is_concurrent = words.next_if_eq(&"concurrently").is_some();
        for optional in ["if", "not", "exists"] {
            words.next_if_eq(&optional);
        }
        let name = words.next()?;
        let mut words = words.skip_while(|word| *word != "on").skip(1).filter(|word| *word != "only");
        let (schema, _) = words.next()?.split_once('.')?;
        Some(Self { name: format!("{schema}.{name}"), is_concurrent })
    }

    /// A hypertable does not know `concurrently`, neither for the build nor for the drop.
    fn drop_statement(&self) -> String {
        let concurrently = if self.is_concurrent { "concurrently " } else { "" };
        format!("drop index {concurrently}{}", self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_cut_into_its_statements() {
        let sql = "-- Two.\n-- Transaction: none\n\ncreate index concurrently a_idx\n    on public.a (b);\n-- why\nanalyze public.a;";
        assert_eq!(
            statements(sql),
            ["create index concurrently a_idx\n    on public.a (b)", "analyze public.a"]
        );
    }

    #[test]
    fn a_created_index_is_known_with_its_schema() {
        let name = |statement| CreatedIndex::of(statement).map(|index| index.drop_statement());
        assert_eq!(
            name("create unique index concurrently if not exists a_idx on public.a (b)"),
            Some("drop index concurrently public.a_idx".into())
        );
        assert_eq!(
            name(
                "create index a_idx\n    on vitals.a using brin (b) with (timescaledb.transaction_per_chunk)"
            ),
            Some("drop index vitals.a_idx".into())
        );
        assert_eq!(name("analyze public.a"), None);
    }
}
