//! A large upload in pieces, each a transaction of its own, so that what others send gets between them.
//!
//! Before: `ingest::route` has told the parts of an upload apart. After: each piece goes into the queue when the one before
//! it is committed.
//! Promise: no record is lost or doubled. Of what is near, the order stays, and what holds events or device information is one
//! piece, so that an event and its sample are one transaction. What is far is cut by days, whatever it is.

use std::collections::BTreeMap;

use super::days::Known;
use crate::model::Upload;

/// Rows of a piece: others wait for one of them, and a large upload takes little longer than as a whole. Measured in
/// benches/README.md; no other number was tried.
const MAX_ROWS: usize = 1000;

/// What is left of a part.
pub(super) struct Pieces(std::vec::IntoIter<Upload>);

impl Pieces {
    /// Of a part whose days are few.
    pub(super) fn of(part: Upload) -> Self {
        let is_mixed = !part.events.is_empty() || !part.device_infos.is_empty();
        Self(if is_mixed { vec![part] } else { by_rows(part) }.into_iter())
    }

    /// Of a part of any days: those of a piece weigh no more than [`super::days::FAR_WEIGHT`].
    pub(super) fn by_days(mut part: Upload, known: &Known) -> Self {
        let mut stretches: BTreeMap<(bool, i64), Upload> = BTreeMap::new();
        for item in part.items {
            stretches.entry(known.stretch_of(item.reading.ts)).or_default().items.push(item);
        }
        for item in part.events {
            stretches.entry(known.stretch_of(item.event.ts)).or_default().events.push(item);
        }
        for item in part.device_infos {
            stretches.entry(known.stretch_of(item.info.ts)).or_default().device_infos.push(item);
        }
        let mut pieces: Vec<Upload> = stretches.into_values().collect();
        match pieces.first_mut() {
            Some(first) => first.rejects = std::mem::take(&mut part.rejects),
            None => pieces.push(Upload { rejects: part.rejects, ..Upload::default() }),
        }
        Self(pieces.into_iter().flat_map(by_rows).collect::<Vec<_>>().into_iter())
    }
}

/// Readings and rejects [`MAX_ROWS`] at a time; the rest, of which there is little, with the first of them.
fn by_rows(part: Upload) -> Vec<Upload> {
    if part.received() <= MAX_ROWS {
        return vec![part];
    }
    let (mut items, mut rejects) = (part.items.into_iter(), part.rejects.into_iter());
    let mut pieces = Vec::new();
    let mut piece = Upload { events: part.events, device_infos: part.device_infos, ..Upload::default() };
    loop {
        piece.items = items.by_ref().take(MAX_ROWS).collect();
        piece.rejects = rejects.by_ref().take(MAX_ROWS - piece.items.len()).collect();
        if piece.received() == 0 {
            return pieces;
        }
        pieces.push(std::mem::take(&mut piece));
    }
}

impl Iterator for Pieces {
    type Item = Upload;

    fn next(&mut self) -> Option<Upload> {
        self.0.next()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ingest::days;
    use crate::ingest::test_records::{item, reject};

    #[test]
    fn every_record_is_in_one_piece_in_its_order() {
        for count in [1, MAX_ROWS, MAX_ROWS + 1, 5 * MAX_ROWS + 7] {
            let part = Upload { rejects: (0..count).map(reject).collect(), ..Upload::default() };
            let pieces: Vec<Upload> = Pieces::of(part).collect();
            assert!(pieces.iter().all(|piece| piece.received() <= MAX_ROWS));
            assert_eq!(pieces.len(), count.div_ceil(MAX_ROWS));
            let indices = pieces.iter().flat_map(|piece| &piece.rejects).map(|it| it.refusal.index as usize);
            assert!(indices.eq(0..count));
        }
    }

    #[test]
    fn what_is_far_is_cut_by_days_and_by_rows() {
        let days = 100;
        let mut part = Upload { rejects: vec![reject(0)], ..Upload::default() };
        for day in (0..days).rev() {
            part.items.push(item("A", day * 86_400, days * 86_400));
        }
        part.items.extend((0..2 * MAX_ROWS as i64).map(|second| item("B", second, days * 86_400)));
        let all = part.received();
        let known = Known::default();
        let pieces: Vec<Upload> = Pieces::by_days(part.clone(), &known).collect();
        assert!(pieces.iter().all(|piece| known.weight(&days::of(piece)) <= days::FAR_WEIGHT));
        assert!(pieces.iter().all(|piece| piece.received() <= MAX_ROWS));
        assert_eq!(pieces.iter().map(Upload::received).sum::<usize>(), all);
        assert_eq!(pieces.len(), 15, "13 stretches, the first in 3 pieces");
        // When it comes again, nearly all days are there: the new one comes first, the others take few transactions.
        known.add(part.items.iter().map(|item| item.reading.ts).filter(|ts| days::day_of(*ts) != 50));
        let pieces: Vec<Upload> = Pieces::by_days(part, &known).collect();
        assert!(pieces.iter().all(|piece| known.weight(&days::of(piece)) <= days::FAR_WEIGHT));
        assert_eq!(days::of(&pieces[0]).into_iter().collect::<Vec<_>>(), [50]);
        assert_eq!(pieces.iter().map(Upload::received).sum::<usize>(), all);
        assert_eq!(pieces.len(), 4);
    }
}
