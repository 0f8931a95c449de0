//! An upload: the items of one request, each a reading or a reject; and what became of them.
//!
//! Before: `wire` sorts the items of a body. After: `ingest` submits them, `http` tells the sender the outcome.
//! Promise: received = stored + duplicate + rejected, for every upload.

use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;

use super::{DeviceInfoItem, EventItem, Owned, OwnerSlot, Reading, UnknownNames};

/// What one request body held.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Upload {
    /// Readings that can be stored.
    pub items: Vec<Item>,
    /// Events that can be stored.
    pub events: Vec<EventItem>,
    /// Device information that can be stored.
    pub device_infos: Vec<DeviceInfoItem>,
    /// What cannot.
    pub rejects: Vec<Reject>,
    /// Names in it that have no meaning here.
    pub unknown: UnknownNames,
}

impl Upload {
    /// Memory it takes, bytes, beside the body its texts are slices of. A document that samples after one another share counts once.
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

    /// Records in the upload, good or bad.
    pub fn received(&self) -> usize {
        self.items.len() + self.events.len() + self.device_infos.len() + self.rejects.len()
    }

    /// The owners of all records that can be stored, to be completed.
    pub fn owner_slots(&mut self) -> impl Iterator<Item = OwnerSlot<'_>> {
        let items = self.items.iter_mut().map(Owned::owner_slot);
        let events = self.events.iter_mut().map(Owned::owner_slot);
        items.chain(events).chain(self.device_infos.iter_mut().map(Owned::owner_slot))
    }

    /// All records that can be stored, in the order of [`Self::owner_slots`].
    pub fn records(&self) -> impl Iterator<Item = &(dyn Owned + Sync)> {
        fn record<T: Owned + Sync>(record: &T) -> &(dyn Owned + Sync) {
            record
        }
        let (items, events) = (self.items.iter().map(record), self.events.iter().map(record));
        items.chain(events).chain(self.device_infos.iter().map(record))
    }

    /// Keeps what is of this device; whatever names another is among the rejects afterwards, and for that reason, so that a
    /// replay goes by the same bounds.
    pub fn keep_device(&mut self, device_sn: &str) {
        fn keep<T: Sent>(sent: &mut Vec<T>, rejects: &mut Vec<Reject>, device_sn: &str) {
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
    /// Place in the upload, from 0.
    pub index: u32,
    /// What was measured.
    pub reading: Reading,
    /// The item as it was sent: a slice of the request body.
    pub text: Bytes,
    /// What the objects around it said for it: see [`Reject::inherited`].
    pub inherited: Option<Arc<str>>,
    /// The kind of item.
    pub source: Source,
    /// When the upload was received.
    pub received_at: Timestamp,
    /// Tenant of the key it was sent with; 0: of a key of one device; `None`: a key of every tenant, or none.
    pub key_customer_id: Option<i64>,
}

impl Item {
    /// Memory it takes, bytes, beside its text and the documents it shares with the item before it.
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
    /// What the objects around the item said for it and its own text lacks (serial, ids), as a JSON object in the names
    /// of the wire. `None`: nothing.
    pub inherited: Option<Arc<str>>,
    /// The kind of item.
    pub source: Source,
    /// When the upload was received.
    pub received_at: Timestamp,
    /// Tenant of the key it was sent with; 0: of a key of one device; `None`: a key of every tenant, or none.
    pub key_customer_id: Option<i64>,
}

impl Reject {
    /// Memory it takes, bytes, beside its text.
    pub fn memory_bytes(&self) -> usize {
        size_of::<Self>()
            + self.refusal.detail.capacity()
            + self.device_sn.as_ref().map_or(0, String::capacity)
    }
}

/// Something of an upload that can become a reject.
pub trait Sent: Owned {
    /// Place in the upload, from 0.
    fn index(&self) -> u32;
    /// The reject it is.
    fn reject(self, refusal: Refusal) -> Reject;
}

/// An item is rejected with everything it came with.
macro_rules! sent {
    ($item:ty, $held:ident, $source:expr) => {
        impl Sent for $item {
            fn index(&self) -> u32 {
                self.index
            }

            fn reject(self, refusal: Refusal) -> Reject {
                let source: fn(&Self) -> Source = $source;
                Reject {
                    refusal,
                    source: source(&self),
                    device_sn: Some(self.$held.device_sn),
                    text: self.text,
                    inherited: self.inherited,
                    received_at: self.received_at,
                    key_customer_id: self.key_customer_id,
                }
            }
        }
    };
}

sent!(Item, reading, |item| item.source);
sent!(EventItem, event, |_| Source::Event);
sent!(DeviceInfoItem, info, |_| Source::DeviceInfo);

/// Kinds of item, by the route they come by: `rejected_upload.source`. A replay reads an item by the rules of its route.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Source {
    /// A sample of `/upload_health_data`.
    #[default]
    Health,
    /// A record of `/upload_health_data_batch`.
    HealthBatch,
    /// A device's account of itself.
    DeviceInfo,
    /// An event.
    Event,
}

impl Source {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Health, Self::HealthBatch, Self::DeviceInfo, Self::Event];

    /// The word in `rejected_upload.source`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Health => "health",
            Self::HealthBatch => "health_batch",
            Self::DeviceInfo => "device_info",
            Self::Event => "event",
        }
    }

    /// The source of that name.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|source| source.name() == name)
    }
}

/// Why an item was not stored; what the sender is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Place in the upload, from 0.
    pub index: u32,
    /// The kind.
    pub reason: RejectReason,
    /// What exactly, for a person. Names fields and limits.
    pub detail: String,
}

impl Refusal {
    /// Of an item that is not of the device of its key.
    pub fn other_device(index: u32) -> Self {
        let detail = "it is of another device than the key".to_owned();
        Self { index, reason: RejectReason::OtherDevice, detail }
    }
}

/// Kinds of refusal: `rejected_upload.reason`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RejectReason {
    /// No serial.
    NoSerial,
    /// A serial that cannot be one: too long, too short, no text.
    BadSerial,
    /// A time that cannot be read.
    BadTime,
    /// More than a day ahead of the clock.
    Future,
    /// Older than raw rows are kept.
    TooOld,
    /// A value no body or sensor can show.
    OutOfRange,
    /// A value that is not of its kind (text for a number).
    BadValue,
    /// No field with a value is known.
    NothingKnown,
    /// The item is not a JSON object.
    NotAnObject,
    /// The text of an event is not JSON: it was cut, or joined with others.
    NotJson,
    /// It is of another tenant than the key it came with.
    OtherTenant,
    /// It is of another device than the key it came with.
    OtherDevice,
    /// PostgreSQL refused the row.
    RefusedByDatabase,
}

impl RejectReason {
    /// The word in `rejected_upload.reason`, in metrics and in answers.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NoSerial => "no_serial",
            Self::BadSerial => "bad_serial",
            Self::BadTime => "bad_time",
            Self::Future => "future",
            Self::TooOld => "too_old",
            Self::OutOfRange => "out_of_range",
            Self::BadValue => "bad_value",
            Self::NothingKnown => "nothing_known",
            Self::NotAnObject => "not_an_object",
            Self::NotJson => "not_json",
            Self::OtherTenant => "other_tenant",
            Self::OtherDevice => "other_device",
            Self::RefusedByDatabase => "refused_by_database",
        }
    }
}

/// What became of an upload, known after its rows are committed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UploadOutcome {
    /// Became a new row.
    pub stored: u32,
    /// Was there already (under `fill`, what it added is stored all the same).
    pub duplicate: u32,
    /// Is in `rejected_upload`.
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
