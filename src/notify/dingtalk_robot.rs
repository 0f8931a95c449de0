//! DingTalk group robots.
//!
//! Before: `notify::sender_loop` has a message for the access token of a robot, and keeps its budget of 20 messages a minute over all
//! instances (`next_at` of the address). After: the DingTalk API. Promise: `errcode` decides, never the status alone; alerts that
//! come faster than the budget go together, each of them named; text from devices and people is no markdown. DingTalk does not
//! recognise a message that it has received before: the text ends with a number that is the same at every attempt.
//! Protocol, limits and codes: <https://open.dingtalk.com/document/orgapp/custom-robot-access>.

use jiff::Timestamp;
use reqwest::{Client, Url};
use serde::Deserialize;
use serde_json::json;

use super::decide::Attempt;
use super::text::Markup;
use super::{Sender, client, provider, signature, text};
use crate::config::NotifySettings;
use crate::model::{Channel, Message};
use crate::store::clock::Clock;

/// Longest text, bytes: DingTalk refuses a message of more than 20 000 bytes, and each line break takes four bytes more.
const MARKDOWN_BYTES: usize = 12_000;

/// A line break that DingTalk shows.
const LINE_BREAK: &str = "  \n  ";

/// Sends to groups.
#[derive(Debug)]
pub(super) struct Robot {
    http: Client,
    url: Url,
    /// Of robots whose address has none.
    secret: Option<String>,
    time: Clock,
}

impl Robot {
    pub(super) fn new(settings: &NotifySettings, http: Client, time: Clock) -> Result<Self, String> {
        let base = ("dingtalk_base_url", settings.dingtalk_base_url.as_str());
        let url = provider::url(base, "/robot/send")?;
        let secret = Some(settings.dingtalk_robot_secret.clone()).filter(|secret| !secret.is_empty());
        Ok(Self { http, url, secret, time })
    }

    /// With the token, and with the signature if the robot has a secret.
    fn url(&self, message: &Message, now: Timestamp) -> Url {
        let mut url = self.url.clone();
        url.query_pairs_mut().append_pair("access_token", &message.address);
        if let Some(secret) = message.secret.as_ref().or(self.secret.as_ref()) {
            let timestamp = now.as_millisecond().to_string();
            let sign = signature::of(secret.as_bytes(), format!("{timestamp}\n{secret}").as_bytes());
            url.query_pairs_mut().append_pair("timestamp", &timestamp).append_pair("sign", &sign);
        }
        url
    }
}

impl Sender for Robot {
    const CHANNEL: Channel = Channel::DingtalkRobot;
    const MAX_ROWS: u32 = 20;

    async fn send(&self, message: &Message) -> Attempt {
        let text = text::numbered_body(Markup::Markdown, message, MARKDOWN_BYTES).replace('\n', LINE_BREAK);
        let title = text::title(message);
        let body = json!({ "msgtype": "markdown", "markdown": { "title": title, "text": text } });
        match client::exchange(self.http.post(self.url(message, self.time.now())).json(&body)).await {
            Err(attempt) => attempt,
            Ok(answer) => match serde_json::from_slice(&answer.body) {
                Ok(Answer { errcode, errmsg }) => classify(errcode, &errmsg),
                Err(_) => provider::classify_status(&answer),
            },
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
    use super::super::text::tests::message;
    use super::*;
    use crate::config::Settings;

    fn robot(secret: &str) -> Robot {
        let mut settings = Settings::defaults().notify;
        settings.dingtalk_robot_secret = secret.into();
        Robot::new(&settings, Client::new(), Clock::stopped_at(Timestamp::UNIX_EPOCH)).expect("a robot")
    }

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

    #[test]
    fn the_secret_of_the_address_wins_over_that_of_the_settings_and_without_one_nothing_is_signed() {
        let mut message = message(1, "major", "low");
        let now = "2026-01-05T10:00:00.123Z".parse().expect("a time");
        assert_eq!(robot("").url(&message, now).query(), Some("access_token=somebody"));
        let of_settings = robot("SEC1").url(&message, now);
        message.secret = Some("SEC2".into());
        let of_address = robot("SEC1").url(&message, now);
        assert_eq!(of_address, robot("SEC2").url(&message, now));
        assert_ne!(of_address, of_settings);
    }
}
