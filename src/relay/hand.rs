//! What a worker has claimed and not finished: while its rows are finished, it claims the next.
//!
//! Before: `relay::worker` claims. After: `relay::finisher` renews the lease of all of it. Promise: what leaves the hand unfinished can be
//! claimed again at once.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::store::outbox::Claimed;

/// The rows of a worker. Clones are the same.
#[derive(Debug, Clone, Default)]
pub(super) struct Hand {
    batch_ids: Arc<Mutex<BTreeSet<i64>>>,
    returned: Arc<Notify>,
}

/// Rows of a claim, in the hand until this is dropped.
#[derive(Debug)]
pub(super) struct HeldRows {
    hand: Hand,
    batch_ids: Vec<i64>,
}

impl Hand {
    pub(super) fn hold(&self, claimed: &[Claimed]) -> HeldRows {
        let batch_ids: Vec<i64> = claimed.iter().map(|row| row.batch_id).collect();
        self.lock().extend(&batch_ids);
        HeldRows { hand: self.clone(), batch_ids }
    }

    pub(super) fn batch_ids(&self) -> Vec<i64> {
        self.lock().iter().copied().collect()
    }

    /// Some rows were not finished and left the hand.
    pub(super) fn report_returned(&self) {
        self.returned.notify_one();
    }

    /// Waits until rows were returned since the last wait.
    pub(super) async fn returned(&self) {
        self.returned.notified().await;
    }

    fn lock(&self) -> MutexGuard<'_, BTreeSet<i64>> {
        self.batch_ids.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for HeldRows {
    fn drop(&mut self) {
        let mut in_hand = self.hand.lock();
        for batch_id in &self.batch_ids {
            in_hand.remove(batch_id);
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;
    use crate::relay::groups::tests::claimed;

    fn row(batch_id: i64) -> Claimed {
        Claimed { batch_id, ..claimed(None) }
    }

    #[test]
    fn rows_are_in_the_hand_until_all_of_their_claim_let_go() {
        let hand = Hand::default();
        let first = Arc::new(hand.hold(&[row(1), row(3)]));
        let second = hand.hold(&[row(2)]);
        let of_a_group = Arc::clone(&first);
        drop(first);
        assert_eq!(hand.batch_ids(), [1, 2, 3]);
        drop(of_a_group);
        assert_eq!(hand.batch_ids(), [2]);
        drop(second);
        assert!(hand.batch_ids().is_empty());
    }

    #[test]
    fn a_return_is_told_once_also_to_who_waits_later() {
        let hand = Hand::default();
        assert!(hand.returned().now_or_never().is_none());
        hand.report_returned();
        assert!(hand.returned().now_or_never().is_some());
        assert!(hand.returned().now_or_never().is_none());
    }
}
