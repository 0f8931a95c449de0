//! Whether the database is fit for the service: it answers, takes writes, and has TimescaleDB.
//!
//! Before: `/readyz`, `vitals check` and the monitor ask. After: nobody.
//! Promise: what is wrong is said in the server's own words, with its host and the setting that names it.

use tokio_postgres::Client;
use tokio_postgres::error::SqlState;

use super::error::describe;
use super::{Store, StoreError, statement};

/// Whether the database answers, and takes what an upload writes.
///
/// # Errors
/// It does not, within the connect time-out; it is a standby, or told to be read-only; it has no TimescaleDB; or the role may
/// not write.
pub async fn health_check(store: &Store) -> Result<(), StoreError> {
    match tokio::time::timeout(store.connect_timeout(), check(store)).await {
        Ok(checked) => checked,
        Err(_) => Err(store.server_error("no answer in time", None)),
    }
}

async fn check(store: &Store) -> Result<(), StoreError> {
    let failed =
        |source: tokio_postgres::Error| store.server_error(describe(&source), source.code().cloned());
    let client = store.client().await?;
    let rows = client.query_typed(statement!("health", "state").sql, &[]).await.map_err(failed)?;
    let state = |column| rows.first().is_some_and(|row| row.get(column));
    if state("is_read_only") {
        return Err(
            store.server_error("the database is read-only", Some(SqlState::READ_ONLY_SQL_TRANSACTION))
        );
    }
    if !state("has_timescaledb") {
        return Err(store.server_error("the extension timescaledb is not in this database", None));
    }
    if !state("may_make_temporary_tables") {
        let fault = "the role may not make temporary tables: grant temporary on database … to …";
        return Err(store.server_error(fault, Some(SqlState::INSUFFICIENT_PRIVILEGE)));
    }
    client.batch_execute(statement!("health", "can_write").sql).await.map_err(failed)
}

/// What a server is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ServerRole {
    /// It accepts writes.
    Primary,
    /// It accepts none, and is not a standby.
    ReadOnly,
    /// It replays the log of another; the newest transaction it has replayed is so many seconds old, if there was any.
    Standby(Option<f64>),
}

/// What each host of `database_url` is, by its name, or why it does not answer.
pub async fn roles(store: &Store) -> Vec<(String, Result<ServerRole, String>)> {
    let mut roles = Vec::new();
    for (name, session) in store.session_with_each_host().await {
        let role = match session {
            Ok((client, _driver)) => role(&client).await.map_err(|error| error.to_string()),
            Err(fault) => Err(fault),
        };
        roles.push((name, role));
    }
    roles
}

/// What the server of `client` is.
///
/// # Errors
/// It does not answer.
pub async fn role(client: &Client) -> Result<ServerRole, StoreError> {
    let statement = statement!("health", "role");
    let failed = |source| StoreError::Postgres { statement: statement.name, source };
    let rows = client.query_typed(statement.sql, &[]).await.map_err(failed)?;
    let row = rows.first().ok_or_else(|| StoreError::State("health.role gave no row".into()))?;
    Ok(match (row.get("is_standby"), row.get("is_read_only")) {
        (true, _) => ServerRole::Standby(row.get("replayed_seconds_ago")),
        (false, true) => ServerRole::ReadOnly,
        (false, false) => ServerRole::Primary,
    })
}

/// How the server sees a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Encryption {
    /// Whoever is on the way reads and writes along.
    None,
    /// Encrypted: protocol and cipher.
    Tls(String),
    /// The role may not look at its own login.
    Hidden,
}

/// Whether `client`'s connection is encrypted, as the server sees it.
///
/// # Errors
/// The database is away.
pub async fn encryption(client: &Client) -> Result<Encryption, StoreError> {
    let own = statement!("session", "own");
    let failed = |source| StoreError::Postgres { statement: own.name, source };
    let rows = client.query_typed(own.sql, &[]).await.map_err(failed)?;
    let text = |column| rows.first().and_then(|row| row.get::<_, Option<&str>>(column)).unwrap_or("unknown");
    Ok(match rows.first().and_then(|row| row.get::<_, Option<bool>>("is_encrypted")) {
        Some(true) => Encryption::Tls(format!("{}, {}", text("tls_version"), text("tls_cipher"))),
        Some(false) => Encryption::None,
        None => Encryption::Hidden,
    })
}

/// Whether TimescaleDB is in this database; else why not.
///
/// # Errors
/// The database is away.
pub async fn timescaledb(client: &Client) -> Result<Result<(), &'static str>, StoreError> {
    let statement = statement!("health", "timescaledb");
    let failed = |source| StoreError::Postgres { statement: statement.name, source };
    let rows = client.query_typed(statement.sql, &[]).await.map_err(failed)?;
    let is = |column| rows.first().is_some_and(|row| row.get(column));
    Ok(match (is("is_there"), is("is_installed")) {
        (true, _) => Ok(()),
        (false, true) => Err("the extension timescaledb is not in this database: run `vitals migrate`"),
        (false, false) => Err("the extension timescaledb is not installed on the server"),
    })
}
