//! Deletes everything Redis holds of some devices.
//!
//! Before: an erasure whose rows are deleted, and of which no reaction holds any in memory. After: nothing.
//! Promise: no key of the devices is left. A rebuild of the view may write rows that it read before the erasure: wait until
//! [`is_view_rebuilding`] is false, then delete.

use redis::pipe;

use super::view::REBUILD_LOCK;
use super::{Cache, CacheError};

/// The prefixes of the keys of a device.
const KEYS: [&str; 5] = ["health_data", "device_info", "alert_info", "vitals:alert_version", "device_user"];

/// Devices in one round trip.
const DEVICES_PER_PIPELINE: usize = 500;

/// Deletes every key of the devices; gives their number.
///
/// # Errors
/// Redis did not answer; the call can be repeated.
pub async fn delete_keys(cache: &Cache, device_sns: &[String]) -> Result<u64, CacheError> {
    let mut keys = 0;
    for chunk in device_sns.chunks(DEVICES_PER_PIPELINE) {
        let mut pipeline = pipe();
        for device_sn in chunk {
            let names = KEYS.map(|key| format!("{key}:{device_sn}"));
            pipeline.cmd("UNLINK").arg(&names[..]);
        }
        keys += cache.send::<Vec<u64>>(&pipeline).await?.iter().sum::<u64>();
    }
    Ok(keys)
}

/// Whether an instance is rebuilding the view.
///
/// # Errors
/// Redis did not answer.
pub async fn is_view_rebuilding(cache: &Cache) -> Result<bool, CacheError> {
    let mut pipeline = pipe();
    pipeline.cmd("EXISTS").arg(REBUILD_LOCK);
    let (exists,): (bool,) = cache.send(&pipeline).await?;
    Ok(exists)
}
