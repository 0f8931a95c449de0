//! `erasure`: deleting all data of a device or a user, step by step, and the receipt.
//!
//! Before: `vitals erase`; and `ingest`, which asks what of an old upload was erased. After: sql/functions/erasure; then `cache::erasure`
//! deletes the keys in Redis.
//! Promise: each step is a transaction that records what it deleted; an interrupted erasure continues where it stopped.

use jiff::Timestamp;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Row};

use super::{Driver, Statement, Store, StoreError, statement};
use crate::model::Upload;

const BEGIN: Statement = statement!("erasure", "begin");
const IS_BEGUN: Statement = statement!("erasure", "is_begun");
const STEPS: Statement = statement!("erasure", "steps");
const STEP: Statement = statement!("erasure", "step");
const UNDER_WAY: Statement = statement!("erasure", "under_way");
const STILL_UNDER_WAY: Statement = statement!("erasure", "still_under_way");
const LINKED_ROWS: Statement = statement!("erasure", "linked_rows");
const PENDING: Statement = statement!("erasure", "pending");
const REDIS_CLEARED: Statement = statement!("erasure", "redis_cleared");
const RECEIPT: Statement = statement!("erasure", "receipt");
const COVERED: Statement = statement!("erasure", "covered");

/// What is erased.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// A device, by serial.
    Device(String),
    /// A user, by id.
    User(i64),
}

impl Subject {
    /// The word of `erasure.kind`.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Device(_) => "device",
            Self::User(_) => "user",
        }
    }

    /// Serial or id.
    pub fn text(&self) -> String {
        match self {
            Self::Device(device_sn) => device_sn.clone(),
            Self::User(user_id) => user_id.to_string(),
        }
    }
}

/// A step: a chunk of a hypertable, or a table.
#[derive(Debug, Clone)]
pub struct ErasureStep {
    /// The table.
    pub relation: String,
    from: Option<Timestamp>,
    to: Option<Timestamp>,
}

/// Batches and alert changes that are being processed; an instance may hold their rows in memory.
#[derive(Debug, Clone)]
pub struct InProgress {
    batches: Vec<i64>,
    changes: Vec<i64>,
}

/// Devices whose keys are still in Redis.
#[derive(Debug, Clone)]
pub struct PendingErasure {
    /// Number of the erasure.
    pub id: i64,
    /// Serials.
    pub device_sns: Vec<String>,
}

/// A row of the table.
#[derive(Debug, Clone)]
pub struct ErasureReceipt {
    /// Its number.
    pub id: i64,
    /// `device` or `user`.
    pub kind: String,
    /// Random number that says nothing about what was erased.
    pub number: String,
    /// Who requested it.
    pub asked_by: String,
    /// When.
    pub asked_at: Timestamp,
    /// When the last row was deleted.
    pub erased_at: Option<Timestamp>,
    /// When Redis was cleared.
    pub forgotten_at: Option<Timestamp>,
    /// Rows by table, JSON.
    pub counts: String,
}

/// For each record of these uploads, and then each reject, in their order: whether it was received before an erasure that covers it.
///
/// # Errors
/// The database is away.
pub async fn covered(store: &Store, uploads: &[Upload]) -> Result<Vec<bool>, StoreError> {
    let mut columns: (Vec<_>, Vec<_>, Vec<_>, Vec<_>, Vec<_>) = Default::default();
    for upload in uploads {
        let records = upload.records().map(|record| {
            (Some(record.device_sn()), record.owner().user_id, record.ts(), record.received_at(), None)
        });
        let rejects = upload.rejects.iter().map(|reject| {
            let text =
                String::from_utf8_lossy(&reject.text) + reject.inherited.as_deref().unwrap_or_default();
            let at = reject.received_at;
            (reject.device_sn.as_deref(), None, at, at, Some(text.replace('\0', "")))
        });
        columns.extend(records.chain(rejects));
    }
    let mut covered = vec![false; columns.0.len()];
    let client = store.client().await?;
    let parameters: [&(dyn ToSql + Sync); 5] = [&columns.0, &columns.1, &columns.2, &columns.3, &columns.4];
    for row in COVERED.query(&client, &parameters).await? {
        covered[usize::try_from(row.get::<_, i64>("place") - 1).expect("a place in the arrays")] = true;
    }
    Ok(covered)
}

/// A session without statement time-out.
#[derive(Debug)]
pub struct ErasureSession {
    client: Client,
    _driver: Driver,
}

impl ErasureSession {
    /// Opens the session.
    ///
    /// # Errors
    /// The database is away.
    pub async fn open(store: &Store) -> Result<Self, StoreError> {
        let (client, driver) = store.session().await?;
        Ok(Self { client, _driver: driver })
    }

    /// Starts an erasure, or continues an interrupted one; returns its number.
    ///
    /// # Errors
    /// The database is away.
    pub async fn begin(&self, subject: &Subject, actor: &str) -> Result<i64, StoreError> {
        Ok(self.row(BEGIN, &[&subject.kind(), &subject.text(), &actor]).await?.get(0))
    }

    /// Whether there is an interrupted erasure that would continue.
    ///
    /// # Errors
    /// The database is away.
    pub async fn is_begun(&self, subject: &Subject) -> Result<bool, StoreError> {
        let failed = |source| StoreError::Postgres { statement: IS_BEGUN.name, source };
        self.client.batch_execute("begin").await.map_err(failed)?;
        let begun = self.row(IS_BEGUN, &[&subject.kind(), &subject.text()]).await.map(|row| row.get(0));
        self.client.batch_execute("rollback").await.map_err(failed)?;
        begun
    }

    /// The steps, in order.
    ///
    /// # Errors
    /// The database is away.
    pub async fn steps(&self, subject: &Subject) -> Result<Vec<ErasureStep>, StoreError> {
        let rows = self.rows(STEPS, &[&subject.kind()]).await?;
        let step = |row: &Row| ErasureStep {
            relation: row.get("relation"),
            from: row.get("from_ts"),
            to: row.get("to_ts"),
        };
        Ok(rows.iter().map(step).collect())
    }

    /// Does a step of the erasure `id`, or, without one, counts the rows it would delete; returns the number of rows.
    ///
    /// # Errors
    /// Nothing of the step was done.
    pub async fn step(
        &self,
        id: Option<i64>,
        subject: &Subject,
        step: &ErasureStep,
    ) -> Result<i64, StoreError> {
        let ErasureStep { relation, from, to } = step;
        Ok(self.row(STEP, &[&id, &subject.kind(), &subject.text(), relation, from, to]).await?.get(0))
    }

    /// Batches and alert changes that are being processed now.
    ///
    /// # Errors
    /// The database is away.
    pub async fn under_way(&self) -> Result<InProgress, StoreError> {
        let row = self.row(UNDER_WAY, &[]).await?;
        Ok(InProgress { batches: row.get("batches"), changes: row.get("changes") })
    }

    /// How many of them are still being processed.
    ///
    /// # Errors
    /// The database is away.
    pub async fn still_under_way(&self, what: &InProgress) -> Result<i64, StoreError> {
        Ok(self.row(STILL_UNDER_WAY, &[&what.batches, &what.changes]).await?.get(0))
    }

    /// Deletes the rows that refer to each other and completes the erasure `id` in the database, or, without one, counts them: rows
    /// by table.
    ///
    /// # Errors
    /// Nothing of it was done.
    pub async fn linked_rows(
        &self,
        id: Option<i64>,
        subject: &Subject,
    ) -> Result<Vec<(String, i64)>, StoreError> {
        let rows = self.rows(LINKED_ROWS, &[&id, &subject.kind(), &subject.text()]).await?;
        Ok(rows.iter().map(|row| (row.get("relation"), row.get("taken"))).collect())
    }

    /// Erasures whose keys are still in Redis.
    ///
    /// # Errors
    /// The database is away.
    pub async fn pending(&self) -> Result<Vec<PendingErasure>, StoreError> {
        let rows = self.rows(PENDING, &[]).await?;
        Ok(rows
            .iter()
            .map(|row| PendingErasure { id: row.get("erasure_id"), device_sns: row.get("pending") })
            .collect())
    }

    /// Records that Redis was cleared.
    ///
    /// # Errors
    /// The database is away; it may be called twice.
    pub async fn redis_cleared(&self, id: i64) -> Result<(), StoreError> {
        self.rows(REDIS_CLEARED, &[&id]).await.map(drop)
    }

    /// The receipt.
    ///
    /// # Errors
    /// The database is away.
    pub async fn receipt(&self, id: i64) -> Result<ErasureReceipt, StoreError> {
        let row = self.row(RECEIPT, &[&id]).await?;
        Ok(ErasureReceipt {
            id: row.get("erasure_id"),
            kind: row.get("kind"),
            number: row.get("receipt_number"),
            asked_by: row.get("asked_by"),
            asked_at: row.get("asked_at"),
            erased_at: row.get("erased_at"),
            forgotten_at: row.get("forgotten_at"),
            counts: row.get("counts"),
        })
    }

    async fn rows(
        &self,
        statement: Statement,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, StoreError> {
        self.client
            .query(statement.sql, parameters)
            .await
            .map_err(|source| StoreError::Postgres { statement: statement.name, source })
    }

    async fn row(&self, statement: Statement, parameters: &[&(dyn ToSql + Sync)]) -> Result<Row, StoreError> {
        self.client
            .query_one(statement.sql, parameters)
            .await
            .map_err(|source| StoreError::Postgres { statement: statement.name, source })
    }
}
