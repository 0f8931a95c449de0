//! Settings with short queues, and uploads that fill them.

use serde_json::{Value, json};
use vitals::config::Settings;

/// One shard, ten rows per transaction, twenty in the queue.
pub fn small_queues(settings: &mut Settings) {
    settings.shards = 1;
    settings.max_batch_rows = 10;
    settings.queue_rows = 20;
}

/// The body of an upload with `count` readings of a device, a second apart, up to now: old readings have a queue of their own.
pub fn readings(device_sn: &str, count: i64) -> String {
    let now = jiff::Timestamp::now().as_second();
    let items: Vec<Value> = (0..count)
        .map(|n| json!({ "deviceSn": device_sn, "heart_rate": 70, "timestamp": now - n }))
        .collect();
    json!({ "data": items }).to_string()
}
