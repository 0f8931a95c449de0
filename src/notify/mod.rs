//! Notifying people of alerts: a loop per channel leases addresses, sends, and records; one adds escalations and repeats.
//!
//! Before: `vitals.notify_alerts` writes rows of `notification` with the alert. After: providers and webhooks; the results are in the
//! rows. Promise: every notification is sent at least once, under one number, or is a dead letter with the
//! provider's error; no transaction is open while one is sent; a slow provider does not delay other channels. How to set up
//! routes and contacts is in `src/notify/README.md`.

mod client;
mod decide;
mod details;
mod dingtalk_robot;
mod email;
mod feishu_robot;
pub mod operators;
mod provider;
mod public_address;
mod sender_loop;
mod signature;
mod signed_robot;
mod sms;
mod steps;
pub mod test_message;
mod text;
mod token;
mod webhook;
mod wechat;
mod wecom;
mod wecom_robot;

use std::time::Duration;

use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::config::Settings;
use crate::model::{Channel, Message};
use crate::queue;
use crate::store::clock::Clock;
use crate::store::notifier::Notifier;
use crate::store::wake::Topic;
use crate::store::{Store, notification};
use crate::tasks::Stage;
use crate::telemetry::names;

use decide::{Attempt, SendPolicy};
use sender_loop::{LoopSettings, SenderLoop};
use steps::StepWorker;

/// How often waiting notifications are counted.
const MEASURE_EVERY: Duration = Duration::from_secs(10);

/// Sends the messages of one channel.
trait Sender: Send + Sync + 'static {
    /// Which.
    const CHANNEL: Channel;
    /// Most alerts in one message.
    const MAX_ROWS: u32;
    /// Sends a message; dropped when the attempt takes too long.
    fn send(&self, message: &Message) -> impl Future<Output = Attempt> + Send;
    /// Sends it within `deadline`.
    fn attempt(&self, message: &Message, deadline: Duration) -> impl Future<Output = Attempt> + Send {
        async move {
            let sent = timeout(deadline, self.send(message)).await;
            sent.unwrap_or_else(|_| Attempt::failed("no answer in time"))
        }
    }
    /// The part of a provider's answer that may be logged.
    fn loggable(reason: &str) -> &str {
        reason
    }
}

/// Starts a loop per channel, each woken by `notifier`. When the stage stops, each finishes what it has leased.
pub fn start(stage: &Stage, store: &Store, time: &Clock, notifier: &Notifier, settings: &Settings) {
    let notify = &settings.notify;
    let merge = notify.merge_seconds;
    // Built once: it loads the certificates that this machine trusts.
    let http = client::build(client::builder(notify));
    let provider = || http.clone();
    let mut unset = Vec::new();
    let mut starter = LoopStarter { stage, store, notifier, settings, unset: &mut unset };
    starter.start("notify.webhook", webhook::Webhook::new(notify, time.clone()), 0);
    let robot = provider().and_then(|http| wecom_robot::Robot::new(notify, http));
    starter.start("notify.wecom_robot", robot, 0);
    let robot = provider().and_then(|http| dingtalk_robot::Robot::new(notify, http, time.clone()));
    starter.start("notify.dingtalk_robot", robot, 0);
    let robot = provider().and_then(|http| feishu_robot::Robot::new(notify, http, time.clone()));
    starter.start("notify.feishu_robot", robot, 0);
    let wechat = provider().and_then(|http| wechat::Wechat::new(notify, http));
    starter.start("notify.wechat", wechat, merge);
    let wecom = provider().and_then(|http| wecom::Wecom::new(notify, http));
    starter.start("notify.wecom", wecom, merge);
    let sms = provider().and_then(|http| sms::Sms::new(notify, http));
    starter.start("notify.sms", sms, merge);
    starter.start("notify.email", email::Email::new(notify), merge);
    if !unset.is_empty() {
        tracing::info!(reasons = unset.join(", "), "notifications by these channels are refused");
    }
    // Its own notifications wake it too, which costs one statement.
    let steps = StepWorker::new(store, notifier.notification(), settings);
    let steps = queue::run(steps, notifier.wake(Topic::Notification), stage.stop_token());
    stage.spawn_loop("notify.steps", steps);
    stage.spawn_loop("notify.measure", measure(store.clone(), stage.stop_token()));
}

struct LoopStarter<'a> {
    stage: &'a Stage,
    store: &'a Store,
    notifier: &'a Notifier,
    settings: &'a Settings,
    unset: &'a mut Vec<String>,
}

impl LoopStarter<'_> {
    fn start<S: Sender>(&mut self, name: &'static str, sender: Result<S, String>, merge_seconds: u32) {
        self.unset.extend(sender.as_ref().err().cloned());
        let notify = &self.settings.notify;
        let policy = SendPolicy { attempts: notify.attempts, interval: notify.interval(S::CHANNEL) };
        let settings = LoopSettings::of::<S>(self.settings, policy, merge_seconds);
        let sender_loop = SenderLoop::new(self.store, sender, settings);
        let wake = self.notifier.wake(Topic::Notification);
        self.stage.spawn_loop(name, queue::run(sender_loop, wake, self.stage.stop_token()));
    }
}

/// Counts waiting notifications, until `stop`.
async fn measure(store: Store, stop: CancellationToken) {
    while !stop.is_cancelled() {
        // A database that is away is logged by the loops.
        if let Ok(waiting) = notification::measure(&store).await {
            for channel in Channel::ALL.map(Channel::name) {
                let of = waiting.iter().find(|waiting| waiting.channel == channel);
                #[expect(clippy::cast_precision_loss, reason = "a gauge")]
                let rows = of.map_or(0.0, |waiting| waiting.rows as f64);
                let oldest = of.map_or(0.0, |waiting| waiting.oldest.as_secs_f64());
                metrics::gauge!(names::NOTIFICATIONS_WAITING, "channel" => channel).set(rows);
                metrics::gauge!(names::NOTIFICATION_OLDEST_SECONDS, "channel" => channel).set(oldest);
            }
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = sleep(MEASURE_EVERY) => {}
        }
    }
}
