//! The outbox: committed transactions that wait for the relay, leased while it processes them.
//!
//! Before: `store::batch` and the trigger `health_data_outbox` add rows. After: `relay` claims and finishes them.
//! Promise: a row is deleted in the transaction that does what the batch causes in the database, under a lease that
//! still holds; so nothing is reacted to zero times, and nothing in the database twice.

use std::time::Duration;

use deadpool_postgres::Transaction;
use jiff::Timestamp;
use tokio_postgres::Row;
use tokio_postgres::types::Type;

use super::lease::Lease;
use super::{StatementTimeout, Store, StoreError, statement};
use crate::model::Partitions;
use crate::telemetry::names;
use crate::telemetry::trace::TraceContext;

mod slice;

pub use slice::{Slice, evaluate_slice, slice};

/// A crash of the server may undo the end of a reaction, deletion of the outbox rows and all: it is done again. Other relays
/// may wait for this one's commit: if it never comes, the server gives up on it soon.
///
/// Somebody may hold a lock for long (a person in psql): other batches need not wait for it.
const FINISHING: &str = "set local synchronous_commit = off; \
     set local idle_in_transaction_session_timeout = '10s'; set local lock_timeout = '1s'";

/// Which rows a relay worker claims.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Share {
    /// Batches with an urgent event.
    Urgent,
    /// Batches of the service, but for the other shares.
    Live,
    /// Batches whose rows are of long before they were written, and no events.
    Late,
    /// Batches without a time range (written by hand, of any size), and those that took too long: they are evaluated in slices.
    Imports,
}

impl Share {
    /// The word in `outbox.claim`, and in the log.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Urgent => "urgent",
            Self::Live => "live",
            Self::Late => "late",
            Self::Imports => "imports",
        }
    }
}

/// First and last event time of some rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeRange {
    /// Oldest.
    pub first: Timestamp,
    /// Newest.
    pub last: Timestamp,
}

impl TimeRange {
    /// The smallest range that holds both.
    #[must_use]
    pub fn span_with(self, other: Self) -> Self {
        Self { first: self.first.min(other.first), last: self.last.max(other.last) }
    }
}

/// First and last of a range as parameters of a statement; both NULL: there is none.
pub(super) fn bounds(range: Option<TimeRange>) -> (Option<Timestamp>, Option<Timestamp>) {
    (range.map(|range| range.first), range.map(|range| range.last))
}

/// A claimed row.
#[derive(Debug, Clone)]
pub struct Claimed {
    /// The transaction.
    pub batch_id: i64,
    /// Time range of its rows; `None`: the writer did not say.
    pub range: Option<TimeRange>,
    /// How often it was claimed, this time included.
    pub attempts: i16,
    /// Records it offered, as far as its writer gave their number.
    pub records: u64,
    /// Where its devices are; all partitions if its writer did not give them.
    pub partitions: Partitions,
    /// Its devices are listed, and are evaluated in slices.
    pub sliced: bool,
    /// Its rows may be some of `device_info` too.
    pub may_hold_device_infos: bool,
    /// How old the outbox row was when it was claimed.
    pub age: Duration,
    /// The trace it belongs to, where it is traced.
    pub trace: Option<TraceContext>,
}

/// Claims at most `limit` rows of a share with `batch_id >= floor`; none while another worker holds more than `most_ahead` of them,
/// for it is catching up, and rows are cheapest in their order. `in_hand`: rows that were claimed under this lease and are being reacted to.
///
/// # Errors
/// The database cannot be asked; what the statement may have claimed all the same is claimed again next time.
pub async fn claim(
    store: &Store,
    lease: &Lease,
    share: Share,
    limit: u32,
    floor: i64,
    most_ahead: u32,
    in_hand: &[i64],
) -> Result<Vec<Claimed>, StoreError> {
    let client = store.client().await?;
    let rows = statement!("outbox", "claim")
        .query_unprepared(
            &**client,
            &[
                (&lease.token(), Type::UUID),
                (&i64::from(limit), Type::INT8),
                (&lease.seconds(), Type::FLOAT8),
                (&floor, Type::INT8),
                (&share.name(), Type::TEXT),
                (&i64::from(most_ahead), Type::INT8),
                (&in_hand, Type::INT8_ARRAY),
            ],
        )
        .await?;
    Ok(rows.iter().map(claimed).collect())
}

fn claimed(row: &Row) -> Claimed {
    Claimed {
        batch_id: row.get("batch_id"),
        range: range(row),
        attempts: row.get("attempts"),
        records: u64::try_from(row.get::<_, i32>("records")).unwrap_or_default(),
        partitions: partitions(row),
        sliced: row.get("sliced"),
        may_hold_device_infos: row.get::<_, Option<i32>>("device_infos") != Some(0),
        age: Duration::try_from_secs_f64(row.get("age_seconds")).unwrap_or_default(),
        trace: row.get::<_, Option<&str>>("traceparent").and_then(TraceContext::parse),
    }
}

fn partitions(row: &Row) -> Partitions {
    let given: Option<i64> = row.get("partitions");
    given.filter(|bits| *bits != 0).map_or(Partitions::ALL, Partitions::from_bits)
}

/// `first_ts` and `last_ts` of a row; `None` also when they lie beyond the years that can be told.
pub(super) fn range(row: &Row) -> Option<TimeRange> {
    let time = |column| row.try_get::<_, Option<Timestamp>>(column).ok().flatten();
    Some(TimeRange { first: time("first_ts")?, last: time("last_ts")? })
}

/// Prolongs the lease of claimed rows.
///
/// # Errors
/// The database cannot be asked.
pub async fn renew(store: &Store, lease: &Lease, batch_ids: &[i64]) -> Result<(), StoreError> {
    let client = store.client().await?;
    statement!("outbox", "renew").execute(&client, &[&lease.token(), &batch_ids, &lease.seconds()]).await?;
    Ok(())
}

/// Parks a claimed row for `pause`, so that the others continue.
///
/// # Errors
/// The database cannot be asked.
pub async fn park(store: &Store, lease: &Lease, batch_id: i64, pause: Duration) -> Result<(), StoreError> {
    let client = store.client().await?;
    statement!("outbox", "park").execute(&client, &[&lease.token(), &batch_id, &pause.as_secs_f64()]).await?;
    Ok(())
}

/// Claimed batches, and what is known of their rows.
#[derive(Debug)]
pub struct Batches<'a> {
    /// The batches, all claimed under the lease.
    pub ids: &'a [i64],
    /// Their devices, each once; to finish them, maybe more. `None`: not known, or too many to carry. The database looks them up.
    pub devices: Option<Vec<&'a str>>,
    /// Time range of their rows; `None`: they left no rows.
    pub range: Option<TimeRange>,
}

/// Does what the batches cause inside the database apart from alerts. False: the lease of one was lost, and nothing was done.
///
/// # Errors
/// It was done or not; it may be done twice.
pub async fn prepare(
    store: &Store,
    lease: &Lease,
    batches: &Batches<'_>,
    view_missed: bool,
) -> Result<bool, StoreError> {
    let mut client = store.client().await?;
    let transaction = StatementTimeout::Default.begin(&mut client, FINISHING).await?;
    let (first, last) = bounds(batches.range);
    let rows = statement!("outbox", "prepare")
        .query_unprepared(
            &*transaction,
            &[
                (&lease.token(), Type::UUID),
                (&batches.ids, Type::INT8_ARRAY),
                (&batches.devices, Type::TEXT_ARRAY),
                (&first, Type::TIMESTAMPTZ),
                (&last, Type::TIMESTAMPTZ),
                (&view_missed, Type::BOOL),
            ],
        )
        .await?;
    commit(transaction, "outbox.prepare").await?;
    Ok(rows.first().is_some_and(|row| row.get("held")))
}

/// The result of finishing batches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Finished {
    /// False: the lease was lost, nothing was done, and whoever took over does it.
    pub held: bool,
    /// There are new rows of `notification`.
    pub notified: bool,
}

/// Evaluates alerts for prepared batches and deletes their outbox rows, in one transaction.
///
/// # Errors
/// Nothing was done, or (when the connection broke) it may have been: the rows tell.
pub async fn finish(store: &Store, lease: &Lease, batches: &Batches<'_>) -> Result<Finished, StoreError> {
    let mut client = store.client().await?;
    let transaction = StatementTimeout::Default.begin(&mut client, FINISHING).await?;
    let (first, last) = bounds(batches.range);
    let rows = statement!("outbox", "finish")
        .query_unprepared(
            &*transaction,
            &[
                (&lease.token(), Type::UUID),
                (&batches.ids, Type::INT8_ARRAY),
                (&batches.devices, Type::TEXT_ARRAY),
                (&first, Type::TIMESTAMPTZ),
                (&last, Type::TIMESTAMPTZ),
            ],
        )
        .await?;
    let is = |column| rows.first().is_some_and(|row| row.get(column));
    let finished = Finished { held: is("held"), notified: is("notified") };
    record_alert_seconds(&rows);
    commit(transaction, "outbox.finish").await?;
    Ok(finished)
}

fn record_alert_seconds(rows: &[Row]) {
    if let Some(seconds) = rows.first().and_then(|row| row.get::<_, Option<f64>>("alert_seconds")) {
        metrics::histogram!(names::ALERT_SECONDS).record(seconds);
    }
}

async fn commit(transaction: Transaction<'_>, statement: &'static str) -> Result<(), StoreError> {
    transaction.commit().await.map_err(|source| StoreError::Postgres { statement, source })
}

/// How full the outbox is.
#[derive(Debug, Clone, Copy)]
pub struct OutboxSize {
    /// Rows that wait, leased ones included.
    pub waiting: i64,
    /// Every transaction with a number from here on began later.
    pub horizon: i64,
}

/// Counts the outbox.
///
/// # Errors
/// The database cannot be asked.
pub async fn measure(store: &Store) -> Result<OutboxSize, StoreError> {
    let client = store.client().await?;
    let rows = statement!("outbox", "measure").query(&client, &[]).await?;
    let row = rows.first().ok_or_else(|| StoreError::State("outbox.measure gave no row".into()))?;
    Ok(OutboxSize { waiting: row.get("waiting"), horizon: row.get("horizon") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_grows_to_hold_another() {
        let at = |second| Timestamp::from_second(second).expect("in range");
        let range =
            TimeRange { first: at(10), last: at(20) }.span_with(TimeRange { first: at(15), last: at(30) });
        assert_eq!(range, TimeRange { first: at(10), last: at(30) });
    }
}
