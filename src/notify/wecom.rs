//! WeCom application messages.
//!
//! Before: `notify::sender_loop` has a message for a user of the corporation. After: the WeCom API. Promise: WeCom is asked to
//! drop duplicates; an unknown user is a refusal, although the answer is "ok".

use reqwest::{Client, Url};
use serde_json::json;

use super::decide::Attempt;
use super::provider::{self, Verdict};
use super::text::Markup;
use super::token::{self, Tokens};
use super::{Sender, text};
use crate::config::NotifySettings;
use crate::model::{Channel, Message};

/// Longest text WeCom takes, bytes.
const TEXT_BYTES: usize = 2048;

/// For how long WeCom folds equal messages, seconds.
const FOLD_SECONDS: u32 = 1800;

/// Sends application messages.
#[derive(Debug)]
pub(super) struct Wecom {
    http: Client,
    tokens: Tokens,
    url: Url,
    agent_id: u64,
}

impl Wecom {
    pub(super) fn new(settings: &NotifySettings, http: Client) -> Result<Self, String> {
        provider::require(&[
            ("wecom_corp_id", &settings.wecom_corp_id),
            ("wecom_secret", &settings.wecom_secret),
        ])?;
        if settings.wecom_agent_id == 0 {
            return Err("wecom_agent_id is not set".to_owned());
        }
        let base = ("wecom_base_url", settings.wecom_base_url.as_str());
        let mut token_url = provider::url(base, "/cgi-bin/gettoken")?;
        token_url
            .query_pairs_mut()
            .append_pair("corpid", &settings.wecom_corp_id)
            .append_pair("corpsecret", &settings.wecom_secret);
        Ok(Self {
            tokens: Tokens::new(http.clone(), token_url),
            http,
            url: provider::url(base, "/cgi-bin/message/send")?,
            agent_id: settings.wecom_agent_id,
        })
    }
}

impl Sender for Wecom {
    const CHANNEL: Channel = Channel::Wecom;
    /// So that each has room for 200 bytes.
    const MAX_ROWS: u32 = 10;

    async fn send(&self, message: &Message) -> Attempt {
        let body = json!({
            "touser": message.address,
            "msgtype": "text",
            "agentid": self.agent_id,
            "text": { "content": text::body(Markup::Anchors, message, TEXT_BYTES) },
            "enable_duplicate_check": 1,
            "duplicate_check_interval": FOLD_SECONDS,
        });
        token::send_under(&self.tokens, async |token| {
            let mut url = self.url.clone();
            url.query_pairs_mut().append_pair("access_token", &token);
            let answer = provider::send(self.http.post(url).json(&body)).await?;
            Ok(match provider::classify(&answer) {
                Verdict::Attempt(Attempt::Delivered) if !answer.invaliduser.is_empty() => {
                    Verdict::Attempt(Attempt::Refused(format!("invaliduser: {}", answer.invaliduser)))
                }
                verdict => verdict,
            })
        })
        .await
    }
}
