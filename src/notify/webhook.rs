//! Webhooks: signed JSON to a URL, as <https://www.standardwebhooks.com> has it.
//!
//! Before: `notify::sender_loop` has a message for a URL. After: the receiver. Promise: each message is sent at least once, always with
//! the same `webhook-id`, so that the receiver can drop duplicates; redirects are not followed; only public addresses are contacted.

use std::time::Duration;

use jiff::Timestamp;
use reqwest::header::CONTENT_TYPE;
use reqwest::{Client, Response, StatusCode, Url};
use serde_json::{Value, json};
use standardwebhooks::{
    HEADER_WEBHOOK_ID, HEADER_WEBHOOK_SIGNATURE, HEADER_WEBHOOK_TIMESTAMP, Webhook as Signer,
};

use super::decide::Attempt;
use super::{Sender, client, public_address, text};
use crate::config::NotifySettings;
use crate::language::Language;
use crate::model::{Channel, Content, Message, MessageAlert, SystemAlert};
use crate::store::clock::Clock;

/// How much of an answer is read, and for how long: enough for the reason of a refusal, and to use the connection again.
const ANSWER_BYTES: usize = 4096;
const ANSWER_WAIT: Duration = Duration::from_secs(1);

/// How much of it is kept.
const REASON_BYTES: usize = 200;

/// Sends to URLs.
#[derive(Debug)]
pub(super) struct Webhook {
    http: Client,
    allow_private: bool,
    time: Clock,
}

impl Webhook {
    /// To URLs that people enter.
    pub(super) fn new(settings: &NotifySettings, time: Clock) -> Result<Self, String> {
        Self::with_private(settings, settings.webhook_allow_private, time)
    }

    /// To the URLs of the settings, which may be anywhere.
    pub(super) fn to_operators(settings: &NotifySettings, time: Clock) -> Result<Self, String> {
        Self::with_private(settings, true, time)
    }

    fn with_private(settings: &NotifySettings, allow_private: bool, time: Clock) -> Result<Self, String> {
        let builder = client::builder(settings);
        let builder = if allow_private { builder } else { builder.dns_resolver(public_address::PublicOnly) };
        Ok(Self { http: client::build(builder)?, allow_private, time })
    }

    async fn post(&self, message: &Message) -> Result<Response, Attempt> {
        let url: Url = message
            .address
            .parse()
            .map_err(|error| Attempt::Refused(format!("the address is no URL: {error}")))?;
        public_address::check(&url, self.allow_private).map_err(Attempt::Refused)?;
        // A receiver refuses what was not signed just now.
        let now = self.time.now();
        let body = body(message, now).to_string();
        let id = message.id.to_string();
        let mut request = self
            .http
            .post(url)
            .header(CONTENT_TYPE, "application/json")
            .header(HEADER_WEBHOOK_ID, &id)
            .header(HEADER_WEBHOOK_TIMESTAMP, now.as_second());
        if let Some(secret) = &message.secret {
            let signature = Signer::new(secret)
                .and_then(|signer| signer.sign(&id, now.as_second(), body.as_bytes()))
                .map_err(|_| Attempt::Refused("the secret of the address is not whsec_ and base64".into()))?;
            request = request.header(HEADER_WEBHOOK_SIGNATURE, signature);
        }
        request.body(body).send().await.map_err(|error| match public_address::refusal(&error) {
            Some(refusal) => Attempt::Refused(refusal),
            None => Attempt::failed(client::reason(error)),
        })
    }
}

impl Sender for Webhook {
    const CHANNEL: Channel = Channel::Webhook;
    const MAX_ROWS: u32 = 100;

    async fn send(&self, message: &Message) -> Attempt {
        let response = match self.post(message).await {
            Ok(response) => response,
            Err(attempt) => return attempt,
        };
        let status = response.status();
        let retry_after = client::retry_after(&response);
        let answer = answer(response).await;
        classify(status, retry_after, &answer)
    }

    /// The status only: an answer may repeat the message.
    fn loggable(reason: &str) -> &str {
        if reason.starts_with("HTTP ") { reason.split(':').next().unwrap_or_default() } else { reason }
    }
}

/// What a status means.
fn classify(status: StatusCode, retry_after: Option<Duration>, answer: &str) -> Attempt {
    let reason = format!("HTTP {}: {answer}", status.as_u16()).trim_end_matches([':', ' ']).to_owned();
    match status {
        status if status.is_success() => Attempt::Delivered,
        StatusCode::GONE => Attempt::Refused(reason),
        StatusCode::TOO_MANY_REQUESTS => Attempt::Limited { reason, wait: retry_after },
        StatusCode::SERVICE_UNAVAILABLE => Attempt::Failed { reason, retry_after },
        status if status.is_redirection() => {
            Attempt::failed(format!("{reason} (redirects are not followed)"))
        }
        _ => Attempt::failed(reason),
    }
}

/// The beginning of an answer; what is slow or long is left.
async fn answer(mut response: Response) -> String {
    let mut read = Vec::new();
    let reading = async {
        while let Ok(Some(chunk)) = response.chunk().await {
            read.extend_from_slice(&chunk);
            if read.len() >= ANSWER_BYTES {
                break;
            }
        }
    };
    // Whatever was read by then is the answer.
    let _ = tokio::time::timeout(ANSWER_WAIT, reading).await;
    let answer = String::from_utf8_lossy(&read);
    text::cut(&answer.split_whitespace().collect::<Vec<_>>().join(" "), REASON_BYTES)
}

/// Ids are text, for they need 64 bits; times are RFC 3339 in UTC; what is not known is null.
fn body(message: &Message, now: Timestamp) -> Value {
    let language = message.locale.language;
    let (what, kinds, data): (_, Vec<&str>, _) = match &message.content {
        Content::Alerts(alerts) => (
            "alert",
            alerts.iter().map(|alert| alert.kind.name()).collect(),
            json!({ "alerts": alerts.iter().map(|alert| alert_json(alert, language)).collect::<Vec<_>>() }),
        ),
        Content::System(alerts) => (
            "system_alert",
            alerts.iter().map(text::system_kind).collect(),
            json!({ "system_alerts": alerts.iter().map(|alert| system_alert(alert, language)).collect::<Vec<_>>() }),
        ),
        Content::Test(_) => {
            return json!({ "type": "test", "timestamp": now, "language": language.tag(), "data": {} });
        }
    };
    let same = kinds.iter().all(|kind| *kind == kinds[0]);
    let kind = if same { kinds[0] } else { "several" };
    json!({ "type": format!("{what}.{kind}"), "timestamp": now, "language": language.tag(), "data": data })
}

fn system_alert(alert: &SystemAlert, language: Language) -> Value {
    json!({
        "type": format!("system_alert.{}", text::system_kind(alert)),
        "name": alert.condition.name(),
        "severity": alert.condition.severity(),
        "instance": alert.instance,
        "message": alert.message.in_language(language),
        "value": alert.value,
        "threshold": alert.threshold,
        "started_at": alert.started_at,
        "fired_at": alert.fired_at,
        "ended_at": alert.ended_at,
    })
}

fn alert_json(alert: &MessageAlert, language: Language) -> Value {
    let (state, context) = (&alert.state, &alert.context);
    let wording = state.wording(language);
    let id = |id: Option<i64>| id.map(|id| id.to_string());
    json!({
        "type": format!("alert.{}", alert.kind.name()),
        "alert_id": state.alert_id.to_string(),
        "device_sn": state.device_sn,
        "rule_id": state.rule_id.to_string(),
        "rule": wording.rule,
        "kind": state.kind,
        "severity": state.severity,
        "peak_severity": state.peak_severity,
        "status": state.status,
        "message": wording.message,
        "metric": state.metric,
        "event_type": state.event_type,
        "value": state.last_value,
        "peak_value": state.peak_value,
        "text": state.last_text,
        "count": state.breach_count,
        "started_at": state.started_ts,
        "fired_at": state.fired_ts,
        "last_at": state.last_ts,
        "ended_at": state.ended_ts,
        "acknowledged_at": state.acknowledged_at,
        "acknowledged_by": state.acknowledged_by,
        "resolved_at": state.resolved_at,
        "resolved_by": state.resolved_by,
        "resolution": state.resolution,
        "customer_id": id(state.customer_id),
        "org_id": id(state.org_id),
        "user_id": id(state.user_id),
        "user_name": context.person,
        "org_name": context.unit,
        "room": context.room,
        "min_value": context.min_value,
        "max_value": context.max_value,
        "last_readings": context.readings,
        "latitude": state.latitude,
        "longitude": state.longitude,
        "altitude": state.altitude,
    })
}

#[cfg(test)]
mod tests {
    use super::text::tests::message;
    use super::*;
    use crate::model::NotificationKind;

    #[test]
    fn a_status_says_what_to_do() {
        let wait = Some(Duration::from_secs(7));
        let classified = |status: u16| classify(StatusCode::from_u16(status).expect("a status"), wait, "no");
        assert_eq!(classified(204), Attempt::Delivered);
        assert_eq!(classified(410), Attempt::Refused("HTTP 410: no".into()));
        assert_eq!(classified(429), Attempt::Limited { reason: "HTTP 429: no".into(), wait });
        assert_eq!(classified(503), Attempt::Failed { reason: "HTTP 503: no".into(), retry_after: wait });
        assert_eq!(classified(500), Attempt::failed("HTTP 500: no"));
        assert!(matches!(classified(302), Attempt::Failed { .. }));
    }

    #[test]
    fn a_message_of_several_kinds_says_so() {
        let mut message = message(2, "major", "low");
        assert_eq!(body(&message, Timestamp::UNIX_EPOCH)["type"], "alert.fired");
        let Content::Alerts(alerts) = &mut message.content else { panic!("alerts") };
        alerts[1].kind = NotificationKind::Resolved;
        let body = body(&message, Timestamp::UNIX_EPOCH);
        assert_eq!(body["type"], "alert.several");
        assert_eq!(body["data"]["alerts"][1]["type"], "alert.resolved");
        assert_eq!(body["data"]["alerts"][0]["user_id"], "9007199254740993");
    }
}
