//! The schema: migrations once, functions and grants whenever they are not this program's, rollups as the edition has them.
//!
//! Before: `vitals migrate`, `vitals demo`, the tests. After: every other statement.
//! Promise: any number of them at once do the work once (advisory lock); everything is one transaction, so that whatever fails
//! leaves nothing behind; nobody waits behind it for longer than the lock time-out.

mod versions;

use std::time::Duration;

use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Transaction};

use super::{Kind, Statement, Store, StoreError, roles, rollups, schema, statement};
use crate::config::Settings;

/// A file of `sql/functions`.
macro_rules! function {
    ($name:literal) => {
        ($name, include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/sql/functions/", $name, ".sql")))
    };
}

/// Bodies of functions that no migration pins: applied again after each migrate, in this order.
const FUNCTIONS: &[(&str, &str)] = &[
    function!("schema_contract"),
    function!("edition"),
    function!("metric"),
    function!("rollup_comment"),
    function!("rollup_source"),
    function!("rollup_bucket"),
    function!("rollup_layout"),
    function!("rollup_create"),
    function!("rollup_mark"),
    function!("rollup_refresh"),
    function!("rollup_continuous"),
    function!("refresh_rollups"),
    function!("policy_relations"),
    function!("policy_refusal"),
    function!("policy_plan"),
    function!("policy_sync"),
    function!("apply_policies"),
    function!("watched_jobs"),
    function!("erase_rollups"),
    function!("erase_parts"),
    function!("erase_steps"),
    function!("erase_rest"),
    function!("request_refresh"),
    function!("alert_turn"),
    function!("alert_parts"),
    function!("derive_alerts"),
    function!("rebuild_alerts"),
    function!("continue_alerts"),
    function!("judge_alerts"),
    function!("notify_alerts"),
    function!("evaluate_alerts"),
    function!("sweep_alerts"),
    function!("replay_rule"),
    function!("finish_batches"),
    function!("device_owner_at"),
    function!("device_owner"),
    function!("bind_device"),
    function!("database_origin"),
    function!("counted_ts"),
    function!("device_follow_info"),
    function!("alert_rule_refusal"),
    function!("alert_steps"),
    function!("dashboard_tenants"),
    function!("dashboard_views"),
    function!("dashboard_rollups"),
];

/// Held while a schema is changed. The number is arbitrary but fixed: "vitals" as ASCII.
const LOCK: i64 = 0x7669_7461_6c73;

/// How often a transaction is begun that came upon a lock it could not have, and how long is waited in between: a reader that
/// holds it for a moment has gone by then.
const ATTEMPTS: u32 = 5;
const BETWEEN_ATTEMPTS: Duration = Duration::from_millis(500);

const REQUIREMENTS: Statement = statement!("migrate", "requirements");
const OTHERS: Statement = statement!("migrate", "others");

/// What a migrate found and did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Migrated {
    /// Versions applied now, such as `V1__health_data`.
    pub applied: Vec<String>,
    /// Version the schema is at.
    pub version: i32,
    /// Whether functions, views and grants were applied: they were another program's, or changed by hand.
    pub applied_functions: bool,
}

/// Brings the schema to head, and functions, views and grants to what this program has, all in one transaction.
///
/// # Errors
/// Something the server or the role lacks, named before anything is done; a lock that others hold for too long; or the rollups
/// were made otherwise. In every case the database is as it was.
pub async fn run(settings: &Settings) -> Result<Migrated, StoreError> {
    let store = Store::new(settings)?;
    let (mut client, _connection) = store.session().await?;
    refuse_lacking(&client, REQUIREMENTS, &[]).await?;
    in_one_transaction(&mut client, settings, async |transaction| migrate(transaction, settings).await).await
}

async fn migrate(transaction: &Transaction<'_>, settings: &Settings) -> Result<Migrated, StoreError> {
    schema::close_public(transaction).await?;
    let applied = versions::apply(transaction).await?;
    let is_current = applied.is_empty() && schema::is_applied(transaction).await?;
    if !is_current {
        execute(transaction, "schema.foreign_functions", &schema::foreign_functions_in_sql()).await?;
        for (name, body) in FUNCTIONS {
            execute(transaction, &format!("sql/functions/{name}"), body).await?;
        }
    }
    rollups::sync(transaction, settings, is_current).await?;
    if !is_current {
        roles::apply_again(transaction).await?;
        schema::record(transaction, !applied.is_empty()).await?;
    }
    Ok(Migrated { applied, version: head(), applied_functions: !is_current })
}

/// Does the work, as the only one in the database that changes the schema, in a transaction that waits for no lock longer than
/// `migrate_lock_timeout_ms`, since everybody else waits behind it; begins anew a few times where it met one.
///
/// # Errors
/// Of the work; or who it may have waited for.
pub(super) async fn in_one_transaction<T>(
    client: &mut Client,
    settings: &Settings,
    work: impl AsyncFn(&Transaction<'_>) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    // It goes with the session, also when something below fails.
    client
        .execute("select pg_advisory_lock($1)", &[&LOCK])
        .await
        .map_err(|source| StoreError::Postgres { statement: "migrate.lock", source })?;
    let patience = format!("set local lock_timeout = {}", settings.migrate_lock_timeout_ms);
    let mut attempt = 1;
    loop {
        let transaction = client
            .transaction()
            .await
            .map_err(|source| StoreError::Postgres { statement: "migrate.begin", source })?;
        execute(&transaction, "migrate.lock_timeout", &patience).await?;
        let done = match work(&transaction).await {
            Ok(done) => transaction
                .commit()
                .await
                .map(|()| done)
                .map_err(|source| StoreError::Postgres { statement: "migrate.commit", source }),
            Err(error) => {
                transaction
                    .rollback()
                    .await
                    .map_err(|source| StoreError::Postgres { statement: "migrate.rollback", source })?;
                Err(error)
            }
        };
        match done {
            // A lock that was not to be had, or a deadlock.
            Err(error) if error.kind() == Kind::Retry && attempt < ATTEMPTS => {}
            Err(error) if error.kind() == Kind::Retry => return Err(name_others(client, &error).await),
            done => return done,
        }
        attempt += 1;
        tokio::time::sleep(BETWEEN_ATTEMPTS).await;
    }
}

/// Says who may hold the lock.
async fn name_others(client: &Client, error: &StoreError) -> StoreError {
    let others = client.query(OTHERS.sql, &[]).await.unwrap_or_default();
    let others: Vec<&str> = others.iter().map(|row| row.get("session")).collect();
    StoreError::Migrate(format!(
        "{error}, tried {ATTEMPTS} times; nothing was changed. Sessions with an open transaction: {}. End them, or try when \
         fewer are at work (migrate_lock_timeout_ms)",
        if others.is_empty() { "none any more".to_owned() } else { others.join("; ") }
    ))
}

/// Runs statements of a file.
///
/// # Errors
/// Which file it was, and the server's words.
pub(super) async fn execute(transaction: &Transaction<'_>, name: &str, sql: &str) -> Result<(), StoreError> {
    transaction.batch_execute(sql).await.map_err(|source| failed(name, source))
}

/// What may go well another time keeps its state; of anything else, who reads it wants to know where.
fn failed(name: &str, source: tokio_postgres::Error) -> StoreError {
    let error = StoreError::Postgres { statement: "migrate", source };
    match (error.kind(), error) {
        (Kind::Retry | Kind::Down, error) => error,
        (_, StoreError::Postgres { source, .. }) => {
            StoreError::Migrate(format!("{name}: {}", chain(&source)))
        }
        (_, error) => error,
    }
}

/// Refuses to begin where the server or the role lacks anything; from then on the session looks nothing up in schema public by
/// itself.
///
/// # Errors
/// What is lacking.
pub(super) async fn refuse_lacking(
    client: &Client,
    requirements: Statement,
    parameters: &[&(dyn ToSql + Sync)],
) -> Result<(), StoreError> {
    let named = |source| StoreError::Postgres { statement: requirements.name, source };
    client.batch_execute("set search_path = pg_catalog, pg_temp").await.map_err(named)?;
    let rows = client.query(requirements.sql, parameters).await.map_err(named)?;
    if rows.is_empty() {
        return Ok(());
    }
    let lacking: Vec<&str> = rows.iter().map(|row| row.get("missing")).collect();
    Err(StoreError::Migrate(format!("nothing was done: {}", lacking.join("; "))))
}

/// The texts of `sql/functions`, in order.
pub(super) fn function_texts() -> impl Iterator<Item = &'static str> {
    FUNCTIONS.iter().map(|(_, body)| *body)
}

/// Version this program was made for.
pub fn head() -> i32 {
    versions::head()
}

/// Version the database is at; 0 before the first migrate.
///
/// # Errors
/// The database is away.
pub async fn version(store: &Store) -> Result<i32, StoreError> {
    let client = store.client().await?;
    let failed = |source| StoreError::Postgres { statement: "migrate.version", source };
    let known = client
        .query_one("select to_regclass('refinery_schema_history') is not null", &[])
        .await
        .map_err(failed)?;
    if !known.get::<_, bool>(0) {
        return Ok(0);
    }
    let row = client
        .query_one("select coalesce(max(version), 0) from refinery_schema_history", &[])
        .await
        .map_err(failed)?;
    Ok(row.get(0))
}

/// The whole chain of causes in one line: the driver keeps the server's message in the last.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_functions_is_applied() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/sql/functions");
        let mut files: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned())
            .collect();
        let mut applied: Vec<&str> = FUNCTIONS.iter().map(|(name, _)| *name).collect();
        files.sort();
        applied.sort_unstable();
        assert_eq!(applied, files);
    }
}
