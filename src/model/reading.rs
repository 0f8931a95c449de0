//! A reading: what one device measured at one instant.
//!
//! Before: `wire::health` builds it from an upload. After: `ingest` gathers it, `store::health_data` encodes it.
//! Promise: a value that is present was measured, and lies in the range that is possible for a body or a sensor.

use std::sync::Arc;

use jiff::Timestamp;

use super::Document;
use crate::metric::Measurements;

/// One row of `health_data`. `None` is "not measured" or "not sent", never zero.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// Serial of the device, 1 to [`MAX_SERIAL_BYTES`] bytes, no control characters.
    pub device_sn: String,
    /// When it was measured.
    pub ts: Timestamp,
    /// The owner, as far as the upload names it.
    pub owner: Owner,
    /// What was measured.
    pub measured: Measurements,
    /// `wifi`, `bluetooth`, `common_event`, `esim`, or what the device sent.
    pub upload_method: Option<String>,
    /// Nested documents the sample carried; mostly none. Samples of one upload share those that are the same.
    pub documents: Vec<Arc<Document>>,
}

/// Longest serial that is stored, bytes of UTF-8.
pub const MAX_SERIAL_BYTES: usize = 64;

/// Tenant, organisation unit and wearer. 64-bit ids; `None` is unknown (a device sends `"0"` or `""`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Owner {
    /// Tenant.
    pub customer_id: Option<i64>,
    /// Organisation unit.
    pub org_id: Option<i64>,
    /// Wearer.
    pub user_id: Option<i64>,
}

impl Owner {
    /// This one, with missing ids taken from `other`.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            customer_id: self.customer_id.or(other.customer_id),
            org_id: self.org_id.or(other.org_id),
            user_id: self.user_id.or(other.user_id),
        }
    }

    /// The owners of rows, column by column: tenants, organisation units, wearers.
    pub fn columns(owners: impl Iterator<Item = Self> + Clone) -> [Vec<Option<i64>>; 3] {
        [
            owners.clone().map(|owner| owner.customer_id).collect(),
            owners.clone().map(|owner| owner.org_id).collect(),
            owners.map(|owner| owner.user_id).collect(),
        ]
    }
}
