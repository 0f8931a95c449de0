//! A summary of what the database holds: for the account that `vitals demo` gives, and for tests.
//!
//! Before: `demo`. After: the tables and rollups, read only; nothing here is for a hot path.

use deadpool_postgres::Object;
use jiff::Timestamp;
use tokio_postgres::Row;

use super::{Statement, Store, StoreError, statement};

const EDITION: Statement = statement!("overview", "edition");
const FOREIGN_RELATIONS: Statement = statement!("overview", "foreign_relations");
const FOREIGN_ROWS: Statement = statement!("overview", "foreign_rows");
const RAW: Statement = statement!("overview", "raw");
const ACCOUNT: Statement = statement!("overview", "account");
const HOURS: Statement = statement!("overview", "hours");
const DAYS: Statement = statement!("overview", "days");
const ROLLED_UP: Statement = statement!("overview", "rolled_up");
const WAITING: Statement = statement!("overview", "waiting");
const RECORDS: Statement = statement!("overview", "records");
const ALERTS: Statement = statement!("overview", "alerts");

/// What serves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edition {
    /// Version of PostgreSQL.
    pub postgres: String,
    /// Version of TimescaleDB.
    pub timescaledb: String,
    /// Whether it is the Community edition, with continuous aggregates and jobs.
    pub is_community: bool,
}

/// How much `health_data` holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawRows {
    /// Devices ever heard of.
    pub devices: i64,
    /// Rows.
    pub rows: i64,
    /// Oldest event time.
    pub first_ts: Option<Timestamp>,
    /// Newest event time.
    pub last_ts: Option<Timestamp>,
    /// Bytes on disk, indexes included.
    pub bytes: i64,
    /// Chunks of the hypertable.
    pub chunks: i64,
}

/// Where records have gone: `received = stored + duplicate + rejected`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordAccount {
    /// Transactions.
    pub batches: i64,
    /// Records received.
    pub received: i64,
    /// Became a row.
    pub stored: i64,
    /// Were there already.
    pub duplicate: i64,
    /// Are in `rejected_upload`.
    pub rejected: i64,
}

/// One bucket of a rollup, as far as an overview shows it.
#[derive(Debug, Clone, PartialEq)]
pub struct Bucket {
    /// Its start.
    pub bucket: Timestamp,
    /// Rows in it.
    pub samples: i64,
    /// Lowest heart rate, bpm; `None`: not measured.
    pub heart_rate_min: Option<i32>,
    /// Mean heart rate, bpm.
    pub heart_rate_avg: Option<f64>,
    /// Highest heart rate, bpm.
    pub heart_rate_max: Option<i32>,
    /// Steps of the local day by the end of the bucket.
    pub step_max: Option<i64>,
}

/// Rows, and what the rollups know of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RollupRows {
    /// Rows of `health_data`.
    pub rows: i64,
    /// Sum of `samples` of `health_daily`.
    pub samples: i64,
}

/// The alerts of a fleet, and those that follow from its rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AlertCounts {
    /// Raised, and not retracted.
    pub raised: i64,
    /// Follow from the stored rows, by the rules of now.
    pub expected: i64,
    /// Follow from the rows, and were not raised.
    pub missing: i64,
    /// Were raised twice, or follow from no row.
    pub unexpected: i64,
}

/// What serves.
///
/// # Errors
/// The database is away.
pub async fn edition(store: &Store) -> Result<Edition, StoreError> {
    let row = only(EDITION.query(&store.client().await?, &[]).await?)?;
    let text = |name| row.get::<_, Option<String>>(name).unwrap_or_else(|| "missing".to_owned());
    Ok(Edition {
        postgres: text("postgres"),
        timescaledb: text("timescaledb"),
        is_community: text("license") == "timescale",
    })
}

/// Relations that are somebody else's, or tables of ours with rows of devices whose serial is not between `own` (a beginning, and the
/// first text behind all that begin so), with tenants and units of other names than `names`, or with what others than `made_by` have
/// entered. Empty: nobody's but a demo's. The schema need not be there.
///
/// # Errors
/// The database is away.
pub async fn foreign(
    store: &Store,
    own: (&str, &str),
    made_by: &str,
    names: &[String],
) -> Result<Vec<String>, StoreError> {
    let client = store.client().await?;
    let relations = FOREIGN_RELATIONS.query(&client, &[]).await?;
    if !relations.is_empty() || super::migrations::version(store).await? == 0 {
        return Ok(relations.iter().map(|row| row.get("relation")).collect());
    }
    let rows = FOREIGN_ROWS.query(&client, &[&own.0, &own.1, &made_by, &names]).await?;
    Ok(only(rows)?.get("tables"))
}

/// How much `health_data` holds.
///
/// # Errors
/// The database is away.
pub async fn raw(store: &Store) -> Result<RawRows, StoreError> {
    let row = only(RAW.query(&store.client().await?, &[]).await?)?;
    Ok(RawRows {
        devices: row.get("devices"),
        rows: row.get("rows"),
        first_ts: row.get("first_ts"),
        last_ts: row.get("last_ts"),
        bytes: row.get("bytes"),
        chunks: row.get("chunks"),
    })
}

/// Where the records that `instance` received have gone.
///
/// # Errors
/// The database is away.
pub async fn account(store: &Store, instance: &str) -> Result<RecordAccount, StoreError> {
    let row = only(ACCOUNT.query(&store.client().await?, &[&instance]).await?)?;
    Ok(RecordAccount {
        batches: row.get("batches"),
        received: row.get("received"),
        stored: row.get("stored"),
        duplicate: row.get("duplicate"),
        rejected: row.get("rejected"),
    })
}

/// The last `count` hours of a device that hold samples, oldest first.
///
/// # Errors
/// The database is away.
pub async fn hours(store: &Store, device_sn: &str, count: i64) -> Result<Vec<Bucket>, StoreError> {
    buckets(&HOURS, &store.client().await?, device_sn, count).await
}

/// The last `count` days of a device that hold samples, oldest first.
///
/// # Errors
/// The database is away.
pub async fn days(store: &Store, device_sn: &str, count: i64) -> Result<Vec<Bucket>, StoreError> {
    buckets(&DAYS, &store.client().await?, device_sn, count).await
}

/// Rows, and what the rollups know of them.
///
/// # Errors
/// The database is away.
pub async fn rolled_up(store: &Store) -> Result<RollupRows, StoreError> {
    let row = only(ROLLED_UP.query(&store.client().await?, &[]).await?)?;
    Ok(RollupRows { rows: row.get("rows"), samples: row.get("samples") })
}

/// Committed transactions that were not reacted to yet.
///
/// # Errors
/// The database is away.
pub async fn waiting(store: &Store) -> Result<i64, StoreError> {
    let row = only(WAITING.query(&store.client().await?, &[]).await?)?;
    Ok(row.get("batches"))
}

/// Serial and time of each row of the devices from serial `first` to serial `last`: a record that is stored twice is in it twice.
///
/// # Errors
/// The database is away.
pub async fn records(store: &Store, first: &str, last: &str) -> Result<Vec<(String, Timestamp)>, StoreError> {
    let rows = RECORDS.query(&store.client().await?, &[&first, &last]).await?;
    Ok(rows.iter().map(|row| (row.get("device_sn"), row.get("ts"))).collect())
}

/// The alerts of these devices since then, compared with a recomputation from their rows.
///
/// # Errors
/// The database is away.
pub async fn alerts(
    store: &Store,
    device_sns: &[String],
    since: Timestamp,
) -> Result<AlertCounts, StoreError> {
    let row = only(ALERTS.query(&store.client().await?, &[&device_sns, &since]).await?)?;
    Ok(AlertCounts {
        raised: row.get("raised"),
        expected: row.get("expected"),
        missing: row.get("missing"),
        unexpected: row.get("unexpected"),
    })
}

async fn buckets(
    statement: &Statement,
    client: &Object,
    device_sn: &str,
    count: i64,
) -> Result<Vec<Bucket>, StoreError> {
    let bucket = |row: &Row| Bucket {
        bucket: row.get("bucket"),
        samples: row.get("samples"),
        heart_rate_min: row.get("heart_rate_min"),
        heart_rate_avg: row.get("heart_rate_avg"),
        heart_rate_max: row.get("heart_rate_max"),
        step_max: row.get("step_max"),
    };
    let rows = statement.query(client, &[&device_sn, &count]).await?;
    Ok(rows.iter().rev().map(bucket).collect())
}

fn only(mut rows: Vec<Row>) -> Result<Row, StoreError> {
    rows.pop().ok_or_else(|| StoreError::State("an aggregate gave no row".to_owned()))
}
