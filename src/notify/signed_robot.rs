//! Group robots that sign their messages: what those of DingTalk and Feishu have in common.
//!
//! Before: `notify::sender_loop` has a message for the token of a robot, and keeps the budget of the robot over all instances
//! (`next_at` of the address). After: `dingtalk_robot` and `feishu_robot` write the request and read the answer.
//! Promise: a token that could change the URL is refused and never sent; the secret of an address has priority over that of the settings.

use std::marker::PhantomData;

use jiff::Timestamp;
use reqwest::{Client, Url};
use serde_json::Value;

use super::client::Answered;
use super::decide::Attempt;
use super::{Sender, client, provider};
use crate::config::NotifySettings;
use crate::model::{Channel, Message};
use crate::store::clock::Clock;

/// The protocol of a provider.
pub(super) trait Protocol: Send + Sync + 'static {
    /// Its channel.
    const CHANNEL: Channel;
    /// Path of its URL, below the base.
    const PATH: &'static str;
    /// The base of its URL: name and value of the setting.
    fn base(settings: &NotifySettings) -> (&'static str, &str);
    /// Secret of robots whose address has none; empty: their messages are not signed.
    fn default_secret(settings: &NotifySettings) -> &str;
    /// Completes the URL with the token, and writes the body; both are signed if there is a secret.
    fn request(url: &mut Url, message: &Message, secret: Option<&str>, now: Timestamp) -> Value;
    /// What an answer says about the message.
    fn classify(answer: &Answered) -> Attempt;
}

/// Sends to groups.
pub(super) struct Robot<P> {
    http: Client,
    url: Url,
    /// Of robots whose address has none.
    secret: Option<String>,
    time: Clock,
    protocol: PhantomData<P>,
}

impl<P: Protocol> Robot<P> {
    pub(super) fn new(settings: &NotifySettings, http: Client, time: Clock) -> Result<Self, String> {
        let url = provider::url(P::base(settings), P::PATH)?;
        let secret = Some(P::default_secret(settings).to_owned()).filter(|secret| !secret.is_empty());
        Ok(Self { http, url, secret, time, protocol: PhantomData })
    }

    fn request(&self, message: &Message) -> (Url, Value) {
        let secret = message.secret.as_deref().or(self.secret.as_deref());
        let mut url = self.url.clone();
        let body = P::request(&mut url, message, secret, self.time.now());
        (url, body)
    }
}

impl<P: Protocol> Sender for Robot<P> {
    const CHANNEL: Channel = P::CHANNEL;
    const MAX_ROWS: u32 = 20;

    async fn send(&self, message: &Message) -> Attempt {
        // The token becomes a part of the URL, and came from a row.
        if let Some(refusal) = P::CHANNEL.address_refusal(&message.address) {
            return Attempt::Refused(format!("the address {refusal}"));
        }
        let (url, body) = self.request(message);
        match client::exchange(self.http.post(url).json(&body)).await {
            Err(attempt) => attempt,
            Ok(answer) => P::classify(&answer),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::dingtalk_robot::DingTalk;
    use super::super::text::tests::message;
    use super::*;
    use crate::config::Settings;

    fn robot(secret: &str) -> Robot<DingTalk> {
        let mut settings = Settings::defaults().notify;
        settings.dingtalk_robot_secret = secret.into();
        Robot::new(&settings, Client::new(), Clock::stopped_at(Timestamp::UNIX_EPOCH)).expect("a robot")
    }

    #[test]
    fn the_secret_of_the_address_wins_over_that_of_the_settings_and_without_one_nothing_is_signed() {
        let mut message = message(1, "major", "low");
        let url = |secret: &str, message: &Message| robot(secret).request(message).0;
        assert_eq!(url("", &message).query(), Some("access_token=somebody"));
        let of_settings = url("SEC1", &message);
        message.secret = Some("SEC2".into());
        let of_address = url("SEC1", &message);
        assert_eq!(of_address, url("SEC2", &message));
        assert_ne!(of_address, of_settings);
    }

    #[tokio::test]
    async fn a_token_that_could_change_the_url_is_not_sent() {
        let mut message = message(1, "major", "low");
        message.address = "a&access_token=b".into();
        assert!(matches!(robot("").send(&message).await, Attempt::Refused(_)));
    }
}
