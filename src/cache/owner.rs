//! The owners of devices in Redis: `device_user:{sn}` (the wire contract, section 6), kept for 3600 s.
//!
//! Before: `owners` reads here before it reads the database, and removes owners that have changed. After: dashboards.
//! The value is JSON: `{"customerId":"0"}` for a device without an owner, else
//! `{"userId":"…","orgId":"…","customerId":"…"}`; unknown ids are absent, ids are text, because they are longer than 53 bits.
//! `sinceUs` and `untilUs` (microseconds since 1970, absent: no bound) bound the time it holds for, `version` is the version of
//! the directory it was read at, `timeline` the timeline of the database.
//! Promise: no owner is given that is older than the version Redis has on record (`vitals:owners`), and none is given
//! while Redis has an older version on record than the caller. The record and the owners may lie on different masters of a cluster, so
//! no script sees both: the owner of a changed device is removed, and older ones are kept out, before the record says so; and the record
//! is read before the owners.

use std::time::Duration;

use jiff::Timestamp;
use redis::{Pipeline, Script, pipe};
use serde::{Deserialize, Serialize};

use super::{Cache, CacheError, KeyScan, master};
use crate::model::{Owner, Tenure};

const VERSION_KEY: &str = "vitals:owners";
const KEEP_SECONDS: u32 = 3600;
const VERSION: &str = include_str!("owner_version.lua");
const REMOVE: &str = include_str!("owner_remove.lua");
const PUT: &str = include_str!("owner_put.lua");

/// A version of the directory.
#[derive(Debug, Clone, Copy)]
pub struct DirectoryVersion<'a> {
    /// Tells apart the directories of two databases that share a Redis.
    pub directory_id: &'a str,
    /// Version number.
    pub number: i64,
}

impl DirectoryVersion<'_> {
    /// The directory as Redis names it: a database that went back has another one.
    fn directory(&self, timeline: i64) -> String {
        format!("{} {timeline}", self.directory_id)
    }
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Value {
    #[serde(skip_serializing_if = "Option::is_none")]
    user_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    org_id: Option<String>,
    customer_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    since_us: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    until_us: Option<i64>,
    version: i64,
    #[serde(default)]
    timeline: i64,
}

/// The owners of the devices, in their order; `None`: not known here. All are `None` while Redis has an older version than `version`.
///
/// # Errors
/// Redis did not answer within `deadline`.
pub async fn get(
    cache: &Cache,
    version: DirectoryVersion<'_>,
    device_sns: &[&str],
    deadline: Duration,
) -> Result<Vec<Option<Tenure>>, CacheError> {
    tokio::time::timeout(deadline, find(cache, version, device_sns)).await.map_err(|_| CacheError::Timeout)?
}

async fn find(
    cache: &Cache,
    version: DirectoryVersion<'_>,
    device_sns: &[&str],
) -> Result<Vec<Option<Tenure>>, CacheError> {
    let none = vec![None; device_sns.len()];
    let Some(timeline) = cache.timeline() else { return Ok(none) };
    let record = read_record(cache).await?;
    let Some(floor) = record.floor.filter(|_| {
        record.directory.as_ref() == Some(&version.directory(timeline))
            && record.version >= Some(version.number)
    }) else {
        return Ok(none);
    };
    let mut pipeline = pipe();
    for device_sn in device_sns {
        pipeline.cmd("GET").arg(key(device_sn));
    }
    let values: Vec<Option<String>> = cache.send(&pipeline).await?;
    Ok(values.into_iter().map(|value| decode(&value?, floor, timeline)).collect())
}

/// The version that Redis has on record.
struct Record {
    directory: Option<String>,
    version: Option<i64>,
    floor: Option<i64>,
}

async fn read_record(cache: &Cache) -> Result<Record, CacheError> {
    let mut pipeline = pipe();
    pipeline.cmd("HMGET").arg(VERSION_KEY).arg("directory").arg("version").arg("floor");
    let ((directory, version, floor),) = cache.send(&pipeline).await?;
    Ok(Record { directory, version, floor })
}

/// Keeps the owners of devices, as read at `version`. False: Redis has another version on record.
///
/// # Errors
/// Redis did not answer within `deadline`; any part may be kept.
pub async fn put<'a>(
    cache: &Cache,
    version: DirectoryVersion<'_>,
    tenures: impl Iterator<Item = (&'a str, &'a Tenure)>,
    deadline: Duration,
) -> Result<bool, CacheError> {
    let timeline = cache.timeline().ok_or(CacheError::Timeline)?;
    let directory = version.directory(timeline);
    let putting = async {
        let record = read_record(cache).await?;
        if record.directory.as_ref() != Some(&directory) || record.version != Some(version.number) {
            return Ok(false);
        }
        let mut pipeline = pipe();
        for (device_sn, tenure) in tenures {
            let value = encode(tenure, version.number, timeline);
            of_device(&mut pipeline, PUT, device_sn, &directory, version.number).arg(value);
        }
        cache.send::<Vec<u64>>(&pipeline).await?;
        Ok(true)
    };
    tokio::time::timeout(deadline, putting).await.map_err(|_| CacheError::Timeout)?
}

/// Records that the directory has come to `version` by a change of these devices (`None`: any). True: everything older is stale,
/// and [`remove_all`] may remove it.
///
/// # Errors
/// Redis did not answer; the call can be repeated.
pub async fn apply_change(
    cache: &Cache,
    version: DirectoryVersion<'_>,
    device_sns: Option<&[Box<str>]>,
) -> Result<bool, CacheError> {
    let timeline = cache.timeline().ok_or(CacheError::Timeline)?;
    let directory = version.directory(timeline);
    let mut removing = pipe();
    for device_sn in device_sns.unwrap_or_default() {
        of_device(&mut removing, REMOVE, device_sn, &directory, version.number);
    }
    if !removing.is_empty() {
        cache.send::<Vec<u64>>(&removing).await?;
    }
    let mut pipeline = pipe();
    pipeline.cmd("EVAL").arg(VERSION).arg(1).arg(VERSION_KEY).arg(directory).arg(version.number);
    pipeline.arg(if device_sns.is_some() { "some" } else { "any" });
    let (done,): (i64,) = cache.send(&pipeline).await?;
    Ok(done == 2)
}

/// Adds a call of a script about one device. The first call carries the script, which makes its server cache it; the others name its hash.
fn of_device<'a>(
    pipeline: &'a mut Pipeline,
    script: &str,
    device_sn: &str,
    directory: &str,
    number: i64,
) -> &'a mut Pipeline {
    if pipeline.is_empty() {
        pipeline.cmd("EVAL").arg(script);
    } else {
        pipeline.cmd("EVALSHA").arg(Script::new(script).get_hash());
    }
    let keys = [key(device_sn), change_key(device_sn)];
    pipeline.arg(keys.len()).arg(&keys[..]).arg(directory).arg(number).arg(KEEP_SECONDS)
}

/// Removes every `device_user:{sn}`, for dashboards: [`get`] gives none of the stale ones anyway. Newer ones are removed with
/// them, and are looked up once more.
///
/// # Errors
/// Redis did not answer; what is left expires.
pub async fn remove_all(cache: &Cache) -> Result<(), CacheError> {
    let mut scan = KeyScan::begin(cache, "device_user:*", "string").await?;
    while let Some(keys) = scan.next(cache).await? {
        let mut pipeline = pipe();
        for key in &keys {
            pipeline.cmd("UNLINK").arg(key);
        }
        if !keys.is_empty() {
            cache.send::<Vec<u64>>(&pipeline).await?;
        }
    }
    Ok(())
}

fn key(device_sn: &str) -> String {
    format!("device_user:{device_sn}")
}

/// The key of the last change of a device's owner.
pub(super) fn change_key(device_sn: &str) -> String {
    master::in_slot_of("vitals:owner_change", &key(device_sn))
}

fn encode(tenure: &Tenure, version: i64, timeline: i64) -> String {
    let text = |id: Option<i64>| id.map(|id| id.to_string());
    let value = Value {
        user_id: text(tenure.owner.user_id),
        org_id: text(tenure.owner.org_id),
        customer_id: tenure.owner.customer_id.unwrap_or(0).to_string(),
        since_us: tenure.since.map(Timestamp::as_microsecond),
        until_us: tenure.until.map(Timestamp::as_microsecond),
        version,
        timeline,
    };
    serde_json::to_string(&value).expect("a flat object of text and numbers")
}

/// `None` for a stale value, and for one that another program wrote.
fn decode(value: &str, floor: i64, timeline: i64) -> Option<Tenure> {
    let value: Value = serde_json::from_str(value).ok()?;
    if value.version < floor || value.timeline != timeline {
        return None;
    }
    let id = |text: Option<String>| text.map(|text| text.parse::<i64>()).transpose();
    let instant = |us: Option<i64>| us.map(Timestamp::from_microsecond).transpose();
    Some(Tenure {
        owner: Owner {
            customer_id: id(Some(value.customer_id)).ok()?.filter(|id| *id != 0),
            org_id: id(value.org_id).ok()?,
            user_id: id(value.user_id).ok()?,
        },
        since: instant(value.since_us).ok()?,
        until: instant(value.until_us).ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tenure() -> Tenure {
        let at = |second| Timestamp::from_second(second).expect("a time");
        let ids = Owner { customer_id: Some(1_939_964_806_110_937_090), org_id: Some(2), user_id: Some(3) };
        Tenure { owner: ids, since: Some(at(5)), until: Some(at(7)) }
    }

    #[test]
    fn what_is_written_is_read() {
        for tenure in [tenure(), Tenure::UNBOUND, Tenure { since: None, ..tenure() }] {
            assert_eq!(decode(&encode(&tenure, 4, 2), 4, 2), Some(tenure));
        }
    }

    #[test]
    fn the_form_is_the_one_dashboards_read() {
        assert_eq!(encode(&Tenure::UNBOUND, 4, 2), r#"{"customerId":"0","version":4,"timeline":2}"#);
        assert_eq!(
            encode(&Tenure { until: None, ..tenure() }, 4, 2),
            r#"{"userId":"3","orgId":"2","customerId":"1939964806110937090","sinceUs":5000000,"version":4,"timeline":2}"#
        );
    }

    #[test]
    fn what_is_older_than_the_floor_or_not_ours_is_nothing() {
        assert_eq!(decode(&encode(&tenure(), 4, 2), 5, 2), None);
        assert_eq!(decode(&encode(&tenure(), 4, 1), 4, 2), None, "the database went back since");
        assert_eq!(decode("7", 0, 0), None);
        assert_eq!(decode(r#"{"customerId":"x","version":9}"#, 0, 0), None);
    }
}
