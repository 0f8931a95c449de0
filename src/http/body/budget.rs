//! The memory that all bodies, and what was parsed from them, may take together.
//!
//! Before: `body` and `unpack` take a share before they allocate. After: the share is returned when the last slice of the body is
//! dropped, which is after its records are committed or its sender is refused.
//! Promise: a body that does not fit is refused at once. A part of the budget is reserved for events, so that an alarm is read
//! whatever else is being sent.

use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::http::HttpError;

/// Most that one event may take of the reserved part, bytes: enough for the whole queue of a watch, which is cut at 70 000
/// characters, and what is parsed from it. So a large body that is sent as an event takes nothing from alarms.
const RESERVED_FOR_ONE_BYTES: usize = 256 * 1024;

#[derive(Debug, Clone)]
pub(super) struct Budget {
    shared: Arc<Semaphore>,
    reserved: Arc<Semaphore>,
}

/// The part of the budget that a body may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::http) enum BudgetPool {
    /// The part for all bodies.
    Shared,
    /// The shared part and, when that is full, the part reserved for events.
    Reserved,
}

/// A share of the budget.
#[derive(Debug)]
pub(in crate::http) struct BudgetShare {
    budget: Budget,
    pool: BudgetPool,
    shared: Option<OwnedSemaphorePermit>,
    reserved: Option<OwnedSemaphorePermit>,
}

impl Budget {
    pub(super) fn new(shared_bytes: usize, reserved_bytes: usize) -> Self {
        let semaphore = |bytes: usize| Arc::new(Semaphore::new(bytes.min(Semaphore::MAX_PERMITS)));
        Self { shared: semaphore(shared_bytes), reserved: semaphore(reserved_bytes) }
    }

    /// The share of a body of which nothing has arrived yet.
    pub(super) fn empty_share(&self, pool: BudgetPool) -> BudgetShare {
        BudgetShare { budget: self.clone(), pool, shared: None, reserved: None }
    }
}

impl BudgetShare {
    /// Takes more of the budget.
    pub(super) fn grow(&mut self, bytes: usize) -> Result<(), HttpError> {
        let bytes = u32::try_from(bytes).map_err(|_| HttpError::over_budget())?;
        if let Ok(more) = Arc::clone(&self.budget.shared).try_acquire_many_owned(bytes) {
            merge(&mut self.shared, more);
            return Ok(());
        }
        let taken = self.reserved.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
        if self.pool == BudgetPool::Shared || taken + bytes as usize > RESERVED_FOR_ONE_BYTES {
            return Err(HttpError::over_budget());
        }
        let more = Arc::clone(&self.budget.reserved).try_acquire_many_owned(bytes);
        merge(&mut self.reserved, more.map_err(|_| HttpError::over_budget())?);
        Ok(())
    }

    /// Bytes that give the share back when their last slice is dropped.
    pub(super) fn with(self, bytes: impl AsRef<[u8]> + Send + 'static) -> Bytes {
        Bytes::from_owner(SharedBytes { bytes, _share: self })
    }
}

fn merge(share: &mut Option<OwnedSemaphorePermit>, more: OwnedSemaphorePermit) {
    match share {
        Some(share) => share.merge(more),
        none => *none = Some(more),
    }
}

struct SharedBytes<B> {
    bytes: B,
    _share: BudgetShare,
}

impl<B: AsRef<[u8]>> AsRef<[u8]> for SharedBytes<B> {
    fn as_ref(&self) -> &[u8] {
        self.bytes.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All but events may take 10 of it.
    fn small() -> Budget {
        Budget::new(10, 4)
    }

    #[test]
    fn a_share_lasts_as_long_as_the_last_slice() {
        let budget = small();
        let mut share = budget.empty_share(BudgetPool::Shared);
        share.grow(4).expect("fits");
        share.grow(6).expect("fits");
        let body = share.with(vec![0; 10]);
        let slice = body.slice(3..4);
        drop(body);
        assert!(budget.empty_share(BudgetPool::Shared).grow(1).is_err(), "a slice holds the whole");
        drop(slice);
        budget.empty_share(BudgetPool::Shared).grow(10).expect("given back");
    }

    #[test]
    fn a_body_that_is_refused_takes_nothing() {
        let budget = small();
        let mut share = budget.empty_share(BudgetPool::Shared);
        share.grow(4).expect("fits");
        assert!(share.grow(7).is_err());
        budget.empty_share(BudgetPool::Shared).grow(6).expect("is left");
        drop(share);
        budget.empty_share(BudgetPool::Shared).grow(10).expect("given back");
    }

    #[test]
    fn events_have_a_part_that_no_other_body_takes() {
        let budget = small();
        let mut all = budget.empty_share(BudgetPool::Shared);
        all.grow(10).expect("fits");
        assert!(budget.empty_share(BudgetPool::Shared).grow(1).is_err());
        let mut event = budget.empty_share(BudgetPool::Reserved);
        event.grow(3).expect("is kept for it");
        assert!(budget.empty_share(BudgetPool::Reserved).grow(2).is_err(), "it has an end, too");
        drop(event);
        budget.empty_share(BudgetPool::Reserved).grow(4).expect("given back");
    }

    #[test]
    fn one_event_does_not_take_the_whole_reserved_part() {
        let budget = Budget::new(0, 4 * RESERVED_FOR_ONE_BYTES);
        let mut event = budget.empty_share(BudgetPool::Reserved);
        event.grow(RESERVED_FOR_ONE_BYTES).expect("is kept for it");
        assert!(event.grow(1).is_err());
    }
}
