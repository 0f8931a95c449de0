//! A batch of a few rows that need no COPY, mostly an alarm with its sample: all its statements are pipelined.
//!
//! Before: `store::batch` has a batch without fresh rows. After: it adds rejects and accounts, and commits.
//! Promise: the same rows as by COPY. If a statement fails, the error of the first one that failed is returned.

use std::error::Error;

use bytes::BytesMut;
use deadpool_postgres::Object;
use jiff::Timestamp;
use tokio_postgres::types::{IsNull, ToSql, Type, accepts, to_sql_checked};

use super::{ANNOUNCE, BEGIN, Batch, Range, Written, announce, control, documents, merge, merge_statement};
use crate::config::Duplicates;
use crate::metric::{Metric, Value};
use crate::model::{Item, Owner, Reading};
use crate::store::pipeline::pipeline;
use crate::store::{Statement, StoreError, accounting, device_event, device_info, statement};

const ADD_INCOMING: Statement = statement!("batch", "add_incoming");

/// Readings up to which an INSERT is quicker than the round trips of a COPY.
const MAX_READINGS: usize = 100;

pub(super) fn are_few(batch: &Batch<'_>) -> bool {
    batch.fresh.is_empty() && batch.repeats.len() <= MAX_READINGS
}

/// Makes every statement of such a batch one round trip.
pub(super) async fn prepare(client: &Object, duplicates: Duplicates) -> Result<(), StoreError> {
    let merge = merge_statement(duplicates);
    for statement in [ANNOUNCE, ADD_INCOMING, merge, device_event::ADD, device_info::ADD, accounting::ADD] {
        statement.prepare(client).await?;
    }
    documents::prepare(client).await
}

pub(super) async fn write(
    client: &Object,
    batch: &Batch<'_>,
    range: Range,
    duplicates: Duplicates,
) -> Result<Written, StoreError> {
    prepare(client, duplicates).await?;
    pipeline! {
        begun = control(client, "batch.begin", BEGIN),
        announced = announce(client, batch, range),
        added = add_incoming(client, &batch.repeats),
        inserted = merge(client, &batch.repeats, duplicates),
        events = device_event::add(client, &batch.events),
        // Last: it locks rows of device, which others may wait for until the commit.
        device_infos = device_info::add(client, &batch.device_infos),
    }
    begun?;
    let transaction = announced?;
    added?;
    Ok(Written { transaction, inserted: inserted?, events: events?, device_infos: device_infos? })
}

async fn add_incoming(client: &Object, items: &[&Item]) -> Result<(), StoreError> {
    fn column<'a, T>(items: &[&'a Item], value: impl Fn(&'a Reading) -> T) -> Vec<T> {
        items.iter().map(|item| value(&item.reading)).collect()
    }
    if items.is_empty() {
        return Ok(());
    }
    let device_sn = column(items, |reading| reading.device_sn.as_str());
    let ts = column(items, |reading| reading.ts);
    let received_at: Vec<Timestamp> = items.iter().map(|item| item.received_at).collect();
    let [customer_id, org_id, user_id] = Owner::columns(items.iter().map(|item| item.reading.owner));
    let upload_method = column(items, |reading| reading.upload_method.as_deref());
    let rows = column(items, |reading| reading.measured.values());
    let measured: Vec<Vec<Option<Measured>>> = (0..Metric::ALL.len())
        .map(|metric| rows.iter().map(|values| values[metric].map(Measured)).collect())
        .collect();
    let mut parameters: Vec<&(dyn ToSql + Sync)> =
        vec![&device_sn, &ts, &received_at, &customer_id, &org_id, &user_id, &upload_method];
    parameters.extend(measured.iter().map(|column| column as &(dyn ToSql + Sync)));
    ADD_INCOMING.execute(client, &parameters).await.map(drop)
}

/// A value of a metric as a parameter.
#[derive(Debug)]
struct Measured(Value);

impl ToSql for Measured {
    fn to_sql(&self, column: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        match &self.0 {
            Value::Smallint(value) => value.to_sql(column, out),
            Value::Integer(value) => value.to_sql(column, out),
            Value::Numeric(value) => value.to_sql(column, out),
            Value::DoublePrecision(value) => value.to_sql(column, out),
        }
    }

    accepts!(INT2, INT4, NUMERIC, FLOAT8);
    to_sql_checked!();
}
