//! `device_event`: what devices noticed and told at once.
//!
//! Before: `store::batch` writes a batch that holds events. After: alerts are judged from the rows.
//! Promise: an event sent again is the same row.

use std::collections::HashSet;

use deadpool_postgres::Object;
use jiff::Timestamp;

use super::{Statement, StoreError, statement};
use crate::model::{Event, EventItem};

pub(super) const ADD: Statement = statement!("device_event", "add");

/// Keeps events, no key twice; tells for each whether it is new.
pub(crate) async fn add(client: &Object, items: &[&EventItem]) -> Result<Vec<bool>, StoreError> {
    if items.is_empty() {
        return Ok(Vec::new());
    }
    let received_at: Vec<Timestamp> = items.iter().map(|item| item.received_at).collect();
    let rows = ADD
        .query(
            client,
            &[
                &column(items, |event| event.device_sn.as_str()),
                &column(items, |event| event.event_type.as_str()),
                &column(items, |event| event.ts),
                &received_at,
                &column(items, |event| event.value.as_deref()),
                &column(items, |event| event.owner.customer_id),
                &column(items, |event| event.owner.org_id),
                &column(items, |event| event.owner.user_id),
                &column(items, |event| event.latitude),
                &column(items, |event| event.longitude),
                &column(items, |event| event.altitude),
                &column(items, |event| event.action.as_deref()),
                &column(items, |event| event.sent_ts.as_deref()),
            ],
        )
        .await?;
    let new: HashSet<(&str, &str, Timestamp)> =
        rows.iter().map(|row| (row.get(0), row.get(1), row.get(2))).collect();
    let is_new =
        |event: &Event| new.contains(&(event.device_sn.as_str(), event.event_type.as_str(), event.ts));
    Ok(column(items, is_new))
}

fn column<'a, T>(items: &[&'a EventItem], value: impl Fn(&'a Event) -> T) -> Vec<T> {
    items.iter().map(|item| value(&item.event)).collect()
}
