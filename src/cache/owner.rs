//! The owners of devices in Redis: `device_user:{sn}` (the wire contract, section 6), kept for 3600 s.
//!
//! Before: `owners` reads here before it reads the database, and removes owners that have changed. After: dashboards.
//! The value is JSON: `{"customerId":"0"}` for a device without an owner, else
//! `{"userId":"…","orgId":"…","customerId":"…"}`; unknown ids are absent, ids are text, because they are longer than 53 bits.
//! `sinceUs` and `untilUs` (microseconds since 1970, absent: no bound) bound the time it holds for, `version` is the version of
//! the directory it was read at, `timeline` the timeline of the database.
//! Promise: no owner is given or kept that is older than the version Redis has on record (`vitals:owners`), and none is given
//! while Redis has an older version on record than the caller.

use std::time::Duration;

use jiff::Timestamp;
use redis::pipe;
use serde::{Deserialize, Serialize};

use super::{Cache, CacheError};
use crate::model::{Owner, Tenure};

const VERSION_KEY: &str = "vitals:owners";
const KEEP_SECONDS: u32 = 3600;
const CHANGE: &str = include_str!("owner_change.lua");
const PUT: &str = include_str!("owner_put.lua");

/// Keys of one step of a scan when everything is removed: under a millisecond of Redis' time.
const SCAN_KEYS: u32 = 500;

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
    let Some(timeline) = cache.timeline() else { return Ok(vec![None; device_sns.len()]) };
    let mut pipeline = pipe();
    pipeline.cmd("HMGET").arg(VERSION_KEY).arg("directory").arg("version").arg("floor");
    pipeline.cmd("MGET").arg(keys(device_sns));
    type Known = (Option<String>, Option<i64>, Option<i64>);
    let asking = cache.send(&pipeline);
    let (known, values): (Known, Vec<Option<String>>) =
        tokio::time::timeout(deadline, asking).await.map_err(|_| CacheError::Timeout)??;
    let (Some(directory), Some(known_version), Some(floor)) = known else {
        return Ok(vec![None; device_sns.len()]);
    };
    if directory != version.directory(timeline) || known_version < version.number {
        return Ok(vec![None; device_sns.len()]);
    }
    Ok(values.into_iter().map(|value| decode(&value?, floor, timeline)).collect())
}

/// Keeps the owners of devices, as read at `version`. False: Redis has another version on record.
///
/// # Errors
/// Redis did not answer within `deadline`; nothing or everything is kept.
pub async fn put<'a>(
    cache: &Cache,
    version: DirectoryVersion<'_>,
    tenures: impl Iterator<Item = (&'a str, &'a Tenure)> + Clone,
    deadline: Duration,
) -> Result<bool, CacheError> {
    let timeline = cache.timeline().ok_or(CacheError::Timeline)?;
    let keys = keys(tenures.clone().map(|(device_sn, _)| device_sn));
    let mut pipeline = pipe();
    pipeline.cmd("EVAL").arg(PUT).arg(keys.len() + 1).arg(VERSION_KEY).arg(keys);
    pipeline.arg(version.directory(timeline)).arg(version.number).arg(KEEP_SECONDS);
    for (_, tenure) in tenures {
        pipeline.arg(encode(tenure, version.number, timeline));
    }
    let sending = cache.send::<(i64,)>(&pipeline);
    let (kept,) = tokio::time::timeout(deadline, sending).await.map_err(|_| CacheError::Timeout)??;
    Ok(kept == 1)
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
    let keys = keys(device_sns.unwrap_or_default());
    let mut pipeline = pipe();
    pipeline.cmd("EVAL").arg(CHANGE).arg(keys.len() + 1).arg(VERSION_KEY).arg(keys);
    pipeline.arg(version.directory(timeline)).arg(version.number).arg(if device_sns.is_some() {
        "some"
    } else {
        "any"
    });
    let (done,): (i64,) = cache.send(&pipeline).await?;
    Ok(done == 2)
}

/// Removes every `device_user:{sn}`, for dashboards: [`get`] gives none of the stale ones anyway. Newer ones are removed with
/// them, and are looked up once more.
///
/// # Errors
/// Redis did not answer; what is left expires.
pub async fn remove_all(cache: &Cache) -> Result<(), CacheError> {
    let mut cursor = "0".to_owned();
    loop {
        let mut pipeline = pipe();
        pipeline.cmd("SCAN").arg(&cursor).arg("MATCH").arg("device_user:*").arg("COUNT").arg(SCAN_KEYS);
        let ((next, keys),): ((String, Vec<String>),) = cache.send(&pipeline).await?;
        if !keys.is_empty() {
            let mut pipeline = pipe();
            pipeline.cmd("UNLINK").arg(keys);
            cache.send::<(i64,)>(&pipeline).await?;
        }
        if next == "0" {
            return Ok(());
        }
        cursor = next;
    }
}

fn keys<S: AsRef<str>>(device_sns: impl IntoIterator<Item = S>) -> Vec<String> {
    device_sns.into_iter().map(|device_sn| format!("device_user:{}", device_sn.as_ref())).collect()
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
