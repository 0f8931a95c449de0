//! `workout`: the elements of workout documents.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use deadpool_postgres::Object;
use jiff::Timestamp;
use rust_decimal::Decimal;

use super::{Statement, StoreError, statement};
use crate::model::{Element, Owner, SampleDocument, Workout};

pub(super) const ADD: Statement = statement!("workout", "add");

struct Row {
    workout: Workout,
    owner: Owner,
    ts: Timestamp,
    received_at: Timestamp,
}

/// Stores the workouts of `documents`; nothing is sent when there are none.
pub(crate) async fn add(client: &Object, documents: &[SampleDocument<'_>]) -> Result<(), StoreError> {
    let rows = by_key(documents);
    if rows.is_empty() {
        return Ok(());
    }
    let device_sn: Vec<&str> = rows.keys().map(|key| key.0).collect();
    let start: Vec<Timestamp> = rows.keys().map(|key| key.1).collect();
    let workout_type: Vec<Option<i32>> = rows.keys().map(|key| key.2).collect();
    let end: Vec<Timestamp> = rows.values().map(|row| row.workout.end).collect();
    let calorie: Vec<Option<Decimal>> = rows.values().map(|row| row.workout.calorie).collect();
    let distance: Vec<Option<Decimal>> = rows.values().map(|row| row.workout.distance).collect();
    let record_id: Vec<Option<&str>> = rows.values().map(|row| row.workout.record_id.as_deref()).collect();
    let [customer_id, org_id, user_id] = Owner::columns(rows.values().map(|row| row.owner));
    let ts: Vec<Timestamp> = rows.values().map(|row| row.ts).collect();
    let received_at: Vec<Timestamp> = rows.values().map(|row| row.received_at).collect();
    ADD.execute(
        client,
        &[
            &device_sn,
            &start,
            &end,
            &workout_type,
            &calorie,
            &distance,
            &record_id,
            &customer_id,
            &org_id,
            &user_id,
            &ts,
            &received_at,
        ],
    )
    .await
    .map(drop)
}

/// One row a key, in the order of the key.
fn by_key<'a>(documents: &[SampleDocument<'a>]) -> BTreeMap<(&'a str, Timestamp, Option<i32>), Row> {
    let mut rows: BTreeMap<_, Row> = BTreeMap::new();
    for carried in documents {
        for element in &carried.document.elements {
            if let Element::Workout(workout) = element {
                let &SampleDocument { device_sn, owner, first_ts: ts, received_at, .. } = carried;
                match rows.entry((device_sn, workout.start, workout.workout_type)) {
                    Entry::Occupied(mut known) => {
                        known.get_mut().workout.join(workout.clone());
                        known.get_mut().owner = known.get().owner.or(owner);
                    }
                    Entry::Vacant(place) => {
                        place.insert(Row { workout: workout.clone(), owner, ts, received_at });
                    }
                }
            }
        }
    }
    rows
}
