//! A relay worker: it claims its share of the outbox and starts the reaction.
//!
//! Before: `queue` runs it. After: `relay::reaction`. Promise: a full claim is followed by the next one at once; while the finisher has one
//! group and another waits, nothing is claimed.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::groups::MAX_SHOWN;
use super::poll_timer::PollTimer;
use super::reaction::{Group, Reaction};
use super::transaction_size::{DEVICES, TransactionSize};
use crate::config::Settings;
use crate::queue::{self, Next};
use crate::store::outbox::{self, Claimed, OutboxSize, Share};
use crate::store::{Store, StoreError};
use crate::telemetry::names;

/// How many times more batches are claimed at once behind a full claim, if they are small: what they have in common is done once.
const BEHIND_FACTOR: u32 = 8;

/// Imports of which slices are evaluated in turns: a small one does not wait for a large one.
const IMPORTS: u32 = 16;

pub(super) struct Worker {
    store: Store,
    share: Share,
    limit: u32,
    reaction: Arc<Reaction>,
    finisher: mpsc::Sender<Group>,
    slice_size: TransactionSize,
    timer: PollTimer,
    /// The last claim was full, so there is more than the others take: the mean number of records of its batches.
    behind: Option<u64>,
}

impl Worker {
    pub(super) fn new(
        share: Share,
        store: &Store,
        reaction: Arc<Reaction>,
        finisher: mpsc::Sender<Group>,
        settings: &Settings,
    ) -> Self {
        Self {
            store: store.clone(),
            share,
            limit: if share == Share::Imports { IMPORTS } else { settings.claim_batches },
            reaction,
            finisher,
            slice_size: TransactionSize::new(DEVICES),
            timer: PollTimer::new(Duration::from_millis(settings.poll_interval_ms), Instant::now()),
            behind: None,
        }
    }

    /// How many batches to claim: more when the last claim was full, as long as about [`MAX_SHOWN`] records come together.
    fn limit(&self) -> u32 {
        let Some(records) = self.behind.filter(|_| self.share != Share::Imports) else {
            return self.limit;
        };
        let together = u32::try_from(MAX_SHOWN / records.max(1)).unwrap_or(u32::MAX);
        together.clamp(self.limit, self.limit.saturating_mul(BEHIND_FACTOR))
    }

    /// Claims at most `limit` batches; a sweep measures the outbox first.
    async fn claim(
        &self,
        limit: u32,
        is_sweep: bool,
    ) -> Result<(Option<OutboxSize>, Vec<Claimed>), StoreError> {
        let size = if is_sweep { Some(outbox::measure(&self.store).await?) } else { None };
        if let (Some(size), Share::Live) = (size, self.share) {
            #[expect(clippy::cast_precision_loss, reason = "a gauge")]
            metrics::gauge!(names::OUTBOX_ROWS).set(size.waiting as f64);
        }
        let floor = if is_sweep { 0 } else { self.timer.floor() };
        let lease = self.reaction.lease();
        let in_hand = self.reaction.hand().batch_ids();
        // A worker holds two claims.
        let most_ahead = 2 * self.limit;
        let claimed =
            outbox::claim(&self.store, lease, self.share, limit, floor, most_ahead, &in_hand).await?;
        Ok((size, claimed))
    }
}

impl queue::Worker for Worker {
    fn name(&self) -> (&'static str, &'static str) {
        ("outbox", self.share.name())
    }

    /// Claims once and reacts to the claimed batches.
    async fn poll(&mut self, reconnected: bool) -> Result<Next, StoreError> {
        // Urgent events wait for no Redis.
        if self.behind.is_none() && self.share != Share::Urgent {
            self.reaction.yield_while_redis_is_away().await;
        }
        // The sender alone fills the room.
        drop(self.finisher.reserve().await);
        let began = Instant::now();
        if self.reaction.hand().returned().now_or_never().is_some() {
            self.timer.sweep_soon(began);
        }
        if reconnected {
            self.timer.sweep_soon(began);
            self.reaction.reconnected();
        }
        let is_due = self.timer.sweep_is_due(began);
        if is_due {
            // Waiting for a connection must not count as time of the sweep.
            drop(self.store.client().await?);
        }
        let began = Instant::now();
        let limit = self.limit();
        let (sweep, claimed) =
            self.store.clone().with_timeout("relay.poll", self.claim(limit, is_due)).await?;
        let (took, rows) = (began.elapsed(), claimed.len());
        let records: u64 = claimed.iter().map(|row| row.records).sum();
        if self.share == Share::Imports {
            for row in &claimed {
                self.reaction.react_to_import(row, &mut self.slice_size).await?;
            }
        } else {
            self.reaction.react(claimed, &self.finisher).await?;
        }
        self.behind = (rows >= limit as usize).then(|| records / u64::from(limit));
        if self.behind.is_some() || (rows > 0 && self.share == Share::Imports) {
            return Ok(Next::Now);
        }
        if let Some(size) = sweep {
            self.timer.swept(size, took, Instant::now());
        }
        Ok(Next::Woken { gather: PollTimer::gather_delay(self.share), latest: self.timer.next_poll() })
    }

    /// Batches that are claimed and not finished are still ours: the next sweep claims them once more.
    fn failed(&mut self) {
        self.timer.sweep_soon(Instant::now());
    }

    async fn progress(&mut self) {
        self.reaction.hand().returned().await;
        self.failed();
    }
}
