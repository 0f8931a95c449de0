//! What a rule would have raised over stored history, and what one did raise.
//!
//! Before: `vitals alerts replay-rule`. After: the function that judges batches, too (`vitals.replay_rule`).
//! Promise: nothing is changed: the transactions are read-only, one a page, so that no long one holds up vacuum.

use jiff::Timestamp;
use serde_json::Value;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use super::{Statement, StatementTimeout, Store, StoreError, statement};
use crate::model::Channel;

const DEVICES: Statement = statement!("alert_replay", "devices");
const MEASURE: Statement = statement!("alert_replay", "measure");
const NOTIFICATIONS: Statement = statement!("alert_replay", "notifications");
const REPLAY: Statement = statement!("alert_replay", "replay");
const STORED: Statement = statement!("alert_replay", "stored");

/// An alert as it would have been, or was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Episode {
    /// Serial number of the device.
    pub device_sn: String,
    /// Event time of the first reading of those that raise it.
    pub started_ts: Timestamp,
    /// Event time of the reading that raises it.
    pub fired_ts: Timestamp,
    /// Event time of the newest breach in it.
    pub last_ts: Timestamp,
    /// Event time of its end; `None`: it has none.
    pub ended_ts: Option<Timestamp>,
    /// Readings or events that breach.
    pub breach_count: i32,
    /// All its breaches came late.
    pub historical: bool,
    /// The gravest severity that it had.
    pub peak_severity: String,
}

/// Whom a rule would have notified.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Receiver {
    /// Name of the contact.
    pub contact: String,
    /// webhook, email and so on.
    pub channel: String,
    /// Where it goes, without what is secret of it.
    pub address: String,
}

/// How often.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct NotificationCounts {
    /// An alert fired.
    pub fired: i64,
    /// The severity of an alert rose.
    pub raised: i64,
    /// An alert was still open when the route notified.
    pub escalated: i64,
    /// An alert ended.
    pub resolved: i64,
}

/// Over which devices a rule is replayed; `None` is any.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ReplayDevices<'a> {
    /// By serial.
    pub serials: Option<&'a [String]>,
    /// Those that people of a tenant wear now.
    pub customer_id: Option<i64>,
    /// Those that people of a unit and its sub-units wear now.
    pub org_id: Option<i64>,
    /// Those that a person wears now.
    pub user_id: Option<i64>,
}

/// How many devices there are, of those that are named (`None`: any).
///
/// # Errors
/// The database cannot be asked.
pub async fn measure(store: &Store, devices: Option<&[String]>) -> Result<u64, StoreError> {
    let client = store.client().await?;
    let rows = MEASURE.query(&client, &[&devices]).await?;
    Ok(rows.first().map_or(0, |row| u64::try_from(row.get::<_, i64>("devices")).unwrap_or(0)))
}

/// The next of these devices behind `after`, in the order of their serials, `limit` at most.
///
/// # Errors
/// The database cannot be asked.
pub async fn devices(
    store: &Store,
    devices: ReplayDevices<'_>,
    after: &str,
    limit: i64,
) -> Result<Vec<String>, StoreError> {
    let client = store.client().await?;
    let ReplayDevices { serials, customer_id, org_id, user_id } = devices;
    let rows = DEVICES.query(&client, &[&serials, &after, &limit, &customer_id, &org_id, &user_id]).await?;
    Ok(rows.iter().map(|row| row.get("device_sn")).collect())
}

/// What `rule`, a JSON object with all its columns, would have raised for these devices between `from` and `to`.
///
/// # Errors
/// The database cannot be asked.
pub async fn replay(
    store: &Store,
    rule: &Value,
    devices: &[String],
    from: Timestamp,
    to: Timestamp,
) -> Result<Vec<Episode>, StoreError> {
    let rows = read_only(store, &REPLAY, &[rule, &devices, &from, &to]).await?;
    Ok(rows.iter().map(episode).collect())
}

/// Whom `rule`, a JSON object with all its columns, would have notified of its alerts of these devices between `from` and `to`, by the
/// routes as they are now.
///
/// # Errors
/// The database cannot be asked.
pub async fn notifications(
    store: &Store,
    rule: &Value,
    devices: &[String],
    from: Timestamp,
    to: Timestamp,
) -> Result<Vec<(Receiver, NotificationCounts)>, StoreError> {
    let rows = read_only(store, &NOTIFICATIONS, &[rule, &devices, &from, &to]).await?;
    Ok(rows.iter().map(notified).collect())
}

/// What the rule of this number did raise for these devices between `from` and `to`; of one tenant, if one is named.
///
/// # Errors
/// The database cannot be asked.
pub async fn stored(
    store: &Store,
    rule_id: i64,
    devices: &[String],
    from: Timestamp,
    to: Timestamp,
    customer_id: Option<i64>,
) -> Result<Vec<Episode>, StoreError> {
    let rows = read_only(store, &STORED, &[&rule_id, &devices, &from, &to, &customer_id]).await?;
    Ok(rows.iter().map(episode).collect())
}

async fn read_only(
    store: &Store,
    statement: &Statement,
    parameters: &[&(dyn ToSql + Sync)],
) -> Result<Vec<Row>, StoreError> {
    let mut client = store.client().await?;
    let transaction = StatementTimeout::None.begin(&mut client, "set transaction read only").await?;
    let rows = statement.query(&transaction, parameters).await?;
    let failed = |source| StoreError::Postgres { statement: "commit", source };
    transaction.commit().await.map_err(failed)?;
    Ok(rows)
}

fn notified(row: &Row) -> (Receiver, NotificationCounts) {
    let (channel, address): (String, String) = (row.get("channel"), row.get("address"));
    let receiver = Receiver {
        contact: row.get::<_, Option<String>>("contact").unwrap_or_default(),
        address: Channel::shown_of(&channel, &address),
        channel,
    };
    let counts = NotificationCounts {
        fired: row.get("fired"),
        raised: row.get("raised"),
        escalated: row.get("escalated"),
        resolved: row.get("resolved"),
    };
    (receiver, counts)
}

fn episode(row: &Row) -> Episode {
    // Whoever writes by hand can store a time that no calendar has.
    let end = |column| row.try_get(column).unwrap_or(Some(Timestamp::MAX));
    Episode {
        device_sn: row.get("device_sn"),
        started_ts: row.try_get("started_ts").unwrap_or(Timestamp::MIN),
        fired_ts: row.get("fired_ts"),
        last_ts: end("last_ts").unwrap_or(Timestamp::MAX),
        ended_ts: end("ended_ts"),
        breach_count: row.get("breach_count"),
        historical: row.get("historical"),
        peak_severity: row.get("peak_severity"),
    }
}
