//! Notifies operators of system alerts. The alerts come from memory, because PostgreSQL may be away.
//!
//! Before: `monitor` finds a change. After: the same channels as for alerts, to the addresses of the settings. Promise: each
//! address gets every change in order, several in one message if an earlier one was slow; attempts go on with growing delays until
//! the change is an hour old; the queue is bounded. Changes that wait when the process ends are lost: the next start measures anew.

use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::mpsc;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::decide::{self, SendPolicy};
use super::{Sender, client, dingtalk_robot, email, feishu_robot, sms, webhook, wechat, wecom, wecom_robot};
use crate::config::Settings;
use crate::language::Locale;
use crate::model::{Channel, Content, Message, SystemAlert};
use crate::store::clock::Clock;
use crate::store::notification::DeliveryOutcome;
use crate::tasks::Stage;
use crate::telemetry::names;

/// Changes that may wait for one address; further ones are dropped.
const MAX_WAITING_CHANGES: usize = 100;

/// Most changes in one message: each has room for 200 bytes in the smallest of them.
const MAX_CHANGES_PER_MESSAGE: usize = 10;

/// A change that is older is dropped.
const MAX_AGE: Duration = Duration::from_secs(3600);

/// Starts a task per address of the operators, and one that passes every change to each of them.
pub fn start(stage: &Stage, alerts: mpsc::Receiver<SystemAlert>, time: &Clock, settings: &Settings) {
    let http = client::build(client::builder(&settings.notify));
    let mut addresses = Vec::new();
    for (channel, address) in settings.monitor.operators().expect("checked at start") {
        let (change, changes) = mpsc::channel(MAX_WAITING_CHANGES);
        addresses.push(change);
        let notify = &settings.notify;
        let task = OperatorAddress { stage, settings, address, changes };
        match channel {
            Channel::Webhook => {
                task.start("operators.webhook", webhook::Webhook::to_operators(notify, time.clone()))
            }
            Channel::Email => task.start("operators.email", email::Email::new(notify)),
            Channel::WecomRobot => task.start(
                "operators.wecom_robot",
                http.clone().and_then(|http| wecom_robot::Robot::new(notify, http)),
            ),
            Channel::DingtalkRobot => task.start(
                "operators.dingtalk_robot",
                http.clone().and_then(|http| dingtalk_robot::Robot::new(notify, http, time.clone())),
            ),
            Channel::FeishuRobot => task.start(
                "operators.feishu_robot",
                http.clone().and_then(|http| feishu_robot::Robot::new(notify, http, time.clone())),
            ),
            Channel::Sms => {
                task.start("operators.sms", http.clone().and_then(|http| sms::Sms::new(notify, http)));
            }
            Channel::Wecom => {
                task.start("operators.wecom", http.clone().and_then(|http| wecom::Wecom::new(notify, http)));
            }
            Channel::Wechat => task
                .start("operators.wechat", http.clone().and_then(|http| wechat::Wechat::new(notify, http))),
        }
    }
    stage.spawn_loop("operators", distribute(alerts, addresses, stage.stop_token()));
}

/// Passes every change to each address, until `stop`.
async fn distribute(
    mut alerts: mpsc::Receiver<SystemAlert>,
    addresses: Vec<mpsc::Sender<SystemAlert>>,
    stop: CancellationToken,
) {
    loop {
        let alert = tokio::select! {
            () = stop.cancelled() => return,
            Some(alert) = alerts.recv() => alert,
        };
        for address in &addresses {
            if address.try_send(alert.clone()).is_err() {
                tracing::warn!(
                    name = alert.condition.name(),
                    "an operator is not notified: too many changes wait"
                );
            }
        }
    }
}

/// One address.
struct OperatorAddress<'a> {
    stage: &'a Stage,
    settings: &'a Settings,
    address: String,
    changes: mpsc::Receiver<SystemAlert>,
}

impl OperatorAddress<'_> {
    fn start<S: Sender>(self, name: &'static str, sender: Result<S, String>) {
        let sender = match sender {
            Ok(sender) => sender,
            Err(reason) => {
                tracing::error!(
                    channel = S::CHANNEL.name(),
                    reason,
                    "operators cannot be notified by this channel"
                );
                return;
            }
        };
        // Robots sign with the secrets of their own settings.
        let secret = match S::CHANNEL {
            Channel::Webhook => Some(self.settings.monitor.operators_webhook_secret.clone()),
            _ => None,
        };
        let interval = self.settings.notify.interval(S::CHANNEL);
        let operator_sender = OperatorSender {
            sender,
            address: self.address,
            secret: secret.filter(|secret| !secret.is_empty()),
            locale: self.settings.locale(),
            // The age of a change is what ends the attempts.
            policy: SendPolicy { attempts: u16::MAX, interval },
            timeout: self.settings.notify.timeout(),
        };
        self.stage.spawn_loop(name, operator_sender.run(self.changes, self.stage.stop_token()));
    }
}

struct OperatorSender<S> {
    sender: S,
    address: String,
    secret: Option<String>,
    locale: Locale,
    policy: SendPolicy,
    timeout: Duration,
}

impl<S: Sender> OperatorSender<S> {
    async fn run(self, mut changes: mpsc::Receiver<SystemAlert>, stop: CancellationToken) {
        let mut waiting: Vec<SystemAlert> = Vec::new();
        let mut message: Option<Message> = None;
        loop {
            if waiting.is_empty() && message.is_none() {
                tokio::select! {
                    () = stop.cancelled() => return,
                    Some(change) = changes.recv() => waiting.push(change),
                }
            }
            while let Ok(change) = changes.try_recv() {
                waiting.push(change);
            }
            let current = message.get_or_insert_with(|| {
                let rest = waiting.split_off(waiting.len().min(MAX_CHANGES_PER_MESSAGE));
                self.message(std::mem::replace(&mut waiting, rest))
            });
            let (done, wait) = self.attempt(current).await;
            if done {
                message = None;
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = sleep(wait) => {}
            }
        }
    }

    fn message(&self, alerts: Vec<SystemAlert>) -> Message {
        Message {
            id: Uuid::new_v4(),
            address: self.address.clone(),
            secret: self.secret.clone(),
            attempts: 0,
            locale: self.locale.clone(),
            content: Content::System(alerts),
        }
    }

    /// True: it is delivered, refused or too old.
    async fn attempt(&self, message: &mut Message) -> (bool, Duration) {
        let attempt = self.sender.attempt(message, self.timeout).await;
        let (outcome, wait) = decide::decide(&attempt, message.attempts, self.policy, rand::random::<f64>());
        let channel = S::CHANNEL.name();
        metrics::counter!(names::OPERATOR_MESSAGES, "channel" => channel, "outcome" => outcome.name())
            .increment(1);
        message.attempts = message.attempts.saturating_add(1);
        let reason = S::loggable(attempt.reason().unwrap_or_default());
        match outcome {
            DeliveryOutcome::Sent => (true, wait),
            DeliveryOutcome::Dead => {
                tracing::error!(channel, reason, "operators were not notified");
                (true, wait)
            }
            DeliveryOutcome::Failed | DeliveryOutcome::Limited if is_old(message) => {
                tracing::error!(
                    channel,
                    reason,
                    "operators were not notified for an hour; the change is dropped"
                );
                (true, wait)
            }
            DeliveryOutcome::Failed | DeliveryOutcome::Limited => {
                tracing::warn!(channel, reason, "operators not notified, tried again later");
                (false, wait)
            }
        }
    }
}

/// All its changes are too old.
fn is_old(message: &Message) -> bool {
    let Content::System(alerts) = &message.content else { return true };
    let oldest = Timestamp::now() - MAX_AGE;
    alerts.iter().all(|alert| alert.ended_at.unwrap_or(alert.fired_at) < oldest)
}
