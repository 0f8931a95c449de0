//! DingTalk group robots.
//!
//! Before: `signed_robot` has a message for the access token of a robot; its budget is 20 messages a minute. After: the DingTalk API.
//! Promise: `errcode` decides, never the status alone; alerts that come faster than the budget go together, each of them named;
//! text from devices and people is no markdown. DingTalk does not
//! recognise a message that it has received before: the text ends with a number that is the same at every attempt.
//! Protocol, limits and codes: <https://open.dingtalk.com/document/orgapp/custom-robot-access>.

use jiff::Timestamp;
use reqwest::Url;
use serde::Deserialize;
use serde_json::{Value, json};

use super::client::Answered;
use super::decide::Attempt;
use super::signed_robot::{self, Protocol};
use super::text::Markup;
use super::{provider, signature, text};
use crate::config::NotifySettings;
use crate::model::{Channel, Message};

/// Longest text, bytes: DingTalk refuses a message of more than 20 000 bytes, and each line break takes four bytes more.
const MARKDOWN_BYTES: usize = 12_000;

/// A line break that DingTalk shows.
const LINE_BREAK: &str = "  \n  ";

/// Sends to groups.
pub(super) type Robot = signed_robot::Robot<DingTalk>;

/// The protocol.
pub(super) struct DingTalk;

impl Protocol for DingTalk {
    const CHANNEL: Channel = Channel::DingtalkRobot;
    const PATH: &'static str = "/robot/send";

    fn base(settings: &NotifySettings) -> (&'static str, &str) {
        ("dingtalk_base_url", &settings.dingtalk_base_url)
    }

    fn default_secret(settings: &NotifySettings) -> &str {
        &settings.dingtalk_robot_secret
    }

    fn request(url: &mut Url, message: &Message, secret: Option<&str>, now: Timestamp) -> Value {
        url.query_pairs_mut().append_pair("access_token", &message.address);
        if let Some(secret) = secret {
            let timestamp = now.as_millisecond().to_string();
            let sign = signature::of(secret.as_bytes(), format!("{timestamp}\n{secret}").as_bytes());
            url.query_pairs_mut().append_pair("timestamp", &timestamp).append_pair("sign", &sign);
        }
        let text = text::numbered_body(Markup::Markdown, message, MARKDOWN_BYTES).replace('\n', LINE_BREAK);
        json!({ "msgtype": "markdown", "markdown": { "title": text::title(message), "text": text } })
    }

    fn classify(answer: &Answered) -> Attempt {
        match serde_json::from_slice(&answer.body) {
            Ok(Answer { errcode, errmsg }) => classify(errcode, &errmsg),
            Err(_) => provider::classify_status(answer),
        }
    }
}

#[derive(Debug, Deserialize)]
struct Answer {
    errcode: i64,
    #[serde(default)]
    errmsg: String,
}

fn classify(errcode: i64, errmsg: &str) -> Attempt {
    let reason = format!("{errcode} {errmsg}");
    match errcode {
        0 => Attempt::Delivered,
        // More than 20 in a minute. DingTalk then takes none for up to ten minutes; it does not say for how long exactly, so the
        // message is tried every minute.
        130_101 | 410_100 => Attempt::limited(reason),
        // The token is unknown, the group is dissolved, the robot is switched off or removed.
        300_001 | 300_005 | 400_101 | 400_013 | 400_102 | 400_106 => {
            Attempt::Refused(format!("the robot is gone: {reason}"))
        }
        // Keywords, signature, or address of the sender; parameter, content type, kind of message; link, text, image, content.
        310_000 | 40_035 | 43_004 | 400_105 | 430_101 | 430_102 | 430_103 | 430_104 => {
            Attempt::Refused(reason)
        }
        // -1 is busy; what is not known may pass.
        _ => Attempt::failed(reason),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_says_what_to_do() {
        assert_eq!(classify(0, "ok"), Attempt::Delivered);
        for limit in [130_101, 410_100] {
            assert_eq!(classify(limit, "too fast"), Attempt::limited(format!("{limit} too fast")));
        }
        assert_eq!(classify(310_000, "sign not match"), Attempt::Refused("310000 sign not match".into()));
        assert_eq!(
            classify(300_005, "token is not exist"),
            Attempt::Refused("the robot is gone: 300005 token is not exist".into())
        );
        assert_eq!(classify(-1, "busy"), Attempt::failed("-1 busy"));
        assert_eq!(classify(99_999, "new"), Attempt::failed("99999 new"));
    }
}
