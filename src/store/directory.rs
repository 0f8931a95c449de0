//! Tenants, organisation units, users, bindings and contacts from outside: many at once, checked and merged as sets.
//!
//! Before: `command::directory` reads lines of files. After: the tables of the directory; `store::owners` reports the change.
//! Promise: a file given to [`Import::load`] is merged in one transaction or not at all; importing it twice changes nothing; a
//! refused line does not affect other lines; memory does not grow with the number of lines.

mod entry;

use std::pin::pin;

use futures_util::TryStreamExt;
use tokio_postgres::Client;
use tokio_postgres::binary_copy::BinaryCopyInWriter;
use tokio_postgres::types::ToSql;

use super::{Driver, Statement, Store, StoreError, statement};
pub use entry::{BindingEntry, Contact, Customer, Entry, OrgUnit, User};

const LOCK: Statement = statement!("directory", "lock");

/// Memory to sort a file of a million lines, and an error if another writer holds the directory for too long.
const SETTINGS: &str = "set local work_mem = '64MB'; set local lock_timeout = '60s'";

/// The result of a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MergeCounts {
    /// New rows.
    pub added: i64,
    /// Rows that were changed.
    pub changed: i64,
    /// Bindings that ended because of others.
    pub ended: i64,
    /// The first few of the new rows, for people.
    pub first_added: Vec<String>,
    /// The first few of the changed rows, and what they were.
    pub first_changed: Vec<String>,
    /// The first few of the bindings that ended.
    pub first_ended: Vec<String>,
}

/// Whether the import is committed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Commit.
    Apply,
    /// Report what would be done.
    DryRun,
}

/// A session for files, one after the other.
pub struct Import {
    client: Client,
    mode: Mode,
    _driver: Driver,
}

impl Import {
    /// Connects. A dry run is one transaction over all files, so that each file sees the changes of those before it; it ends with
    /// the session.
    ///
    /// # Errors
    /// The database is away.
    pub async fn open(store: &Store, mode: Mode) -> Result<Self, StoreError> {
        let (client, driver) = store.session().await?;
        let import = Self { client, mode, _driver: driver };
        if mode == Mode::DryRun {
            import.execute("directory.begin", "begin").await?;
        }
        Ok(import)
    }

    async fn execute(&self, statement: &'static str, sql: &str) -> Result<(), StoreError> {
        self.client.batch_execute(sql).await.map_err(|source| StoreError::Postgres { statement, source })
    }

    /// Imports the entries of a file, each with the number of its line. `refused` is called with each refused line and the
    /// reason; `staged` is called after the last line and fails if lines are missing.
    ///
    /// # Errors
    /// Nothing was changed.
    pub async fn load<E: Entry>(
        &mut self,
        entries: impl Iterator<Item = (i64, E)>,
        staged: impl FnOnce() -> Result<(), String>,
        refused: impl FnMut(i64, &str),
    ) -> Result<MergeCounts, StoreError> {
        if self.mode == Mode::Apply {
            self.execute("directory.begin", "begin").await?;
        }
        let merged = self.merge(entries, staged, refused).await;
        let end = match (&merged, self.mode) {
            (Ok(_), Mode::Apply) => "commit",
            (Ok(_), Mode::DryRun) => "drop table pg_temp.incoming; drop table if exists pg_temp.timeline",
            (Err(_), _) => "rollback",
        };
        let ended = self.execute("directory.end", end).await;
        let merged = merged?;
        ended.map(|()| merged)
    }

    async fn merge<E: Entry>(
        &self,
        entries: impl Iterator<Item = (i64, E)>,
        staged: impl FnOnce() -> Result<(), String>,
        mut refused: impl FnMut(i64, &str),
    ) -> Result<MergeCounts, StoreError> {
        self.execute("directory.settings", SETTINGS).await?;
        stage(&self.client, entries).await?;
        staged().map_err(StoreError::State)?;
        refuse::<E>(&self.client, &mut refused).await?;
        let mut merged = MergeCounts::default();
        for statement in E::KIND.merge {
            for row in run(&self.client, *statement).await? {
                let count = |name| row.try_get::<_, i64>(name).unwrap_or(0);
                let first = |name| row.try_get::<_, Vec<String>>(name).unwrap_or_default();
                merged.added += count("added");
                merged.changed += count("changed");
                merged.ended += count("ended");
                merged.first_added.extend(first("first_added"));
                merged.first_changed.extend(first("first_changed"));
                merged.first_ended.extend(first("first_ended"));
            }
        }
        Ok(merged)
    }
}

async fn stage<E: Entry>(client: &Client, entries: impl Iterator<Item = (i64, E)>) -> Result<(), StoreError> {
    let kind = E::KIND;
    let failed = |source| StoreError::Postgres { statement: kind.stage.name, source };
    client.batch_execute(kind.stage.sql).await.map_err(failed)?;
    let sink = client.copy_in(kind.copy).await.map_err(failed)?;
    let mut writer = pin!(BinaryCopyInWriter::new(sink, kind.types));
    for (line, entry) in entries {
        let mut values: Vec<&(dyn ToSql + Sync)> = vec![&line];
        values.extend(entry.values());
        writer.as_mut().write(&values).await.map_err(failed)?;
    }
    writer.as_mut().finish().await.map_err(failed)?;
    // A temporary table has no statistics unless it is given some.
    client.batch_execute("analyze pg_temp.incoming").await.map_err(failed)
}

/// Locks the directory until the end of the transaction, and reports the lines that are refused.
async fn refuse<E: Entry>(client: &Client, refused: &mut impl FnMut(i64, &str)) -> Result<(), StoreError> {
    run(client, LOCK).await?;
    let statement = E::KIND.refuse;
    let failed = |source| StoreError::Postgres { statement: statement.name, source };
    // Row by row: all lines of a large file may be refused.
    let parameters: [&(dyn ToSql + Sync); 0] = [];
    let mut rows = pin!(client.query_raw(statement.sql, parameters).await.map_err(failed)?);
    while let Some(row) = rows.try_next().await.map_err(failed)? {
        if let Some(reason) = row.get::<_, Option<&str>>("reason") {
            refused(row.get("line"), reason);
        }
    }
    Ok(())
}

async fn run(client: &Client, statement: Statement) -> Result<Vec<tokio_postgres::Row>, StoreError> {
    client
        .query(statement.sql, &[])
        .await
        .map_err(|source| StoreError::Postgres { statement: statement.name, source })
}
