//! The nested documents of a batch, each content once, and none that was stored a moment ago.
//!
//! Before: `ingest::plan` has folded the rows. After: `store::batch` writes what is left.
//! Promise: bounded; what is left out was committed, by this shard, for a sample less than ten minutes away. A watch adds
//! the documents of the day to every sample, so nearly all of them are left out: single uploads with four documents each
//! are then as quick as without any, and half as quick if each were written.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::num::NonZeroUsize;

use jiff::Timestamp;
use lru::LruCache;

use super::plan::Row;
use crate::model::{Carried, DocumentKind};

/// How long, in event time, a document that does not change is not written again, seconds. It bounds what another
/// instance, or a hand in the tables, can make of our memory being wrong.
const REPEAT_SECONDS: i64 = 600;

/// What this shard stored last, by device and kind.
pub(super) struct Documents {
    /// Keys and contents are hashed, so that an entry takes some tens of bytes.
    last: LruCache<u64, Stored>,
    hashes: RandomState,
}

struct Stored {
    /// Of the document and its owner.
    content: u64,
    ts: Timestamp,
}

impl Documents {
    pub(super) fn new(most: usize) -> Self {
        Self {
            last: LruCache::new(NonZeroUsize::new(most).unwrap_or(NonZeroUsize::MIN)),
            hashes: RandomState::new(),
        }
    }

    /// What of the documents of `rows` (sorted by device and time) is to be written.
    pub(super) fn unstored<'a>(&mut self, rows: &'a [Row]) -> Vec<Carried<'a>> {
        let mut documents = fold(rows);
        documents.retain(|carried| !self.was_stored(carried));
        documents
    }

    /// To be called after the commit.
    pub(super) fn stored(&mut self, documents: &[Carried<'_>]) {
        for carried in documents {
            let (key, content) = (self.key(carried), self.content(carried));
            match self.last.get_mut(&key) {
                Some(last) if last.ts > carried.last_ts => {}
                Some(last) => *last = Stored { content, ts: carried.last_ts },
                None => drop(self.last.put(key, Stored { content, ts: carried.last_ts })),
            }
        }
    }

    /// To be called when the database may not be the one that was written to.
    pub(super) fn forget(&mut self) {
        self.last.clear();
    }

    fn was_stored(&mut self, carried: &Carried<'_>) -> bool {
        let (key, content) = (self.key(carried), self.content(carried));
        self.last.get(&key).is_some_and(|last| {
            let apart = carried.last_ts.as_second() - last.ts.as_second();
            last.content == content && apart.abs() < REPEAT_SECONDS
        })
    }

    fn key(&self, carried: &Carried<'_>) -> u64 {
        self.hashes.hash_one((carried.device_sn, carried.document.kind))
    }

    fn content(&self, carried: &Carried<'_>) -> u64 {
        let owner = carried.owner;
        self.hashes.hash_one((carried.document.digest, owner.customer_id, owner.org_id, owner.user_id))
    }
}

/// Each content of each device once, with the first and the last sample that carried it.
pub(super) fn fold(rows: &[Row]) -> Vec<Carried<'_>> {
    let mut documents: Vec<Carried<'_>> = Vec::new();
    let mut places: HashMap<(DocumentKind, u128), usize> = HashMap::new();
    let mut device_sn = "";
    for item in rows.iter().map(|row| &row.item) {
        let reading = &item.reading;
        if reading.device_sn != device_sn {
            places.clear();
            device_sn = &reading.device_sn;
        }
        for document in &reading.documents {
            let place = *places.entry((document.kind, document.digest)).or_insert(documents.len());
            match documents.get_mut(place) {
                Some(carried) => {
                    carried.owner = carried.owner.or(reading.owner);
                    carried.last_ts = reading.ts;
                    carried.received_at = carried.received_at.max(item.received_at);
                }
                None => documents.push(Carried {
                    device_sn,
                    owner: reading.owner,
                    first_ts: reading.ts,
                    last_ts: reading.ts,
                    received_at: item.received_at,
                    document,
                }),
            }
        }
    }
    documents
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::metric::Measurements;
    use crate::model::{Document, Item, Owner, Reading, Source};

    fn document(digest: u128) -> Arc<Document> {
        Arc::new(Document { kind: DocumentKind::Sleep, digest, elements: Vec::new() })
    }

    /// A sample of `device_sn` at `second`, of `user_id`, with documents of these digests.
    fn row(device_sn: &str, second: i64, user_id: Option<i64>, digests: &[u128]) -> Row {
        let ts = Timestamp::from_second(second).expect("a time");
        let reading = Reading {
            device_sn: device_sn.to_owned(),
            ts,
            owner: Owner { user_id, ..Owner::default() },
            measured: Measurements::default(),
            upload_method: None,
            documents: digests.iter().map(|digest| document(*digest)).collect(),
        };
        let item = Item {
            index: 0,
            reading,
            text: bytes::Bytes::new(),
            inherited: None,
            source: Source::Health,
            received_at: ts,
            key_customer_id: None,
        };
        Row { item, places: Vec::new() }
    }

    /// Device, digest, first and last second, owner of each.
    fn told<'a>(documents: &[Carried<'a>]) -> Vec<(&'a str, u128, i64, i64, Option<i64>)> {
        documents
            .iter()
            .map(|it| {
                let (first, last) = (it.first_ts.as_second(), it.last_ts.as_second());
                (it.device_sn, it.document.digest, first, last, it.owner.user_id)
            })
            .collect()
    }

    #[test]
    fn a_content_is_written_once_for_all_samples_of_its_device() {
        let rows = [
            row("a", 1, None, &[1, 2]),
            row("a", 2, Some(9), &[1]),
            row("a", 3, None, &[1, 3]),
            row("b", 2, None, &[1]),
        ];
        assert_eq!(
            told(&fold(&rows)),
            [("a", 1, 1, 3, Some(9)), ("a", 2, 1, 1, None), ("a", 3, 3, 3, None), ("b", 1, 2, 2, None)]
        );
    }

    #[test]
    fn what_was_stored_is_written_again_only_when_it_or_its_owner_changes_or_time_has_gone_by() {
        let mut documents = Documents::new(10);
        let first = [row("a", 1000, None, &[1])];
        let carried = documents.unstored(&first);
        assert_eq!(carried.len(), 1);
        assert_eq!(documents.unstored(&first).len(), 1, "not before it is committed");
        documents.stored(&carried);
        for (row, written) in [
            (row("a", 1000, None, &[1]), 0),
            (row("a", 1599, None, &[1]), 0),
            (row("a", 1600, None, &[1]), 1),
            (row("a", 900, None, &[1]), 0),
            (row("a", 1001, None, &[2]), 1),
            (row("a", 1001, Some(9), &[1]), 1),
            (row("b", 1001, None, &[1]), 1),
        ] {
            assert_eq!(documents.unstored(&[row]).len(), written);
        }
        documents.forget();
        assert_eq!(documents.unstored(&first).len(), 1);
    }

    #[test]
    fn the_newest_content_is_the_one_remembered() {
        let mut documents = Documents::new(10);
        for (second, digest) in [(1000, 1), (1200, 2), (1100, 3)] {
            documents.stored(&fold(&[row("a", second, None, &[digest])]));
        }
        for (digest, written) in [(1, 1), (2, 0), (3, 1)] {
            assert_eq!(documents.unstored(&[row("a", 1300, None, &[digest])]).len(), written, "{digest}");
        }
    }

    #[test]
    fn the_memory_is_bounded() {
        let mut documents = Documents::new(2);
        for device_sn in ["a", "b", "c"] {
            documents.stored(&fold(&[row(device_sn, 1000, None, &[1])]));
        }
        assert_eq!(documents.unstored(&[row("a", 1000, None, &[1])]).len(), 1, "a is the one forgotten");
        assert_eq!(documents.unstored(&[row("c", 1000, None, &[1])]).len(), 0);
    }
}
