//! What a writer committed recently, so that it is not written twice: the newest event time of each device, and its documents.
//!
//! Before: `ingest::fold` has folded the rows. After: `store::batch` writes what is new.
//! Promise: memory is bounded. A device that was evicted costs one refused COPY, never a wrong answer. A document is left out only if this
//! writer committed it for a sample less than [`REPEAT_SECONDS`] away. A watch adds the documents of the day to every sample, so nearly all
//! of them are left out; otherwise single uploads with four documents each would take twice as long.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::num::NonZeroUsize;

use jiff::Timestamp;
use lru::LruCache;

use super::fold::Row;
use crate::model::{DocumentKind, SampleDocument};

/// The newest event time of each device that this writer has committed, to recognise likely repeats before they are written.
pub(super) struct RecentTimes {
    by_device: LruCache<Box<str>, Timestamp>,
}

impl RecentTimes {
    pub(super) fn new(max_devices: usize) -> Self {
        Self { by_device: LruCache::new(NonZeroUsize::new(max_devices).unwrap_or(NonZeroUsize::MIN)) }
    }

    /// A time that is not newer than the newest one is likely a repeat.
    pub(super) fn is_likely_repeat(&mut self, device_sn: &str, ts: Timestamp) -> bool {
        self.by_device.get(device_sn).is_some_and(|newest| ts <= *newest)
    }

    /// To be called after the commit.
    pub(super) fn add(&mut self, device_sn: &str, ts: Timestamp) {
        match self.by_device.get_mut(device_sn) {
            Some(newest) => *newest = ts.max(*newest),
            None => drop(self.by_device.put(device_sn.into(), ts)),
        }
    }
}

/// How long, in event time, a document that does not change is not written again, seconds. It limits the damage when another
/// instance, or somebody with psql, changed the tables meanwhile.
const REPEAT_SECONDS: i64 = 600;

/// The documents that this writer committed last, by device and kind.
pub(super) struct RecentDocuments {
    /// By hash of the key. Contents are hashed too, so that an entry takes some tens of bytes.
    by_key: LruCache<u64, RecentDocument>,
    hashes: RandomState,
}

struct RecentDocument {
    /// Hash of the document and its owner.
    content: u64,
    ts: Timestamp,
}

impl RecentDocuments {
    pub(super) fn new(max_documents: usize) -> Self {
        Self {
            by_key: LruCache::new(NonZeroUsize::new(max_documents).unwrap_or(NonZeroUsize::MIN)),
            hashes: RandomState::new(),
        }
    }

    /// The documents of `rows` (sorted by device and time) that have to be written.
    pub(super) fn new_documents<'a>(&mut self, rows: &'a [Row]) -> Vec<SampleDocument<'a>> {
        let mut documents = fold_documents(rows);
        documents.retain(|carried| !self.was_stored(carried));
        documents
    }

    /// To be called after the commit.
    pub(super) fn add(&mut self, documents: &[SampleDocument<'_>]) {
        for carried in documents {
            let (key, content) = (self.key(carried), self.content(carried));
            match self.by_key.get_mut(&key) {
                Some(last) if last.ts > carried.last_ts => {}
                Some(last) => *last = RecentDocument { content, ts: carried.last_ts },
                None => drop(self.by_key.put(key, RecentDocument { content, ts: carried.last_ts })),
            }
        }
    }

    /// To be called when the database may not be the one that was written to.
    pub(super) fn clear(&mut self) {
        self.by_key.clear();
    }

    fn was_stored(&mut self, carried: &SampleDocument<'_>) -> bool {
        let (key, content) = (self.key(carried), self.content(carried));
        self.by_key.get(&key).is_some_and(|last| {
            let apart = carried.last_ts.as_second() - last.ts.as_second();
            last.content == content && apart.abs() < REPEAT_SECONDS
        })
    }

    fn key(&self, carried: &SampleDocument<'_>) -> u64 {
        self.hashes.hash_one((carried.device_sn, carried.document.kind))
    }

    fn content(&self, carried: &SampleDocument<'_>) -> u64 {
        let owner = carried.owner;
        self.hashes.hash_one((carried.document.digest, owner.customer_id, owner.org_id, owner.user_id))
    }
}

/// Each document of each device once, with the first and the last sample that carried it.
pub(super) fn fold_documents(rows: &[Row]) -> Vec<SampleDocument<'_>> {
    let mut documents: Vec<SampleDocument<'_>> = Vec::new();
    let mut positions: HashMap<(DocumentKind, u128), usize> = HashMap::new();
    let mut device_sn = "";
    for item in rows.iter().map(|row| &row.record) {
        let reading = &item.reading;
        if reading.device_sn != device_sn {
            positions.clear();
            device_sn = &reading.device_sn;
        }
        for document in &reading.documents {
            let position = *positions.entry((document.kind, document.digest)).or_insert(documents.len());
            match documents.get_mut(position) {
                Some(carried) => {
                    carried.owner = carried.owner.or(reading.owner);
                    carried.last_ts = reading.ts;
                    carried.received_at = carried.received_at.max(item.received_at);
                }
                None => documents.push(SampleDocument {
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
    use crate::ingest::test_records::item;
    use crate::model::Document;

    fn document(digest: u128) -> Arc<Document> {
        Arc::new(Document { kind: DocumentKind::Sleep, digest, elements: Vec::new() })
    }

    /// A sample of `device_sn` at `second`, of `user_id`, with documents of these digests.
    fn row(device_sn: &str, second: i64, user_id: Option<i64>, digests: &[u128]) -> Row {
        let mut item = item(device_sn, second, second);
        item.reading.owner.user_id = user_id;
        item.reading.documents = digests.iter().map(|digest| document(*digest)).collect();
        Row::new(item, 0)
    }

    /// Device, digest, first and last second, owner of each.
    fn summary<'a>(documents: &[SampleDocument<'a>]) -> Vec<(&'a str, u128, i64, i64, Option<i64>)> {
        documents
            .iter()
            .map(|it| {
                let (first, last) = (it.first_ts.as_second(), it.last_ts.as_second());
                (it.device_sn, it.document.digest, first, last, it.owner.user_id)
            })
            .collect()
    }

    #[test]
    fn a_document_is_written_once_for_all_samples_of_its_device() {
        let rows = [
            row("a", 1, None, &[1, 2]),
            row("a", 2, Some(9), &[1]),
            row("a", 3, None, &[1, 3]),
            row("b", 2, None, &[1]),
        ];
        assert_eq!(
            summary(&fold_documents(&rows)),
            [("a", 1, 1, 3, Some(9)), ("a", 2, 1, 1, None), ("a", 3, 3, 3, None), ("b", 1, 2, 2, None)]
        );
    }

    #[test]
    fn a_document_is_written_again_only_when_it_or_its_owner_changes_or_time_has_gone_by() {
        let mut documents = RecentDocuments::new(10);
        let first = [row("a", 1000, None, &[1])];
        let carried = documents.new_documents(&first);
        assert_eq!(carried.len(), 1);
        assert_eq!(documents.new_documents(&first).len(), 1, "not before it is committed");
        documents.add(&carried);
        for (row, written) in [
            (row("a", 1000, None, &[1]), 0),
            (row("a", 1599, None, &[1]), 0),
            (row("a", 1600, None, &[1]), 1),
            (row("a", 900, None, &[1]), 0),
            (row("a", 1001, None, &[2]), 1),
            (row("a", 1001, Some(9), &[1]), 1),
            (row("b", 1001, None, &[1]), 1),
        ] {
            assert_eq!(documents.new_documents(&[row]).len(), written);
        }
        documents.clear();
        assert_eq!(documents.new_documents(&first).len(), 1);
    }

    #[test]
    fn the_newest_document_is_remembered() {
        let mut documents = RecentDocuments::new(10);
        for (second, digest) in [(1000, 1), (1200, 2), (1100, 3)] {
            documents.add(&fold_documents(&[row("a", second, None, &[digest])]));
        }
        for (digest, written) in [(1, 1), (2, 0), (3, 1)] {
            assert_eq!(
                documents.new_documents(&[row("a", 1300, None, &[digest])]).len(),
                written,
                "{digest}"
            );
        }
    }

    #[test]
    fn the_number_of_remembered_documents_is_bounded() {
        let mut documents = RecentDocuments::new(2);
        for device_sn in ["a", "b", "c"] {
            documents.add(&fold_documents(&[row(device_sn, 1000, None, &[1])]));
        }
        assert_eq!(documents.new_documents(&[row("a", 1000, None, &[1])]).len(), 1, "a is the one forgotten");
        assert_eq!(documents.new_documents(&[row("c", 1000, None, &[1])]).len(), 0);
    }

    #[test]
    fn only_a_newer_time_is_taken_for_new() {
        let mut times = RecentTimes::new(2);
        let [early, late] = [1, 2].map(|second| Timestamp::from_second(second).expect("a time"));
        assert!(!times.is_likely_repeat("a", early));
        times.add("a", late);
        times.add("a", early);
        assert!(times.is_likely_repeat("a", early));
        assert!(times.is_likely_repeat("a", late));
        assert!(!times.is_likely_repeat("b", early));
    }

    #[test]
    fn the_number_of_remembered_devices_is_bounded() {
        let mut times = RecentTimes::new(2);
        for device in ["a", "b", "c"] {
            times.add(device, Timestamp::UNIX_EPOCH);
        }
        assert!(!times.is_likely_repeat("a", Timestamp::UNIX_EPOCH), "a is the one forgotten");
        assert!(times.is_likely_repeat("c", Timestamp::UNIX_EPOCH));
    }
}
