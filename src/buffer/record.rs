//! Which streams an upload goes to, and how it is packed: a byte with the version, then JSON packed with zstd.
//!
//! Before: `http` has read an upload. After: `buffer::group` appends it; `buffer::drain` reads it.
//! Promise: the records of a device are always in the same stream. An upload whose readings are of devices of several streams is divided,
//! record by record; any other is kept as the body that came. A record of a later version than this program knows is left where it is.

use std::collections::BTreeMap;
use std::io::Read;
use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;

use super::urgent::UrgentEvent;
use crate::cache::stream::UploadStream;
use crate::model::{DeviceRecord, Partition, Source, Upload};
use crate::wire::buffered::{BufferedContent, BufferedItem, BufferedUpload};

/// The version of this program. A new one is needed only where an older program would read something wrong: fields may be added without.
const VERSION: u8 = 1;

/// Fast, and a tenth of what watches send.
const LEVEL: i32 = 1;

/// Where an upload came from.
#[derive(Debug, Clone)]
pub struct UploadOrigin {
    /// The route.
    pub source: Source,
    /// When it was received.
    pub received_at: Timestamp,
    /// Tenant of its key: see [`crate::wire::Context::key_customer_id`].
    pub key_customer_id: Option<i64>,
    /// The only device of its key.
    pub key_device_sn: Option<String>,
    /// `X-Request-Id` of the request.
    pub request_id: Option<String>,
    /// The trace of the request.
    pub traceparent: Option<String>,
    /// The body, unpacked.
    pub body: Bytes,
}

/// An upload ready to be packed, with the streams it goes to. It has no copy of what was sent, for most uploads are committed and never packed.
#[derive(Debug)]
pub struct PreparedUpload {
    origin: UploadOrigin,
    /// `None`: the body.
    parts: Vec<(UploadStream, Option<Vec<PreparedItem>>)>,
    urgent: Vec<UrgentEvent>,
    is_shadow: bool,
}

/// A record as it was sent, a slice of the body, and what it inherits from its wrappers.
type PreparedItem = (Bytes, Option<Arc<str>>);

impl PreparedUpload {
    /// Of an upload with at least one record.
    pub fn new(origin: UploadOrigin, upload: &Upload) -> Self {
        let urgent = UrgentEvent::all_of(upload);
        let mut partitions = upload.records().map(|record| partition_of(record.device_sn()));
        let first = partitions.next().unwrap_or_default();
        let has_readings_only = upload.events.is_empty() && upload.device_infos.is_empty();
        let parts = if has_readings_only && partitions.any(|other| other != first) {
            let divided = divide(upload).into_iter();
            divided.map(|(partition, items)| (UploadStream::new(partition, false), Some(items))).collect()
        } else {
            vec![(UploadStream::new(first, !urgent.is_empty()), None)]
        };
        Self { origin, parts, urgent, is_shadow: false }
    }

    /// Whether it has an urgent event.
    pub(super) fn is_urgent(&self) -> bool {
        !self.urgent.is_empty()
    }

    /// Its urgent events.
    pub fn urgent(&self) -> &[UrgentEvent] {
        &self.urgent
    }

    /// The same, which it has no longer then.
    pub(super) fn take_urgent(&mut self) -> Vec<UrgentEvent> {
        std::mem::take(&mut self.urgent)
    }

    /// Of an upload that is stored: it is to be compared with that, and not to be stored.
    pub(super) fn into_shadow(self) -> Self {
        Self { is_shadow: true, ..self }
    }

    /// The streams it goes to.
    pub fn streams(&self) -> impl Iterator<Item = UploadStream> {
        self.parts.iter().map(|(stream, _)| *stream)
    }

    /// Whether packing takes long enough to be done on a thread for blocking work.
    pub(super) fn is_large(&self) -> bool {
        self.origin.body.len() > 256 * 1024
    }

    /// Packs each part.
    pub(super) fn pack(self) -> Vec<(UploadStream, Bytes)> {
        let UploadOrigin { body, .. } = &self.origin;
        let part = |content| BufferedUpload {
            source: self.origin.source,
            received_at: self.origin.received_at,
            key_customer_id: self.origin.key_customer_id,
            key_device_sn: self.origin.key_device_sn.clone(),
            request_id: self.origin.request_id.clone(),
            traceparent: self.origin.traceparent.clone(),
            shadow: self.is_shadow,
            content,
        };
        let item = |(text, inherited): PreparedItem| BufferedItem {
            text: text_of(&text),
            inherited: inherited.as_deref().map(str::to_owned),
        };
        let parts = self.parts.into_iter().map(|(stream, items)| {
            let content = match items {
                Some(items) => BufferedContent::Items(items.into_iter().map(item).collect()),
                None => BufferedContent::Body(text_of(body)),
            };
            (stream, pack(&part(content)))
        });
        parts.collect()
    }
}

/// The records of each partition, in their order. Rejects go with those of the first.
fn divide(upload: &Upload) -> BTreeMap<u8, Vec<PreparedItem>> {
    let mut parts: BTreeMap<u8, Vec<PreparedItem>> = BTreeMap::new();
    for sent in &upload.items {
        let part = parts.entry(partition_of(sent.device_sn())).or_default();
        part.push((sent.text.clone(), sent.inherited.clone()));
    }
    if let Some(mut first) = parts.first_entry() {
        let rejects = upload.rejects.iter();
        first.get_mut().extend(rejects.map(|reject| (reject.text.clone(), reject.inherited.clone())));
    }
    parts
}

/// Bodies that were read are UTF-8, except those of events, of which any bytes are accepted: what is not text becomes a replacement character,
/// as it does in `rejected_upload`.
fn text_of(bytes: &Bytes) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The number of the partition of a device: the same in every process and release.
pub(super) fn partition_of(device_sn: &str) -> u8 {
    u8::try_from(Partition::of(device_sn).number()).expect("there are 64")
}

fn pack(upload: &BufferedUpload) -> Bytes {
    let text = serde_json::to_vec(upload).expect("it has no maps with odd keys");
    let mut packed = vec![VERSION];
    packed.extend(zstd::bulk::compress(&text, LEVEL).expect("memory is all that packing needs"));
    packed.into()
}

/// Why an entry of a stream is not read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnpackError {
    /// A later program has written it, and will read it.
    #[error("it is of version {0}, of a later release")]
    Later(u8),
    /// It is nothing that any program has written.
    #[error("it cannot be unpacked: {0}")]
    Corrupt(String),
}

/// Unpacks an entry, which may take `max_bytes`.
pub(super) fn unpack(packed: &[u8], max_bytes: usize) -> Result<BufferedUpload, UnpackError> {
    let corrupt = |error: &dyn std::fmt::Display| UnpackError::Corrupt(error.to_string());
    match packed.split_first() {
        Some((&VERSION, packed)) => {
            let mut text = Vec::new();
            let decoder = zstd::Decoder::with_buffer(packed).map_err(|error| corrupt(&error))?;
            // What is longer than allowed ends early, and is no JSON then.
            decoder
                .take(u64::try_from(max_bytes).unwrap_or(u64::MAX))
                .read_to_end(&mut text)
                .map_err(|error| corrupt(&error))?;
            serde_json::from_slice(&text).map_err(|error| corrupt(&error))
        }
        Some((&version, _)) if version > VERSION => Err(UnpackError::Later(version)),
        _ => Err(corrupt(&"it has no version")),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use jiff::tz::TimeZone;
    use serde_json::json;

    use super::*;
    use crate::wire::{Context, event, health};

    fn origin(source: Source, body: &str) -> UploadOrigin {
        UploadOrigin {
            source,
            received_at: "2025-05-17T10:00:00.123456Z".parse().unwrap(),
            key_customer_id: Some(7),
            key_device_sn: None,
            request_id: Some("r-1".to_owned()),
            traceparent: None,
            body: Bytes::copy_from_slice(body.as_bytes()),
        }
    }

    fn context() -> Context {
        Context {
            received_at: "2025-05-17T10:00:00.123456Z".parse().unwrap(),
            device_zone: TimeZone::get("Asia/Shanghai").unwrap(),
            oldest: None,
            key_customer_id: Some(7),
        }
    }

    fn prepared(body: &str) -> PreparedUpload {
        let origin = origin(Source::Health, body);
        let upload = health::parse(&origin.body, &context()).unwrap();
        PreparedUpload::new(origin, &upload)
    }

    fn samples(devices: impl Iterator<Item = usize>) -> String {
        let sample =
            |device| json!({ "deviceSn": format!("W-{device}"), "step": 5, "timestamp": 1747454400 });
        json!({ "data": devices.map(sample).collect::<Vec<_>>() }).to_string()
    }

    #[test]
    fn an_upload_of_one_device_is_its_body_and_comes_back_as_it_was() {
        let body = samples(std::iter::repeat_n(3, 100));
        let packed = prepared(&body).pack();
        assert_eq!(packed.len(), 1);
        assert!(packed[0].1.len() < body.len() / 10, "{} of {} bytes", packed[0].1.len(), body.len());
        let read = unpack(&packed[0].1, 1 << 20).unwrap();
        assert_eq!(read.content, BufferedContent::Body(body));
        assert_eq!(read.received_at, context().received_at);
        assert_eq!((read.key_customer_id, read.request_id.as_deref()), (Some(7), Some("r-1")));
    }

    #[test]
    fn the_records_of_many_devices_are_each_in_the_stream_of_their_device_once() {
        let packed = prepared(&samples((0..200).chain(0..200))).pack();
        assert!((60..=64).contains(&packed.len()), "{}", packed.len());
        let mut devices = Vec::new();
        for (stream, packed) in packed {
            for item in unpack(&packed, 1 << 20).unwrap().read(&context()).unwrap().items {
                assert_eq!(UploadStream::new(partition_of(item.device_sn()), false), stream);
                devices.push(item.device_sn().to_owned());
            }
        }
        devices.sort();
        let mut expected: Vec<String> = (0..200).chain(0..200).map(|device| format!("W-{device}")).collect();
        expected.sort();
        assert_eq!(devices, expected);
    }

    #[test]
    fn an_urgent_event_has_a_stream_of_its_own() {
        let streams = |event_type: &str| {
            let body =
                json!({ "eventType": event_type, "deviceSn": "W-1", "timestamp": 1747454400 }).to_string();
            let origin = origin(Source::Event, &body);
            let upload = event::parse(&origin.body, &context()).unwrap().upload;
            PreparedUpload::new(origin, &upload).streams().collect::<Vec<_>>()
        };
        let partition = partition_of("W-1");
        assert_eq!(streams("a.b.SOS_EVENT"), [UploadStream::new(partition, true)]);
        assert_eq!(streams("a.b.WEAR_STATUS_CHANGED"), [UploadStream::new(partition, false)]);
    }

    #[test]
    fn the_partition_of_a_device_is_fixed() {
        assert_eq!(["W-1", "W-2", "手表"].map(partition_of), PARTITIONS_OF_RELEASES);
    }

    /// An upload that one release has buffered is followed by those of the next.
    const PARTITIONS_OF_RELEASES: [u8; 3] = [53, 48, 44];

    #[test]
    fn a_record_of_a_later_release_is_not_taken_for_corrupt() {
        let mut packed = prepared(&samples(0..1)).pack()[0].1.to_vec();
        packed[0] = VERSION + 1;
        assert_eq!(unpack(&packed, 1 << 20), Err(UnpackError::Later(VERSION + 1)));
        packed[0] = 0;
        assert!(matches!(unpack(&packed, 1 << 20), Err(UnpackError::Corrupt(_))));
        packed[0] = VERSION;
        packed.truncate(20);
        assert!(matches!(unpack(&packed, 1 << 20), Err(UnpackError::Corrupt(_))));
        assert!(matches!(unpack(&[], 1 << 20), Err(UnpackError::Corrupt(_))));
    }

    #[test]
    fn what_takes_more_memory_than_allowed_is_not_unpacked() {
        let packed = prepared(&samples(std::iter::repeat_n(3, 1000))).pack();
        assert!(matches!(unpack(&packed[0].1, 1000), Err(UnpackError::Corrupt(_))));
    }
}
