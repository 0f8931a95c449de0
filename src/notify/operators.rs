//! Telling operators that the service is not well: from memory, for PostgreSQL may be what is away.
//!
//! Before: `monitor` finds a change. After: the same channels as for alerts, to the addresses of the settings. Promise: each
//! address has every change it can be told, in order, several in one message where one was slow; attempts go on, later each
//! time, until the change is an hour old; what waits is bounded. What a process knew when it ended is told by nobody: its next
//! start looks anew.

use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::mpsc;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::decide::{self, Limits};
use super::{Sender, client, email, webhook, wechat, wecom, wecom_robot};
use crate::config::Settings;
use crate::language::Locale;
use crate::model::{Channel, Content, Message, SystemAlert};
use crate::store::clock::Clock;
use crate::store::notification::Outcome;
use crate::tasks::Stage;
use crate::telemetry::names;

/// Changes that wait for one address. More are told as the newest of them.
const WAITING: usize = 100;

/// Most changes in one message: each has room for 200 bytes in the smallest of them.
const IN_ONE: usize = 10;

/// What nobody took for so long is not told any more.
const GIVEN_UP_AFTER: Duration = Duration::from_secs(3600);

/// Starts a task per address of the operators, and one that gives each what there is to tell.
pub fn start(stage: &Stage, news: mpsc::Receiver<SystemAlert>, time: &Clock, settings: &Settings) {
    let http = client::build(client::builder(&settings.notify));
    let mut addresses = Vec::new();
    for (channel, address) in settings.monitor.operators().expect("checked at start") {
        let (change, changes) = mpsc::channel(WAITING);
        addresses.push(change);
        let notify = &settings.notify;
        let task = Post { stage, settings, address, changes };
        match channel {
            Channel::Webhook => {
                task.start("operators.webhook", webhook::Webhook::to_operators(notify, time.clone()))
            }
            Channel::Email => task.start("operators.email", email::Email::new(notify)),
            Channel::WecomRobot => task.start(
                "operators.wecom_robot",
                http.clone().and_then(|http| wecom_robot::Robot::new(notify, http)),
            ),
            Channel::Wecom => {
                task.start("operators.wecom", http.clone().and_then(|http| wecom::Wecom::new(notify, http)));
            }
            Channel::Wechat => task
                .start("operators.wechat", http.clone().and_then(|http| wechat::Wechat::new(notify, http))),
        }
    }
    stage.spawn_loop("operators", spread(news, addresses, stage.stop_token()));
}

/// Gives every address what there is to tell, until `stop`.
async fn spread(
    mut news: mpsc::Receiver<SystemAlert>,
    addresses: Vec<mpsc::Sender<SystemAlert>>,
    stop: CancellationToken,
) {
    loop {
        let alert = tokio::select! {
            () = stop.cancelled() => return,
            Some(alert) = news.recv() => alert,
        };
        for address in &addresses {
            if address.try_send(alert.clone()).is_err() {
                tracing::warn!(
                    name = alert.condition.name(),
                    "an operator is not told: too many changes wait"
                );
            }
        }
    }
}

/// One address.
struct Post<'a> {
    stage: &'a Stage,
    settings: &'a Settings,
    address: String,
    changes: mpsc::Receiver<SystemAlert>,
}

impl Post<'_> {
    fn start<S: Sender>(self, name: &'static str, sender: Result<S, String>) {
        let sender = match sender {
            Ok(sender) => sender,
            Err(reason) => {
                tracing::error!(channel = S::CHANNEL.name(), reason, "operators cannot be told this way");
                return;
            }
        };
        let secret =
            Some(self.settings.monitor.operators_webhook_secret.clone()).filter(|secret| !secret.is_empty());
        let interval = match S::CHANNEL {
            Channel::WecomRobot => Duration::from_millis(self.settings.notify.wecom_robot_interval_ms),
            _ => Duration::ZERO,
        };
        let teller = Teller {
            sender,
            address: self.address,
            secret,
            locale: self.settings.locale(),
            // The age of a change is what ends the attempts.
            limits: Limits { attempts: u16::MAX, interval },
            timeout: self.settings.notify.timeout(),
        };
        self.stage.spawn_loop(name, teller.run(self.changes, self.stage.stop_token()));
    }
}

struct Teller<S> {
    sender: S,
    address: String,
    secret: Option<String>,
    locale: Locale,
    limits: Limits,
    timeout: Duration,
}

impl<S: Sender> Teller<S> {
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
            let told = message.get_or_insert_with(|| {
                let rest = waiting.split_off(waiting.len().min(IN_ONE));
                self.message(std::mem::replace(&mut waiting, rest))
            });
            let (done, wait) = self.attempt(told).await;
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

    /// True: it has come to an end.
    async fn attempt(&self, message: &mut Message) -> (bool, Duration) {
        let attempt = self.sender.attempt(message, self.timeout).await;
        let (outcome, wait) = decide::decide(&attempt, message.attempts, self.limits, rand::random::<f64>());
        let channel = S::CHANNEL.name();
        metrics::counter!(names::OPERATOR_MESSAGES, "channel" => channel, "outcome" => outcome.name())
            .increment(1);
        message.attempts = message.attempts.saturating_add(1);
        let words = S::loggable(attempt.words().unwrap_or_default());
        match outcome {
            Outcome::Sent => (true, wait),
            Outcome::Dead => {
                tracing::error!(channel, words, "operators were not told");
                (true, wait)
            }
            Outcome::Failed | Outcome::Limited if is_old(message) => {
                tracing::error!(channel, words, "operators were not told for an hour; given up");
                (true, wait)
            }
            Outcome::Failed | Outcome::Limited => {
                tracing::warn!(channel, words, "operators not told, tried again later");
                (false, wait)
            }
        }
    }
}

/// Nothing of it is news.
fn is_old(message: &Message) -> bool {
    let Content::System(alerts) = &message.content else { return true };
    let oldest = Timestamp::now() - GIVEN_UP_AFTER;
    alerts.iter().all(|alert| alert.ended_at.unwrap_or(alert.fired_at) < oldest)
}
