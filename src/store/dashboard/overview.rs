//! What a wall shows.
//!
//! Before: `/api/overview`, `/wall`. After: the views of schema dashboard, and the query of the board's header.
//! Promise: the counters are those of `sql/dashboards/header.sql`, because that is the statement.

use deadpool_postgres::Transaction;

use super::rows::{column, only_row};
use super::{Viewer, latest};
use crate::model::Overview;
use crate::model::overview::Counters;
use crate::store::alert::of_json;
use crate::store::{Statement, Store, StoreError, statement};

/// Grows with the devices: two days of hours of each.
const HEADER: Statement = Statement {
    name: "dashboards.header",
    sql: include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/sql/dashboards/header.sql")),
};
const OVERVIEW: Statement = statement!("dashboard", "overview");
const OVERVIEW_ALERTS: Statement = statement!("dashboard", "overview_alerts");

/// Most positions.
const POSITIONS: i64 = 5000;

/// Devices whose newest samples are shown.
const NEWEST: i64 = 50;

/// One transaction of a few statements. Costs about one look-up by key for each device, and counting.
///
/// # Errors
/// The database cannot be asked.
pub async fn read(store: &Store, viewer: Viewer) -> Result<Overview, StoreError> {
    with_counters(store, viewer, None).await
}

/// The same with counters that were read before, which cost most; `None`: they are read.
///
/// # Errors
/// The database cannot be asked.
pub async fn with_counters(
    store: &Store,
    viewer: Viewer,
    known: Option<Counters>,
) -> Result<Overview, StoreError> {
    let mut client = store.client().await?;
    let transaction = viewer.begin(&mut client).await?;
    let counters = match known {
        Some(counters) => counters,
        None => counters(&transaction).await?,
    };
    let now = only_row(&OVERVIEW, OVERVIEW.query(&transaction, &[&POSITIONS, &NEWEST]).await?)?;
    let alerts = only_row(&OVERVIEW_ALERTS, OVERVIEW_ALERTS.query(&transaction, &[]).await?)?;
    let newest = latest::of_devices(column(&now, "newest")?).read(&transaction).await?;
    Viewer::end(transaction).await?;
    Ok(Overview {
        as_of: column(&now, "as_of")?,
        time_zone: column(&now, "time_zone")?,
        counters: Counters {
            devices: column(&now, "devices")?,
            devices_online: column(&now, "devices_online")?,
            ..counters
        },
        units: of_json(&now, "units")?,
        open_alerts: of_json(&alerts, "open_alerts")?,
        alerts_by_hour: of_json(&alerts, "alerts_by_hour")?,
        alerts_by_type: of_json(&alerts, "alerts_by_type")?,
        batteries: of_json(&now, "batteries")?,
        wear: of_json(&now, "wear")?,
        latest: newest,
        positions: of_json(&now, "positions")?,
    })
}

async fn counters(transaction: &Transaction<'_>) -> Result<Counters, StoreError> {
    let row = only_row(&HEADER, HEADER.query(transaction, &[]).await?)?;
    Ok(Counters {
        devices_online: column(&row, "devices_online")?,
        devices_online_yesterday: column(&row, "devices_online_yesterday")?,
        samples_today: column(&row, "samples_today")?,
        samples_yesterday: column(&row, "samples_yesterday")?,
        alerts_today: column(&row, "alerts_today")?,
        alerts_yesterday: column(&row, "alerts_yesterday")?,
        active_users_today: column(&row, "active_users_today")?,
        active_users_yesterday: column(&row, "active_users_yesterday")?,
        devices: 0,
    })
}
