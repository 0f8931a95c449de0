//! The reaction to claimed batches: read their rows back, write them to Redis, finish the batches.
//!
//! Before: `relay::worker` claims. After: `react` and `store::outbox::finish`. Promise: Redis is written before the outbox rows
//! are deleted, and no transaction is open meanwhile; the lease is renewed for as long as the reaction takes. A batch that fails by
//! itself is parked for longer each time, and logged, while other batches go on. A lock, a time-out or a lost connection does not
//! count as a failure of the batch: the reaction is repeated, and a batch that takes too long is evaluated in slices.

use std::collections::{BTreeSet, VecDeque};
use std::convert::Infallible;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::time::sleep;
use tracing::Instrument;

use super::groups::{common_range, group};
use super::slice_size::SliceSize;
use crate::config::Settings;
use crate::react::RedisView;
use crate::store::device_clock;
use crate::store::device_info;
use crate::store::handover::{Handover, Taken};
use crate::store::health_data::{self, NewestRows};
use crate::store::lease::Lease;
use crate::store::outbox::{self, Claimed, Finish, Finished, TimeRange};
use crate::store::wake::Announcer;
use crate::store::{Kind, StatementTimeout, Store, StoreError};
use crate::telemetry::{names, trace};

/// Most devices held in memory at once, about 20 MB. Batches with more (a large import) cause a rebuild of the view
/// instead, which reads page by page.
const MAX_DEVICES: usize = 50_000;

/// From this attempt on a batch is reacted to by itself: it may be the reason why others were not finished.
const ALONE_FROM_ATTEMPT: i16 = 3;

/// Most doublings of the lease for a parked batch: 10 s become 640 s.
const MAX_DOUBLINGS: u32 = 6;

/// How long a batch is parked for which somebody holds a lock.
const LOCKED_OUT_PAUSE: Duration = Duration::from_secs(2);

pub(super) struct Reaction {
    store: Store,
    view: RedisView,
    handover: Handover,
    notifications: Announcer,
    lease: Lease,
}

/// What was written to Redis of some batches.
struct Shown {
    /// Their devices, each once; `None`: too many.
    devices: Option<Vec<String>>,
    /// Time range of the rows; `None`: there are none.
    range: Option<TimeRange>,
    /// Redis did not take all of it.
    missed: bool,
    /// Devices whose clock may be off, with the time of their newest row.
    clocks: Vec<(String, Timestamp)>,
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
            view: view.clone(),
            handover: handover.clone(),
            notifications: notifications.clone(),
            lease: Lease::new(settings.lease_seconds),
        }
    }

    pub(super) fn lease(&self) -> &Lease {
        &self.lease
    }

    /// Lets instances that have Redis claim first.
    pub(super) async fn yield_while_redis_is_away(&self) {
        self.view.yield_while_away().await;
    }

    /// The connection to the server was lost, and it may be another server now.
    pub(super) fn reconnected(&self) {
        self.handover.clear();
    }

    /// Reacts to claimed rows, as many as possible at a time. Those that fail together are halved until each is done or found.
    ///
    /// # Errors
    /// The database is away. Batches that were not finished stay claimed.
    pub(super) async fn react(&self, claimed: Vec<Claimed>) -> Result<(), StoreError> {
        let batch_ids: Vec<i64> = claimed.iter().map(|row| row.batch_id).collect();
        tokio::select! {
            reacted = self.react_in_groups(claimed) => reacted,
            never = self.keep_lease_renewed(&batch_ids) => match never {},
        }
    }

    async fn react_in_groups(&self, claimed: Vec<Claimed>) -> Result<(), StoreError> {
        let (retried, together): (Vec<_>, Vec<_>) =
            claimed.into_iter().partition(|row| row.attempts >= ALONE_FROM_ATTEMPT);
        let mut groups: VecDeque<Vec<Claimed>> = group(together).into();
        groups.extend(retried.into_iter().map(|row| vec![row]));
        while let Some(mut group) = groups.pop_front() {
            let reacted = self.store.with_timeout("relay.react", self.react_together(&group)).await;
            let Err(error) = reacted else { continue };
            if is_away(&error) {
                return Err(error);
            }
            if group.len() > 1 {
                groups.push_front(group.split_off(group.len() / 2));
                groups.push_front(group);
            } else if error.is_cancelled() {
                self.list_devices(&group[0], StatementTimeout::Default).await?;
            } else {
                self.park(&group[0], &error).await?;
            }
        }
        Ok(())
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
        let shown = self.show(std::slice::from_ref(row), &batch_ids, timeout).await?;
        let devices = shown.devices.as_deref();
        outbox::slice(&self.store, &self.lease, row.batch_id, devices, shown.range, shown.missed)
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

    /// One reaction for all of them.
    async fn react_together(&self, claimed: &[Claimed]) -> Result<(), StoreError> {
        let began = Instant::now();
        let batch_ids: Vec<i64> = claimed.iter().map(|row| row.batch_id).collect();
        let traces = claimed.iter().filter_map(|row| row.trace.as_ref());
        let span = trace::span_with_parents(traces, || trace::span!("react", batches = claimed.len()));
        let finished = self.show_and_finish(claimed, &batch_ids).instrument(span).await?;
        if finished.notified {
            self.notifications.announce();
        }
        if finished.held {
            record_reaction(claimed, began);
        } else {
            tracing::info!(batches = claimed.len(), "lease lost; another relay reacts to these batches");
        }
        Ok(())
    }

    async fn show_and_finish(&self, claimed: &[Claimed], batch_ids: &[i64]) -> Result<Finished, StoreError> {
        let timeout = StatementTimeout::Default;
        let shown = self.show(claimed, batch_ids, timeout).await?;
        let devices = shown.devices.as_deref();
        let finish = Finish { batch_ids, devices, range: shown.range, view_missed: shown.missed };
        self.measure_clocks(&shown.clocks).await;
        outbox::finish(&self.store, &self.lease, &finish).await
    }

    /// Before the alerts, whose messages have the right time. The next row of such a device causes the same measurement, so an error is
    /// only logged.
    async fn measure_clocks(&self, seen: &[(String, Timestamp)]) {
        if seen.is_empty() {
            return;
        }
        if let Err(error) = device_clock::measure(&self.store, seen).await {
            tracing::debug!(%error, "clocks of devices not measured");
        }
    }

    /// Writes the newest rows of batches to Redis: those that this process committed a moment ago, and the others, which are read back.
    async fn show(
        &self,
        claimed: &[Claimed],
        batch_ids: &[i64],
        timeout: StatementTimeout,
    ) -> Result<Shown, StoreError> {
        let range = match common_range(claimed) {
            Some(range) => Some(range),
            None => health_data::range_of_batches(&self.store, timeout, batch_ids).await?,
        };
        let Taken { values, read_version, missing } = self.handover.take(batch_ids);
        let handed_over = NewestRows { values, read_version };
        let limit = MAX_DEVICES + 1;
        let read_back = match range {
            Some(range) if !missing.is_empty() => {
                health_data::newest_of_batches(&self.store, timeout, &missing, range, limit).await?
            }
            _ => NewestRows::default(),
        };
        let few = read_back.values.len() <= MAX_DEVICES;
        let is_shown = few
            && async { self.view.show(&handed_over).await & self.view.show(&read_back).await }
                .instrument(trace::child!("show_latest"))
                .await;
        let missed = !self.show_infos(claimed, batch_ids, timeout).await? || !is_shown;
        let values = handed_over.values.iter().chain(&read_back.values);
        let clocks = values
            .filter(|value| few && value.is_far_from_receipt())
            .map(|value| (value.device_sn.clone(), value.ts))
            .collect();
        let devices = few.then(|| {
            let values = handed_over.values.into_iter().chain(read_back.values);
            let devices: BTreeSet<String> = values.map(|value| value.device_sn).collect();
            devices.into_iter().collect()
        });
        Ok(Shown { devices, range, missed, clocks })
    }

    /// Writes the information of devices that sent some in these batches. False: some of it did not reach Redis.
    async fn show_infos(
        &self,
        claimed: &[Claimed],
        batch_ids: &[i64],
        timeout: StatementTimeout,
    ) -> Result<bool, StoreError> {
        if !claimed.iter().any(|row| row.may_hold_device_infos) {
            return Ok(true);
        }
        let (range, limit) = (common_range(claimed), MAX_DEVICES + 1);
        let latest = device_info::latest_of_batches(&self.store, timeout, batch_ids, range, limit).await?;
        Ok(latest.infos.len() <= MAX_DEVICES && self.view.show_infos(&latest).await)
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

fn record_reaction(finished: &[Claimed], began: Instant) {
    let took = began.elapsed();
    metrics::counter!(names::REACTED).increment(finished.len() as u64);
    for row in finished {
        metrics::histogram!(names::REACTION_SECONDS).record(row.age + took);
    }
}

/// Not caused by a batch, and not by its size: a retry may work.
fn is_away(error: &StoreError) -> bool {
    matches!(error.kind(), Kind::Down | Kind::Retry) && !error.is_cancelled() && !error.is_locked_out()
}
