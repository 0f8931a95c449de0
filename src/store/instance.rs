//! Which instances run, and of which program: each writes a heartbeat, with the range of schemas that its program works with.
//!
//! Before: `schedule::heartbeat`, in every instance. After: `vitals.instance`, which `vitals migrate` reads before it contracts the
//! schema. Promise: an instance that could not write its heartbeat while the database was away has the time to write one before a
//! contract; one that missed a contract learns of it with its next heartbeat.

use std::fmt;
use std::time::Duration;

use tokio::time::{Instant, sleep};
use tokio_postgres::GenericClient;
use uuid::Uuid;

use super::program::Program;
use super::{Statement, Store, StoreError, statement};
use crate::config::Settings;

const RUNNING: Statement = statement!("instance", "running");
const SILENT: Statement = statement!("instance", "silent");
const DELETE_ENDED: Statement = statement!("instance", "delete_ended");

/// How often a migrate looks for the heartbeats that it waits for.
const POLL_EVERY: Duration = Duration::from_millis(250);

/// This process, as the database knows it.
#[derive(Debug, Clone)]
pub struct Instance {
    id: Uuid,
    name: String,
}

/// An instance that runs.
#[derive(Debug, Clone)]
pub struct RunningInstance {
    /// Setting `instance`.
    pub name: String,
    /// Version of its program.
    pub version: String,
    /// The oldest schema that its program runs with.
    pub oldest_schema: i32,
    /// The newest migration that its program has.
    pub head: i32,
    /// Seconds since its last heartbeat.
    pub seconds: f64,
}

impl RunningInstance {
    /// How long an instance counts after its last heartbeat. Several are written in this time.
    pub const COUNTS_SECONDS: u32 = 60;
}

impl fmt::Display for RunningInstance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} (vitals {}, migrations up to V{}, seen {:.0} s ago)",
            self.name, self.version, self.head, self.seconds
        )
    }
}

impl Instance {
    /// How often it writes a heartbeat: several times while it counts after the last one.
    pub const BEAT_EVERY: Duration = Duration::from_secs(5);

    /// This process, under a random id: names of instances need not differ.
    pub fn new(settings: &Settings) -> Self {
        Self { id: Uuid::new_v4(), name: settings.instance_name() }
    }

    /// Writes a heartbeat. False: the schema no longer serves this program.
    ///
    /// # Errors
    /// The database is away, or accepts no writes.
    pub async fn beat(&self, store: &Store) -> Result<bool, StoreError> {
        let program = Program::this();
        let client = store.client().await?;
        let rows = statement!("instance", "beat")
            .query(
                &client,
                &[&self.id, &self.name, &program.version(), &program.oldest_schema(), &program.head()],
            )
            .await?;
        // No row in vitals.schema_state: `store::schema` reports it.
        let oldest_program: Option<i32> = rows.first().and_then(|row| row.get("oldest_program"));
        Ok(oldest_program.is_none_or(|oldest| oldest <= program.head()))
    }

    /// Records that it has ended.
    ///
    /// # Errors
    /// The database is away; then it counts for a minute longer.
    pub async fn leave(&self, store: &Store) -> Result<(), StoreError> {
        let client = store.client().await?;
        statement!("instance", "leave").execute(&client, &[&self.id]).await.map(drop)
    }
}

/// The instances that run, the oldest program first. Empty before the migration that creates the table.
///
/// # Errors
/// The database is unreachable.
pub async fn running(client: &impl GenericClient) -> Result<Vec<RunningInstance>, StoreError> {
    let failed = |source| StoreError::Postgres { statement: RUNNING.name, source };
    if !is_created(client).await? {
        return Ok(Vec::new());
    }
    let counts = f64::from(RunningInstance::COUNTS_SECONDS);
    let rows = client.query(RUNNING.sql, &[&counts]).await.map_err(failed)?;
    Ok(rows
        .iter()
        .map(|row| RunningInstance {
            name: row.get("name"),
            version: row.get("program_version"),
            oldest_schema: row.get("oldest_schema"),
            head: row.get("head"),
            seconds: row.get("seconds"),
        })
        .collect())
}

/// Deletes the rows of programs without migration `version` that have ended without deleting theirs. After an outage of the database,
/// or when its clock has jumped ahead, every heartbeat is old although the instances run: so each has the time `wait` to write one.
/// Returns as soon as all have. Takes no lock meanwhile.
///
/// # Errors
/// The database is unreachable.
pub async fn delete_ended(
    client: &impl GenericClient,
    version: i32,
    wait: Duration,
) -> Result<(), StoreError> {
    if !is_created(client).await? {
        return Ok(());
    }
    let deadline = Instant::now() + wait;
    let mut ended = silent(client, version).await?;
    while !ended.is_empty() && Instant::now() < deadline {
        sleep(POLL_EVERY).await;
        let still_silent = silent(client, version).await?;
        ended.retain(|id| still_silent.contains(id));
    }
    if !ended.is_empty() {
        let counts = f64::from(RunningInstance::COUNTS_SECONDS);
        client
            .execute(DELETE_ENDED.sql, &[&counts, &ended])
            .await
            .map_err(|source| StoreError::Postgres { statement: DELETE_ENDED.name, source })?;
    }
    Ok(())
}

/// Ids of the instances without migration `version` whose last heartbeat is too old for them to count.
async fn silent(client: &impl GenericClient, version: i32) -> Result<Vec<Uuid>, StoreError> {
    let counts = f64::from(RunningInstance::COUNTS_SECONDS);
    let rows = client
        .query(SILENT.sql, &[&counts, &version])
        .await
        .map_err(|source| StoreError::Postgres { statement: SILENT.name, source })?;
    Ok(rows.iter().map(|row| row.get("instance_id")).collect())
}

/// Lets no instance start or write a heartbeat until the transaction ends, and returns those that run.
pub(super) async fn lock_running(client: &impl GenericClient) -> Result<Vec<RunningInstance>, StoreError> {
    if is_created(client).await? {
        client
            .batch_execute("lock table vitals.instance in share row exclusive mode")
            .await
            .map_err(|source| StoreError::Postgres { statement: "instance.lock", source })?;
    }
    running(client).await
}

async fn is_created(client: &impl GenericClient) -> Result<bool, StoreError> {
    let row = client
        .query_one("select to_regclass('vitals.instance') is not null", &[])
        .await
        .map_err(|source| StoreError::Postgres { statement: RUNNING.name, source })?;
    Ok(row.get(0))
}
