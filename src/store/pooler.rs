//! Whether a connection pooler such as PgBouncer is between the service and PostgreSQL, and takes away what a session needs.
//!
//! Before: `vitals check` asks. After: nobody. docker/README.md, "Connection poolers", has the same for people.

use tokio_postgres::Client;

use super::{Statement, Store, StoreError, statement};

const PROCESS: Statement = statement!("session", "process");

/// What a session has lost on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PoolerFinding {
    /// Nothing: there is no pooler, or it is not noticed.
    None,
    /// Two sessions that are open at a time share a process of the server.
    SharedProcess,
    /// The settings that were asked for do not apply.
    SettingsIgnored,
}

/// Looks at two sessions at a time.
///
/// # Errors
/// The database is away.
pub async fn detect(store: &Store) -> Result<PoolerFinding, StoreError> {
    let (first, _first_driver) = store.session().await?;
    let (second, _second_driver) = store.session().await?;
    let (one, check_interval) = process(&first).await?;
    let (other, _) = process(&second).await?;
    let (later, _) = process(&first).await?;
    Ok(if one == other || one != later {
        PoolerFinding::SharedProcess
    } else if check_interval.as_deref() != Some(super::connect::CLIENT_CHECK_INTERVAL) {
        PoolerFinding::SettingsIgnored
    } else {
        PoolerFinding::None
    })
}

async fn process(client: &Client) -> Result<(i32, Option<String>), StoreError> {
    let failed = |source| StoreError::Postgres { statement: PROCESS.name, source };
    // Not prepared: a pooler may send the next statement to another process.
    let rows = client.query_typed(PROCESS.sql, &[]).await.map_err(failed)?;
    let row = rows.first().ok_or_else(|| StoreError::State("session.process gave no row".into()))?;
    Ok((row.get("pid"), row.get("check_interval")))
}
