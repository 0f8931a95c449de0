//! An upload: the items of one request, each a valid record or a reject, and their outcome.
//!
//! Before: `wire` reads the items of a body. After: `ingest` submits them, `http` answers the sender with the outcome.
//! Promise: received = stored + duplicate + rejected, for every upload.

mod reject_reason;

use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{DeviceInfoItem, DeviceRecord, EventItem, OwnerSlot, Reading, UnknownNames};
pub use reject_reason::RejectReason;

/// The content of one request body.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Upload {
    /// Readings that can be stored.
    pub items: Vec<Item>,
    /// Events that can be stored.
    pub events: Vec<EventItem>,
    /// Device information that can be stored.
    pub device_infos: Vec<DeviceInfoItem>,
    /// Items that cannot be stored.
    pub rejects: Vec<Reject>,
    /// Names in it that are not known.
    pub unknown: UnknownNames,
}

impl Upload {
    /// Memory it takes, bytes, without the body of which its texts are slices. A document that consecutive samples share counts once.
    pub fn memory_bytes(&self) -> usize {
        let items =
            self.items.iter().enumerate().map(|(at, item)| {
                item.memory_bytes(at.checked_sub(1).and_then(|before| self.items.get(before)))
            });
        let events = self.events.iter().map(|event| size_of::<EventItem>() + event.text.len());
        let infos = self.device_infos.iter().map(|info| size_of::<DeviceInfoItem>() + info.text.len());
        let rejects = self.rejects.iter().map(Reject::memory_bytes);
        items.chain(events).chain(infos).chain(rejects).sum()
    }

    /// Adds the records of a later upload.
    pub fn append(&mut self, later: Self) {
        self.items.extend(later.items);
        self.events.extend(later.events);
        self.device_infos.extend(later.device_infos);
        self.rejects.extend(later.rejects);
    }

    /// Records in the upload, good or bad.
    pub fn received(&self) -> usize {
        self.items.len() + self.events.len() + self.device_infos.len() + self.rejects.len()
    }

    /// The owners of all records that can be stored, to be completed.
    pub fn owner_slots(&mut self) -> impl Iterator<Item = OwnerSlot<'_>> {
        let items = self.items.iter_mut().map(DeviceRecord::owner_slot);
        let events = self.events.iter_mut().map(DeviceRecord::owner_slot);
        items.chain(events).chain(self.device_infos.iter_mut().map(DeviceRecord::owner_slot))
    }

    /// All records that can be stored, in the order of [`Self::owner_slots`].
    pub fn records(&self) -> impl Iterator<Item = &(dyn DeviceRecord + Sync)> {
        fn record<T: DeviceRecord + Sync>(record: &T) -> &(dyn DeviceRecord + Sync) {
            record
        }
        let (items, events) = (self.items.iter().map(record), self.events.iter().map(record));
        items.chain(events).chain(self.device_infos.iter().map(record))
    }

    /// Keeps what `keep` says, which is asked about each record in the order of [`Self::records`], and then about each reject.
    pub fn retain(&mut self, mut keep: impl FnMut() -> bool) {
        self.items.retain(|_| keep());
        self.events.retain(|_| keep());
        self.device_infos.retain(|_| keep());
        self.rejects.retain(|_| keep());
    }

    /// Keeps the records of this device. Records of other devices become rejects, and rejects of other devices get this reason too, so
    /// that a replay has the same limits.
    pub fn keep_device(&mut self, device_sn: &str) {
        fn keep<T: UploadedRecord>(sent: &mut Vec<T>, rejects: &mut Vec<Reject>, device_sn: &str) {
            if sent.iter().all(|one| one.device_sn() == device_sn) {
                return;
            }
            let all = std::mem::take(sent).into_iter();
            let (own, others): (Vec<T>, Vec<T>) = all.partition(|one| one.device_sn() == device_sn);
            *sent = own;
            rejects.extend(others.into_iter().map(|one| {
                let refusal = Refusal::other_device(one.index());
                one.reject(refusal)
            }));
        }
        for reject in &mut self.rejects {
            if reject.device_sn.as_deref().is_some_and(|named| named != device_sn) {
                reject.refusal = Refusal::other_device(reject.refusal.index);
            }
        }
        keep(&mut self.items, &mut self.rejects, device_sn);
        keep(&mut self.events, &mut self.rejects, device_sn);
        keep(&mut self.device_infos, &mut self.rejects, device_sn);
    }
}

/// A reading with what is needed to reject it later, should the database refuse it.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    /// Index in the upload, from 0.
    pub index: u32,
    /// What was measured.
    pub reading: Reading,
    /// The item as it was sent: a slice of the request body.
    pub text: Bytes,
    /// What it inherits from its wrappers: see [`Reject::inherited`].
    pub inherited: Option<Arc<str>>,
    /// The kind of item.
    pub source: Source,
    /// When the upload was received.
    pub received_at: Timestamp,
    /// Tenant of the key of the request; 0: a key of one device; `None`: a key of every tenant, or no key.
    pub key_customer_id: Option<i64>,
}

impl Item {
    /// Memory it takes, bytes, without its text and the documents it shares with the item before it.
    pub fn memory_bytes(&self, before: Option<&Self>) -> usize {
        let shared = before.map_or(&[][..], |before| &before.reading.documents);
        let documents = self.reading.documents.iter();
        let own = documents.filter(|document| !shared.iter().any(|other| Arc::ptr_eq(other, document)));
        size_of::<Self>()
            + self.reading.device_sn.capacity()
            + self.reading.upload_method.as_ref().map_or(0, String::capacity)
            + own.map(|document| document.memory_bytes()).sum::<usize>()
    }
}

/// An item that cannot be stored, on its way to `rejected_upload`.
#[derive(Debug, Clone, PartialEq)]
pub struct Reject {
    /// Why, and which item.
    pub refusal: Refusal,
    /// Serial the item named, if one can be read.
    pub device_sn: Option<String>,
    /// The item as it was sent.
    pub text: Bytes,
    /// Serial and ids that the item inherits from its wrappers, as a JSON object with the names of the wire. `None`: nothing.
    pub inherited: Option<Arc<str>>,
    /// The kind of item.
    pub source: Source,
    /// When the upload was received.
    pub received_at: Timestamp,
    /// Tenant of the key of the request; 0: a key of one device; `None`: a key of every tenant, or no key.
    pub key_customer_id: Option<i64>,
}

impl Reject {
    /// Memory it takes, bytes, without its text.
    pub fn memory_bytes(&self) -> usize {
        size_of::<Self>()
            + self.refusal.detail.capacity()
            + self.device_sn.as_ref().map_or(0, String::capacity)
    }
}

/// A record of an upload, which can become a reject.
pub trait UploadedRecord: DeviceRecord {
    /// Index in the upload, from 0.
    fn index(&self) -> u32;
    /// The reject it is.
    fn reject(self, refusal: Refusal) -> Reject;
}

/// An item is rejected with everything it came with.
macro_rules! uploaded_record {
    ($item:ty, $content:ident, $source:expr) => {
        impl UploadedRecord for $item {
            fn index(&self) -> u32 {
                self.index
            }

            fn reject(self, refusal: Refusal) -> Reject {
                let source: fn(&Self) -> Source = $source;
                Reject {
                    refusal,
                    source: source(&self),
                    device_sn: Some(self.$content.device_sn),
                    text: self.text,
                    inherited: self.inherited,
                    received_at: self.received_at,
                    key_customer_id: self.key_customer_id,
                }
            }
        }
    };
}

uploaded_record!(Item, reading, |item| item.source);
uploaded_record!(EventItem, event, |_| Source::Event);
uploaded_record!(DeviceInfoItem, info, |_| Source::DeviceInfo);

/// Kinds of item, by the route they come by: `rejected_upload.source`. A replay reads an item by the rules of its route.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// A sample of `/upload_health_data`.
    #[default]
    Health,
    /// A record of `/upload_health_data_batch`.
    HealthBatch,
    /// What a device reports about itself.
    DeviceInfo,
    /// An event.
    Event,
    /// A whole upload that was buffered, with what reading it depends on.
    Buffer,
}

impl Source {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Health, Self::HealthBatch, Self::DeviceInfo, Self::Event, Self::Buffer];

    /// The word in `rejected_upload.source`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Health => "health",
            Self::HealthBatch => "health_batch",
            Self::DeviceInfo => "device_info",
            Self::Event => "event",
            Self::Buffer => "buffer",
        }
    }

    /// The source of that name.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|source| source.name() == name)
    }
}

/// Why an item was not stored, as the sender gets it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Index in the upload, from 0.
    pub index: u32,
    /// The kind.
    pub reason: RejectReason,
    /// What exactly, for a person. Names fields and limits.
    pub detail: String,
}

impl Refusal {
    /// For an item of another device than that of the key.
    pub fn other_device(index: u32) -> Self {
        let detail = "it is of another device than the key".to_owned();
        Self { index, reason: RejectReason::OtherDevice, detail }
    }
}

/// What became of an upload, known after its rows are committed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UploadOutcome {
    /// Items that became a new row.
    pub stored: u32,
    /// Items that were stored already (with `fill`, the values that they added are stored).
    pub duplicate: u32,
    /// Items that are in `rejected_upload`.
    pub rejected: Vec<Refusal>,
    /// The transaction (of the last part, when an upload was spread over several); `None` for an empty upload.
    pub batch_id: Option<i64>,
}

impl UploadOutcome {
    /// Adds another part of the same upload.
    pub fn merge(&mut self, part: Self) {
        self.stored += part.stored;
        self.duplicate += part.duplicate;
        self.rejected.extend(part.rejected);
        self.batch_id = part.batch_id.or(self.batch_id);
    }
}
