//! Feishu (Lark) group robots.
//!
//! Before: `signed_robot` has a message for the token of a robot; its budget is 100 messages a minute and 5 a second. After: the Feishu
//! API. Promise: `code` decides, never the status alone; text from devices and people is no mention and no link. Feishu does not recognise a message that it has received before: the text ends
//! with a number that is the same at every attempt.
//! Protocol, limits and codes: <https://open.feishu.cn/document/client-docs/bot-v3/add-custom-bot>.

use jiff::Timestamp;
use reqwest::Url;
use serde_json::{Value, json};

use super::client::Answered;
use super::decide::Attempt;
use super::signed_robot::{self, Protocol};
use super::text::Markup;
use super::{provider, signature, text};
use crate::config::NotifySettings;
use crate::language::Language;
use crate::model::{Channel, Message};

/// Longest text, bytes: Feishu takes bodies of 20 KB, and JSON may double a character.
const TEXT_BYTES: usize = 8_000;

/// Sends to groups.
pub(super) type Robot = signed_robot::Robot<Feishu>;

/// The protocol.
pub(super) struct Feishu;

impl Protocol for Feishu {
    const CHANNEL: Channel = Channel::FeishuRobot;
    const PATH: &'static str = "/open-apis/bot/v2/hook/";

    fn base(settings: &NotifySettings) -> (&'static str, &str) {
        ("feishu_base_url", &settings.feishu_base_url)
    }

    fn default_secret(settings: &NotifySettings) -> &str {
        &settings.feishu_robot_secret
    }

    fn request(url: &mut Url, message: &Message, secret: Option<&str>, now: Timestamp) -> Value {
        url.set_path(&format!("{}{}", url.path(), message.address));
        let language = match message.locale.language {
            Language::En => "en_us",
            Language::Zh => "zh_cn",
        };
        let text = text::numbered_body(Markup::Anchors, message, TEXT_BYTES);
        let lines: Vec<Value> = text.lines().map(|line| json!([{ "tag": "text", "text": line }])).collect();
        let title = text::title(message);
        let mut body = json!({
            "msg_type": "post",
            "content": { "post": { language: { "title": title, "content": lines } } },
        });
        if let Some(secret) = secret {
            let timestamp = now.as_second().to_string();
            // The time and the secret are the key, and nothing is the message.
            body["sign"] = signature::of(format!("{timestamp}\n{secret}").as_bytes(), b"").into();
            body["timestamp"] = timestamp.into();
        }
        body
    }

    fn classify(answer: &Answered) -> Attempt {
        classify(answer)
    }
}

struct Answer {
    code: i64,
    msg: String,
}

fn classify(answer: &Answered) -> Attempt {
    // A refusal may come with the status 400: the body says more.
    let Some(Answer { code, msg }) = read(&answer.body) else { return provider::classify_status(answer) };
    let reason = format!("{code} {msg}");
    match code {
        0 if answer.status.is_success() => Attempt::Delivered,
        0 => provider::classify_status(answer),
        // More than the budget, or Feishu is busy, as at the full hour; the limit of its gateway.
        11_232 | 99_991_400 => Attempt::Limited { reason, wait: answer.retry_after },
        // The token is unknown: the robot was removed.
        19_001 => Attempt::Refused(format!("the robot is gone: {reason}")),
        // Body, parameters; signature or time, address of the sender, keywords.
        9_499 | 19_002 | 19_021 | 19_022 | 19_024 => Attempt::Refused(reason),
        // What is not known may pass.
        _ => Attempt::failed(reason),
    }
}

/// Robots of the first version are answered with `StatusCode` alone, those of the second with both.
fn read(body: &[u8]) -> Option<Answer> {
    let fields: Value = serde_json::from_slice(body).ok()?;
    let pair = |code: &str, msg: &str| {
        let code = fields.get(code)?.as_i64()?;
        let msg = fields.get(msg).and_then(Value::as_str).unwrap_or_default().to_owned();
        Some(Answer { code, msg })
    };
    pair("code", "msg").or_else(|| pair("StatusCode", "StatusMessage"))
}

#[cfg(test)]
mod tests {
    use reqwest::StatusCode;

    use super::*;

    fn classified(status: u16, body: &Value) -> Attempt {
        let status = StatusCode::from_u16(status).expect("a status");
        classify(&Answered { status, retry_after: None, body: body.to_string().into_bytes() })
    }

    #[test]
    fn a_code_says_what_to_do_whatever_the_status() {
        let of_second_version =
            json!({ "code": 0, "msg": "success", "data": {}, "StatusCode": 0, "StatusMessage": "success" });
        assert_eq!(classified(200, &of_second_version), Attempt::Delivered);
        assert_eq!(
            classified(200, &json!({ "StatusCode": 0, "StatusMessage": "success" })),
            Attempt::Delivered
        );
        let code = |code: i64| json!({ "code": code, "msg": "so", "data": {} });
        assert_eq!(classified(200, &code(11_232)), Attempt::limited("11232 so"));
        assert_eq!(classified(400, &code(99_991_400)), Attempt::limited("99991400 so"));
        assert_eq!(classified(200, &code(19_001)), Attempt::Refused("the robot is gone: 19001 so".into()));
        for (status, refusal) in [(400, 9_499), (200, 19_021), (200, 19_022), (200, 19_024)] {
            assert_eq!(classified(status, &code(refusal)), Attempt::Refused(format!("{refusal} so")));
        }
        assert_eq!(classified(200, &code(2_200)), Attempt::failed("2200 so"));
        assert_eq!(classified(502, &json!("bad gateway")), Attempt::failed("HTTP 502"));
        assert_eq!(classified(429, &json!("")), Attempt::limited("HTTP 429"));
        assert!(matches!(classified(200, &json!({})), Attempt::Failed { .. }), "no code is no success");
    }
}
