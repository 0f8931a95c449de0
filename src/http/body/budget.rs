//! Bytes that all bodies, and what was read from them, may take together.
//!
//! Before: `body` and `unpack` take of it before they hold anything. After: it is given back when the last slice of a
//! body is gone, which is when its records are committed or its sender is refused.
//! Promise: what does not fit is refused at once. A part is kept for events: whatever else is being sent, an alarm is read.

use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::http::HttpError;

/// Most that one event may take of that part, bytes: the whole queue of a watch, which is cut at 70 000 characters, and what is read
/// from it. So a large body sent as an event takes nothing from alarms.
const RESERVED_FOR_ONE_BYTES: usize = 256 * 1024;

#[derive(Debug, Clone)]
pub(super) struct Budget {
    shared: Arc<Semaphore>,
    reserved: Arc<Semaphore>,
}

/// What a body is, as far as the budget cares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::http) enum Room {
    /// Of all.
    Shared,
    /// An event: where that is full, of the reserved part.
    Reserved,
}

/// A share of it.
#[derive(Debug)]
pub(in crate::http) struct Held {
    budget: Budget,
    room: Room,
    shared: Option<OwnedSemaphorePermit>,
    reserved: Option<OwnedSemaphorePermit>,
}

impl Budget {
    pub(super) fn new(shared_bytes: usize, reserved_bytes: usize) -> Self {
        let semaphore = |bytes: usize| Arc::new(Semaphore::new(bytes.min(Semaphore::MAX_PERMITS)));
        Self { shared: semaphore(shared_bytes), reserved: semaphore(reserved_bytes) }
    }

    /// The share of a body of which nothing has come yet.
    pub(super) fn nothing(&self, room: Room) -> Held {
        Held { budget: self.clone(), room, shared: None, reserved: None }
    }
}

impl Held {
    /// Takes more.
    pub(super) fn grow(&mut self, bytes: usize) -> Result<(), HttpError> {
        let bytes = u32::try_from(bytes).map_err(|_| HttpError::crowded())?;
        if let Ok(more) = Arc::clone(&self.budget.shared).try_acquire_many_owned(bytes) {
            join(&mut self.shared, more);
            return Ok(());
        }
        let taken = self.reserved.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
        if self.room == Room::Shared || taken + bytes as usize > RESERVED_FOR_ONE_BYTES {
            return Err(HttpError::crowded());
        }
        let more = Arc::clone(&self.budget.reserved).try_acquire_many_owned(bytes);
        join(&mut self.reserved, more.map_err(|_| HttpError::crowded())?);
        Ok(())
    }

    /// Gives the share back when the last slice of `bytes` goes.
    pub(super) fn with(self, bytes: impl AsRef<[u8]> + Send + 'static) -> Bytes {
        Bytes::from_owner(Counted { bytes, _held: self })
    }
}

fn join(share: &mut Option<OwnedSemaphorePermit>, more: OwnedSemaphorePermit) {
    match share {
        Some(share) => share.merge(more),
        none => *none = Some(more),
    }
}

struct Counted<B> {
    bytes: B,
    _held: Held,
}

impl<B: AsRef<[u8]>> AsRef<[u8]> for Counted<B> {
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
        let mut held = budget.nothing(Room::Shared);
        held.grow(4).expect("fits");
        held.grow(6).expect("fits");
        let body = held.with(vec![0; 10]);
        let slice = body.slice(3..4);
        drop(body);
        assert!(budget.nothing(Room::Shared).grow(1).is_err(), "a slice holds the whole");
        drop(slice);
        budget.nothing(Room::Shared).grow(10).expect("given back");
    }

    #[test]
    fn what_is_refused_takes_nothing() {
        let budget = small();
        let mut held = budget.nothing(Room::Shared);
        held.grow(4).expect("fits");
        assert!(held.grow(7).is_err());
        budget.nothing(Room::Shared).grow(6).expect("is left");
        drop(held);
        budget.nothing(Room::Shared).grow(10).expect("given back");
    }

    #[test]
    fn events_have_a_part_that_nobody_else_takes() {
        let budget = small();
        let mut all = budget.nothing(Room::Shared);
        all.grow(10).expect("fits");
        assert!(budget.nothing(Room::Shared).grow(1).is_err());
        let mut event = budget.nothing(Room::Reserved);
        event.grow(3).expect("is kept for it");
        assert!(budget.nothing(Room::Reserved).grow(2).is_err(), "it has an end, too");
        drop(event);
        budget.nothing(Room::Reserved).grow(4).expect("given back");
    }

    #[test]
    fn one_event_does_not_take_what_is_kept_for_all() {
        let budget = Budget::new(0, 4 * RESERVED_FOR_ONE_BYTES);
        let mut event = budget.nothing(Room::Reserved);
        event.grow(RESERVED_FOR_ONE_BYTES).expect("is kept for it");
        assert!(event.grow(1).is_err());
    }
}
