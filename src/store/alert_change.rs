//! `vitals.alert_change`: alerts that are to be shown anew in Redis.
//!
//! Before: the function `show_alerts` adds rows with the change. After: `react` shows the alerts as they are when it does.
//! Promise: a row is deleted when its alert was shown, or when the whole view was declared of no use.

use tokio_postgres::Row;
use tokio_postgres::types::{ToSql, Type};

use super::lease::Lease;
use super::notification::alert_state;
use super::{Statement, Store, StoreError, statement};
use crate::model::{AlertState, AlertUpdate};

const CLAIM: Statement = statement!("alert_change", "claim");
const FINISH: Statement = statement!("alert_change", "finish");

/// Claimed changes.
#[derive(Debug, Default)]
pub struct Claimed {
    /// Their numbers.
    pub change_ids: Vec<i64>,
    /// Number and device of their alerts, each once.
    pub alerts: Vec<(i64, String)>,
}

/// Claims at most `limit` changes.
///
/// # Errors
/// The database cannot be asked; what may have been claimed all the same is claimed again next time.
pub async fn claim(store: &Store, lease: &Lease, limit: u32) -> Result<Claimed, StoreError> {
    let client = store.client().await?;
    let parameters: [&(dyn ToSql + Sync); 3] = [&lease.token(), &i64::from(limit), &lease.seconds()];
    let rows = CLAIM.query(&client, &parameters).await?;
    let change_ids = rows.iter().map(|row| row.get("change_id")).collect();
    let mut alerts: Vec<(i64, String)> =
        rows.iter().map(|row| (row.get("alert_id"), row.get("device_sn"))).collect();
    alerts.sort_unstable();
    alerts.dedup();
    Ok(Claimed { change_ids, alerts })
}

fn changed(row: &Row) -> Result<AlertUpdate, StoreError> {
    let gone = row.get::<_, Option<String>>("rule").is_none();
    let state =
        if gone { None } else { Some(AlertState { user_name: row.get("user_name"), ..alert_state(row)? }) };
    Ok(AlertUpdate { alert_id: row.get("alert_id"), device_sn: row.get("device_sn"), state })
}

/// Ends claimed changes. `missed`: Redis did not take them; the view is made anew when it is back.
///
/// # Errors
/// Nothing was done, or (when the connection broke) it may have been.
pub async fn finish(
    store: &Store,
    lease: &Lease,
    change_ids: &[i64],
    missed: bool,
) -> Result<(), StoreError> {
    let client = store.client().await?;
    FINISH.execute(&client, &[&lease.token(), &change_ids, &missed]).await?;
    Ok(())
}

/// An open alert in the order of devices and rules.
#[derive(Debug)]
pub struct AlertPlace {
    device_sn: String,
    rule_id: i64,
    alert_id: i64,
}

/// A page of open alerts.
#[derive(Debug)]
pub struct Page {
    /// The alerts.
    pub alerts: Vec<AlertUpdate>,
    /// After which alert the next page begins; `None`: this was the last.
    pub next: Option<AlertPlace>,
}

/// The `limit` open alerts that follow `after` in the order of devices and rules; `None`: the first ones.
///
/// # Errors
/// The database cannot be asked.
pub async fn open_alerts(store: &Store, after: Option<&AlertPlace>, limit: u32) -> Result<Page, StoreError> {
    let client = store.client().await?;
    let (device_sn, rule_id, alert_id) =
        after.map_or(("", 0, 0), |place| (&*place.device_sn, place.rule_id, place.alert_id));
    let rows = statement!("alert_change", "open_alerts")
        .query_unprepared(
            &**client,
            &[
                (&device_sn, Type::TEXT),
                (&rule_id, Type::INT8),
                (&alert_id, Type::INT8),
                (&i64::from(limit), Type::INT8),
            ],
        )
        .await?;
    let full = rows.len() >= limit as usize;
    let next = rows.last().filter(|_| full).map(|row| AlertPlace {
        device_sn: row.get("device_sn"),
        rule_id: row.get("rule_id"),
        alert_id: row.get("alert_id"),
    });
    Ok(Page { alerts: rows.iter().map(changed).collect::<Result<_, _>>()?, next })
}

/// Alerts as they are now, of (number, device) as they are shown.
///
/// # Errors
/// The database cannot be asked.
pub async fn now(store: &Store, shown: &[(i64, String)]) -> Result<Vec<AlertUpdate>, StoreError> {
    let client = store.client().await?;
    let (ids, devices): (Vec<i64>, Vec<&str>) =
        shown.iter().map(|(alert_id, device_sn)| (*alert_id, device_sn.as_str())).unzip();
    let rows = statement!("alert_change", "now")
        .query_unprepared(&**client, &[(&ids, Type::INT8_ARRAY), (&devices, Type::TEXT_ARRAY)])
        .await?;
    rows.iter().map(changed).collect()
}
