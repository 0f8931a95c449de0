//! A lane: the loop that claims its share of the outbox, has it reacted to, and waits for more.
//!
//! Before: woken by `store::wake`, by the poll, or by its own full claim. After: `relay::reaction`. Promise: a wake-up
//! that comes while the lane looks is not lost; a full claim is followed by the next at once; after a stop nothing is
//! claimed, and what was claimed is finished.

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

/// What a look into the outbox found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Found {
    /// As many rows as may be claimed at once: there may be more.
    Full,
    /// All there was.
    Some,
    /// Nothing.
    Nothing,
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

    /// Until `stop`.
    pub(super) async fn run(mut self, stop: CancellationToken) {
        let mut outage: Option<ExponentialBackoff> = None;
        while !stop.is_cancelled() {
            // Armed before the outbox is queried: a commit after the query wakes us.
            if self.wake.arm() {
                self.timer.sweep_soon(Instant::now());
            }
            let began = Instant::now();
            let rest = match self.look_in_time().await {
                Ok(found) => {
                    if outage.take().is_some() {
                        tracing::info!(share = ?self.share, "the relay goes on");
                    }
                    match found {
                        Found::Full => continue,
                        Found::Some => PollTimer::rest_after(began.elapsed()),
                        Found::Nothing => Duration::ZERO,
                    }
                }
                Err(error) => {
                    if outage.is_none() {
                        tracing::warn!(share = ?self.share, %error, "the relay waits for the database; the outbox keeps what is to be done");
                    }
                    // What was claimed and not finished is our own: claimed again by the next sweep.
                    self.timer.sweep_soon(Instant::now());
                    let delay = outage.get_or_insert_with(outage_delays).next().unwrap_or_default();
                    until(&stop, sleep(delay)).await;
                    continue;
                }
            };
            until(&stop, sleep(rest)).await;
            let next_look = self.timer.next_look();
            until(&stop, async {
                tokio::select! {
                    () = self.wake.woken() => {}
                    () = sleep_until(next_look) => {}
                }
            })
            .await;
        }
    }

    /// Imports may take as long as they do.
    async fn look_in_time(&mut self) -> Result<Found, StoreError> {
        match self.share {
            Share::Ranged | Share::Far => self.store.clone().unless_silent("relay.look", self.look()).await,
            Share::Unranged => self.look().await,
        }
    }

    /// Claims once and reacts to what it got.
    async fn look(&mut self) -> Result<Found, StoreError> {
        let is_due = self.timer.sweep_is_due(Instant::now());
        if is_due {
            // How long a connection is waited for says nothing of the outbox.
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
        let found = match claimed.len() {
            0 => Found::Nothing,
            rows if rows >= self.limit as usize => Found::Full,
            _ => Found::Some,
        };
        self.reaction.to(claimed).await?;
        if let (Some(measure), Found::Some | Found::Nothing) = (sweep, found) {
            self.timer.swept(measure, took, Instant::now());
        }
        Ok(found)
    }
}

async fn until(stop: &CancellationToken, wait: impl Future<Output = ()>) {
    tokio::select! {
        () = stop.cancelled() => {}
        () = wait => {}
    }
}
