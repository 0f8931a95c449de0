//! `sleep_segment`: the elements of sleep documents.

use std::collections::BTreeMap;

use deadpool_postgres::Object;
use jiff::Timestamp;

use super::{Statement, StoreError, statement};
use crate::model::{Element, Owner, SampleDocument};

pub(super) const ADD: Statement = statement!("sleep_segment", "add");

struct Segment {
    owner: Owner,
    ts: Timestamp,
    received_at: Timestamp,
}

/// Stores the segments of `documents`; nothing is sent when there are none.
pub(crate) async fn add(client: &Object, documents: &[SampleDocument<'_>]) -> Result<(), StoreError> {
    // By key: PostgreSQL refuses to meet a row twice in one statement, and each writer takes locks in one order.
    let mut segments: BTreeMap<_, Segment> = BTreeMap::new();
    for carried in documents {
        for element in &carried.document.elements {
            if let Element::Sleep(sleep) = element {
                let &SampleDocument { device_sn, owner, first_ts: ts, received_at, .. } = carried;
                segments
                    .entry((device_sn, sleep.start, sleep.end, sleep.type_code))
                    .and_modify(|known| known.owner = known.owner.or(owner))
                    .or_insert(Segment { owner, ts, received_at });
            }
        }
    }
    if segments.is_empty() {
        return Ok(());
    }
    let device_sn: Vec<&str> = segments.keys().map(|key| key.0).collect();
    let start: Vec<Timestamp> = segments.keys().map(|key| key.1).collect();
    let end: Vec<Timestamp> = segments.keys().map(|key| key.2).collect();
    let type_code: Vec<Option<i32>> = segments.keys().map(|key| key.3).collect();
    let [customer_id, org_id, user_id] = Owner::columns(segments.values().map(|segment| segment.owner));
    let ts: Vec<Timestamp> = segments.values().map(|segment| segment.ts).collect();
    let received_at: Vec<Timestamp> = segments.values().map(|segment| segment.received_at).collect();
    ADD.execute(
        client,
        &[&device_sn, &start, &end, &type_code, &customer_id, &org_id, &user_id, &ts, &received_at],
    )
    .await
    .map(drop)
}
