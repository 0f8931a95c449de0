//! WeCom group robots.
//!
//! Before: `notify::sender_loop` has a message for the key of a robot, and keeps its budget of 20 messages a minute over all
//! instances (`next_at` of the address). After: the WeCom API. Promise: alerts that come faster than that go together, each
//! of them named; what devices and people wrote is no markdown.

use reqwest::{Client, Url};
use serde_json::json;

use super::decide::Attempt;
use super::provider::{self, Verdict};
use super::text::Markup;
use super::{Sender, text};
use crate::config::NotifySettings;
use crate::model::{Channel, Message};

/// Longest markdown WeCom takes, bytes.
const MARKDOWN_BYTES: usize = 4096;

/// Sends to groups.
#[derive(Debug)]
pub(super) struct Robot {
    http: Client,
    url: Url,
}

impl Robot {
    pub(super) fn new(settings: &NotifySettings, http: Client) -> Result<Self, String> {
        let base = ("wecom_base_url", settings.wecom_base_url.as_str());
        Ok(Self { http, url: provider::url(base, "/cgi-bin/webhook/send")? })
    }
}

impl Sender for Robot {
    const CHANNEL: Channel = Channel::WecomRobot;
    /// So that each has room for 200 bytes.
    const MAX_ROWS: u32 = 20;

    async fn send(&self, message: &Message) -> Attempt {
        let mut url = self.url.clone();
        url.query_pairs_mut().append_pair("key", &message.address);
        let content = text::body(Markup::Markdown, message, MARKDOWN_BYTES);
        let body = json!({ "msgtype": "markdown", "markdown": { "content": content } });
        match provider::send(self.http.post(url).json(&body)).await {
            Err(attempt) => attempt,
            Ok(answer) => match provider::classify(&answer) {
                Verdict::Attempt(attempt) => attempt,
                // A robot has no token: its key is not good.
                Verdict::Token(reason) => Attempt::Refused(reason),
            },
        }
    }
}
