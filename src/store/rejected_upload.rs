//! `rejected_upload`: items that could not be stored.
//!
//! Before: `store::batch` adds refused items; operators list them. After: `store::replay` tries to store them again.
//! Promise: an item that is sent again is the same row; a row leaves the table only in the transaction that stores its item, or when
//! an operator drops it.

use std::borrow::Cow;

use deadpool_postgres::{GenericClient, Object};
use jiff::Timestamp;
use tokio_postgres::Row;
use tokio_postgres::types::{ToSql, Type};

use super::{Statement, Store, StoreError, statement};
use crate::model::{Reject, Source};

const ADD: Statement = statement!("rejected_upload", "add");
const COUNT_KEPT: Statement = statement!("rejected_upload", "count_kept");
const LIST: Statement = statement!("rejected_upload", "list");
const MEASURE: Statement = statement!("rejected_upload", "measure");
const PAGE: Statement = statement!("rejected_upload", "page");
const CLAIM: Statement = statement!("rejected_upload", "claim");
const REMOVE: Statement = statement!("rejected_upload", "remove");
const UPDATE_REFUSAL: Statement = statement!("rejected_upload", "update_refusal");

/// A row of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RejectedUpload {
    /// Its number.
    pub id: i64,
    /// When the upload was received, the first time.
    pub received_at: Timestamp,
    /// When it was last; `None`: once only.
    pub last_received_at: Option<Timestamp>,
    /// How often it was received.
    pub times: i64,
    /// The transaction that kept it, the last time.
    pub batch_id: i64,
    /// The kind of item.
    pub source: Source,
    /// Serial the item named; `None`: none that can be read.
    pub device_sn: Option<String>,
    /// Kind of refusal, a word of [`crate::model::RejectReason`].
    pub reason: String,
    /// What exactly was wrong.
    pub detail: String,
    /// The item as it was sent.
    pub body: String,
    /// What the objects around it said for it, JSON; `None`: nothing.
    pub inherited: Option<String>,
    /// Tenant of the key it was sent with; 0: of a key of one device; `None`: a key of every tenant, or none.
    pub key_customer_id: Option<i64>,
}

/// Which rejects; `None` is any.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// By number.
    pub ids: Option<Vec<i64>>,
    /// By serial.
    pub devices: Option<Vec<String>>,
    /// By kind of refusal.
    pub reasons: Option<Vec<String>>,
    /// By kind of item.
    pub sources: Option<Vec<&'static str>>,
    /// Received then or later.
    pub from: Option<Timestamp>,
    /// Received before.
    pub to: Option<Timestamp>,
}

impl Filter {
    /// Those and no others.
    pub fn of_ids(ids: Vec<i64>) -> Self {
        Self { ids: Some(ids), ..Self::default() }
    }

    fn parameters(&self) -> [(&(dyn ToSql + Sync), Type); 6] {
        [
            (&self.ids, Type::INT8_ARRAY),
            (&self.devices, Type::TEXT_ARRAY),
            (&self.reasons, Type::TEXT_ARRAY),
            (&self.sources, Type::TEXT_ARRAY),
            (&self.from, Type::TIMESTAMPTZ),
            (&self.to, Type::TIMESTAMPTZ),
        ]
    }
}

/// How many rejects match, and from when to when they were received.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MatchSummary {
    /// How many.
    pub rejects: u64,
    /// The highest number among them.
    pub last_id: i64,
    /// When the first was received, and the last; `None` when there is none.
    pub received: Option<(Timestamp, Timestamp)>,
}

/// Rejects that match, newest first, `limit` at most.
///
/// # Errors
/// The database cannot be asked.
pub async fn list(store: &Store, filter: &Filter, limit: i64) -> Result<Vec<RejectedUpload>, StoreError> {
    let client = store.client().await?;
    let mut parameters = filter.parameters().to_vec();
    parameters.push((&limit, Type::INT8));
    let rows = LIST.query_unprepared(&**client, &parameters).await?;
    rows.iter().map(read).collect()
}

/// How many match.
///
/// # Errors
/// The database cannot be asked.
pub async fn measure(store: &Store, filter: &Filter) -> Result<MatchSummary, StoreError> {
    let client = store.client().await?;
    let rows = MEASURE.query_unprepared(&**client, &filter.parameters()).await?;
    let row = &rows[0];
    Ok(MatchSummary {
        rejects: u64::try_from(row.get::<_, i64>("rejects")).unwrap_or(0),
        last_id: row.get::<_, Option<i64>>("last_id").unwrap_or(0),
        received: row.get::<_, Option<_>>("oldest").zip(row.get("newest")),
    })
}

/// Bytes of rejects that may be held at once: a reject may be a whole body, and a page of those would not fit the memory.
pub const PAGE_BYTES: i64 = 32 * 1024 * 1024;

/// Numbers of the next rejects that match, ascending: behind `after`, `last` at most, `limit` of them at most, and no more
/// than [`PAGE_BYTES`] unless it is a single one.
///
/// # Errors
/// The database cannot be asked.
pub async fn page(
    store: &Store,
    filter: &Filter,
    after: i64,
    last: i64,
    limit: i64,
) -> Result<Vec<i64>, StoreError> {
    let client = store.client().await?;
    let mut parameters = filter.parameters().to_vec();
    parameters.extend([
        (&after as &(dyn ToSql + Sync), Type::INT8),
        (&last, Type::INT8),
        (&limit, Type::INT8),
        (&PAGE_BYTES, Type::INT8),
    ]);
    let rows = PAGE.query_unprepared(&**client, &parameters).await?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// Deletes the rejects with these numbers, and returns how many there were.
///
/// # Errors
/// Nothing was deleted.
pub async fn drop_for_good(store: &Store, ids: &[i64]) -> Result<u64, StoreError> {
    let client = store.client().await?;
    REMOVE.execute(&client, &[&ids]).await
}

/// The columns of some rejects, as `rejected_upload.add` takes them.
struct RejectColumns<'a> {
    received_at: Vec<Timestamp>,
    source: Vec<&'a str>,
    device_sn: Vec<Option<&'a str>>,
    reason: Vec<&'a str>,
    detail: Vec<&'a str>,
    body: Vec<Cow<'a, str>>,
    inherited: Vec<Option<&'a str>>,
    tenant: Vec<Option<i64>>,
}

impl<'a> RejectColumns<'a> {
    fn of(rejects: impl Iterator<Item = &'a Reject> + Clone) -> Self {
        Self {
            received_at: rejects.clone().map(|reject| reject.received_at).collect(),
            source: rejects.clone().map(|reject| reject.source.name()).collect(),
            device_sn: rejects.clone().map(|reject| reject.device_sn.as_deref()).collect(),
            reason: rejects.clone().map(|reject| reject.refusal.reason.name()).collect(),
            detail: rejects.clone().map(|reject| reject.refusal.detail.as_str()).collect(),
            body: rejects.clone().map(|reject| String::from_utf8_lossy(&reject.text)).collect(),
            inherited: rejects.clone().map(|reject| reject.inherited.as_deref()).collect(),
            tenant: rejects.map(|reject| reject.key_customer_id).collect(),
        }
    }

    fn parameters(&self) -> [&(dyn ToSql + Sync); 8] {
        let Self { received_at, source, device_sn, reason, detail, body, inherited, tenant } = self;
        [received_at, source, device_sn, reason, detail, body, inherited, tenant]
    }
}

pub(crate) async fn add(client: &Object, rejects: &[Reject]) -> Result<(), StoreError> {
    ADD.execute(client, &RejectColumns::of(rejects.iter()).parameters()).await.map(drop)
}

/// How many of these rejects are kept.
pub(super) async fn count_kept(client: &Object, rejects: &[&Reject]) -> Result<i64, StoreError> {
    let columns = RejectColumns::of(rejects.iter().copied());
    let rows = COUNT_KEPT.query(client, &columns.parameters()).await?;
    Ok(rows.first().map_or(0, |row| row.get("kept")))
}

/// Locks those of `ids` that no other session has locked, in the order of their numbers.
pub(super) async fn claim<C: GenericClient>(
    client: &C,
    ids: &[i64],
) -> Result<Vec<RejectedUpload>, StoreError> {
    CLAIM.query(client, &[&ids]).await?.iter().map(read).collect()
}

pub(super) async fn remove(client: &Object, ids: &[i64]) -> Result<u64, StoreError> {
    REMOVE.execute(client, &[&ids]).await
}

/// Records the current reason of refusal.
pub(super) async fn update_refusal(client: &Object, refused: &[(i64, Reject)]) -> Result<u64, StoreError> {
    let id: Vec<i64> = refused.iter().map(|(id, _)| *id).collect();
    let device_sn: Vec<Option<&str>> =
        refused.iter().map(|(_, reject)| reject.device_sn.as_deref()).collect();
    let reason: Vec<&str> = refused.iter().map(|(_, reject)| reject.refusal.reason.name()).collect();
    let detail: Vec<&str> = refused.iter().map(|(_, reject)| reject.refusal.detail.as_str()).collect();
    UPDATE_REFUSAL.execute(client, &[&id, &device_sn, &reason, &detail]).await
}

fn read(row: &Row) -> Result<RejectedUpload, StoreError> {
    let source: &str = row.get("source");
    Ok(RejectedUpload {
        id: row.get("rejected_upload_id"),
        received_at: row.get("received_at"),
        last_received_at: row.get("last_received_at"),
        times: row.get("times"),
        batch_id: row.get("batch_id"),
        source: Source::of_name(source).ok_or_else(|| {
            StoreError::State(format!("rejected_upload.source is {source:?}, which is none"))
        })?,
        device_sn: row.get("device_sn"),
        reason: row.get("reason"),
        detail: row.get("detail"),
        body: row.get("body"),
        inherited: row.get("inherited"),
        key_customer_id: row.get("key_customer_id"),
    })
}
