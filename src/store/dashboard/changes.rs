//! What has changed since an earlier reading: alerts, newest values, states of devices; of every tenant, each row with who may see it.
//!
//! Before: `stream` reads once for all browsers of an instance. After: the tables, to find what was committed meanwhile by whichever
//! instance or hand; schema `dashboard`, for what is shown of it.
//! Promise: a commit is found by the first reading that sees its transaction, once for samples and device information, and perhaps more
//! than once for an alert. The cost follows the number of changes up to a bound, never the size of the tables.
//!
//! The transactions that a reading saw are known exactly: every row carries the number of its transaction (`batch_id`).

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use deadpool_postgres::Transaction;
use jiff::Timestamp;
use serde_json::Value;
use tokio_postgres::Row;
use tokio_postgres::types::Type;

use super::Viewer;
use crate::store::{Store, StoreError, statement};

/// Most rows of a table that a reading looks through for changed devices: about 50 ms. Half a second at half load has 67 000.
const MAX_ROWS: i64 = 100_000;

/// Most devices of which a reading takes the values: about 30 ms.
const MAX_DEVICES: i64 = 400;

/// Which transactions a reading saw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadPosition {
    /// Which database it is, on the primary and its standbys alike.
    pub origin: u32,
    /// The first transaction that had not begun.
    pub next: i64,
    /// Earlier ones that had not ended.
    in_progress: Vec<i64>,
    /// Digest of the two.
    pub snapshot: u32,
    /// When, by the clock of the database.
    pub read_at: Timestamp,
}

/// A row as JSON, and who may see it.
#[derive(Debug, Clone)]
pub struct ScopedRow {
    /// The tenant; `None`: only who sees every tenant.
    customer_id: Option<i64>,
    /// The unit and those above it.
    org_ids: Vec<i64>,
    /// The row.
    pub row: Value,
}

/// A changed alert.
#[derive(Debug, Clone)]
pub struct ChangedAlert {
    /// Its number.
    pub alert_id: i64,
    /// Where it is in its life.
    pub status: String,
    /// How grave it is.
    pub severity: String,
    /// The contact to whom it is assigned.
    pub assigned_to: Option<i64>,
    /// When the service raised it.
    pub fired_at: Timestamp,
    /// When anything of it last changed.
    pub updated_at: Timestamp,
    /// What is shown of it.
    pub scoped: ScopedRow,
}

/// What a reading found.
#[derive(Debug)]
pub struct Changes {
    /// Up to where it is whole.
    pub position: ReadPosition,
    /// Alerts, in the order of their changes.
    pub alerts: Vec<ChangedAlert>,
    /// Newest values, the newest first.
    pub latest: Vec<ScopedRow>,
    /// States of devices.
    pub devices: Vec<ScopedRow>,
    /// More devices changed than are named here.
    pub is_partial: bool,
    /// Devices with new samples that are not known yet: the relay adds them in a moment.
    pub unknown: Vec<String>,
}

impl ScopedRow {
    /// Whether this viewer may see the row.
    pub fn is_visible_to(&self, viewer: Viewer) -> bool {
        match viewer {
            Viewer::Nobody => false,
            Viewer::EveryTenant => true,
            Viewer::Tenant(tenant) => self.customer_id == Some(tenant),
            Viewer::Unit { customer_id, org_id } => {
                self.customer_id == Some(customer_id) && self.org_ids.contains(&org_id)
            }
        }
    }

    /// A row of a tenant and of units.
    pub fn new(customer_id: Option<i64>, org_ids: Vec<i64>, row: Value) -> Self {
        Self { customer_id, org_ids, row }
    }

    fn of(row: &Row) -> Self {
        Self { customer_id: row.get("customer_id"), org_ids: row.get("org_ids"), row: row.get("row") }
    }
}

/// Reads what was committed since `since`, and the newest values of `unknown` devices; without `since`, only where the database is, and
/// which alerts changed lately. Alerts that `is_known` in their state are left out.
///
/// # Errors
/// The database cannot be asked.
pub async fn read(
    store: &Store,
    since: Option<&ReadPosition>,
    unknown: &[String],
    is_known: &(impl Fn(i64, Timestamp) -> bool + Sync),
) -> Result<Changes, StoreError> {
    let mut client = store.client().await?;
    let transaction = Viewer::EveryTenant.begin(&mut client).await?;
    let position = position(&statement!("stream", "position").query(&transaction, &[]).await?)?;
    let (mut latest, mut devices, mut not_found, mut is_partial) =
        (Vec::new(), Vec::new(), Vec::new(), false);
    if let Some(since) = since.filter(|since| since.snapshot != position.snapshot) {
        let changed = statement!("stream", "changed_devices")
            .query_unprepared(
                &*transaction,
                &[
                    (&since.next, Type::INT8),
                    (&since.in_progress, Type::INT8_ARRAY),
                    (&MAX_ROWS, Type::INT8),
                    (&MAX_DEVICES, Type::INT8),
                ],
            )
            .await?;
        is_partial = changed.first().is_some_and(|row| {
            row.get::<_, i64>("rows") >= MAX_ROWS || row.get::<_, i64>("devices") > MAX_DEVICES
        });
        let mut sampled = serials(&changed, "has_sample");
        let reported = serials(&changed, "has_info");
        sampled.extend_from_slice(unknown);
        if !sampled.is_empty() {
            latest = statement!("stream", "latest").query(&transaction, &[&sampled]).await?;
        }
        let found: HashSet<&str> = latest.iter().map(|row| row.get("device_sn")).collect();
        not_found = sampled.into_iter().filter(|sn| !found.contains(sn.as_str())).collect();
        if !reported.is_empty() {
            devices = statement!("stream", "devices").query(&transaction, &[&reported]).await?;
        }
    }
    Ok(Changes {
        position,
        alerts: changed_alerts(&transaction, is_known).await?,
        latest: latest.iter().map(ScopedRow::of).collect(),
        devices: devices.iter().map(ScopedRow::of).collect(),
        is_partial,
        unknown: not_found,
    })
}

/// Alerts that changed lately, besides those that `is_known` in their state. Costs a few milliseconds, whatever else is going on.
///
/// # Errors
/// The database cannot be asked.
pub async fn read_alerts(
    store: &Store,
    is_known: &(impl Fn(i64, Timestamp) -> bool + Sync),
) -> Result<Vec<ChangedAlert>, StoreError> {
    let mut client = store.client().await?;
    let transaction = Viewer::EveryTenant.begin(&mut client).await?;
    let alerts = changed_alerts(&transaction, is_known).await?;
    Viewer::end(transaction).await?;
    Ok(alerts)
}

async fn changed_alerts(
    transaction: &Transaction<'_>,
    is_known: &(impl Fn(i64, Timestamp) -> bool + Sync),
) -> Result<Vec<ChangedAlert>, StoreError> {
    let changed = statement!("stream", "changed_alerts").query_unprepared(&**transaction, &[]).await?;
    let alert_ids: Vec<i64> = changed
        .iter()
        .map(|row| (row.get("alert_id"), row.get("updated_at")))
        .filter(|(alert_id, updated_at)| !is_known(*alert_id, *updated_at))
        .map(|(alert_id, _)| alert_id)
        .collect();
    if alert_ids.is_empty() {
        return Ok(Vec::new());
    }
    let alerts = statement!("stream", "alerts").query(transaction, &[&alert_ids]).await?;
    Ok(alerts.iter().map(alert).collect())
}

/// The serials of rows that have something.
fn serials(changed: &[Row], having: &str) -> Vec<String> {
    changed.iter().filter(|row| row.get(having)).map(|row| row.get("device_sn")).collect()
}

fn alert(row: &Row) -> ChangedAlert {
    ChangedAlert {
        alert_id: row.get("alert_id"),
        status: row.get("status"),
        severity: row.get("severity"),
        assigned_to: row.get("assigned_to"),
        fired_at: row.get("fired_at"),
        updated_at: row.get("updated_at"),
        scoped: ScopedRow::of(row),
    }
}

fn position(rows: &[Row]) -> Result<ReadPosition, StoreError> {
    let row = rows.first().ok_or_else(|| StoreError::State("stream.position gave no row".into()))?;
    let (origin, snapshot): (&str, &str) = (row.get("origin"), row.get("snapshot"));
    let (next, in_progress) = parse_snapshot(snapshot)
        .ok_or_else(|| StoreError::State(format!("stream.position gave the snapshot {snapshot}")))?;
    // A standby cannot name the timeline, the third word.
    let database: Vec<&str> = origin.split(' ').take(2).collect();
    Ok(ReadPosition {
        origin: digest(&database),
        next,
        in_progress,
        snapshot: digest(&snapshot),
        read_at: row.get("read_at"),
    })
}

/// `xmin:xmax:xip,…`
fn parse_snapshot(text: &str) -> Option<(i64, Vec<i64>)> {
    let mut parts = text.split(':');
    let (_, next, in_progress) = (parts.next()?, parts.next()?, parts.next()?);
    let numbers = in_progress.split(',').filter(|number| !number.is_empty());
    Some((next.parse().ok()?, numbers.map(|number| number.parse().ok()).collect::<Option<_>>()?))
}

#[expect(clippy::cast_possible_truncation, reason = "a digest")]
fn digest(of: &impl Hash) -> u32 {
    let mut hasher = DefaultHasher::new();
    of.hash(&mut hasher);
    hasher.finish() as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snapshot_names_the_next_transaction_and_those_in_progress() {
        assert_eq!(parse_snapshot("10:10:"), Some((10, vec![])));
        assert_eq!(parse_snapshot("10:20:10,14,15"), Some((20, vec![10, 14, 15])));
        for bad in ["", "10", "10:x:", "10:20:a"] {
            assert_eq!(parse_snapshot(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_row_is_seen_by_its_tenant_and_the_units_above_and_by_nobody_else() {
        let row = ScopedRow { customer_id: Some(1), org_ids: vec![1, 10, 100], row: Value::Null };
        let unit = |customer_id, org_id| Viewer::Unit { customer_id, org_id };
        for viewer in [Viewer::EveryTenant, Viewer::Tenant(1), unit(1, 10), unit(1, 100)] {
            assert!(row.is_visible_to(viewer), "{viewer:?}");
        }
        for viewer in [Viewer::Nobody, Viewer::Tenant(2), unit(1, 11), unit(2, 10)] {
            assert!(!row.is_visible_to(viewer), "{viewer:?}");
        }
        let unowned = ScopedRow { customer_id: None, org_ids: vec![], row: Value::Null };
        assert!(unowned.is_visible_to(Viewer::EveryTenant) && !unowned.is_visible_to(Viewer::Tenant(1)));
    }
}
