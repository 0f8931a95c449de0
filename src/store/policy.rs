//! `policy`: what DBAs decided about lifetimes, and its enforcement.
//!
//! Before: `vitals policy`, `/admin/policies`, the clock, whoever asks how old an upload may be. After: sql/functions/policy.
//! Promise: a policy that would lose data is refused by the database, with the reason, whoever sets it.

use jiff::Timestamp;
use tokio_postgres::types::Type;
use tokio_postgres::{Client, Row};

use super::{Driver, Statement, Store, StoreError, statement};

const RAW_KEEP_SECONDS: Statement = statement!("policy", "raw_keep_seconds");
const LIST: Statement = statement!("policy", "list");
const PLAN: Statement = statement!("policy", "plan");
const SET: Statement = statement!("policy", "set");
const ACT_AS: Statement = statement!("alert_rule", "act_as");
const APPLY: Statement = statement!("policy", "apply");
const TRY_LOCK: Statement = statement!("policy", "try_lock");

/// Age in seconds from which raw rows may be dropped. `None`: they are kept for ever.
///
/// # Errors
/// The database is away.
pub async fn raw_keep_seconds(store: &Store) -> Result<Option<i64>, StoreError> {
    let client = store.client().await?;
    let rows = RAW_KEEP_SECONDS.query(&client, &[]).await?;
    Ok(rows.first().and_then(|row| row.get("keep_seconds")))
}

/// A row of the table. Lengths of time as PostgreSQL tells them.
#[derive(Debug, Clone)]
pub struct Policy {
    /// What it is about.
    pub relation: String,
    /// `hypertable`, `rollup` or `table`.
    pub kind: Option<String>,
    /// How long rows live; `None`: for ever.
    pub keep_for: Option<String>,
    /// When chunks are compressed; `None`: never.
    pub compress_after: Option<String>,
    /// How often a rollup is refreshed.
    pub refresh_every: Option<String>,
    /// How far behind now its materialisation stays.
    pub refresh_lag: Option<String>,
    /// Bytes of text that are kept; `None`: any number.
    pub keep_bytes: Option<i64>,
    /// When it was last changed, and by whom; `None`: it was not.
    pub changed: Option<(Timestamp, String)>,
    /// What was done last; `None`: nothing ever.
    pub run: Option<PolicyRun>,
}

/// What the last enforcement did with a relation.
#[derive(Debug, Clone)]
pub struct PolicyRun {
    /// When.
    pub applied_at: Timestamp,
    /// Chunks that were dropped.
    pub chunks_dropped: i64,
    /// Rows that were deleted from a plain table.
    pub rows_deleted: i64,
    /// Chunks that were compressed.
    pub chunks_compressed: i64,
    /// Why rows that are old enough were not dropped.
    pub held: Option<String>,
}

/// Every policy.
///
/// # Errors
/// The database is away.
pub async fn list(store: &Store) -> Result<Vec<Policy>, StoreError> {
    let client = store.client().await?;
    Ok(LIST.query(&client, &[]).await?.iter().map(policy).collect())
}

fn policy(row: &Row) -> Policy {
    let run = row.get::<_, Option<Timestamp>>("applied_at").map(|applied_at| PolicyRun {
        applied_at,
        chunks_dropped: row.get("chunks_dropped"),
        rows_deleted: row.get("rows_deleted"),
        chunks_compressed: row.get("chunks_compressed"),
        held: row.get("held"),
    });
    Policy {
        relation: row.get("relation"),
        kind: row.get("kind"),
        keep_for: row.get("keep_for"),
        compress_after: row.get("compress_after"),
        refresh_every: row.get("refresh_every"),
        refresh_lag: row.get("refresh_lag"),
        keep_bytes: row.get("keep_bytes"),
        changed: row.get::<_, Option<_>>("changed_at").zip(row.get("changed_by")),
        run,
    }
}

/// A step that enforcement would do now.
#[derive(Debug, Clone)]
pub struct PlannedStep {
    /// The relation.
    pub relation: String,
    /// `drop` (chunks), `delete` (rows) or `compress`.
    pub action: String,
    /// Rows older than this; `None`: none.
    pub until: Option<Timestamp>,
    /// Chunks; `None`: a plain table.
    pub chunks: Option<i64>,
    /// Rows; those of chunks are estimated.
    pub rows: i64,
    /// Bytes they take.
    pub bytes: i64,
    /// What it would leave out, and why.
    pub note: Option<String>,
}

/// A change of one policy: `None` leaves a value as it is, an empty text removes it.
#[derive(Debug, Clone, Copy, Default)]
pub struct PolicyChange<'a> {
    /// How long rows live.
    pub keep_for: Option<&'a str>,
    /// When chunks are compressed.
    pub compress_after: Option<&'a str>,
    /// How often a rollup is refreshed.
    pub refresh_every: Option<&'a str>,
    /// How far behind now its materialisation stays.
    pub refresh_lag: Option<&'a str>,
    /// Bytes of text that are kept.
    pub keep_bytes: Option<&'a str>,
}

impl<'a> PolicyChange<'a> {
    /// A change of one value. `None`: there is no value of this name.
    pub fn of(name: &str, to: &'a str) -> Option<Self> {
        let (to, rest) = (Some(to), Self::default());
        match name {
            "keep_for" => Some(Self { keep_for: to, ..rest }),
            "compress_after" => Some(Self { compress_after: to, ..rest }),
            "refresh_every" => Some(Self { refresh_every: to, ..rest }),
            "refresh_lag" => Some(Self { refresh_lag: to, ..rest }),
            "keep_bytes" => Some(Self { keep_bytes: to, ..rest }),
            _ => None,
        }
    }
}

/// Whether more chunks or rows are dropped than before a change.
pub fn drops_more(before: &[PlannedStep], after: &[PlannedStep]) -> bool {
    let gone = |steps: &[PlannedStep]| {
        let drops = steps.iter().filter(|step| matches!(step.action.as_str(), "drop" | "delete"));
        drops.fold((0, 0), |(chunks, rows), step| (chunks + step.chunks.unwrap_or(0), rows + step.rows))
    };
    let ((chunks_before, rows_before), (chunks_after, rows_after)) = (gone(before), gone(after));
    chunks_after > chunks_before || rows_after > rows_before
}

/// A session without statement timeout, to change and enforce policies.
#[derive(Debug)]
pub struct PolicySession {
    client: Client,
    _driver: Driver,
    store: Store,
}

impl PolicySession {
    /// Opens the session.
    ///
    /// # Errors
    /// The database is away.
    pub async fn open(store: &Store) -> Result<Self, StoreError> {
        let (client, driver) = store.session().await?;
        Ok(Self { client, _driver: driver, store: store.clone() })
    }

    /// What enforcement would do now to one relation, or to all.
    ///
    /// # Errors
    /// The database is away.
    pub async fn plan(&self, relation: Option<&str>) -> Result<Vec<PlannedStep>, StoreError> {
        plan(&self.client, relation).await
    }

    /// Changes a policy in the name of `actor`, and returns what enforcement would do then. Without an actor nothing is changed. `None`:
    /// there is no such relation.
    ///
    /// # Errors
    /// [`super::Kind::Refused`]: it would lose data, or is no length of time.
    pub async fn set(
        &mut self,
        relation: &str,
        change: &PolicyChange<'_>,
        actor: Option<&str>,
    ) -> Result<Option<Vec<PlannedStep>>, StoreError> {
        let failed = |source| StoreError::Postgres { statement: SET.name, source };
        let transaction = self.client.transaction().await.map_err(failed)?;
        if let Some(actor) = actor {
            transaction.execute(ACT_AS.sql, &[&actor]).await.map_err(failed)?;
        }
        let PolicyChange { keep_for, compress_after, refresh_every, refresh_lag, keep_bytes } = change;
        let changed = transaction
            .execute(SET.sql, &[&relation, keep_for, compress_after, refresh_every, refresh_lag, keep_bytes])
            .await
            .map_err(failed)?;
        if changed == 0 {
            return Ok(None);
        }
        let steps = plan(&transaction, Some(relation)).await?;
        match actor {
            Some(_) => transaction.commit().await.map_err(failed)?,
            None => transaction.rollback().await.map_err(failed)?,
        }
        Ok(Some(steps))
    }

    /// Takes the lock of the one instance that enforces policies on a schedule, until the session ends. False: another one has it.
    ///
    /// # Errors
    /// The database is away.
    pub async fn try_lock(&self) -> Result<bool, StoreError> {
        let failed = |source| StoreError::Postgres { statement: TRY_LOCK.name, source };
        Ok(self.client.query_one(TRY_LOCK.sql, &[]).await.map_err(failed)?.get("taken"))
    }

    /// Enforces policy now.
    ///
    /// # Errors
    /// What was done so far is kept.
    pub async fn apply(&self) -> Result<(), StoreError> {
        let failed = |source| StoreError::Postgres { statement: APPLY.name, source };
        self.client.execute(APPLY.sql, &[]).await.map(drop).map_err(failed)
    }

    /// Cancels the running statement and ends the session.
    pub async fn abandon(self) {
        self.store.cancel(&self.client).await;
    }
}

async fn plan<C: tokio_postgres::GenericClient + Sync>(
    client: &C,
    relation: Option<&str>,
) -> Result<Vec<PlannedStep>, StoreError> {
    let rows = PLAN.query_unprepared(client, &[(&relation, Type::TEXT)]).await?;
    let step = |row: &Row| PlannedStep {
        relation: row.get("relation"),
        action: row.get("action"),
        until: row.get("until"),
        chunks: row.get("chunks"),
        rows: row.get("rows"),
        bytes: row.get("bytes"),
        note: row.get("note"),
    };
    Ok(rows.iter().map(step).collect())
}
