//! The worker of one channel: it leases addresses, sends to them, and records the results.
//!
//! Before: `queue` runs it. After: the channel sends, `store::notification` records. Promise: a slow receiver takes one slot and no
//! more; after a stop nothing is leased, and what is being sent is finished and recorded.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::FutureExt;
use futures_util::stream::{FuturesUnordered, StreamExt};
use tokio::task::JoinError;
use tokio::time::{Instant, sleep};
use tokio_util::task::AbortOnDropHandle;
use tracing::{Instrument, Span};

use super::decide::{self, Attempt, SendPolicy};
use super::{Sender, text};
use crate::config::Settings;
use crate::language::Locale;
use crate::model::Message;
use crate::queue::{Next, Worker};
use crate::store::lease::Lease;
use crate::store::notification::{self, AttemptResult, ChannelBatch, DeliveryOutcome};
use crate::store::{Store, StoreError, outage_delays};
use crate::tasks;
use crate::telemetry::names;
use crate::telemetry::trace::{self, TraceContext};

/// Addresses that are sent to at once.
const SLOTS: usize = 32;

/// Longest error of a provider that is stored, bytes.
pub(super) const REASON_BYTES: usize = 500;

/// How often a stopped loop tries to record what it sent; an instance that takes over sends it again.
const LAST_TRIES: usize = 5;

/// What a loop needs to know besides its channel.
#[derive(Debug, Clone)]
pub(super) struct LoopSettings {
    batch: ChannelBatch,
    policy: SendPolicy,
    /// Of contacts that have no language of their own.
    locale: Locale,
    timeout: Duration,
    lease_seconds: u32,
    poll: Duration,
}

impl LoopSettings {
    pub(super) fn of<S: Sender>(settings: &Settings, policy: SendPolicy, merge_seconds: u32) -> Self {
        let timeout = settings.notify.timeout();
        // Leased addresses are sent to at once: the lease lasts for one attempt and its recording.
        let attempt_seconds = u32::try_from(timeout.as_millis().div_ceil(1000)).unwrap_or(u32::MAX);
        Self {
            batch: ChannelBatch { channel: S::CHANNEL, max_rows: S::MAX_ROWS, merge_seconds },
            policy,
            locale: settings.locale(),
            timeout,
            lease_seconds: settings.lease_seconds.saturating_add(attempt_seconds),
            poll: Duration::from_millis(settings.poll_interval_ms),
        }
    }
}

pub(super) struct SenderLoop<S> {
    store: Store,
    sender: Arc<Result<S, String>>,
    settings: LoopSettings,
    /// One task per attempt: they go on while the loop waits for the database.
    under_way: FuturesUnordered<AbortOnDropHandle<AttemptResult>>,
    /// Results that are not recorded yet.
    results: Vec<AttemptResult>,
}

impl<S: Sender> SenderLoop<S> {
    pub(super) fn new(store: &Store, sender: Result<S, String>, settings: LoopSettings) -> Self {
        Self {
            store: store.clone(),
            sender: Arc::new(sender),
            settings,
            under_way: FuturesUnordered::new(),
            results: Vec::new(),
        }
    }

    /// Records results, leases addresses to which something is due, and begins to send. True: there may be more due now.
    async fn step(&mut self) -> Result<bool, StoreError> {
        self.record().await?;
        let free = SLOTS - self.under_way.len();
        if free == 0 {
            return Ok(false);
        }
        let lease = Lease::new(self.settings.lease_seconds);
        let mut addresses = notification::lease(&self.store, &lease, self.settings.batch, free).await?;
        if addresses.is_empty() {
            return Ok(false);
        }
        let all = addresses.len() == free;
        for message in
            notification::take(&self.store, &lease, self.settings.batch, &self.settings.locale).await?
        {
            addresses.retain(|address| *address != message.address);
            self.under_way.push(self.send(lease.clone(), message));
        }
        // All that was due there is cancelled.
        self.results.extend(addresses.into_iter().map(|address| AttemptResult {
            lease: lease.clone(),
            address,
            message_id: None,
            outcome: DeliveryOutcome::Limited,
            error: None,
            wait: Duration::ZERO,
        }));
        Ok(all || !self.results.is_empty())
    }

    /// One attempt within its deadline, and its result.
    fn send(&self, lease: Lease, message: Message) -> AbortOnDropHandle<AttemptResult> {
        let (sender, policy, timeout) =
            (Arc::clone(&self.sender), self.settings.policy, self.settings.timeout);
        tasks::spawn_abort_on_drop(async move {
            let began = Instant::now();
            let attempt = match sender.as_ref() {
                Err(reason) => Attempt::Refused(reason.clone()),
                Ok(sender) => sender.attempt(&message, timeout).instrument(span::<S>(&message)).await,
            };
            let (outcome, wait) = decide::decide(&attempt, message.attempts, policy, rand::random::<f64>());
            log_attempt::<S>(&message, &attempt, outcome, began.elapsed());
            AttemptResult {
                lease,
                address: message.address,
                message_id: Some(message.id),
                outcome,
                error: attempt.reason().map(|reason| text::cut(&text::one_line(reason), REASON_BYTES)),
                wait,
            }
        })
    }

    /// Records all results so far, in one statement.
    async fn record(&mut self) -> Result<(), StoreError> {
        while let Some(Some(ended)) = self.under_way.next().now_or_never() {
            self.results.extend(result_of(ended));
        }
        if !self.results.is_empty() {
            notification::record(&self.store, S::CHANNEL, &self.results).await?;
            self.results.clear();
        }
        Ok(())
    }
}

impl<S: Sender> Worker for SenderLoop<S> {
    fn name(&self) -> (&'static str, &'static str) {
        ("notification", S::CHANNEL.name())
    }

    async fn poll(&mut self, _reconnected: bool) -> Result<Next, StoreError> {
        let more = self.store.clone().with_timeout("notify.turn", self.step()).await?;
        Ok(if more {
            Next::Now
        } else if self.under_way.len() < SLOTS {
            Next::Woken { gather: Duration::ZERO, latest: Instant::now() + self.settings.poll }
        } else {
            Next::Progress
        })
    }

    /// An attempt has ended.
    async fn progress(&mut self) {
        match self.under_way.next().await {
            Some(ended) => self.results.extend(result_of(ended)),
            None => std::future::pending().await,
        }
    }

    /// Finishes the attempts that have begun, and records them.
    async fn finish(&mut self) {
        while let Some(ended) = self.under_way.next().await {
            self.results.extend(result_of(ended));
        }
        for delay in outage_delays().take(LAST_TRIES) {
            match self.record().await {
                Ok(()) => return,
                Err(error) => tracing::debug!(%error, "what was sent is not recorded yet"),
            }
            sleep(delay).await;
        }
        tracing::warn!(
            channel = S::CHANNEL.name(),
            messages = self.results.len(),
            "sent but not recorded: these will be sent again under the same numbers"
        );
    }
}

/// The result of an attempt; `None`: it panicked, and is made again when its lease ends.
fn result_of(ended: Result<AttemptResult, JoinError>) -> Option<AttemptResult> {
    ended.inspect_err(|error| tracing::error!(%error, "an attempt to notify was interrupted")).ok()
}

/// The span of an attempt, where one of its alerts is traced.
fn span<S: Sender>(message: &Message) -> Span {
    let traces: Vec<TraceContext> = message
        .content
        .alerts()
        .iter()
        .filter_map(|alert| TraceContext::parse(alert.trace.as_ref()?))
        .collect();
    trace::span_with_parents(&traces, || {
        let (channel, attempt) = (S::CHANNEL.name(), message.attempts + 1);
        trace::span!("notify", channel, message_id = %message.id, attempt)
    })
}

/// Counts and logs an attempt. Addresses are not logged: the key of a robot is a password.
fn log_attempt<S: Sender>(message: &Message, attempt: &Attempt, outcome: DeliveryOutcome, took: Duration) {
    let channel = S::CHANNEL.name();
    metrics::counter!(names::NOTIFICATIONS, "channel" => channel, "outcome" => outcome.name())
        .increment(message.content.len() as u64);
    if outcome == DeliveryOutcome::Sent {
        for alert in message.content.alerts() {
            metrics::histogram!(names::NOTIFICATION_SECONDS, "channel" => channel).record(alert.age + took);
        }
        return;
    }
    let (message_id, reason) = (message.id, S::loggable(attempt.reason().unwrap_or_default()));
    if outcome == DeliveryOutcome::Dead {
        let alerts = message.content.len();
        tracing::error!(channel, %message_id, alerts, reason, "not delivered: `vitals alerts dead-letters`");
    } else {
        tracing::warn!(
            channel,
            %message_id,
            outcome = outcome.name(),
            reason,
            "not delivered, tried again later"
        );
    }
}
