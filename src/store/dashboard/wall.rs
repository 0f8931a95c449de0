//! What a wall shows besides the overview.
//!
//! Before: `http::page::wall`. After: the views, through the transaction of the viewer.

use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use super::Viewer;
use super::rows::only_row;
use crate::model::Id64;
use crate::model::wall::{Need, OpenAlerts, PersonInNeed};
use crate::store::alert::of_json;
use crate::store::{Statement, Store, StoreError, statement};

const OPEN_ALERTS: Statement = statement!("wall", "open_alerts");
const PEOPLE_IN_NEED: Statement = statement!("wall", "people_in_need");

/// A battery with less charge needs somebody, percent.
const LOW_BATTERY: i16 = 15;

/// Open alerts, at most `limit` of them. Costs one look-up by key for each.
///
/// # Errors
/// The database cannot be asked.
pub async fn open_alerts(store: &Store, viewer: Viewer, limit: i64) -> Result<OpenAlerts, StoreError> {
    let row = only_row(&OPEN_ALERTS, read(store, viewer, &OPEN_ALERTS, &[&limit]).await?)?;
    Ok(OpenAlerts { as_of: row.get("as_of"), total: row.get("total"), shown: of_json(&row, "shown")? })
}

/// People whose watch needs somebody, the most urgent first, at most `limit`; and how many there are. Costs one look-up by key for each
/// device.
///
/// # Errors
/// The database cannot be asked.
pub async fn people_in_need(
    store: &Store,
    viewer: Viewer,
    limit: i64,
) -> Result<(Vec<PersonInNeed>, i64), StoreError> {
    let rows = read(store, viewer, &PEOPLE_IN_NEED, &[&LOW_BATTERY, &limit]).await?;
    let total = rows.first().map_or(0, |row| row.get("people"));
    Ok((rows.iter().map(person).collect(), total))
}

async fn read(
    store: &Store,
    viewer: Viewer,
    statement: &Statement,
    parameters: &[&(dyn ToSql + Sync)],
) -> Result<Vec<Row>, StoreError> {
    let mut client = store.client().await?;
    let transaction = viewer.begin(&mut client).await?;
    let rows = statement.query(&transaction, parameters).await?;
    Viewer::end(transaction).await?;
    Ok(rows)
}

fn person(row: &Row) -> PersonInNeed {
    let percent = row.get::<_, Option<i16>>("battery_level").unwrap_or_default();
    PersonInNeed {
        user_id: Id64(row.get("user_id")),
        user_name: row.get("user_name"),
        room: row.get("room"),
        org_name: row.get("org_name"),
        device_sn: row.get("device_sn"),
        need: if row.get("is_silent") {
            Need::Silent { since: row.get("last_ts") }
        } else if row.get("has_low_battery") {
            Need::LowBattery { percent }
        } else {
            Need::NotWorn
        },
    }
}
