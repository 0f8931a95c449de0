//! Reading `health_data` back: the newest row per device, of some batches or of a page of devices.
//!
//! Before: `relay` claims batches, `react` rebuilds the view. After: `cache::latest` shows what was read.
//! Promise: what is read comes with a version that orders reads of the same row.

use jiff::Timestamp;
use tokio_postgres::Row;
use tokio_postgres::types::{FromSql, Type};

use super::outbox::TimeRange;
use super::{StatementTimeout, Store, StoreError, statement};
use crate::metric::{Measurements, Metric, SqlType, Value};
use crate::model::{LatestValue, Owner};

/// Plans that scan by `batch_id` and hash, whatever the statistics say: those of a chunk that is being filled know
/// nothing of the newest batches. No compilation: the ways that are left look expensive to the planner, and are not.
const SCAN_BATCHES: &str = "set local enable_seqscan = off; set local enable_sort = off; \
     set local enable_nestloop = off; set local enable_mergejoin = off; \
     set local jit = off; set local work_mem = '32MB'";

/// Over years of daily chunks a plan looks expensive enough to compile; running it is not.
const NO_COMPILATION: &str = "set local jit = off";

/// Index of the first metric among the columns.
const FIRST_METRIC: usize = 7;

/// Newest rows, one per device.
#[derive(Debug, Default)]
pub struct NewestRows {
    /// The rows, in no order unless the function says one.
    pub values: Vec<LatestValue>,
    /// Of two reads of one row the later has at least this version.
    pub read_version: i64,
}

/// The newest row of each device within some batches, at most `limit` devices.
///
/// # Errors
/// The database cannot be asked.
pub async fn newest_of_batches(
    store: &Store,
    statement_timeout: StatementTimeout,
    batch_ids: &[i64],
    range: TimeRange,
    limit: usize,
) -> Result<NewestRows, StoreError> {
    let mut client = store.client().await?;
    let transaction = statement_timeout.begin(&mut client, SCAN_BATCHES).await?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let rows = statement!("health_data", "newest_of_batches")
        .query_unprepared(
            &*transaction,
            &[
                (&batch_ids, Type::INT8_ARRAY),
                (&range.first, Type::TIMESTAMPTZ),
                (&range.last, Type::TIMESTAMPTZ),
                (&limit, Type::INT8),
            ],
        )
        .await?;
    let values = rows.iter().filter_map(|row| {
        let received_at = column(row, FIRST_METRIC + Metric::ALL.len());
        Some(LatestValue { received_at, ..value(row)? })
    });
    Ok(NewestRows { values: values.collect(), read_version: read_version(&rows) })
}

/// The time range of batches whose writer did not say it; `None`: they left no rows.
///
/// # Errors
/// The database cannot be asked.
pub async fn range_of_batches(
    store: &Store,
    statement_timeout: StatementTimeout,
    batch_ids: &[i64],
) -> Result<Option<TimeRange>, StoreError> {
    let mut client = store.client().await?;
    let transaction = statement_timeout.begin(&mut client, SCAN_BATCHES).await?;
    let rows = statement!("health_data", "range_of_batches")
        .query_unprepared(&*transaction, &[(&batch_ids, Type::INT8_ARRAY)])
        .await?;
    Ok(rows.first().and_then(super::outbox::range))
}

/// A page of devices with their newest rows.
#[derive(Debug)]
pub struct Page {
    /// What they have; a device without rows is left out.
    pub newest: NewestRows,
    /// Serial after which the next page begins; `None`: this was the last.
    pub next: Option<String>,
}

/// The newest row of each of the `limit` devices that follow `after` in the order of serials.
///
/// # Errors
/// The database cannot be asked.
pub async fn newest_of_devices(store: &Store, after: &str, limit: u32) -> Result<Page, StoreError> {
    let mut client = store.client().await?;
    let transaction = StatementTimeout::Default.begin(&mut client, NO_COMPILATION).await?;
    let rows = statement!("health_data", "newest_of_devices")
        .query_unprepared(&*transaction, &[(&after, Type::TEXT), (&i64::from(limit), Type::INT8)])
        .await?;
    let full = rows.len() >= limit as usize;
    let next = rows.last().filter(|_| full).map(|row| row.get("device_sn"));
    let values = rows.iter().filter_map(value).collect();
    Ok(Page { newest: NewestRows { values, read_version: read_version(&rows) }, next })
}

fn read_version(rows: &[Row]) -> i64 {
    rows.first().map_or(0, |row| row.get("read_version"))
}

/// Columns in the order of both statements. `None`: the device has no row, or its time is out of range.
fn value(row: &Row) -> Option<LatestValue> {
    Some(LatestValue {
        device_sn: row.get(0),
        ts: column::<Timestamp>(row, 1)?,
        effective_ts: column::<Timestamp>(row, 2)?,
        owner: Owner { customer_id: column(row, 3), org_id: column(row, 4), user_id: column(row, 5) },
        upload_method: column(row, 6),
        measured: measured(row, FIRST_METRIC),
        received_at: None,
    })
}

/// The metrics, which are the columns from `first` on.
fn measured(row: &Row, first: usize) -> Measurements {
    let mut measured = Measurements::default();
    for (index, metric) in (first..).zip(Metric::ALL) {
        let value = match metric.definition().sql_type {
            SqlType::Smallint => column(row, index).map(Value::Smallint),
            SqlType::Integer => column(row, index).map(Value::Integer),
            SqlType::Numeric => column(row, index).map(Value::Numeric),
            SqlType::DoublePrecision => column(row, index).map(Value::DoublePrecision),
        };
        if let Some(value) = value {
            measured.set(metric, value);
        }
    }
    measured
}

/// Whoever writes by hand can store what no device sends ('NaN', a number of a hundred digits): it is left out, and
/// holds up nothing.
fn column<'a, T: FromSql<'a>>(row: &'a Row, index: usize) -> Option<T> {
    row.try_get::<_, Option<T>>(index).ok().flatten()
}
