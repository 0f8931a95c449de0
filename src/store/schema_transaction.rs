//! A transaction that changes the schema: one at a time, with a short lock timeout.
//!
//! Before: `store::migrate`, `store::roles`. After: PostgreSQL.
//! Promise: everything is committed or nothing is; no other session waits behind it for longer than `migrate_lock_timeout_ms`.

use std::time::Duration;

use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Transaction};

use super::{Kind, Statement, StoreError, statement};
use crate::config::Settings;

/// Key of the advisory lock that is held while the schema is changed. The number is arbitrary but fixed: "vitals" as ASCII.
const LOCK: i64 = 0x7669_7461_6c73;

/// How often the transaction is started when a lock times out or a deadlock occurs, and the pause between two attempts.
const ATTEMPTS: u32 = 5;
const PAUSE: Duration = Duration::from_millis(500);

const BLOCKERS: Statement = statement!("schema_transaction", "blockers");

/// Runs `work` in a transaction, while no other program changes the schema. A lock that is not granted within
/// `migrate_lock_timeout_ms` ends the attempt: other sessions queue behind a lock request that waits.
///
/// # Errors
/// The error of `work`; or, after the last attempt, the sessions that may hold the lock.
pub(super) async fn run<T>(
    client: &mut Client,
    settings: &Settings,
    work: impl AsyncFn(&Transaction<'_>) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    lock(client).await?;
    let mut attempt = 1;
    loop {
        match attempt_once(client, settings, &work).await {
            Err(error) if error.kind() == Kind::Retry && attempt < ATTEMPTS => {}
            Err(error) if error.kind() == Kind::Retry => return Err(with_blockers(client, &error).await),
            done => return done,
        }
        attempt += 1;
        tokio::time::sleep(PAUSE).await;
    }
}

/// Waits until no other program changes the schema. It polls: the snapshot of a statement that waits would stop an index that the other
/// one builds concurrently. The lock is released when the session ends.
pub(super) async fn lock(client: &Client) -> Result<(), StoreError> {
    loop {
        let row = client
            .query_one("select pg_try_advisory_lock($1)", &[&LOCK])
            .await
            .map_err(|source| StoreError::Postgres { statement: "schema_transaction.lock", source })?;
        if row.get(0) {
            return Ok(());
        }
        tokio::time::sleep(PAUSE / 5).await;
    }
}

async fn attempt_once<T>(
    client: &mut Client,
    settings: &Settings,
    work: impl AsyncFn(&Transaction<'_>) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let failed = |statement| move |source| StoreError::Postgres { statement, source };
    let transaction = client.transaction().await.map_err(failed("schema_transaction.begin"))?;
    let lock_timeout = format!("set local lock_timeout = {}", settings.migrate_lock_timeout_ms);
    execute(&transaction, "lock_timeout", &lock_timeout).await?;
    match work(&transaction).await {
        Ok(done) => {
            transaction.commit().await.map_err(failed("schema_transaction.commit"))?;
            Ok(done)
        }
        Err(error) => {
            transaction.rollback().await.map_err(failed("schema_transaction.rollback"))?;
            Err(error)
        }
    }
}

/// Adds the sessions that may hold the lock.
async fn with_blockers(client: &Client, error: &StoreError) -> StoreError {
    let rows = client.query(BLOCKERS.sql, &[]).await.unwrap_or_default();
    let sessions: Vec<&str> = rows.iter().map(|row| row.get("session")).collect();
    StoreError::Migrate(format!(
        "{error}, tried {ATTEMPTS} times; nothing was changed. Sessions with an open transaction: {}. End them, or try again \
         at a quieter time (migrate_lock_timeout_ms)",
        if sessions.is_empty() { "none at this moment".to_owned() } else { sessions.join("; ") }
    ))
}

/// Runs the statements of a file.
///
/// # Errors
/// The name of the file and the server's message.
pub(super) async fn execute(transaction: &Transaction<'_>, file: &str, sql: &str) -> Result<(), StoreError> {
    transaction.batch_execute(sql).await.map_err(|source| failed(file, source))
}

/// Names the file, unless the error is one after which the same transaction may succeed.
pub(super) fn failed(file: &str, source: tokio_postgres::Error) -> StoreError {
    let error = StoreError::Postgres { statement: "migrate", source };
    match (error.kind(), error) {
        (Kind::Retry | Kind::Down, error) => error,
        (_, StoreError::Postgres { source, .. }) => {
            StoreError::Migrate(format!("{file}: {}", with_causes(&source)))
        }
        (_, error) => error,
    }
}

/// Refuses to start where the server or the role lacks something. From here on the session resolves names in `pg_catalog` only.
///
/// # Errors
/// What is missing.
pub(super) async fn check_requirements(
    client: &Client,
    requirements: Statement,
    parameters: &[&(dyn ToSql + Sync)],
) -> Result<(), StoreError> {
    let failed = |source| StoreError::Postgres { statement: requirements.name, source };
    client.batch_execute("set search_path = pg_catalog, pg_temp").await.map_err(failed)?;
    let rows = client.query(requirements.sql, parameters).await.map_err(failed)?;
    if rows.is_empty() {
        return Ok(());
    }
    let missing: Vec<&str> = rows.iter().map(|row| row.get("missing")).collect();
    Err(StoreError::Migrate(format!("nothing was done: {}", missing.join("; "))))
}

/// The error with all its causes, in one line: the driver keeps the server's message in the last one.
fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    text
}
