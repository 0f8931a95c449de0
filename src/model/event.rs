//! An event: something a device noticed and tells at once.
//!
//! Before: `wire::event` reads it from an upload. After: `ingest` gives it a lane of its own, `store::device_event` keeps it.
//! Promise: its type is a short one, in upper case. How grave it is the database says (table `event_type`).

use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;

use super::Owner;

/// Longest type that is stored, bytes of UTF-8.
pub const MAX_EVENT_TYPE_BYTES: usize = 64;

/// Types for which somebody may be lying on the ground: they wait for nothing.
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
    /// The whole name as it was sent, where it is more than the type.
    pub action: Option<String>,
    /// What the device says with it; the meaning is the type's.
    pub value: Option<String>,
    /// Whose it is, as far as the upload says.
    pub owner: Owner,
    /// Degrees north, WGS 84.
    pub latitude: Option<f64>,
    /// Degrees east, WGS 84.
    pub longitude: Option<f64>,
    /// Metres.
    pub altitude: Option<f64>,
}

impl Event {
    /// Must it wait for nothing?
    pub fn is_urgent(&self) -> bool {
        URGENT_EVENT_TYPES.contains(&self.event_type.as_str())
    }
}

/// An event with what is needed to reject it later, should the database refuse it.
#[derive(Debug, Clone, PartialEq)]
pub struct EventItem {
    /// Place in the upload, from 0.
    pub index: u32,
    /// What happened.
    pub event: Event,
    /// The event as it was sent, its sample included: a slice of the request body.
    pub text: Bytes,
    /// What the objects around it said for it: see [`super::Reject::inherited`].
    pub inherited: Option<Arc<str>>,
    /// When the upload was received.
    pub received_at: Timestamp,
    /// Tenant of the key it was sent with; 0: of a key of one device; `None`: a key of every tenant, or none.
    pub key_customer_id: Option<i64>,
}
