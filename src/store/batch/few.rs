//! A batch of a few rows that need no COPY, mostly an alarm with its sample: all its statements are pipelined.
//!
//! Before: `store::batch` has a batch without fresh rows. After: it adds rejects and accounts, and commits.
//! Promise: the same rows as by COPY. If a statement fails, the error of the first one that failed is returned.

use deadpool_postgres::Object;
use jiff::Timestamp;

use super::{ANNOUNCE, BEGIN, Batch, Range, Written, announce, control, documents, merge, merge_statement};
use crate::config::Duplicates;
use crate::model::{Item, Reading};
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
    let received_at: Vec<Timestamp> = items.iter().map(|item| item.received_at).collect();
    ADD_INCOMING
        .execute(
            client,
            &[
                &column(items, |reading| reading.device_sn.as_str()),
                &column(items, |reading| reading.ts),
                &received_at,
                &column(items, |reading| reading.owner.customer_id),
                &column(items, |reading| reading.owner.org_id),
                &column(items, |reading| reading.owner.user_id),
                &column(items, |reading| reading.heart_rate),
                &column(items, |reading| reading.blood_oxygen),
                &column(items, |reading| reading.temperature),
                &column(items, |reading| reading.pressure_high),
                &column(items, |reading| reading.pressure_low),
                &column(items, |reading| reading.stress),
                &column(items, |reading| reading.step),
                &column(items, |reading| reading.distance),
                &column(items, |reading| reading.calorie),
                &column(items, |reading| reading.latitude),
                &column(items, |reading| reading.longitude),
                &column(items, |reading| reading.altitude),
                &column(items, |reading| reading.upload_method.as_deref()),
            ],
        )
        .await
        .map(drop)
}
