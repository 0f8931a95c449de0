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
use super::slice_size::SliceSize;
use crate::config::Settings;
use crate::react::RedisView;
use crate::store::outbox::{self, Claimed, Lease, OutboxSize, Share};
use crate::store::wake::{Announcer, Wake};
use crate::store::{Store, StoreError, outage_delays};
use crate::telemetry::names;

/// Imports of which slices are evaluated in turns: a small one does not wait for a large one.
const IMPORTS: u32 = 16;

pub(super) struct Worker {
    store: Store,
    share: Share,
    limit: u32,
    reaction: Reaction,
    slice_size: SliceSize,
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
            limit: if share == Share::Imports { IMPORTS } else { settings.claim_batches },
            reaction: Reaction::new(store, view, notifications, Lease::new(settings.lease_seconds)),
            slice_size: SliceSize::default(),
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
            let pause = match self.poll().await {
                Ok(claim) => {
                    if outage.take().is_some() {
                        tracing::info!(share = self.share.name(), "the relay continues");
                    }
                    match claim {
                        Claim::Full => continue,
                        Claim::Partial => PollTimer::gather_delay(began.elapsed()),
                        Claim::Empty => Duration::ZERO,
                    }
                }
                Err(error) => {
                    if outage.is_none() {
                        tracing::warn!(share = self.share.name(), %error, "the relay waits for the database; the outbox keeps its rows");
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
        let (sweep, claimed) = self.store.clone().with_timeout("relay.poll", self.claim(is_due)).await?;
        let took = began.elapsed();
        let claim = match claimed.len() {
            0 => Claim::Empty,
            rows if rows >= self.limit as usize || self.share == Share::Imports => Claim::Full,
            _ => Claim::Partial,
        };
        if self.share == Share::Imports {
            for row in &claimed {
                self.reaction.react_to_import(row, &mut self.slice_size).await?;
            }
        } else {
            self.reaction.react(claimed).await?;
        }
        if let (Some(size), Claim::Partial | Claim::Empty) = (sweep, claim) {
            self.timer.swept(size, took, Instant::now());
        }
        Ok(claim)
    }

    /// Claims once; a sweep measures the outbox first.
    async fn claim(&self, is_sweep: bool) -> Result<(Option<OutboxSize>, Vec<Claimed>), StoreError> {
        let size = if is_sweep { Some(outbox::measure(&self.store).await?) } else { None };
        if let (Some(size), Share::Live) = (size, self.share) {
            #[expect(clippy::cast_precision_loss, reason = "a gauge")]
            metrics::gauge!(names::OUTBOX_ROWS).set(size.waiting as f64);
        }
        let floor = if is_sweep { 0 } else { self.timer.floor() };
        let claimed =
            outbox::claim(&self.store, self.reaction.lease(), self.share, self.limit, floor).await?;
        Ok((size, claimed))
    }
}

async fn wait_unless_stopped(stop: &CancellationToken, wait: impl Future<Output = ()>) {
    tokio::select! {
        () = stop.cancelled() => {}
        () = wait => {}
    }
}
