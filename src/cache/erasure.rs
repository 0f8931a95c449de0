//! Deletes everything Redis holds of some devices.
//!
//! Before: an erasure whose rows are deleted, and of which no reaction holds any in memory. After: nothing.
//! Promise: no key of the devices is left. A rebuild of the view may write rows that it read before the erasure: wait until
//! [`super::view::is_rebuilding`] is false, then delete.

use redis::pipe;

use super::{Cache, CacheError, alert, owner};

/// The prefixes of the keys that dashboards read.
const KEYS: [&str; 4] = ["health_data", "device_info", "alert_info", "device_user"];

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
            let ours = [alert::version_key(device_sn), owner::change_key(device_sn)];
            // A command of its own for each: they lie in different slots of a cluster.
            for key in KEYS.map(|key| format!("{key}:{device_sn}")).into_iter().chain(ours) {
                pipeline.cmd("UNLINK").arg(key);
            }
        }
        keys += cache.send::<Vec<u64>>(&pipeline).await?.iter().sum::<u64>();
    }
    Ok(keys)
}
