//! A test message to one address, by the settings of its channel, outside the queue.
//!
//! Before: `vitals alerts test-message`; `http`, which records who asked for it. After: the provider. Promise: one attempt by the same
//! sender as a notification, and its outcome in words; no alert and no notification is touched.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use uuid::Uuid;

use super::decide::Attempt;
use super::sender_loop::REASON_BYTES;
use super::{
    Sender, client, dingtalk_robot, email, feishu_robot, sms, text, webhook, wechat, wecom, wecom_robot,
};
use crate::config::Settings;
use crate::language::Locale;
use crate::model::{Channel, Content, Message};
use crate::store::clock::Clock;
use crate::store::notification::ContactAddress;

/// Where a test message goes.
#[derive(Debug, Clone)]
pub struct TestAddress {
    /// By which channel.
    pub channel: Channel,
    /// In the words of the channel.
    pub address: String,
    /// What messages to it are signed with.
    pub secret: Option<String>,
    /// In which language it is written.
    pub locale: Locale,
}

impl TestAddress {
    /// An address of a contact; one without a language reads that of `locale`.
    pub fn of(address: ContactAddress, locale: &Locale) -> Self {
        let ContactAddress { channel, address, secret, language } = address;
        let language = language.unwrap_or(locale.language);
        Self { channel, address, secret, locale: Locale { language, zone: locale.zone.clone() } }
    }
}

/// Sends test messages to addresses of contacts; a contact without a language reads that of the settings.
pub fn sender(
    time: &Clock,
    settings: &Settings,
) -> impl Fn(ContactAddress) -> BoxFuture<'static, Result<(), String>> + use<> {
    let (time, settings) = (time.clone(), Arc::new(settings.clone()));
    move |to| {
        let (time, settings) = (time.clone(), Arc::clone(&settings));
        Box::pin(async move { send(TestAddress::of(to, &settings.locale()), &time, &settings).await })
    }
}

/// Sends a test message.
///
/// # Errors
/// It was not delivered: the missing setting, or the error of the provider.
pub async fn send(to: TestAddress, time: &Clock, settings: &Settings) -> Result<(), String> {
    let message = Message {
        id: Uuid::new_v4(),
        address: to.address,
        secret: to.secret,
        attempts: 0,
        locale: to.locale,
        content: Content::Test(time.now()),
    };
    let notify = &settings.notify;
    let http = client::build(client::builder(notify));
    let attempt = match to.channel {
        Channel::Webhook => once(webhook::Webhook::new(notify, time.clone()), &message, settings).await,
        Channel::Email => once(email::Email::new(notify), &message, settings).await,
        Channel::WecomRobot => {
            once(http.and_then(|http| wecom_robot::Robot::new(notify, http)), &message, settings).await
        }
        Channel::DingtalkRobot => {
            let robot = http.and_then(|http| dingtalk_robot::Robot::new(notify, http, time.clone()));
            once(robot, &message, settings).await
        }
        Channel::FeishuRobot => {
            let robot = http.and_then(|http| feishu_robot::Robot::new(notify, http, time.clone()));
            once(robot, &message, settings).await
        }
        Channel::Sms => once(http.and_then(|http| sms::Sms::new(notify, http)), &message, settings).await,
        Channel::Wecom => {
            once(http.and_then(|http| wecom::Wecom::new(notify, http)), &message, settings).await
        }
        Channel::Wechat => {
            once(http.and_then(|http| wechat::Wechat::new(notify, http)), &message, settings).await
        }
    };
    attempt.reason().map_or(Ok(()), |reason| Err(text::cut(&text::one_line(reason), REASON_BYTES)))
}

async fn once<S: Sender>(sender: Result<S, String>, message: &Message, settings: &Settings) -> Attempt {
    match sender {
        Err(reason) => Attempt::Refused(reason),
        Ok(sender) => sender.attempt(message, settings.notify.timeout()).await,
    }
}
