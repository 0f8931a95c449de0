//! Batches whose alerts are evaluated in slices: `vitals.slice_batch()` and `vitals.evaluate_slice()`.
//!
//! Before: `relay` claims a batch without a time range, or one that took too long. After: the rows of each device count as evaluated
//! when its row of `vitals.outbox_device` is gone. Promise: each slice is a transaction of its own, so that nobody waits for the whole
//! batch, and what was evaluated is kept when the service stops.

use tokio_postgres::types::Type;

use super::{FINISHING, TimeRange, bounds, commit, record_alert_seconds};
use crate::store::lease::Lease;
use crate::store::{StatementTimeout, Store, StoreError, statement};

/// Does what a batch causes inside the database apart from alerts, and lists its devices for [`evaluate_slice`]; ends the lease. False:
/// the lease was lost, and nothing was done.
///
/// # Errors
/// Nothing was done, or (when the connection broke) it may have been: the rows tell.
pub async fn slice(
    store: &Store,
    lease: &Lease,
    batch_id: i64,
    devices: Option<&[String]>,
    range: Option<TimeRange>,
    view_missed: bool,
) -> Result<bool, StoreError> {
    let mut client = store.client().await?;
    let transaction = StatementTimeout::None.begin(&mut client, FINISHING).await?;
    let (first, last) = bounds(range);
    let rows = statement!("outbox", "slice")
        .query_unprepared(
            &*transaction,
            &[
                (&lease.token(), Type::UUID),
                (&batch_id, Type::INT8),
                (&devices, Type::TEXT_ARRAY),
                (&first, Type::TIMESTAMPTZ),
                (&last, Type::TIMESTAMPTZ),
                (&view_missed, Type::BOOL),
            ],
        )
        .await?;
    let held = rows.first().is_some_and(|row| row.get("held"));
    commit(transaction, "outbox.slice").await?;
    Ok(held)
}

/// The result of a slice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slice {
    /// False: the lease was lost, nothing was done, and whoever took over does it.
    pub held: bool,
    /// No device of the batch is left, and its outbox row is deleted.
    pub finished: bool,
    /// There are new rows of `notification`.
    pub notified: bool,
}

/// Evaluates alerts for the next devices of a sliced batch, at most about so many devices and rows, in one transaction.
///
/// # Errors
/// Nothing was done, or (when the connection broke) it may have been: the rows tell. Cancelled: the slice was too large.
pub async fn evaluate_slice(
    store: &Store,
    lease: &Lease,
    batch_id: i64,
    most_devices: i32,
    most_rows: i32,
) -> Result<Slice, StoreError> {
    let mut client = store.client().await?;
    let transaction = StatementTimeout::Default.begin(&mut client, FINISHING).await?;
    let rows = statement!("outbox", "evaluate_slice")
        .query_unprepared(
            &*transaction,
            &[
                (&lease.token(), Type::UUID),
                (&batch_id, Type::INT8),
                (&most_devices, Type::INT4),
                (&most_rows, Type::INT4),
            ],
        )
        .await?;
    let is = |column| rows.first().is_some_and(|row| row.get(column));
    let slice = Slice { held: is("held"), finished: is("finished"), notified: is("notified") };
    record_alert_seconds(&rows);
    commit(transaction, "outbox.evaluate_slice").await?;
    Ok(slice)
}
