//! Imports: batches that are too large to be evaluated at once, in slices of their devices.
//!
//! Before: `relay::worker` claims them; `relay::reaction` finds that a batch takes too long. After: `store::outbox`. Promise: a slice is a
//! transaction of bounded time.

use std::time::Instant;

use super::reaction::{Reaction, is_away, record_reaction};
use super::show::BatchValues;
use super::transaction_size::TransactionSize;
use crate::store::outbox::{self, Claimed};
use crate::store::{StatementTimeout, StoreError};

/// Rows of a device in a slice: what a watch sends in a few hours.
const ROWS_PER_DEVICE: i32 = 200;

impl Reaction {
    /// Evaluates the next slice of an import; the first time, writes its values to Redis and lists its devices.
    ///
    /// # Errors
    /// The database is away, or the smallest slice takes too long. The batch stays claimed.
    pub(super) async fn react_to_import(
        &self,
        row: &Claimed,
        size: &mut TransactionSize,
    ) -> Result<(), StoreError> {
        let reacted = tokio::select! {
            reacted = async {
                if row.sliced {
                    self.store.with_timeout("relay.slice", self.evaluate_slice(row, size)).await
                } else {
                    self.list_devices(row, StatementTimeout::None).await
                }
            } => reacted,
            never = self.keep_lease_renewed(|| vec![row.batch_id]) => match never {},
        };
        match reacted {
            Err(error) if error.is_cancelled() && size.was_cancelled() => Ok(()),
            Err(error) if is_away(&error) || error.is_cancelled() => Err(error),
            Err(error) => self.park(row, &error).await,
            Ok(()) => Ok(()),
        }
    }

    async fn evaluate_slice(&self, row: &Claimed, size: &mut TransactionSize) -> Result<(), StoreError> {
        let began = Instant::now();
        let devices = i32::try_from(size.get()).unwrap_or(i32::MAX);
        let rows = devices.saturating_mul(ROWS_PER_DEVICE);
        let slice = outbox::evaluate_slice(&self.store, self.lease(), row.batch_id, devices, rows).await?;
        size.took(size.get(), began.elapsed());
        if slice.notified {
            self.notifications.announce();
        }
        if slice.finished {
            record_reaction(std::slice::from_ref(row), began);
        }
        Ok(())
    }

    /// Everything but the alerts of a batch, which are evaluated in slices from now on.
    pub(super) async fn list_devices(
        &self,
        row: &Claimed,
        timeout: StatementTimeout,
    ) -> Result<(), StoreError> {
        let batch_ids = [row.batch_id];
        let claimed = std::slice::from_ref(row);
        let newest = self.show.newest(claimed, &batch_ids, timeout).await?;
        let missed = !self.show.show(&newest, claimed, &batch_ids, timeout).await?;
        let BatchValues { devices, range, .. } = newest;
        outbox::slice(&self.store, self.lease(), row.batch_id, devices.as_deref(), range, missed)
            .await
            .map(drop)
    }
}
