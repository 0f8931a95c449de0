//! A large upload in pieces, each a transaction of its own, so that what others send gets between them.
//!
//! Before: `ingest::route` has told the parts of an upload apart. After: each piece goes into the queue when the one before
//! it is committed.
//! Promise: no record is lost or doubled, and their order stays. What holds events or device information is one piece, so
//! that an event and its sample are one transaction.

use crate::model::{Item, Reject, Upload};

/// Rows of a piece: others wait for one of them, and a large upload takes little longer than as a whole. Measured in
/// benches/README.md; no other number was tried.
const MAX_ROWS: usize = 1000;

/// What is left of a part.
pub(super) struct Pieces {
    whole: Option<Upload>,
    items: std::vec::IntoIter<Item>,
    rejects: std::vec::IntoIter<Reject>,
}

impl Pieces {
    pub(super) fn of(mut part: Upload) -> Self {
        let is_mixed = !part.events.is_empty() || !part.device_infos.is_empty();
        if is_mixed || part.received() <= MAX_ROWS {
            return Self {
                whole: Some(part),
                items: Vec::new().into_iter(),
                rejects: Vec::new().into_iter(),
            };
        }
        let (items, rejects) = (std::mem::take(&mut part.items), std::mem::take(&mut part.rejects));
        Self { whole: None, items: items.into_iter(), rejects: rejects.into_iter() }
    }
}

impl Iterator for Pieces {
    type Item = Upload;

    fn next(&mut self) -> Option<Upload> {
        if let Some(whole) = self.whole.take() {
            return Some(whole);
        }
        let items: Vec<Item> = self.items.by_ref().take(MAX_ROWS).collect();
        let rejects: Vec<Reject> = self.rejects.by_ref().take(MAX_ROWS - items.len()).collect();
        (!items.is_empty() || !rejects.is_empty()).then(|| Upload { items, rejects, ..Upload::default() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Refusal, RejectReason, Source};

    fn rejects(count: usize) -> Vec<Reject> {
        let reject = |index: usize| Reject {
            refusal: Refusal {
                index: u32::try_from(index).expect("small"),
                reason: RejectReason::BadTime,
                detail: String::new(),
            },
            device_sn: None,
            text: bytes::Bytes::new(),
            inherited: None,
            source: Source::Health,
            received_at: jiff::Timestamp::UNIX_EPOCH,
            key_customer_id: None,
        };
        (0..count).map(reject).collect()
    }

    #[test]
    fn every_record_is_in_one_piece_in_its_order() {
        for count in [0, 1, MAX_ROWS, MAX_ROWS + 1, 5 * MAX_ROWS + 7] {
            let part = Upload { rejects: rejects(count), ..Upload::default() };
            let pieces: Vec<Upload> = Pieces::of(part).collect();
            assert!(pieces.iter().all(|piece| piece.received() <= MAX_ROWS));
            assert_eq!(pieces.len(), count.div_ceil(MAX_ROWS).max(1));
            let indices = pieces.iter().flat_map(|piece| &piece.rejects).map(|it| it.refusal.index as usize);
            assert!(indices.eq(0..count));
        }
    }
}
