//! Organisation units that a list can be limited to.
//!
//! Before: `http::page`. After: view `dashboard.org_unit`.

use tokio_postgres::Row;
use tokio_postgres::types::Type;

use super::Viewer;
use super::rows::Query;
use crate::model::Id64;
use crate::store::{Statement, Store, StoreError, statement};

const UNIT: Statement = statement!("dashboard", "unit");

/// Number and name of the units that the viewer may see, by name, `limit` at most.
///
/// # Errors
/// The database cannot be asked.
pub async fn list(store: &Store, viewer: Viewer, limit: i64) -> Result<Vec<(Id64, String)>, StoreError> {
    let read_row = |row: &Row| Ok((Id64(row.get("org_id")), row.get("name")));
    viewer.read(store, Query::new(UNIT, vec![(Box::new(limit), Type::INT8)], Box::new(read_row))).await
}
