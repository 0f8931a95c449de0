//! An event: something a device noticed and reports at once.
//!
//! Before: `wire::event` reads it from an upload. After: `ingest` gives it a writer of its own, `store::device_event` stores it.
//! Promise: its type is short and in upper case. Table `event_type` has its severity.

use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;

use super::Owner;

/// Longest type that is stored, bytes of UTF-8.
pub const MAX_EVENT_TYPE_BYTES: usize = 64;

/// Urgent types, which wait for nothing: somebody may be lying on the ground.
pub const URGENT_EVENT_TYPES: [&str; 3] = ["SOS_EVENT", "ONE_KEY_ALARM", "FALLDOWN_EVENT"];

/// One row of `device_event`.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// Serial of the device, as in [`super::Reading`].
    pub device_sn: String,
    /// The type: what follows the last dot of the action, upper case, at most [`MAX_EVENT_TYPE_BYTES`].
    pub event_type: String,
    /// When it happened.
    pub ts: Timestamp,
    /// The time as it was sent, where it could not be used and `ts` is the time of receipt.
    pub sent_ts: Option<String>,
    /// The whole name as it was sent, if it is longer than the type.
    pub action: Option<String>,
    /// The value the device sent with it; its meaning depends on the type.
    pub value: Option<String>,
    /// The owner, as far as the upload names it.
    pub owner: Owner,
    /// Degrees north, WGS 84.
    pub latitude: Option<f64>,
    /// Degrees east, WGS 84.
    pub longitude: Option<f64>,
    /// Metres.
    pub altitude: Option<f64>,
}

impl Event {
    /// Is its type urgent?
    pub fn is_urgent(&self) -> bool {
        URGENT_EVENT_TYPES.contains(&self.event_type.as_str())
    }
}

/// An event with what is needed to reject it later, should the database refuse it.
#[derive(Debug, Clone, PartialEq)]
pub struct EventItem {
    /// Index in the upload, from 0.
    pub index: u32,
    /// What happened.
    pub event: Event,
    /// The event as it was sent, its sample included: a slice of the request body.
    pub text: Bytes,
    /// What it inherits from its wrappers: see [`super::Reject::inherited`].
    pub inherited: Option<Arc<str>>,
    /// When the upload was received.
    pub received_at: Timestamp,
    /// Tenant of the key of the request; 0: a key of one device; `None`: a key of every tenant, or no key.
    pub key_customer_id: Option<i64>,
}
