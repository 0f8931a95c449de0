//! Reads entries of a stream as uploads, by the rules and the retention of their time of receipt.
//!
//! Before: `buffer::drain` has read entries. After: `buffer::commit` commits them.
//! Promise: an entry that is no upload becomes a reject that has all of it, except one of a later release, which that release must read.

use bytes::Bytes;
use jiff::Timestamp;

use super::BufferServices;
use super::record::{UnpackError, unpack};
use crate::cache::stream::StreamEntry;
use crate::model::{Refusal, Reject, RejectReason, Source, Upload};
use crate::telemetry::trace::TraceContext;
use crate::wire::Context;
use crate::wire::buffered::BufferedUpload;

/// An entry that was read.
pub(super) struct ReadEntry {
    pub(super) upload: Upload,
    pub(super) trace: Option<TraceContext>,
    /// It is to be compared with what is stored, and not to be stored.
    pub(super) is_shadow: bool,
}

impl ReadEntry {
    /// Whether both can be in one step: readings are committed together, and so are events; shadow uploads are compared together.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        (has_readings_only(&self.upload), self.is_shadow)
            == (has_readings_only(&other.upload), other.is_shadow)
    }
}

/// Reads entries.
pub(super) struct EntryReader {
    services: BufferServices,
    max_upload_bytes: usize,
}

impl EntryReader {
    pub(super) fn new(services: &BufferServices, max_upload_bytes: usize) -> Self {
        Self { services: services.clone(), max_upload_bytes }
    }

    /// Reads an entry.
    ///
    /// # Errors
    /// A later release has written it.
    pub(super) fn read(&self, entry: &StreamEntry) -> Result<ReadEntry, UnpackError> {
        let buffered = match unpack(&entry.upload, self.max_upload_bytes) {
            Ok(buffered) => buffered,
            Err(error @ UnpackError::Later(_)) => return Err(error),
            Err(error) => return Ok(ReadEntry::of_reject(of_corrupt(entry, &error))),
        };
        let context = Context {
            received_at: buffered.received_at,
            device_zone: self.services.device_zone.clone(),
            oldest: (self.services.oldest)(buffered.received_at),
            key_customer_id: buffered.key_customer_id,
        };
        let upload = buffered
            .read(&context)
            .unwrap_or_else(|error| rejected(&buffered, RejectReason::NotJson, error.to_string()));
        let trace = buffered.traceparent.as_deref().and_then(TraceContext::parse);
        Ok(ReadEntry { upload, trace, is_shadow: buffered.shadow })
    }

    /// An entry that cannot be stored, as a reject that has all of it.
    pub(super) fn reject(&self, entry: &StreamEntry, reason: &str) -> ReadEntry {
        let upload = match unpack(&entry.upload, self.max_upload_bytes) {
            Ok(buffered) => rejected(&buffered, RejectReason::RefusedByDatabase, reason.to_owned()),
            Err(error) => of_corrupt(entry, &error),
        };
        ReadEntry::of_reject(upload)
    }
}

impl ReadEntry {
    fn of_reject(upload: Upload) -> Self {
        Self { upload, trace: None, is_shadow: false }
    }
}

/// Its lane in the ingest is that of its device, so readings of many uploads can be one.
fn has_readings_only(upload: &Upload) -> bool {
    let is_of_readings = |reject: &Reject| !matches!(reject.source, Source::Event | Source::DeviceInfo);
    upload.events.is_empty() && upload.device_infos.is_empty() && upload.rejects.iter().all(is_of_readings)
}

/// The tenant of the key that an upload came with.
pub(super) fn key_of(upload: &Upload) -> Option<i64> {
    let items = upload.items.iter().map(|item| item.key_customer_id);
    let events = upload.events.iter().map(|item| item.key_customer_id);
    let infos = upload.device_infos.iter().map(|item| item.key_customer_id);
    items.chain(events).chain(infos).next().flatten()
}

fn rejected(buffered: &BufferedUpload, reason: RejectReason, detail: String) -> Upload {
    Upload { rejects: vec![buffered.reject(reason, detail)], ..Upload::default() }
}

/// An entry that is no upload, as hexadecimal digits.
fn of_corrupt(entry: &StreamEntry, error: &UnpackError) -> Upload {
    let digits: String = entry.upload.iter().map(|byte| format!("{byte:02x}")).collect();
    let reject = Reject {
        refusal: Refusal { index: 0, reason: RejectReason::NotJson, detail: error.to_string() },
        device_sn: None,
        text: Bytes::from(digits),
        inherited: None,
        source: Source::Buffer,
        received_at: Timestamp::from_millisecond(entry.appended_at_ms()).unwrap_or(Timestamp::UNIX_EPOCH),
        key_customer_id: None,
    };
    Upload { rejects: vec![reject], ..Upload::default() }
}
