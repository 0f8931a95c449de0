//! The reaction to claimed batches: write their newest rows to Redis, prepare them, finish them a few at a time.
//!
//! Before: `relay::worker` claims. After: `relay::show` and `store::outbox`. Promise: Redis is written before the outbox rows
//! are deleted, and no transaction is open meanwhile; the lease is renewed for as long as the reaction takes. A batch that fails by
//! itself is parked for longer each time, and logged, while other batches go on. A lock, a time-out or a lost connection does not
//! count as a failure of the batch: the reaction is repeated, and a batch that takes too long is evaluated in slices.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use tokio::sync::Semaphore;
use tokio::time::sleep;
use tracing::{Instrument, Span};

use super::clocks::ClockMeasurement;
use super::groups::{MAX_FINISHED, MAX_SHOWN, common_range, group};
use super::lanes::lanes;
use super::show::{Show, Shown};
use super::slice_size::SliceSize;
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
    store: Store,
    show: Show,
    clocks: ClockMeasurement,
    notifications: Announcer,
    lease: Lease,
    /// A permit for each transaction that finishes batches. The workers share them, except for the urgent one, so that other parts of
    /// the service always find a free connection.
    finishing: Arc<Semaphore>,
}

/// What finishing batches that are in Redis needs to know.
struct Prepared {
    /// How many batches.
    batches: usize,
    /// Their devices, each once; `None`: not known.
    devices: Option<Vec<String>>,
    /// Holds their rows; `None`: there are none.
    range: Option<TimeRange>,
    span: Span,
    claimed_at: Instant,
}

impl Reaction {
    pub(super) fn new(
        store: &Store,
        view: &RedisView,
        handover: &Handover,
        notifications: &Announcer,
        finishing: Arc<Semaphore>,
        settings: &Settings,
    ) -> Self {
        Self {
            store: store.clone(),
            show: Show::new(store, view, handover),
            clocks: ClockMeasurement::default(),
            notifications: notifications.clone(),
            lease: Lease::new(settings.lease_seconds),
            finishing,
        }
    }

    pub(super) fn lease(&self) -> &Lease {
        &self.lease
    }

    /// Lets instances that have Redis claim first.
    pub(super) async fn yield_while_redis_is_away(&self) {
        self.show.yield_while_redis_is_away().await;
    }

    /// The connection to the server was lost, and it may be another server now.
    pub(super) fn reconnected(&self) {
        self.show.reconnected();
    }

    /// Reacts to claimed rows, as many as possible at a time. Those that fail together are halved until each is done or found.
    ///
    /// # Errors
    /// The database is away. Batches that were not finished stay claimed.
    pub(super) async fn react(&self, claimed: Vec<Claimed>) -> Result<(), StoreError> {
        let batch_ids = ids(&claimed);
        tokio::select! {
            reacted = self.react_in_steps(claimed) => reacted,
            never = self.keep_lease_renewed(&batch_ids) => match never {},
        }
    }

    async fn react_in_steps(&self, claimed: Vec<Claimed>) -> Result<(), StoreError> {
        let claimed_at = Instant::now();
        let (retried, together): (Vec<_>, Vec<_>) =
            claimed.into_iter().partition(|row| row.attempts >= ALONE_FROM_ATTEMPT);
        let groups = group(together, MAX_SHOWN).into_iter().chain(retried.into_iter().map(|row| vec![row]));
        let mut steps: VecDeque<Vec<Claimed>> = groups.collect();
        while let Some(batches) = steps.pop_front() {
            let prepare = self.show_and_prepare(&batches, claimed_at);
            match self.store.with_timeout("relay.react", prepare).await {
                Ok(Some(prepared)) => self.finish_in_lanes(batches, &prepared).await?,
                Ok(None) => {}
                Err(error) => self.halve_or_park(batches, error, &mut steps).await?,
            }
        }
        Ok(())
    }

    /// Finishes prepared batches, those of different devices at the same time. A lane that fails does not interrupt the others.
    async fn finish_in_lanes(&self, batches: Vec<Claimed>, prepared: &Prepared) -> Result<(), StoreError> {
        let lanes = lanes(batches).into_iter().map(|lane| self.finish_lane(lane, prepared));
        join_all(lanes).await.into_iter().collect()
    }

    /// Finishes batches in their order, as many as possible at a time.
    async fn finish_lane(&self, batches: Vec<Claimed>, prepared: &Prepared) -> Result<(), StoreError> {
        let mut steps = VecDeque::from(group(batches, MAX_FINISHED));
        while let Some(batches) = steps.pop_front() {
            let permit = self.finishing.acquire().await.expect("the semaphore is never closed");
            let finish = self.finish(&batches, prepared).instrument(prepared.span.clone());
            let finished = self.store.with_timeout("relay.react", finish).await;
            drop(permit);
            if let Err(error) = finished {
                self.halve_or_park(batches, error, &mut steps).await?;
            }
        }
        Ok(())
    }

    /// What becomes of batches that failed together: the halves are tried next, before the other `steps`; a single one is parked, or
    /// evaluated in slices.
    async fn halve_or_park(
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

    /// Evaluates the next slice of an import; the first time, writes its values to Redis and lists its devices.
    ///
    /// # Errors
    /// The database is away, or the smallest slice takes too long. The batch stays claimed.
    pub(super) async fn react_to_import(
        &self,
        row: &Claimed,
        size: &mut SliceSize,
    ) -> Result<(), StoreError> {
        let batch_ids = [row.batch_id];
        let reacted = tokio::select! {
            reacted = async {
                if row.sliced {
                    self.store.with_timeout("relay.slice", self.evaluate_slice(row, size)).await
                } else {
                    self.list_devices(row, StatementTimeout::None).await
                }
            } => reacted,
            never = self.keep_lease_renewed(&batch_ids) => match never {},
        };
        match reacted {
            Err(error) if error.is_cancelled() && size.was_cancelled() => Ok(()),
            Err(error) if is_away(&error) || error.is_cancelled() => Err(error),
            Err(error) => self.park(row, &error).await,
            Ok(()) => Ok(()),
        }
    }

    async fn evaluate_slice(&self, row: &Claimed, size: &mut SliceSize) -> Result<(), StoreError> {
        let began = Instant::now();
        let (devices, rows) = (size.devices(), size.rows());
        let slice = outbox::evaluate_slice(&self.store, &self.lease, row.batch_id, devices, rows).await?;
        size.took(began.elapsed());
        if slice.notified {
            self.notifications.announce();
        }
        if slice.finished {
            record_reaction(std::slice::from_ref(row), began);
        }
        Ok(())
    }

    /// Everything but the alerts of a batch, which are evaluated in slices from now on.
    async fn list_devices(&self, row: &Claimed, timeout: StatementTimeout) -> Result<(), StoreError> {
        let batch_ids = [row.batch_id];
        let Shown { devices, range, missed, .. } =
            self.show.show(std::slice::from_ref(row), &batch_ids, timeout).await?;
        outbox::slice(&self.store, &self.lease, row.batch_id, devices.as_deref(), range, missed)
            .await
            .map(drop)
    }

    /// Parks a batch that failed by itself, or for which a lock is held, so that others go on; if that fails too, the database is away.
    async fn park(&self, row: &Claimed, error: &StoreError) -> Result<(), StoreError> {
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
            let Shown { devices, range, missed, clocks } =
                self.show.show(claimed, &ids, StatementTimeout::Default).await?;
            let batches = Batches { ids: &ids, devices: devices.as_deref(), range };
            if !outbox::prepare(&self.store, &self.lease, &batches, missed).await? {
                lease_lost(claimed);
                return Ok(None);
            }
            // Before the alerts, whose messages have the right time.
            self.clocks.measure(&self.store, clocks).await;
            let span = span.clone();
            Ok(Some(Prepared { batches: ids.len(), devices, range, span, claimed_at }))
        }
        .instrument(span.clone())
        .await
    }

    async fn finish(&self, claimed: &[Claimed], prepared: &Prepared) -> Result<(), StoreError> {
        let range = common_range(claimed).or(prepared.range);
        let devices = prepared.devices.as_deref().filter(|_| claimed.len() == prepared.batches);
        let batches = Batches { ids: &ids(claimed), devices, range };
        let finished = outbox::finish(&self.store, &self.lease, &batches).await?;
        if finished.notified {
            self.notifications.announce();
        }
        if finished.held {
            record_reaction(claimed, prepared.claimed_at);
        } else {
            lease_lost(claimed);
        }
        Ok(())
    }

    /// Renews the lease; never ends by itself.
    async fn keep_lease_renewed(&self, batch_ids: &[i64]) -> Infallible {
        loop {
            sleep(self.lease.duration() / 3).await;
            if let Err(error) = outbox::renew(&self.store, &self.lease, batch_ids).await {
                // The reaction finds out whether it lost the lease.
                tracing::debug!(%error, "lease not renewed");
            }
        }
    }
}

fn ids(claimed: &[Claimed]) -> Vec<i64> {
    claimed.iter().map(|row| row.batch_id).collect()
}

fn lease_lost(claimed: &[Claimed]) {
    tracing::info!(batches = claimed.len(), "lease lost; another relay reacts to these batches");
}

fn record_reaction(finished: &[Claimed], claimed_at: Instant) {
    let took = claimed_at.elapsed();
    metrics::counter!(names::REACTED).increment(finished.len() as u64);
    for row in finished {
        metrics::histogram!(names::REACTION_SECONDS).record(row.age + took);
    }
}

/// Not caused by a batch, and not by its size: a retry may work.
fn is_away(error: &StoreError) -> bool {
    matches!(error.kind(), Kind::Down | Kind::Retry) && !error.is_cancelled() && !error.is_locked_out()
}
