//! The schema: migrations once, functions every time, rollups as the edition has them.
//!
//! Before: `vitals migrate`, `vitals demo`, the tests. After: every other statement.
//! Promise: any number of them at once do the work once (advisory lock); a failed migration leaves nothing behind.

use super::{Store, StoreError, rollups};
use crate::config::Settings;

mod versions {
    refinery::embed_migrations!("migrations");
}

/// Bodies of functions that no migration pins: applied again after each migrate, in this order.
const FUNCTIONS: &[(&str, &str)] = &[];

/// Held while a schema is changed. The number is arbitrary but fixed: "vitals" as ASCII.
const LOCK: i64 = 0x7669_7461_6c73;

/// What a migrate found and did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Migrated {
    /// Versions applied now, such as `V1__health_data`.
    pub applied: Vec<String>,
    /// Version the schema is at.
    pub version: u32,
}

/// Brings the schema to head.
///
/// # Errors
/// TimescaleDB is not installed, the role may not create what is needed, or the rollups were made otherwise.
pub async fn run(settings: &Settings) -> Result<Migrated, StoreError> {
    let store = Store::new(settings)?;
    let (mut client, _connection) = store.session().await?;
    client
        .execute("select pg_advisory_lock($1)", &[&LOCK])
        .await
        .map_err(|source| StoreError::Postgres { statement: "migrate.lock", source })?;
    // The lock goes with the session, also when something below fails.
    let report = versions::migrations::runner()
        .run_async(&mut client)
        .await
        .map_err(|error| StoreError::Migrate(explain(&error)))?;
    for (name, body) in FUNCTIONS {
        client
            .batch_execute(body)
            .await
            .map_err(|source| StoreError::Migrate(format!("sql/functions/{name}: {source:#}")))?;
    }
    rollups::sync(&mut client, settings).await?;
    let applied = report.applied_migrations().iter().map(ToString::to_string).collect();
    Ok(Migrated { applied, version: head() })
}

/// Version this program was made for.
pub fn head() -> u32 {
    versions::migrations::runner().get_migrations().iter().map(refinery::Migration::version).max().unwrap_or(0)
}

/// Version the database is at; 0 before the first migrate.
///
/// # Errors
/// The database is away.
pub async fn version(store: &Store) -> Result<u32, StoreError> {
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
        .query_one("select coalesce(max(version), 0)::bigint from refinery_schema_history", &[])
        .await
        .map_err(failed)?;
    Ok(u32::try_from(row.get::<_, i64>(0)).unwrap_or(u32::MAX))
}

fn explain(error: &refinery::Error) -> String {
    use std::error::Error;
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    if text.contains("timescaledb") && (text.contains("not available") || text.contains("0A000")) {
        text.push_str(
            "\nTimescaleDB must be installed on the server and named in shared_preload_libraries; \
             `docker/stack up` gives a server that has it",
        );
    }
    text
}
