//! How the newest of something of each device is shown: hash `{name}:{sn}`, channel `{name}_channel:{sn}` (the wire contract, section 6).
//!
//! Before: `latest` and `device_info` say which fields there are. After: Redis. Promise: an older value never overwrites a
//! newer one, whatever the order of calls; a hash holds the fields of exactly one value.

use std::sync::LazyLock;

use futures_util::future::try_join;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use redis::{Pipeline, Script, pipe};

use super::{Cache, CacheError, KeyScan};
use crate::model::{DeviceInfo, LatestValue};

/// Values in one round trip: about half a megabyte, 5 ms of Redis' time.
const VALUES_PER_PIPELINE: usize = 500;

const NEWEST_WINS: &str = include_str!("newest_wins.lua");
static NEWEST_WINS_HASH: LazyLock<String> = LazyLock::new(|| Script::new(NEWEST_WINS).get_hash().to_owned());

/// Only hashes of ours have the field.
const SWEEP: &str = "local of = tonumber(redis.call('HGET', KEYS[1], 'timeline') or '0') \
     if of < tonumber(ARGV[1]) then redis.call('UNLINK', KEYS[1]) end return 1";

/// Only hashes of ours have the field.
const EXPIRE: &str = "if redis.call('HEXISTS', KEYS[1], 'timeline') == 1 and redis.call('TTL', KEYS[1]) == -1 then \
     redis.call('EXPIRE', KEYS[1], ARGV[1]) end return 1";

/// How new what was read is.
#[derive(Debug, Clone, Copy)]
struct Version {
    read: i64,
    timeline: i64,
}

/// Which of the hashes.
#[derive(Debug, Clone, Copy)]
pub enum Hashes {
    /// Latest values.
    Latest,
    /// What is known of devices.
    Infos,
}

/// Something of which a device has one newest.
pub(super) trait LatestEntry {
    /// What the key begins with.
    const NAME: &'static str;
    /// Whose it is.
    fn device_sn(&self) -> &str;
    /// How new it is: its event time, or that of its receipt where it is dated ahead.
    fn effective_ts(&self) -> Timestamp;
    /// Is it somebody's? Else it goes from Redis when the device was silent for long.
    fn is_bound(&self) -> bool;
    /// Adds its fields, besides the serial. Times are in `zone`.
    fn encode(&self, zone: &TimeZone, fields: &mut Vec<(&'static str, String)>);
}

/// What became of some values.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Shown {
    /// Are in Redis now.
    pub written: u64,
    /// Were older than what Redis has.
    pub older: u64,
}

/// Shows values, read at `read_version`, in as few round trips as they need.
pub(super) async fn show<T: LatestEntry>(
    cache: &Cache,
    values: &[T],
    read_version: i64,
) -> Result<Shown, CacheError> {
    let version = Version { read: read_version, timeline: cache.timeline().ok_or(CacheError::Timeline)? };
    let mut written = 0;
    // Two at once: while Redis works on one, the other is put together.
    for pair in values.chunks(2 * VALUES_PER_PIPELINE) {
        let (one, other) = pair.split_at(pair.len().min(VALUES_PER_PIPELINE));
        let (one, other) = try_join(send(cache, one, version), send(cache, other, version)).await?;
        written += one + other;
    }
    Ok(Shown { written, older: values.len() as u64 - written })
}

/// One round trip; gives how many were written.
async fn send<T: LatestEntry>(cache: &Cache, values: &[T], version: Version) -> Result<u64, CacheError> {
    if values.is_empty() {
        return Ok(0);
    }
    let pipeline = pipeline(values, version, &cache.shared.zone, cache.shared.unbound_seconds);
    let done: Vec<u64> = cache.send(&pipeline).await?;
    written(&done)
}

/// How many a script wrote, each 1, or 0; 2: what is there is of a later timeline.
pub(super) fn written(done: &[u64]) -> Result<u64, CacheError> {
    if done.contains(&2) { Err(CacheError::Timeline) } else { Ok(done.iter().sum()) }
}

impl Hashes {
    /// Begins a scan over them, for [`sweep`].
    ///
    /// # Errors
    /// Redis did not answer.
    pub async fn scan(self, cache: &Cache) -> Result<KeyScan, CacheError> {
        KeyScan::begin(cache, format!("{}:*", self.name()), "hash").await
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Latest => LatestValue::NAME,
            Self::Infos => DeviceInfo::NAME,
        }
    }
}

/// Takes away what is of an earlier timeline, of the hashes of one step of the scan, once everything the database has was shown. Gives the
/// serials of the step; `None`: that was the end.
///
/// # Errors
/// Redis did not answer.
pub async fn sweep(cache: &Cache, scan: &mut KeyScan) -> Result<Option<Vec<String>>, CacheError> {
    let timeline = cache.timeline().ok_or(CacheError::Timeline)?;
    let Some(keys) = scan.next(cache).await? else { return Ok(None) };
    call_each(cache, SWEEP, &keys, timeline).await?;
    Ok(Some(keys.iter().filter_map(|key| Some(key.split_once(':')?.1.to_owned())).collect()))
}

/// Lets the hashes of devices that are gone expire, as those of a device without a wearer do.
///
/// # Errors
/// Redis did not answer.
pub async fn expire(cache: &Cache, hashes: Hashes, device_sns: &[String]) -> Result<(), CacheError> {
    let keys: Vec<String> =
        device_sns.iter().map(|device_sn| format!("{}:{device_sn}", hashes.name())).collect();
    match i64::try_from(cache.shared.unbound_seconds) {
        Ok(seconds @ 1..) => call_each(cache, EXPIRE, &keys, seconds).await,
        Ok(_) | Err(_) => Ok(()),
    }
}

/// Calls a script for each of some keys.
async fn call_each(cache: &Cache, script: &str, keys: &[String], argument: i64) -> Result<(), CacheError> {
    let mut calls = pipe();
    for key in keys {
        calls.cmd("EVAL").arg(script).arg(1).arg(key).arg(argument);
    }
    if !calls.is_empty() {
        cache.send::<Vec<u64>>(&calls).await?;
    }
    Ok(())
}

/// The first call carries the script, which makes its server know it; the others name it.
fn pipeline<T: LatestEntry>(
    values: &[T],
    version: Version,
    zone: &TimeZone,
    unbound_seconds: u64,
) -> Pipeline {
    let mut pipeline = Pipeline::with_capacity(values.len());
    let mut fields = Vec::with_capacity(20);
    for (index, value) in values.iter().enumerate() {
        if index == 0 {
            pipeline.cmd("EVAL").arg(NEWEST_WINS);
        } else {
            pipeline.cmd("EVALSHA").arg(NEWEST_WINS_HASH.as_str());
        }
        pipeline.arg(1).arg(format!("{}:{}", T::NAME, value.device_sn()));
        pipeline.arg(if value.is_bound() { 0 } else { unbound_seconds });
        value.encode(zone, &mut fields);
        pipeline
            .arg("eventTimeUs")
            .arg(value.effective_ts().as_microsecond())
            .arg("readVersion")
            .arg(version.read);
        pipeline.arg("deviceSn").arg(value.device_sn()).arg("timeline").arg(version.timeline);
        for (name, text) in fields.drain(..) {
            pipeline.arg(name).arg(text);
        }
    }
    pipeline
}

/// A time as dashboards read it.
pub(super) fn local(ts: Timestamp, zone: &TimeZone) -> String {
    ts.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// A value as text.
pub(super) fn text(value: Option<impl ToString>) -> Option<String> {
    value.map(|value| value.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Thing;

    impl LatestEntry for Thing {
        const NAME: &'static str = "thing";

        fn device_sn(&self) -> &str {
            "SN-1"
        }

        fn effective_ts(&self) -> Timestamp {
            Timestamp::UNIX_EPOCH
        }

        fn is_bound(&self) -> bool {
            true
        }

        fn encode(&self, _zone: &TimeZone, fields: &mut Vec<(&'static str, String)>) {
            fields.push(("colour", "blue".into()));
        }
    }

    #[test]
    fn a_pipeline_carries_the_script_once() {
        let version = Version { read: 5, timeline: 1 };
        let packed = pipeline(&[Thing, Thing, Thing], version, &TimeZone::UTC, 60).get_packed_pipeline();
        let packed = String::from_utf8(packed).expect("text");
        assert_eq!(packed.matches("HMGET").count(), 1);
        assert_eq!(packed.matches(NEWEST_WINS_HASH.as_str()).count(), 2);
        assert_eq!(packed.matches("thing:SN-1").count(), 3);
        assert_eq!(packed.matches("blue").count(), 3);
    }
}
