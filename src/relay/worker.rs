//! A relay worker: the loop that claims its share of the outbox, starts the reaction, and waits for more.
//!
//! Before: woken by `store::wake`, by its timer, or by its own full claim. After: `relay::reaction`. Promise: a wake-up
//! during a poll is not lost; a full claim is followed by the next one at once; after a stop nothing is claimed, and claimed
//! batches are finished.

use std::time::Duration;

use backon::ExponentialBackoff;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;

use super::poll_timer::PollTimer;
use super::reaction::Reaction;
use crate::config::Settings;
use crate::react::RedisView;
use crate::store::outbox::{self, Lease, Share};
use crate::store::wake::{Announcer, Wake};
use crate::store::{Store, StoreError, outage_delays};
use crate::telemetry::names;

pub(super) struct Worker {
    store: Store,
    share: Share,
    limit: u32,
    reaction: Reaction,
    wake: Wake,
    timer: PollTimer,
}

/// How much a poll of the outbox claimed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Claim {
    /// As many rows as may be claimed at once: more may be waiting.
    Full,
    /// All rows there were.
    Partial,
    /// No rows.
    Empty,
}

impl Worker {
    pub(super) fn new(
        share: Share,
        store: &Store,
        view: &RedisView,
        notifications: &Announcer,
        settings: &Settings,
        wake: Wake,
    ) -> Self {
        Self {
            store: store.clone(),
            share,
            limit: settings.claim_batches,
            reaction: Reaction::new(share, store, view, notifications, Lease::new(settings.lease_seconds)),
            wake,
            timer: PollTimer::new(Duration::from_millis(settings.poll_interval_ms), Instant::now()),
        }
    }

    /// Runs until `stop`.
    pub(super) async fn run(mut self, stop: CancellationToken) {
        let mut outage: Option<ExponentialBackoff> = None;
        while !stop.is_cancelled() {
            // Armed before the outbox is queried: a commit after the query wakes us.
            if self.wake.arm() {
                self.timer.sweep_soon(Instant::now());
            }
            let began = Instant::now();
            let pause = match self.poll_within_deadline().await {
                Ok(claim) => {
                    if outage.take().is_some() {
                        tracing::info!(share = ?self.share, "the relay continues");
                    }
                    match claim {
                        Claim::Full => continue,
                        Claim::Partial => PollTimer::gather_delay(began.elapsed()),
                        Claim::Empty => Duration::ZERO,
                    }
                }
                Err(error) => {
                    if outage.is_none() {
                        tracing::warn!(share = ?self.share, %error, "the relay waits for the database; the outbox keeps its rows");
                    }
                    // Batches that are claimed and not finished are still ours: the next sweep claims them once more.
                    self.timer.sweep_soon(Instant::now());
                    let delay = outage.get_or_insert_with(outage_delays).next().unwrap_or_default();
                    wait_unless_stopped(&stop, sleep(delay)).await;
                    continue;
                }
            };
            wait_unless_stopped(&stop, sleep(pause)).await;
            let next_poll = self.timer.next_poll();
            wait_unless_stopped(&stop, async {
                tokio::select! {
                    () = self.wake.woken() => {}
                    () = sleep_until(next_poll) => {}
                }
            })
            .await;
            wait_unless_stopped(&stop, self.reaction.yield_while_redis_is_away()).await;
        }
    }

    /// A poll for imports has no deadline.
    async fn poll_within_deadline(&mut self) -> Result<Claim, StoreError> {
        match self.share {
            Share::Ranged | Share::Far => self.store.clone().with_timeout("relay.poll", self.poll()).await,
            Share::Unranged => self.poll().await,
        }
    }

    /// Claims once and reacts to the claimed batches.
    async fn poll(&mut self) -> Result<Claim, StoreError> {
        let is_due = self.timer.sweep_is_due(Instant::now());
        if is_due {
            // Waiting for a connection must not count as time of the sweep.
            drop(self.store.client().await?);
        }
        let began = Instant::now();
        let sweep = if is_due { Some(outbox::measure(&self.store).await?) } else { None };
        if let (Some(measure), Share::Ranged) = (sweep, self.share) {
            #[expect(clippy::cast_precision_loss, reason = "a gauge")]
            metrics::gauge!(names::OUTBOX_ROWS).set(measure.waiting as f64);
        }
        let floor = if sweep.is_some() { 0 } else { self.timer.floor() };
        let claimed =
            outbox::claim(&self.store, self.reaction.lease(), self.share, self.limit, floor).await?;
        let took = began.elapsed();
        let claim = match claimed.len() {
            0 => Claim::Empty,
            rows if rows >= self.limit as usize => Claim::Full,
            _ => Claim::Partial,
        };
        self.reaction.react(claimed).await?;
        if let (Some(measure), Claim::Partial | Claim::Empty) = (sweep, claim) {
            self.timer.swept(measure, took, Instant::now());
        }
        Ok(claim)
    }
}

async fn wait_unless_stopped(stop: &CancellationToken, wait: impl Future<Output = ()>) {
    tokio::select! {
        () = stop.cancelled() => {}
        () = wait => {}
    }
}
