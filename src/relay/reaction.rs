//! The reaction to claimed batches, up to their end: write their newest rows to Redis, and prepare them.
//!
//! Before: `relay::worker` claims. After: `relay::show`, `relay::finisher` and `store::outbox`. Promise: Redis is written before the outbox
//! rows are deleted, and no transaction is open meanwhile. A batch that fails by itself is parked for longer each time, and logged,
//! while other batches go on. A lock, a time-out or a lost connection does not count as a failure of the batch: the reaction is
//! repeated, and a batch that takes too long is evaluated in slices.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use tokio::time::sleep;
use tracing::{Instrument, Span};

use super::clocks::ClockMeasurement;
use super::groups::{MAX_SHOWN, group};
use super::hand::{Hand, HeldRows};
use super::show::{BatchValues, Show};
use crate::config::Settings;
use crate::react::RedisView;
use crate::store::handover::Handover;
use crate::store::lease::Lease;
use crate::store::outbox::{self, Batches, Claimed, TimeRange};
use crate::store::wake::Announcer;
use crate::store::{Kind, StatementTimeout, Store, StoreError};
use crate::telemetry::{names, trace};

/// From this attempt on a batch is reacted to by itself: it may be the reason why others were not finished.
const ALONE_FROM_ATTEMPT: i16 = 3;

/// Most doublings of the lease for a parked batch: 10 s become 640 s.
const MAX_DOUBLINGS: u32 = 6;

/// How long a batch is parked for which somebody holds a lock.
const LOCKED_OUT_PAUSE: Duration = Duration::from_secs(2);

pub(super) struct Reaction {
    pub(super) store: Store,
    pub(super) show: Show,
    clocks: ClockMeasurement,
    pub(super) notifications: Announcer,
    lease: Lease,
    hand: Hand,
}

/// Batches that are in Redis, and what finishing them needs to know.
pub(super) struct Group {
    pub(super) batches: Vec<Claimed>,
    pub(super) prepared: Prepared,
    /// Until the group is finished or abandoned.
    pub(super) held: Arc<HeldRows>,
}

/// What is known of prepared batches.
pub(super) struct Prepared {
    /// Their devices, each once; `None`: not known.
    pub(super) devices: Option<Vec<String>>,
    /// Holds their rows; `None`: there are none.
    pub(super) range: Option<TimeRange>,
    pub(super) span: Span,
    pub(super) claimed_at: Instant,
}

impl Reaction {
    pub(super) fn new(
        store: &Store,
        view: &RedisView,
        handover: &Handover,
        notifications: &Announcer,
        settings: &Settings,
    ) -> Self {
        Self {
            store: store.clone(),
            show: Show::new(store, view, handover),
            clocks: ClockMeasurement::default(),
            notifications: notifications.clone(),
            lease: Lease::new(settings.lease_seconds),
            hand: Hand::default(),
        }
    }

    pub(super) fn lease(&self) -> &Lease {
        &self.lease
    }

    pub(super) fn hand(&self) -> &Hand {
        &self.hand
    }

    /// Lets instances that have Redis claim first.
    pub(super) async fn yield_while_redis_is_away(&self) {
        self.show.yield_while_redis_is_away().await;
    }

    /// The connection to the server was lost, and it may be another server now.
    pub(super) fn reconnected(&self) {
        self.show.reconnected();
    }

    /// Shows and prepares claimed rows, as many as possible at a time, and hands them over to be finished. Those that fail together are
    /// halved until each is done or found. While the finisher is behind, this waits.
    ///
    /// # Errors
    /// The database is away. Batches that were not handed over are no longer in the hand.
    pub(super) async fn react(
        &self,
        claimed: Vec<Claimed>,
        finisher: &mpsc::Sender<Group>,
    ) -> Result<(), StoreError> {
        let claimed_at = Instant::now();
        let held = Arc::new(self.hand.hold(&claimed));
        let (retried, together): (Vec<_>, Vec<_>) =
            claimed.into_iter().partition(|row| row.attempts >= ALONE_FROM_ATTEMPT);
        let groups = group(together, MAX_SHOWN).into_iter().chain(retried.into_iter().map(|row| vec![row]));
        let mut steps: VecDeque<Vec<Claimed>> = groups.collect();
        while let Some(batches) = steps.pop_front() {
            let prepare = self.show_and_prepare(&batches, claimed_at);
            match self.store.with_timeout("relay.react", prepare).await {
                Ok(Some(prepared)) => {
                    let group = Group { batches, prepared, held: Arc::clone(&held) };
                    finisher.send(group).await.expect("the finisher runs for as long as the worker");
                }
                Ok(None) => {}
                Err(error) => self.halve_or_park(batches, error, &mut steps).await?,
            }
        }
        Ok(())
    }

    /// What becomes of batches that failed together: the halves are tried next, before the other `steps`; a single one is parked, or
    /// evaluated in slices.
    pub(super) async fn halve_or_park(
        &self,
        mut batches: Vec<Claimed>,
        error: StoreError,
        steps: &mut VecDeque<Vec<Claimed>>,
    ) -> Result<(), StoreError> {
        if is_away(&error) {
            return Err(error);
        }
        if batches.len() > 1 {
            let rest = batches.split_off(batches.len() / 2);
            steps.push_front(rest);
            steps.push_front(batches);
            return Ok(());
        }
        if error.is_cancelled() {
            return self.list_devices(&batches[0], StatementTimeout::Default).await;
        }
        self.park(&batches[0], &error).await
    }

    /// Parks a batch that failed by itself, or for which a lock is held, so that others go on; if that fails too, the database is away.
    pub(super) async fn park(&self, row: &Claimed, error: &StoreError) -> Result<(), StoreError> {
        let (batch_id, attempts) = (row.batch_id, row.attempts);
        if error.is_locked_out() {
            tracing::info!(batch_id, %error, "reaction to a batch waits for a lock");
            return outbox::park(&self.store, &self.lease, batch_id, LOCKED_OUT_PAUSE).await;
        }
        let doublings = u32::try_from(attempts).unwrap_or_default().min(MAX_DOUBLINGS);
        let pause = self.lease.duration() * 2u32.pow(doublings);
        outbox::park(&self.store, &self.lease, batch_id, pause).await?;
        let retry_after_seconds = pause.as_secs();
        tracing::error!(batch_id, attempts, retry_after_seconds, %error, "reaction to a batch failed; it is parked");
        Ok(())
    }

    /// `None`: the lease was lost.
    async fn show_and_prepare(
        &self,
        claimed: &[Claimed],
        claimed_at: Instant,
    ) -> Result<Option<Prepared>, StoreError> {
        let traces = claimed.iter().filter_map(|row| row.trace.as_ref());
        let span = trace::span_with_parents(traces, || trace::span!("react", batches = claimed.len()));
        async {
            let ids = ids(claimed);
            let newest = self.show.newest(claimed, &ids, StatementTimeout::Default).await?;
            let devices = newest.devices.as_ref().map(|all| all.iter().map(String::as_str).collect());
            let batches = Batches { ids: &ids, devices, range: newest.range };
            // The alerts wait for both, and neither waits for the other. If Redis missed values, that is recorded by preparing once more.
            let (shown, held) = tokio::join!(
                self.show.show(&newest, claimed, &ids, StatementTimeout::Default),
                outbox::prepare(&self.store, &self.lease, &batches, false),
            );
            let held = held? && (shown? || outbox::prepare(&self.store, &self.lease, &batches, true).await?);
            if !held {
                lease_lost(claimed);
                return Ok(None);
            }
            let BatchValues { devices, range, clocks, .. } = newest;
            // Before the alerts, whose messages have the right time.
            self.clocks.measure(&self.store, clocks).await;
            let span = span.clone();
            Ok(Some(Prepared { devices, range, span, claimed_at }))
        }
        .instrument(span.clone())
        .await
    }

    /// Renews the lease of these batches; never ends by itself.
    pub(super) async fn keep_lease_renewed(&self, batch_ids: impl Fn() -> Vec<i64>) -> Infallible {
        loop {
            sleep(self.lease.duration() / 3).await;
            let batch_ids = batch_ids();
            if batch_ids.is_empty() {
                continue;
            }
            if let Err(error) = outbox::renew(&self.store, &self.lease, &batch_ids).await {
                // The reaction finds out whether it lost the lease.
                tracing::debug!(%error, "lease not renewed");
            }
        }
    }
}

pub(super) fn ids(claimed: &[Claimed]) -> Vec<i64> {
    claimed.iter().map(|row| row.batch_id).collect()
}

pub(super) fn lease_lost(claimed: &[Claimed]) {
    tracing::info!(batches = claimed.len(), "lease lost; another relay reacts to these batches");
}

pub(super) fn record_reaction(finished: &[Claimed], claimed_at: Instant) {
    let took = claimed_at.elapsed();
    metrics::counter!(names::REACTED).increment(finished.len() as u64);
    for row in finished {
        metrics::histogram!(names::REACTION_SECONDS).record(row.age + took);
    }
}

/// Not caused by a batch, and not by its size: a retry may work.
pub(super) fn is_away(error: &StoreError) -> bool {
    matches!(error.kind(), Kind::Down | Kind::Retry) && !error.is_cancelled() && !error.is_locked_out()
}
