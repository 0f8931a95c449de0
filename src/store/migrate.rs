//! The schema: migrations once, functions every time, rollups as the edition has them.
//!
//! Before: `vitals migrate`, `vitals demo`, the tests. After: every other statement.
//! Promise: any number of them at once do the work once (advisory lock); a failed migration leaves nothing behind.

use tokio_postgres::Client;

use super::{Store, StoreError, rollups};
use crate::config::Settings;

mod versions {
    refinery::embed_migrations!("migrations");
}

/// A file of `sql/functions`.
macro_rules! function {
    ($name:literal) => {
        ($name, include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/sql/functions/", $name, ".sql")))
    };
}

/// Bodies of functions that no migration pins: applied again after each migrate, in this order.
const FUNCTIONS: &[(&str, &str)] = &[
    function!("edition"),
    function!("rollup_comment"),
    function!("rollup_source"),
    function!("rollup_bucket"),
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
    function!("alert_rule_refusal"),
    function!("alert_steps"),
    function!("dashboard_tenants"),
    function!("dashboard_views"),
    function!("dashboard_rollups"),
];

/// Held while a schema is changed. The number is arbitrary but fixed: "vitals" as ASCII.
const LOCK: i64 = 0x7669_7461_6c73;

/// What a migrate found and did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Migrated {
    /// Versions applied now, such as `V1__health_data`.
    pub applied: Vec<String>,
    /// Version the schema is at.
    pub version: i32,
}

/// Brings the schema to head.
///
/// # Errors
/// TimescaleDB is not installed, the role may not create what is needed, or the rollups were made otherwise.
pub async fn run(settings: &Settings) -> Result<Migrated, StoreError> {
    let store = Store::new(settings)?;
    let (mut client, _connection) = store.session().await?;
    require_timescaledb(&client).await?;
    client
        .execute("select pg_advisory_lock($1)", &[&LOCK])
        .await
        .map_err(|source| StoreError::Postgres { statement: "migrate.lock", source })?;
    // The lock goes with the session, also when something below fails.
    let report = versions::migrations::runner()
        .run_async(&mut client)
        .await
        .map_err(|error| StoreError::Migrate(chain(&error)))?;
    for (name, body) in FUNCTIONS {
        client
            .batch_execute(body)
            .await
            .map_err(|source| StoreError::Migrate(format!("sql/functions/{name}: {}", chain(&source))))?;
    }
    rollups::sync(&mut client, settings).await?;
    let applied = report.applied_migrations().iter().map(ToString::to_string).collect();
    Ok(Migrated { applied, version: head() })
}

/// Version this program was made for.
pub fn head() -> i32 {
    versions::migrations::runner()
        .get_migrations()
        .iter()
        .map(refinery::Migration::version)
        .max()
        .unwrap_or(0)
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

async fn require_timescaledb(client: &Client) -> Result<(), StoreError> {
    let row = client
        .query_one(
            "select exists (select from pg_available_extensions where name = 'timescaledb'),
                    current_setting('shared_preload_libraries') ~ '(^|[,/ ])timescaledb'",
            &[],
        )
        .await
        .map_err(|source| StoreError::Postgres { statement: "migrate.require_timescaledb", source })?;
    let missing = match (row.get(0), row.get(1)) {
        (true, true) => return Ok(()),
        (false, _) => "the extension timescaledb is not installed on the server",
        (true, false) => "timescaledb is not named in shared_preload_libraries of the server",
    };
    Err(StoreError::Migrate(format!("{missing}; `docker/stack up` gives a server that has what is needed")))
}

/// The whole chain of causes in one line: refinery keeps the server's message in the last.
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
