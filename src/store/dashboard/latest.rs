//! The newest samples.
//!
//! Before: `…/latest`, the overview, pages. After: view `dashboard.latest`.

use tokio_postgres::Row;
use tokio_postgres::types::Type;

use super::record::read as read_rows;
use super::rows::{Query, column};
use super::{Subject, Viewer};
use crate::metric::{Measurements, Metric, SqlType, Value};
use crate::model::latest_sample::MeasuredValues;
use crate::model::{Id64, Latest};
use crate::store::{Statement, Store, StoreError, statement};

const LATEST: Statement = statement!("dashboard", "latest");

/// The newest first: of a device, of the devices that a person wears now, or of all.
#[must_use]
pub fn query(subject: &Subject, limit: i64) -> Query<Latest> {
    let (device_sn, user_id) = subject.parameters();
    of(device_sn.map(|device_sn| vec![device_sn]), user_id, limit)
}

/// Of these devices, the newest first.
pub(super) fn of_devices(device_sns: Vec<String>) -> Query<Latest> {
    of(Some(device_sns), None, i64::MAX)
}

fn of(device_sns: Option<Vec<String>>, user_id: Option<i64>, limit: i64) -> Query<Latest> {
    let parameters: Vec<super::rows::Parameter> = vec![
        (Box::new(device_sns), Type::TEXT_ARRAY),
        (Box::new(user_id), Type::INT8),
        (Box::new(limit), Type::INT8),
    ];
    Query::new(LATEST, parameters, Box::new(of_row))
}

/// The newest first.
///
/// # Errors
/// The database cannot be asked.
pub async fn read(
    store: &Store,
    viewer: Viewer,
    subject: &Subject,
    limit: i64,
) -> Result<Vec<Latest>, StoreError> {
    Ok(read_rows(store, viewer, subject, query(subject, limit)).await?.unwrap_or_default())
}

fn of_row(row: &Row) -> Result<Latest, StoreError> {
    let mut values = Measurements::default();
    for metric in MeasuredValues::metrics() {
        if let Some(value) = value(row, metric) {
            values.set(metric, value);
        }
    }
    Ok(Latest {
        device_sn: column(row, "device_sn")?,
        ts: column(row, "ts")?,
        user_id: column::<Option<i64>>(row, "user_id")?.map(Id64),
        user_name: column(row, "user_name")?,
        org_id: column::<Option<i64>>(row, "org_id")?.map(Id64),
        org_name: column(row, "org_name")?,
        customer_id: column::<Option<i64>>(row, "customer_id")?.map(Id64),
        values: MeasuredValues(values),
    })
}

/// A numeric that is no number (NaN) was not measured.
fn value(row: &Row, metric: Metric) -> Option<Value> {
    let name = metric.column();
    match metric.definition().sql_type {
        SqlType::Smallint => row.try_get::<_, Option<i16>>(name).ok()?.map(Value::Smallint),
        SqlType::Integer => row.try_get::<_, Option<i32>>(name).ok()?.map(Value::Integer),
        SqlType::Numeric => row.try_get::<_, Option<rust_decimal::Decimal>>(name).ok()?.map(Value::Numeric),
        SqlType::DoublePrecision => row.try_get::<_, Option<f64>>(name).ok()?.map(Value::DoublePrecision),
    }
}
