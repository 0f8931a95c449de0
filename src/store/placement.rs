//! `vitals.cell_url` and `vitals.placement`: the cells, and which devices live in each.
//!
//! Before: `cells` reads them at start and after each change. After: the tables, which operators write.

use std::sync::Arc;

use tokio_postgres::Row;

use super::{Store, StoreError, statement};
use crate::model::placement::{Cell, Placement, Placements, SerialRange};

/// The whole placement, as the cell of this database sees it.
///
/// # Errors
/// The database is away.
pub async fn list(store: &Store) -> Result<Placements, StoreError> {
    let client = store.client().await?;
    let rows = statement!("placement", "list").query(&client, &[]).await?;
    let own = rows.first().map(|row| row.get("own")).unwrap_or_default();
    Ok(Placements::new(own, rows.iter().filter_map(placement)))
}

/// `None`: a cell without devices, or no cell.
fn placement(row: &Row) -> Option<Placement> {
    let customer_id = row.get::<_, Option<i64>>("customer_id")?;
    let (first, last) = (row.get("first_device_sn"), row.get("last_device_sn"));
    let range = Option::zip(first, last).map(|(first, last)| SerialRange { first, last });
    let (own, name): (Box<str>, Box<str>) = (row.get("own"), row.get("cell"));
    let cell = (name != own).then(|| {
        let public_url: String = row.get("public_url");
        let internal_url = row.get::<_, Option<String>>("internal_url").unwrap_or_else(|| public_url.clone());
        Arc::new(Cell { name, public_url, internal_url })
    });
    Some(Placement { customer_id, range, cell })
}
