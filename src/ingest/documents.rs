//! The nested documents of a batch, each content once, and none that was stored a moment ago.
//!
//! Before: `ingest::plan` has folded the rows. After: `store::batch` writes what is left.
//! Promise: bounded. What is left out is in the database, or its device sends it again within ten minutes; a watch adds
//! the documents of the day to every sample, so most of them are left out.

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
    pub(super) fn to_write<'a>(&mut self, rows: &'a [Row]) -> Vec<Carried<'a>> {
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
