//! Bytes that all bodies may take together.
//!
//! Before: `body` and `unpack` take of it before they hold anything. After: it is given back when the last slice of a
//! body is gone, which is when its records are committed or its sender is refused.
//! Promise: what does not fit is refused at once.

use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::http::HttpError;

#[derive(Debug, Clone)]
pub(super) struct Budget(Arc<Semaphore>);

/// A share of it.
pub(super) struct Held {
    budget: Budget,
    share: Option<OwnedSemaphorePermit>,
}

impl Budget {
    pub(super) fn new(bytes: usize) -> Self {
        Self(Arc::new(Semaphore::new(bytes.min(Semaphore::MAX_PERMITS))))
    }

    /// The share of a body of which nothing has come yet.
    pub(super) fn nothing(&self) -> Held {
        Held { budget: self.clone(), share: None }
    }
}

impl Held {
    /// Takes more.
    pub(super) fn grow(&mut self, bytes: usize) -> Result<(), HttpError> {
        let bytes = u32::try_from(bytes).map_err(|_| HttpError::crowded())?;
        let more =
            Arc::clone(&self.budget.0).try_acquire_many_owned(bytes).map_err(|_| HttpError::crowded())?;
        match &mut self.share {
            Some(share) => share.merge(more),
            none => *none = Some(more),
        }
        Ok(())
    }

    /// Gives the share back when the last slice of `bytes` goes.
    pub(super) fn with(self, bytes: impl AsRef<[u8]> + Send + 'static) -> Bytes {
        Bytes::from_owner(Counted { bytes, _share: self.share })
    }
}

struct Counted<B> {
    bytes: B,
    _share: Option<OwnedSemaphorePermit>,
}

impl<B: AsRef<[u8]>> AsRef<[u8]> for Counted<B> {
    fn as_ref(&self) -> &[u8] {
        self.bytes.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_lasts_as_long_as_the_last_slice() {
        let budget = Budget::new(10);
        let mut held = budget.nothing();
        held.grow(4).expect("fits");
        held.grow(6).expect("fits");
        let body = held.with(vec![0; 10]);
        let slice = body.slice(3..4);
        drop(body);
        assert!(budget.nothing().grow(1).is_err(), "a slice holds the whole");
        drop(slice);
        budget.nothing().grow(10).expect("given back");
    }

    #[test]
    fn what_is_refused_takes_nothing() {
        let budget = Budget::new(10);
        let mut held = budget.nothing();
        held.grow(4).expect("fits");
        assert!(held.grow(7).is_err());
        budget.nothing().grow(6).expect("is left");
        drop(held);
        budget.nothing().grow(10).expect("given back");
    }
}
