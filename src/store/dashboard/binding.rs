//! Who wore which device when.
//!
//! Before: what is read of one person or device. After: view `dashboard.device_binding`.

use tokio_postgres::Row;
use tokio_postgres::types::Type;

use super::Subject;
use super::rows::{Parameter, Query, column};
use crate::model::{Binding, Id64};
use crate::store::{Statement, StoreError, statement};

const BINDING: Statement = statement!("dashboard", "binding");

/// The newest first.
pub(super) fn query(subject: &Subject) -> Query<Binding> {
    let (device_sn, user_id) = subject.parameters();
    let parameters: Vec<Parameter> = vec![(Box::new(device_sn), Type::TEXT), (Box::new(user_id), Type::INT8)];
    Query::new(BINDING, parameters, Box::new(of_row))
}

fn of_row(row: &Row) -> Result<Binding, StoreError> {
    Ok(Binding {
        device_sn: column(row, "device_sn")?,
        user_id: column::<Option<i64>>(row, "user_id")?.map(Id64),
        user_name: column(row, "user_name")?,
        valid_from: column(row, "valid_from")?,
        valid_until: column(row, "valid_until")?,
    })
}
