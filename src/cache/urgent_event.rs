//! Urgent events that wait in the buffer, as dashboards receive alerts: by the channels `alert_info_channel:{sn}` and `alert_info_channel` (the
//! wire contract, section 6).
//!
//! Before: `buffer` announces an event. After: dashboards; the alert of the event follows when its rules are evaluated (`cache::alert`).
//! Promise: the message has the names of an alert, but an id that no alert has, and a status that no alert has: `not_evaluated`, later `stored`.
//! Nothing is written: the hash of the open alerts holds alerts only.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use redis::pipe;
use serde_json::{Value, json};

use super::newest::local;
use super::{Cache, CacheError};
use crate::model::Event;

/// One script, so that a cluster takes both from the master of the device. KEYS[1] is the key of its alerts, which is not read.
const PUBLISH: &str = "redis.call('PUBLISH', 'alert_info_channel:' .. ARGV[1], ARGV[2]) \
     return redis.call('PUBLISH', 'alert_info_channel', ARGV[2])";

/// How far an event has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventStatus {
    /// It waits in the buffer.
    NotEvaluated,
    /// It is in PostgreSQL: if a rule makes an alert of it, the alert is announced as every other.
    Stored,
}

impl EventStatus {
    /// The word in `alertStatus`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NotEvaluated => "not_evaluated",
            Self::Stored => "stored",
        }
    }
}

/// Publishes that an event waits, or is stored. `id` is the same each time.
///
/// # Errors
/// Redis did not answer.
pub async fn publish(
    cache: &Cache,
    id: &str,
    event: &Event,
    received_at: Timestamp,
    status: EventStatus,
) -> Result<(), CacheError> {
    cache.connect().await?;
    let message = encode(id, event, received_at, status, &cache.shared.zone).to_string();
    let mut pipeline = pipe();
    let key = format!("alert_info:{}", event.device_sn);
    pipeline.cmd("EVAL").arg(PUBLISH).arg(1).arg(key).arg(&event.device_sn).arg(message);
    cache.send::<(u64,)>(&pipeline).await.map(drop)
}

/// As `cache::alert` shows an alert; what only an evaluation could tell is null.
fn encode(id: &str, event: &Event, received_at: Timestamp, status: EventStatus, zone: &TimeZone) -> Value {
    let number = |id: Option<i64>| id.map(|id| id.to_string());
    let (status, ts) = (status.name(), local(event.ts, zone));
    json!({
        "id": id,
        "alertType": event.event_type,
        "severityLevel": "critical",
        "alertStatus": status,
        "userName": null,
        "alertId": id,
        "deviceSn": event.device_sn,
        "ruleId": null,
        "rule": null,
        "kind": "event",
        "severity": "critical",
        "peakSeverity": "critical",
        "status": status,
        "historical": false,
        "metric": null,
        "eventType": event.event_type,
        "message": null,
        "value": null,
        "peakValue": null,
        "text": event.value,
        "count": 1,
        "startedAt": ts,
        "firedAt": ts,
        "lastAt": ts,
        "receivedAt": local(received_at, zone),
        "acknowledgedAt": null,
        "acknowledgedBy": null,
        "latitude": event.latitude,
        "longitude": event.longitude,
        "altitude": event.altitude,
        "customerId": number(event.owner.customer_id.or(Some(0))),
        "orgId": number(event.owner.org_id),
        "userId": number(event.owner.user_id),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Owner;

    #[test]
    fn an_event_has_the_names_of_an_alert_and_an_id_that_is_no_number() {
        let ts: Timestamp = "2026-01-05T10:00:00Z".parse().expect("a time");
        let event = Event {
            device_sn: "SN-1".into(),
            event_type: "SOS_EVENT".into(),
            ts,
            sent_ts: None,
            action: None,
            value: None,
            owner: Owner { customer_id: Some(9_007_199_254_740_993), ..Owner::default() },
            latitude: Some(22.5),
            longitude: None,
            altitude: None,
        };
        let encoded = encode("SOS_EVENT:1:SN-1", &event, ts, EventStatus::NotEvaluated, &TimeZone::UTC);
        let old =
            ["id", "alertType", "severityLevel", "alertStatus", "userName"].map(|name| encoded[name].clone());
        assert_eq!(
            old,
            [
                json!("SOS_EVENT:1:SN-1"),
                json!("SOS_EVENT"),
                json!("critical"),
                json!("not_evaluated"),
                Value::Null
            ]
        );
        assert_eq!(
            (&encoded["customerId"], &encoded["receivedAt"]),
            (&json!("9007199254740993"), &json!("2026-01-05 10:00:00"))
        );
    }
}
