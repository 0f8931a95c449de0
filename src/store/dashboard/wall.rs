//! What a wall shows besides the overview.
//!
//! Before: `http::page::wall`. After: the views, through the transaction of the viewer.

use tokio_postgres::Row;

use super::Viewer;
use crate::model::Id64;
use crate::model::wall::{Need, OpenAlert, PersonInNeed};
use crate::store::alert::of_json;
use crate::store::{Statement, Store, StoreError, statement};

const OPEN_ALERTS: Statement = statement!("wall", "open_alerts");
const PEOPLE_IN_NEED: Statement = statement!("wall", "people_in_need");

/// A battery with less charge needs somebody, percent.
const LOW_BATTERY: i16 = 15;

/// Open alerts and the people whose watch needs somebody.
#[derive(Debug, Clone, PartialEq)]
pub struct Attention {
    /// Open alerts, the gravest first.
    pub alerts: Vec<OpenAlert>,
    /// People in need, the most urgent first.
    pub in_need: Vec<PersonInNeed>,
    /// How many such people there are.
    pub in_need_total: i64,
}

/// What wants the attention of those who watch: `alerts` and `people` at most.
///
/// # Errors
/// The database cannot be asked.
pub async fn attention(
    store: &Store,
    viewer: Viewer,
    alerts: i64,
    people: i64,
) -> Result<Attention, StoreError> {
    let mut client = store.client().await?;
    let transaction = viewer.begin(&mut client).await?;
    let open = OPEN_ALERTS.query(&transaction, &[&alerts]).await?;
    let in_need = PEOPLE_IN_NEED.query(&transaction, &[&LOW_BATTERY, &people]).await?;
    transaction
        .commit()
        .await
        .map_err(|source| StoreError::Postgres { statement: PEOPLE_IN_NEED.name, source })?;
    let alert = |row: &Row| {
        Ok(OpenAlert {
            alert: of_json(row, "alert")?,
            min_value: row.get("min_value"),
            max_value: row.get("max_value"),
        })
    };
    Ok(Attention {
        alerts: open.iter().map(alert).collect::<Result<_, StoreError>>()?,
        in_need_total: in_need.first().map_or(0, |row| row.get("people")),
        in_need: in_need.iter().map(person).collect(),
    })
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
