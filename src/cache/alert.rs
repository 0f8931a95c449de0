//! The open alerts of each device, as dashboards read them: hash `alert_info:{sn}` (alert id → JSON), channels
//! `alert_info_channel:{sn}` and `alert_info_channel`, which carry that JSON (the wire contract, section 6).
//!
//! Before: `react` hands over alerts as they are in the database. After: dashboards.
//! Promise: an older state never overwrites a newer one, whatever the order of calls and of instances; an alert that is
//! resolved or gone is not in the hash.

use std::sync::LazyLock;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use redis::{Pipeline, Script, pipe};
use serde_json::{Value, json};

use super::newest::{self, local};
use super::{Cache, CacheError, KeyScan, Shown, master};
use crate::model::{AlertState, AlertUpdate};

/// Alerts in one round trip: about a quarter of a megabyte.
const ALERTS_PER_PIPELINE: usize = 500;

/// The version of a deleted alert: newer than any state.
const DELETED_VERSION: i64 = (1 << 53) - 1;

const NEWEST_WINS: &str = include_str!("alert_newest_wins.lua");
static NEWEST_WINS_HASH: LazyLock<String> = LazyLock::new(|| Script::new(NEWEST_WINS).get_hash().to_owned());

/// Shows alerts as they are, in as few round trips as they need.
///
/// # Errors
/// Redis did not answer; any part may have been written. The call can be repeated.
pub async fn show(cache: &Cache, alerts: &[AlertUpdate]) -> Result<Shown, CacheError> {
    let mut written = 0;
    let timeline = cache.timeline().ok_or(CacheError::Timeline)?;
    for alerts in alerts.chunks(ALERTS_PER_PIPELINE) {
        let done: Vec<u64> = cache.send(&pipeline(alerts, timeline, &cache.shared.zone)).await?;
        written += newest::written(&done)?;
    }
    Ok(Shown { written, older: alerts.len() as u64 - written })
}

/// The first call carries the script, which makes its server cache it; the others name its hash.
fn pipeline(alerts: &[AlertUpdate], timeline: i64, zone: &TimeZone) -> Pipeline {
    let mut pipeline = Pipeline::with_capacity(alerts.len());
    for (index, alert) in alerts.iter().enumerate() {
        if index == 0 {
            pipeline.cmd("EVAL").arg(NEWEST_WINS);
        } else {
            pipeline.cmd("EVALSHA").arg(NEWEST_WINS_HASH.as_str());
        }
        let (sn, state) = (&alert.device_sn, alert.state.as_ref());
        let version =
            state.map_or(DELETED_VERSION, |state| state.updated_at.map_or(0, Timestamp::as_microsecond));
        let json = state.map_or_else(|| encode_deleted(alert), |state| encode(state, zone)).to_string();
        let is_open = state.is_some_and(AlertState::is_open);
        pipeline
            .arg(2)
            .arg(alert_key(sn))
            .arg(version_key(sn))
            .arg(alert.alert_id)
            .arg(version)
            .arg(json)
            .arg(sn)
            .arg(u8::from(is_open))
            .arg(timeline);
    }
    pipeline
}

/// The message about an alert that was deleted.
fn encode_deleted(alert: &AlertUpdate) -> Value {
    let id = alert.alert_id.to_string();
    json!({ "id": id, "alertId": id, "deviceSn": alert.device_sn, "alertStatus": "deleted", "status": "deleted" })
}

/// An alert as dashboards read it: ids are text (they need 64 bits), times are local, what is not known is null. The first five
/// names are those of earlier servers.
fn encode(alert: &AlertState, zone: &TimeZone) -> Value {
    let time = |ts: Option<Timestamp>| ts.map(|ts| local(ts, zone));
    let id = |id: Option<i64>| id.map(|id| id.to_string());
    json!({
        "id": alert.alert_id.to_string(),
        "alertType": alert.event_type.as_ref().or(alert.metric.as_ref()).unwrap_or(&alert.kind),
        "severityLevel": alert.severity,
        "alertStatus": alert.status,
        "userName": alert.user_name,
        "alertId": alert.alert_id.to_string(),
        "deviceSn": alert.device_sn,
        "ruleId": alert.rule_id.to_string(),
        "rule": alert.rule,
        "kind": alert.kind,
        "severity": alert.severity,
        "peakSeverity": alert.peak_severity,
        "status": alert.status,
        "historical": alert.historical,
        "metric": alert.metric,
        "eventType": alert.event_type,
        "message": alert.message,
        "value": alert.last_value,
        "peakValue": alert.peak_value,
        "text": alert.last_text,
        "count": alert.breach_count,
        "startedAt": time(alert.started_ts),
        "firedAt": time(alert.fired_ts),
        "lastAt": time(alert.last_ts),
        "acknowledgedAt": time(alert.acknowledged_at),
        "acknowledgedBy": alert.acknowledged_by,
        "latitude": alert.latitude,
        "longitude": alert.longitude,
        "altitude": alert.altitude,
        "customerId": id(alert.customer_id.or(Some(0))),
        "orgId": id(alert.org_id),
        "userId": id(alert.user_id),
    })
}

/// The key of the versions of a device's alerts.
pub(super) fn version_key(device_sn: &str) -> String {
    master::in_slot_of("vitals:alert_version", &alert_key(device_sn))
}

fn alert_key(device_sn: &str) -> String {
    format!("alert_info:{device_sn}")
}

/// Begins a scan over the devices that have alerts in Redis, for [`next_page`].
///
/// # Errors
/// Redis did not answer.
pub async fn scan(cache: &Cache) -> Result<KeyScan, CacheError> {
    KeyScan::begin(cache, "alert_info:*", "hash").await
}

/// Id and device of the alerts of the next step of a scan; `None`: that was all. An alert that stays in Redis is found, perhaps more than
/// once.
///
/// # Errors
/// Redis did not answer.
pub async fn next_page(cache: &Cache, scan: &mut KeyScan) -> Result<Option<Vec<(i64, String)>>, CacheError> {
    let Some(keys) = scan.next(cache).await? else { return Ok(None) };
    if keys.is_empty() {
        return Ok(Some(Vec::new()));
    }
    let mut fields = pipe();
    for key in &keys {
        fields.cmd("HKEYS").arg(key);
    }
    let fields: Vec<Vec<String>> = cache.send(&fields).await?;
    let mut alerts = Vec::new();
    for (key, fields) in keys.iter().zip(fields) {
        let Some(sn) = key.strip_prefix("alert_info:") else { continue };
        alerts.extend(fields.iter().filter_map(|field| Some((field.parse().ok()?, sn.to_owned()))));
    }
    Ok(Some(alerts))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::alert_state::tests::alert;

    #[test]
    fn ids_of_64_bits_are_text() {
        let encoded = encode(&alert(9_007_199_254_740_993, "major"), &TimeZone::UTC);
        assert_eq!(encoded["alertId"], "9007199254740993");
        assert_eq!(encoded["userId"], "9007199254740993");
        assert_eq!(encoded["firedAt"], "2026-01-05 10:00:00");
    }

    #[test]
    fn an_alert_has_the_names_dashboards_have_always_read() {
        let encoded = encode(&alert(5, "major"), &TimeZone::UTC);
        let old = ["id", "alertType", "severityLevel", "alertStatus", "userName"].map(|name| &encoded[name]);
        assert_eq!(old, ["5", "heart_rate", "major", "firing", "Li Wei"]);
    }

    #[test]
    fn the_channels_announce_an_alert_that_has_ended_or_was_deleted() {
        let mut state = alert(5, "major");
        state.status = "resolved".into();
        let shown = |state| AlertUpdate { alert_id: 5, device_sn: "SN-1".into(), state };
        for (state, status) in [(Some(state), "resolved"), (None, "deleted")] {
            let packed = pipeline(&[shown(state)], 1, &TimeZone::UTC).get_packed_pipeline();
            let packed = String::from_utf8_lossy(&packed).into_owned();
            assert!(packed.contains(&format!(r#""alertStatus":"{status}""#)), "{packed}");
            assert!(packed.ends_with("$4\r\nSN-1\r\n$1\r\n0\r\n$1\r\n1\r\n"), "it is not open: {packed}");
        }
    }
}
