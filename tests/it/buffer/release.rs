//! A buffer that another release has written: `tests/fixtures/buffer` holds entries as version 1 has packed them.

use serde_json::Value;

use super::{Buffered, append, uploads_in};
use crate::harness::eventually;

/// The entries, and the stream of each. `body` has 2 readings, a reject and a record for another device than that of its key; `items` 2 readings
/// of a batch; `event` an SOS with its reading; `device_info` a message.
const ENTRIES: [(&str, &[u8]); 4] = [
    ("vitals:upload:{3}", include_bytes!("../../fixtures/buffer/v1_body.bin")),
    ("vitals:upload:{4}", include_bytes!("../../fixtures/buffer/v1_items.bin")),
    ("vitals:urgent_upload:{5}", include_bytes!("../../fixtures/buffer/v1_event.bin")),
    ("vitals:upload:{6}", include_bytes!("../../fixtures/buffer/v1_device_info.bin")),
];

#[tokio::test(flavor = "multi_thread")]
async fn a_buffer_that_version_1_has_written_drains() {
    let Some(buffered) = Buffered::new().await else { return };
    let mut redis = buffered.redis.connection().await;
    for (stream, packed) in ENTRIES {
        append(&mut redis, stream, packed).await;
    }
    let service = buffered.service().await;
    buffered.drained().await;
    service.drained().await;
    let stored =
        "select string_agg(device_sn || ' ' || heart_rate, ', ' order by device_sn, ts) from health_data
                  where received_at = '2026-11-20T10:00:00.123456Z'";
    let stored: String = buffered.database.client().await.query_one(stored, &[]).await.expect("rows").get(0);
    assert_eq!(stored, "V1-BODY 70, V1-BODY 71, V1-EVENT 74, V1-ITEMS-A 72, V1-ITEMS-B 73");
    let rejected = "select count(*) from rejected_upload where received_at = '2026-11-20T10:00:00.123456Z'";
    assert_eq!(buffered.count(rejected).await, 2);
    let event = "select count(*) from device_event where event_type = 'SOS_EVENT' and device_sn = 'V1-EVENT'";
    assert_eq!(buffered.count(event).await, 1);
    assert_eq!(buffered.count("select count(*) from device_info where battery_level = 55").await, 1);
    service.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entry_of_a_later_version_waits_for_its_program_and_delays_no_other_stream() {
    let Some(buffered) = Buffered::new().await else { return };
    let (stream, packed) = ENTRIES[0];
    let mut later = packed.to_vec();
    later[0] = 2;
    let mut redis = buffered.redis.connection().await;
    append(&mut redis, stream, &later).await;
    append(&mut redis, stream, packed).await;
    append(&mut redis, ENTRIES[1].0, ENTRIES[1].1).await;
    let service = buffered.service().await;
    buffered.count_becomes("select count(*) from health_data", 2).await;
    eventually("the others wait behind it, in their order", || async {
        (uploads_in(&mut buffered.redis.connection().await).await == 2).then_some(())
    })
    .await;
    eventually("they are shown", || async {
        let health: Value = service.get("/api/health").await.body;
        (health["components"]["buffer"]["waiting"] == 2).then_some(())
    })
    .await;
    service.finish().await;
}
