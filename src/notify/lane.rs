//! A lane: the loop that leases the addresses of one channel, sends to them, and records what became of it.
//!
//! Before: woken by `store::wake`, by the poll, or by what it recorded. After: a channel sends, `store::notification`
//! records. Promise: a wake-up that comes while the lane looks is not lost; a slow receiver keeps one slot and no more;
//! after a stop nothing is leased, what is under way is sent and recorded.

use std::sync::Arc;
use std::time::Duration;

use backon::ExponentialBackoff;
use futures_util::future::FutureExt;
use futures_util::stream::{FuturesUnordered, StreamExt};
use tokio::task::JoinError;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;
use tracing::{Instrument, Span};

use super::decide::{self, Attempt, Limits};
use super::{Sender, text};
use crate::config::Settings;
use crate::language::Locale;
use crate::model::Message;
use crate::store::notification::{self, Outcome, Settled, Turn};
use crate::store::outbox::Lease;
use crate::store::wake::Wake;
use crate::store::{Store, StoreError, outage_delays};
use crate::tasks;
use crate::telemetry::names;
use crate::telemetry::trace::{self, TraceContext};

/// Addresses that are sent to at once.
const SLOTS: usize = 32;

/// Longest words of a provider that are kept, bytes.
const WORDS_BYTES: usize = 500;

/// How often a lane that was stopped tries to record what it sent; whoever takes over sends it again.
const LAST_TRIES: u32 = 5;

/// How a lane goes about it.
#[derive(Debug, Clone)]
pub(super) struct Manner {
    turn: Turn,
    limits: Limits,
    /// Of contacts that have no language of their own.
    locale: Locale,
    timeout: Duration,
    lease_seconds: u32,
    poll: Duration,
}

impl Manner {
    pub(super) fn of<S: Sender>(settings: &Settings, limits: Limits, merge_seconds: u32) -> Self {
        let timeout = settings.notify.timeout();
        // What is leased is sent at once: it holds for an attempt and the recording.
        let attempt_seconds = u32::try_from(timeout.as_millis().div_ceil(1000)).unwrap_or(u32::MAX);
        Self {
            turn: Turn { channel: S::CHANNEL, max_rows: S::MAX_ROWS, merge_seconds },
            limits,
            locale: settings.locale(),
            timeout,
            lease_seconds: settings.lease_seconds.saturating_add(attempt_seconds),
            poll: Duration::from_millis(settings.poll_interval_ms),
        }
    }
}

pub(super) struct Lane<S> {
    store: Store,
    sender: Arc<Result<S, String>>,
    manner: Manner,
    wake: Wake,
    /// A task each: they go on while the lane waits for the database.
    under_way: FuturesUnordered<AbortOnDropHandle<Settled>>,
    /// Not recorded yet.
    settled: Vec<Settled>,
    outage: Option<ExponentialBackoff>,
}

impl<S: Sender> Lane<S> {
    pub(super) fn new(store: &Store, sender: Result<S, String>, manner: Manner, wake: Wake) -> Self {
        Self {
            store: store.clone(),
            sender: Arc::new(sender),
            manner,
            wake,
            under_way: FuturesUnordered::new(),
            settled: Vec::new(),
            outage: None,
        }
    }

    /// Until `stop`.
    pub(super) async fn run(mut self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            // Armed before the table is looked at: a commit after the look wakes us.
            self.wake.arm();
            let rest = match self.store.clone().unless_silent("notify.turn", self.turn()).await {
                Ok(more) => {
                    if self.outage.take().is_some() {
                        tracing::info!(channel = S::CHANNEL.name(), "notifications go on");
                    }
                    if more {
                        continue;
                    }
                    self.manner.poll
                }
                Err(error) => self.pause_after(&error),
            };
            let free = self.under_way.len() < SLOTS;
            tokio::select! {
                () = stop.cancelled() => {}
                // With every slot taken, only the end of an attempt changes anything.
                () = sleep(rest), if free || self.outage.is_some() => {}
                () = self.wake.woken(), if free && self.outage.is_none() => {}
                Some(ended) = self.under_way.next() => self.settled.extend(settled(ended)),
            }
        }
        self.wind_up().await;
    }

    /// Records what is settled, leases what is due, and begins to send it. True: there may be more at once.
    async fn turn(&mut self) -> Result<bool, StoreError> {
        self.record().await?;
        let free = SLOTS - self.under_way.len();
        if free == 0 {
            return Ok(false);
        }
        let lease = Lease::new(self.manner.lease_seconds);
        let mut addresses = notification::lease(&self.store, &lease, self.manner.turn, free).await?;
        if addresses.is_empty() {
            return Ok(false);
        }
        let all = addresses.len() == free;
        for message in notification::take(&self.store, &lease, self.manner.turn, &self.manner.locale).await? {
            addresses.retain(|address| *address != message.address);
            self.under_way.push(self.send(lease.clone(), message));
        }
        // Nobody there is to be told any more.
        self.settled.extend(addresses.into_iter().map(|address| Settled {
            lease: lease.clone(),
            address,
            message_id: None,
            outcome: Outcome::Limited,
            error: None,
            wait: Duration::ZERO,
        }));
        Ok(all || !self.settled.is_empty())
    }

    /// One attempt within its deadline, and what follows from it.
    fn send(&self, lease: Lease, message: Message) -> AbortOnDropHandle<Settled> {
        let (sender, limits, timeout) = (Arc::clone(&self.sender), self.manner.limits, self.manner.timeout);
        tasks::spawn_abort_on_drop(async move {
            let began = Instant::now();
            let attempt = match sender.as_ref() {
                Err(reason) => Attempt::Refused(reason.clone()),
                Ok(sender) => sender.attempt(&message, timeout).instrument(span::<S>(&message)).await,
            };
            let (outcome, wait) = decide::decide(&attempt, message.attempts, limits, rand::random::<f64>());
            tell::<S>(&message, &attempt, outcome, began.elapsed());
            Settled {
                lease,
                address: message.address,
                message_id: Some(message.id),
                outcome,
                error: attempt.words().map(|words| text::cut(&text::one_line(words), WORDS_BYTES)),
                wait,
            }
        })
    }

    /// Records all that is settled by now, in one statement.
    async fn record(&mut self) -> Result<(), StoreError> {
        while let Some(Some(ended)) = self.under_way.next().now_or_never() {
            self.settled.extend(settled(ended));
        }
        if !self.settled.is_empty() {
            notification::record(&self.store, S::CHANNEL, &self.settled).await?;
            self.settled.clear();
        }
        Ok(())
    }

    /// Finishes what is under way.
    async fn wind_up(&mut self) {
        while let Some(ended) = self.under_way.next().await {
            self.settled.extend(settled(ended));
        }
        for _ in 0..LAST_TRIES {
            match self.record().await {
                Ok(()) => return,
                Err(error) => sleep(self.pause_after(&error)).await,
            }
        }
        tracing::warn!(
            channel = S::CHANNEL.name(),
            messages = self.settled.len(),
            "sent but not recorded: these will be sent again under the same numbers"
        );
    }

    fn pause_after(&mut self, error: &StoreError) -> Duration {
        if self.outage.is_none() {
            tracing::warn!(channel = S::CHANNEL.name(), %error, "notifications wait for the database");
        }
        self.outage.get_or_insert_with(outage_delays).next().unwrap_or_default()
    }
}

/// What became of an attempt; `None`: it panicked, and is made again when its lease ends.
fn settled(ended: Result<Settled, JoinError>) -> Option<Settled> {
    ended.inspect_err(|error| tracing::error!(%error, "an attempt to notify broke off")).ok()
}

/// The span of an attempt, where one of its alerts is traced.
fn span<S: Sender>(message: &Message) -> Span {
    let traces: Vec<TraceContext> = message
        .content
        .notices()
        .iter()
        .filter_map(|notice| TraceContext::parse(notice.trace.as_ref()?))
        .collect();
    trace::span_with_parents(&traces, || {
        let (channel, attempt) = (S::CHANNEL.name(), message.attempts + 1);
        trace::span!("notify", channel, message_id = %message.id, attempt)
    })
}

/// Counts and logs an attempt; an address may be as good as a password, and is not named.
fn tell<S: Sender>(message: &Message, attempt: &Attempt, outcome: Outcome, took: Duration) {
    let channel = S::CHANNEL.name();
    metrics::counter!(names::NOTIFICATIONS, "channel" => channel, "outcome" => outcome.name())
        .increment(message.content.len() as u64);
    if outcome == Outcome::Sent {
        for notice in message.content.notices() {
            metrics::histogram!(names::NOTIFICATION_SECONDS, "channel" => channel).record(notice.age + took);
        }
        return;
    }
    let (message_id, words) = (message.id, S::loggable(attempt.words().unwrap_or_default()));
    if outcome == Outcome::Dead {
        let alerts = message.content.len();
        tracing::error!(channel, %message_id, alerts, words, "not delivered: `vitals alerts dead-letters`");
    } else {
        tracing::warn!(
            channel,
            %message_id,
            outcome = outcome.name(),
            words,
            "not delivered, tried again later"
        );
    }
}
