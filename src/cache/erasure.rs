//! Everything Redis holds of some devices, taken away.
//!
//! Before: an erasure whose rows are gone, and of which nobody holds any in memory. After: nothing.
//! Promise: no key of the devices is left; while the view is being rebuilt, from rows that may be older than the erasure, this
//! is to be asked again ([`is_view_rebuilding`]).

use redis::pipe;

use super::view::REBUILD_LOCK;
use super::{Cache, CacheError};

/// What the keys of a device begin with.
const KEYS: [&str; 5] = ["health_data", "device_info", "alert_info", "vitals:alert_version", "device_user"];

/// Devices in one round trip.
const DEVICES_PER_PIPELINE: usize = 500;

/// Takes away every key of the devices; says how many there were.
///
/// # Errors
/// Redis did not answer; the same again is harmless.
pub async fn delete_keys(cache: &Cache, device_sns: &[String]) -> Result<u64, CacheError> {
    let mut keys = 0;
    for some in device_sns.chunks(DEVICES_PER_PIPELINE) {
        let mut pipeline = pipe();
        for device_sn in some {
            let names = KEYS.map(|key| format!("{key}:{device_sn}"));
            pipeline.cmd("UNLINK").arg(&names[..]);
        }
        keys += cache.send::<Vec<u64>>(&pipeline).await?.iter().sum::<u64>();
    }
    Ok(keys)
}

/// Whether somebody is rebuilding the view.
///
/// # Errors
/// Redis did not answer.
pub async fn is_view_rebuilding(cache: &Cache) -> Result<bool, CacheError> {
    let mut pipeline = pipe();
    pipeline.cmd("EXISTS").arg(REBUILD_LOCK);
    let (there,): (bool,) = cache.send(&pipeline).await?;
    Ok(there)
}
