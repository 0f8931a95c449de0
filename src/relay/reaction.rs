//! The reaction to claimed batches: read their rows back, write them to Redis, finish the batches.
//!
//! Before: `relay::worker` claims. After: `react` and `store::outbox::finish`. Promise: Redis is written before the outbox rows
//! are deleted, and no transaction is open meanwhile; the lease is renewed for as long as the reaction takes; a batch that fails
//! by itself is parked for longer each time, and logged, while other batches go on.

use std::convert::Infallible;
use std::time::Instant;

use jiff::SignedDuration;
use tokio::time::sleep;
use tracing::Instrument;

use crate::react::RedisView;
use crate::store::device_info;
use crate::store::health_data::{self, NewestRows};
use crate::store::outbox::{self, Claimed, Finish, Finished, Lease, Share, TimeRange};
use crate::store::wake::Announcer;
use crate::store::{Kind, StatementTimeout, Store, StoreError};
use crate::telemetry::{names, trace};

/// Most devices held in memory at once, about 20 MB. Batches with more (a large import) cause a rebuild of the view
/// instead, which reads page by page.
const MAX_DEVICES: usize = 50_000;

/// Longest time range of rows that are reacted to together; what devices send all day spans half of it.
const MAX_RANGE: SignedDuration = SignedDuration::from_hours(32 * 24);

/// From this attempt on a batch is reacted to by itself: it may be the reason why others were not finished.
const ALONE_FROM_ATTEMPT: i16 = 3;

/// Most doublings of the lease for a parked batch: 10 s become 640 s.
const MAX_DOUBLINGS: u32 = 6;

pub(super) struct Reaction {
    store: Store,
    view: RedisView,
    notifications: Announcer,
    lease: Lease,
    statement_timeout: StatementTimeout,
}

impl Reaction {
    pub(super) fn new(
        share: Share,
        store: &Store,
        view: &RedisView,
        notifications: &Announcer,
        lease: Lease,
    ) -> Self {
        let statement_timeout = match share {
            Share::Ranged | Share::Far => StatementTimeout::Default,
            Share::Unranged => StatementTimeout::None,
        };
        let notifications = notifications.clone();
        Self { store: store.clone(), view: view.clone(), notifications, lease, statement_timeout }
    }

    pub(super) fn lease(&self) -> &Lease {
        &self.lease
    }

    /// Lets instances that have Redis claim first.
    pub(super) async fn yield_while_redis_is_away(&self) {
        self.view.yield_while_away().await;
    }

    /// Reacts to claimed rows.
    ///
    /// # Errors
    /// The database is away. Batches that were not finished stay claimed.
    pub(super) async fn react(&self, claimed: Vec<Claimed>) -> Result<(), StoreError> {
        let (retried, together): (Vec<_>, Vec<_>) =
            claimed.into_iter().partition(|row| row.attempts >= ALONE_FROM_ATTEMPT);
        let mut alone = retried;
        for together in group_by_range(together) {
            match self.react_together(&together).await {
                Ok(()) => {}
                Err(error) if is_down(&error) => return Err(error),
                Err(_) => alone.extend(together),
            }
        }
        for row in alone {
            if let Err(error) = self.react_together(std::slice::from_ref(&row)).await {
                self.park(&row, &error).await?;
            }
        }
        Ok(())
    }

    /// Parks a batch that failed by itself; if parking fails too, the database is the cause.
    async fn park(&self, row: &Claimed, error: &StoreError) -> Result<(), StoreError> {
        let doublings = u32::try_from(row.attempts).unwrap_or_default().min(MAX_DOUBLINGS);
        let pause = self.lease.duration() * 2u32.pow(doublings);
        outbox::park(&self.store, &self.lease, row.batch_id, pause).await?;
        tracing::error!(
            batch_id = row.batch_id, attempts = row.attempts, retry_after_seconds = pause.as_secs(), %error,
            "reaction to a batch failed; it is parked"
        );
        Ok(())
    }

    /// One reaction for all of them; their lease is renewed meanwhile.
    async fn react_together(&self, claimed: &[Claimed]) -> Result<(), StoreError> {
        if claimed.is_empty() {
            return Ok(());
        }
        let began = Instant::now();
        let batch_ids: Vec<i64> = claimed.iter().map(|row| row.batch_id).collect();
        let traces = claimed.iter().filter_map(|row| row.trace.as_ref());
        let span = trace::span_with_parents(traces, || trace::span!("react", batches = claimed.len()));
        let finished = tokio::select! {
            finished = self.read_write_finish(claimed, &batch_ids).instrument(span) => finished?,
            never = self.keep_lease_renewed(&batch_ids) => match never {},
        };
        if finished.notified {
            self.notifications.announce();
        }
        if !finished.held {
            tracing::info!(batches = claimed.len(), "lease lost; another relay reacts to these batches");
            return Ok(());
        }
        let took = began.elapsed();
        metrics::counter!(names::REACTED).increment(claimed.len() as u64);
        for row in claimed {
            metrics::histogram!(names::REACTION_SECONDS).record(row.age + took);
        }
        Ok(())
    }

    async fn read_write_finish(
        &self,
        claimed: &[Claimed],
        batch_ids: &[i64],
    ) -> Result<Finished, StoreError> {
        let range = match common_range(claimed) {
            Some(range) => Some(range),
            None => health_data::range_of_batches(&self.store, self.statement_timeout, batch_ids).await?,
        };
        let newest = match range {
            Some(range) => self.read(batch_ids, range).await?,
            None => Some(NewestRows::default()),
        };
        let shown = match &newest {
            Some(newest) => self.view.show(newest).instrument(trace::child!("show_latest")).await,
            None => false,
        };
        let shown = self.show_infos(claimed, batch_ids).await? && shown;
        let devices: Option<Vec<&str>> = newest
            .as_ref()
            .map(|newest| newest.values.iter().map(|value| value.device_sn.as_str()).collect());
        let finish = Finish { batch_ids, devices: devices.as_deref(), range, view_missed: !shown };
        outbox::finish(&self.store, &self.lease, self.statement_timeout, &finish).await
    }

    /// The newest row of each device; `None`: more than [`MAX_DEVICES`].
    async fn read(&self, batch_ids: &[i64], range: TimeRange) -> Result<Option<NewestRows>, StoreError> {
        let limit = MAX_DEVICES + 1;
        let newest =
            health_data::newest_of_batches(&self.store, self.statement_timeout, batch_ids, range, limit)
                .await?;
        Ok(Some(newest).filter(|newest| newest.values.len() <= MAX_DEVICES))
    }

    /// Writes the information of devices that sent some in these batches. False: some of it did not reach Redis.
    async fn show_infos(&self, claimed: &[Claimed], batch_ids: &[i64]) -> Result<bool, StoreError> {
        if !claimed.iter().any(|row| row.may_hold_device_infos) {
            return Ok(true);
        }
        let (range, limit) = (common_range(claimed), MAX_DEVICES + 1);
        let latest =
            device_info::latest_of_batches(&self.store, self.statement_timeout, batch_ids, range, limit)
                .await?;
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

/// Groups rows of neighbouring times: the cost of reading them back follows the days their range spans. The newest group is first,
/// because people wait for it.
fn group_by_range(mut claimed: Vec<Claimed>) -> Vec<Vec<Claimed>> {
    claimed.sort_by_key(|row| std::cmp::Reverse(row.range.map(|range| range.last)));
    let mut groups: Vec<Vec<Claimed>> = Vec::new();
    let mut whole: Option<TimeRange> = None;
    for row in claimed {
        let joined = whole.zip(row.range).map(|(whole, range)| whole.and(range));
        match groups.last_mut() {
            Some(group) if joined.is_none_or(|range| range.last.duration_since(range.first) <= MAX_RANGE) => {
                whole = joined;
                group.push(row);
            }
            _ => {
                whole = row.range;
                groups.push(vec![row]);
            }
        }
    }
    groups
}

/// The range of all of them; `None` if one has none.
fn common_range(claimed: &[Claimed]) -> Option<TimeRange> {
    let mut ranges = claimed.iter().map(|row| row.range);
    let first = ranges.next()??;
    ranges.try_fold(first, |whole, range| Some(whole.and(range?)))
}

/// Not caused by a batch: a retry may work.
fn is_down(error: &StoreError) -> bool {
    matches!(error.kind(), Kind::Down | Kind::Retry)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn claimed(range: Option<(i64, i64)>) -> Claimed {
        let at = |second| jiff::Timestamp::from_second(second).expect("in range");
        Claimed {
            batch_id: 1,
            range: range.map(|(first, last)| TimeRange { first: at(first), last: at(last) }),
            attempts: 1,
            may_hold_device_infos: false,
            age: Duration::ZERO,
            trace: None,
        }
    }

    #[test]
    fn the_range_of_several_batches_holds_all_of_them() {
        let range = common_range(&[claimed(Some((5, 6))), claimed(Some((1, 2)))]).expect("each has one");
        assert_eq!((range.first.as_second(), range.last.as_second()), (1, 6));
    }

    #[test]
    fn rows_of_distant_times_are_grouped_apart_and_the_newest_first() {
        const DAY: i64 = 86_400;
        let rows = [0, 1, 500, 900, 905, 1000].map(|day| claimed(Some((day * DAY, (day + 10) * DAY))));
        let groups: Vec<Vec<i64>> = group_by_range(rows.to_vec())
            .iter()
            .map(|group| group.iter().filter_map(|row| Some(row.range?.first.as_second() / DAY)).collect())
            .collect();
        assert_eq!(groups, [vec![1000], vec![905, 900], vec![500], vec![1, 0]]);
        assert_eq!(group_by_range(vec![claimed(None), claimed(None)]).len(), 1);
        assert!(group_by_range(Vec::new()).is_empty());
    }

    #[test]
    fn one_batch_without_a_range_makes_the_range_unknown() {
        assert_eq!(common_range(&[claimed(Some((5, 6))), claimed(None)]), None);
        assert_eq!(common_range(&[]), None);
    }
}
