//! Text messages to phones (SMS), through the HTTP gateway of any provider.
//!
//! Before: `notify::sender_loop` has a message for a number in the form of E.164. After: the gateway. Promise: the request is that of
//! the settings (`template`), with the same `{id}` at every attempt; a text takes no more segments than the settings allow and
//! names every alert; a message counts as sent if the status is 2xx and, where the settings name a field of the answer, that
//! field has the value of a success.

mod segments;
mod template;

use std::time::Duration;

use reqwest::header::HeaderMap;
use reqwest::{Client, Method, RequestBuilder, StatusCode};
use serde_json::Value;

use super::client::{self, Answered};
use super::decide::Attempt;
use super::text::Markup;
use super::{Sender, provider, text};
use crate::config::NotifySettings;
use crate::model::{Channel, Message};
use template::{Encoding, Template};

/// How much of an answer is kept, bytes.
const REASON_BYTES: usize = 200;

/// Sends to phones.
#[derive(Debug)]
pub(super) struct Sms {
    http: Client,
    method: Method,
    url: Template,
    headers: HeaderMap,
    body: Template,
    max_segments: usize,
    outcome: OutcomeField,
}

/// The field of an answer that says what became of a message, and its values.
#[derive(Debug)]
struct OutcomeField {
    /// A JSON pointer; empty: the status alone decides.
    pointer: String,
    success: String,
    limited: Vec<String>,
    refused: Vec<String>,
}

impl Sms {
    pub(super) fn new(settings: &NotifySettings, http: Client) -> Result<Self, String> {
        provider::require(&[("sms_url", &settings.sms_url)])?;
        let headers = template::headers(&settings.sms_headers)?;
        let encoding = Encoding::of_content_type(&headers)?;
        let method = settings.sms_method.to_uppercase();
        let method = Method::from_bytes(method.as_bytes())
            .map_err(|_| "sms_method is no method of HTTP, such as POST".to_owned())?;
        if settings.sms_max_segments == 0 {
            return Err("sms_max_segments must be at least 1".to_owned());
        }
        Ok(Self {
            http,
            method,
            url: Template::url(&settings.sms_url)?,
            headers,
            body: Template::new("sms_body", &settings.sms_body, encoding)?,
            max_segments: usize::from(settings.sms_max_segments),
            outcome: OutcomeField::new(settings)?,
        })
    }

    fn request(&self, message: &Message) -> Result<RequestBuilder, Attempt> {
        let text =
            segments::fit(self.max_segments, |max_bytes| text::body(Markup::Plain, message, max_bytes));
        let id = message.id.to_string();
        let value = |name: &str| match name {
            "to" => Some(message.address.clone()),
            "digits" => Some(message.address.trim_start_matches('+').to_owned()),
            "text" => Some(text.clone()),
            "id" => Some(id.clone()),
            _ => None,
        };
        let url = self.url.fill(value);
        let url: reqwest::Url =
            url.parse().map_err(|_| Attempt::Refused("sms_url makes no URL of the message".to_owned()))?;
        let request = self.http.request(self.method.clone(), url).headers(self.headers.clone());
        Ok(if self.body.is_empty() { request } else { request.body(self.body.fill(value)) })
    }
}

impl Sender for Sms {
    const CHANNEL: Channel = Channel::Sms;
    /// So that each has room for some words.
    const MAX_ROWS: u32 = 5;

    async fn send(&self, message: &Message) -> Attempt {
        if let Some(refusal) = Self::CHANNEL.address_refusal(&message.address) {
            return Attempt::Refused(format!("the address {refusal}"));
        }
        let request = match self.request(message) {
            Ok(request) => request,
            Err(attempt) => return attempt,
        };
        match client::exchange(request).await {
            Err(attempt) => attempt,
            Ok(answer) => self.outcome.classify(&answer),
        }
    }

    /// The status and the code only: an answer may repeat the message and the number.
    fn loggable(reason: &str) -> &str {
        if reason.starts_with("HTTP ") { reason.split(": ").next().unwrap_or_default() } else { reason }
    }
}

impl OutcomeField {
    fn new(settings: &NotifySettings) -> Result<Self, String> {
        let pointer = settings.sms_outcome_pointer.clone();
        if !pointer.is_empty() && !pointer.starts_with('/') {
            return Err("sms_outcome_pointer is no JSON pointer such as /result/code".to_owned());
        }
        let list = |values: &str| -> Vec<String> {
            values.split(',').map(str::trim).filter(|value| !value.is_empty()).map(str::to_owned).collect()
        };
        Ok(Self {
            pointer,
            success: settings.sms_success_value.clone(),
            limited: list(&settings.sms_limited_values),
            refused: list(&settings.sms_refused_values),
        })
    }

    fn classify(&self, answer: &Answered) -> Attempt {
        let (status, retry_after) = (answer.status, answer.retry_after);
        let value = self.value(&answer.body);
        let code = value.as_ref().map(|value| format!(", {} is {value}", self.pointer)).unwrap_or_default();
        let body = String::from_utf8_lossy(&answer.body);
        let body = text::cut(&body.split_whitespace().collect::<Vec<_>>().join(" "), REASON_BYTES);
        let reason =
            format!("HTTP {}{code}: {body}", status.as_u16()).trim_end_matches([':', ' ']).to_owned();
        let is_in = |values: &[String]| value.as_ref().is_some_and(|value| values.contains(value));
        if is_in(&self.limited) || status == StatusCode::TOO_MANY_REQUESTS {
            return Attempt::Limited { reason, wait: retry_after };
        }
        if is_in(&self.refused) {
            return Attempt::Refused(reason);
        }
        if status.is_success() {
            let succeeded = self.pointer.is_empty() || value.is_some_and(|value| value == self.success);
            return if succeeded { Attempt::Delivered } else { Attempt::failed(reason) };
        }
        match status {
            // The gateway does not take such a request, however often it is sent.
            StatusCode::BAD_REQUEST
            | StatusCode::NOT_FOUND
            | StatusCode::METHOD_NOT_ALLOWED
            | StatusCode::GONE
            | StatusCode::PAYLOAD_TOO_LARGE
            | StatusCode::UNSUPPORTED_MEDIA_TYPE
            | StatusCode::UNPROCESSABLE_ENTITY => Attempt::Refused(reason),
            // Credentials can be corrected while messages are tried again.
            _ => Attempt::Failed { reason, retry_after: retry_after.filter(|wait| *wait > Duration::ZERO) },
        }
    }

    /// The field as text, if the answer has it.
    fn value(&self, body: &[u8]) -> Option<String> {
        if self.pointer.is_empty() {
            return None;
        }
        let body: Value = serde_json::from_slice(body).ok()?;
        match body.pointer(&self.pointer)? {
            Value::String(text) => Some(text.clone()),
            other => Some(other.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Settings;

    fn field(pointer: &str) -> OutcomeField {
        let mut settings = Settings::defaults().notify;
        settings.sms_outcome_pointer = pointer.into();
        settings.sms_success_value = "OK".into();
        settings.sms_limited_values = "LIMIT, 20429".into();
        settings.sms_refused_values = "BAD_NUMBER".into();
        OutcomeField::new(&settings).expect("a pointer")
    }

    fn classified(field: &OutcomeField, status: u16, body: &str) -> Attempt {
        let status = StatusCode::from_u16(status).expect("a status");
        field.classify(&Answered { status, retry_after: None, body: body.as_bytes().to_vec() })
    }

    #[test]
    fn without_a_field_the_status_decides() {
        let status_alone = field("");
        assert_eq!(classified(&status_alone, 202, "{\"code\":\"BAD_NUMBER\"}"), Attempt::Delivered);
        assert_eq!(classified(&status_alone, 400, "no"), Attempt::Refused("HTTP 400: no".into()));
        assert_eq!(classified(&status_alone, 429, ""), Attempt::limited("HTTP 429"));
        assert_eq!(classified(&status_alone, 401, ""), Attempt::failed("HTTP 401"));
        assert_eq!(classified(&status_alone, 503, ""), Attempt::failed("HTTP 503"));
    }

    #[test]
    fn a_field_decides_whatever_the_status_and_a_success_needs_both() {
        let code = field("/result/code");
        let of = |status, code_value: &str| {
            classified(&code, status, &format!("{{\"result\":{{\"code\":{code_value}}}}}"))
        };
        assert_eq!(of(200, "\"OK\""), Attempt::Delivered);
        assert!(matches!(of(500, "\"OK\""), Attempt::Failed { .. }));
        assert!(matches!(of(200, "\"LIMIT\""), Attempt::Limited { .. }));
        assert!(matches!(of(400, "20429"), Attempt::Limited { .. }), "a number is compared as it is written");
        assert!(matches!(of(200, "\"BAD_NUMBER\""), Attempt::Refused(_)));
        assert!(matches!(of(200, "\"BUSY\""), Attempt::Failed { .. }), "what is not known may pass");
        for body in ["", "ok", "{}", "{\"result\":[]}"] {
            assert!(matches!(classified(&code, 200, body), Attempt::Failed { .. }), "{body}");
        }
    }

    #[test]
    fn the_log_has_the_status_and_the_code_but_not_the_answer() {
        let reason = classified(&field("/code"), 200, "{\"code\":\"BUSY\",\"to\":\"+8613800138000\"}");
        let reason = reason.reason().expect("a reason");
        assert!(reason.contains("+8613800138000"));
        assert_eq!(Sms::loggable(reason), "HTTP 200, /code is BUSY");
    }
}
