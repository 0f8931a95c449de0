//! Folds the repeats inside a batch: one row per key, sorted, with the origins of all records that share the row.
//!
//! Before: `ingest::writer` has gathered uploads. After: it writes the rows and answers the sender of each record.
//! Promise: every record is in exactly one row; rows are sorted by key, which is the fastest order for COPY.

use std::cmp::Ordering;
use std::sync::Arc;

use bytes::Bytes;

use super::QueuedUpload;
use crate::config::Duplicates;
use crate::model::upload::UploadedRecord;
use crate::model::{
    DeviceInfo, DeviceInfoItem, EventItem, Item, Owner, Reading, Refusal, Reject, RejectReason, Source,
};

/// Where a record came from: what is needed to answer its sender, and to reject it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Origin {
    /// Which of the gathered uploads.
    pub(super) upload: usize,
    /// Position in its upload, from 0.
    pub(super) index: u32,
    /// The record as it was sent.
    pub(super) text: Bytes,
    /// What the objects around it say for it, see [`Reject::inherited`].
    pub(super) inherited: Option<Arc<str>>,
    /// The kind of record.
    pub(super) source: Source,
}

/// One row to write, and the origins of the records that it stands for.
#[derive(Debug)]
pub(super) struct Row<R = Item> {
    pub(super) record: R,
    /// Of the record that counts as stored if the row is new.
    pub(super) first: Origin,
    /// Of the others, which count as duplicates.
    pub(super) repeats: Vec<Origin>,
}

impl<R: Record> Row<R> {
    /// The row of `record`, which came with the upload of this number.
    pub(super) fn new(record: R, upload: usize) -> Self {
        let first = record.origin(upload);
        Self { record, first, repeats: Vec::new() }
    }

    /// Every record of the row as a reject, because the database refuses the row.
    pub(super) fn rejects(&self, detail: &str) -> impl Iterator<Item = Reject> {
        self.origins().map(move |origin| {
            let refusal = Refusal {
                index: origin.index,
                reason: RejectReason::RefusedByDatabase,
                detail: detail.to_owned(),
            };
            Reject {
                text: origin.text.clone(),
                inherited: origin.inherited.clone(),
                source: origin.source,
                ..self.record.clone().reject(refusal)
            }
        })
    }
}

impl<R> Row<R> {
    /// Of all its records, the one that counts as stored first.
    pub(super) fn origins(&self) -> impl Iterator<Item = &Origin> {
        std::iter::once(&self.first).chain(&self.repeats)
    }
}

/// A record that may be sent twice.
pub(super) trait Record: UploadedRecord + Clone {
    /// By key.
    fn cmp_key(&self, other: &Self) -> Ordering;
    /// Where it came from.
    fn origin(&self, upload: usize) -> Origin;
    /// Adds what a repeat of the same key holds, which may be taken out of it.
    fn merge(&mut self, repeat: &mut Self, duplicates: Duplicates);
}

/// Takes the records of one kind out of the uploads and folds them.
pub(super) fn fold<R: Record>(
    uploads: &mut [QueuedUpload],
    kind: impl Fn(&mut QueuedUpload) -> &mut Vec<R>,
    duplicates: Duplicates,
) -> Vec<Row<R>> {
    let mut rows = Vec::with_capacity(uploads.iter_mut().map(|upload| kind(upload).len()).sum());
    for (number, upload) in uploads.iter_mut().enumerate() {
        rows.extend(std::mem::take(kind(upload)).into_iter().map(|record| Row::new(record, number)));
    }
    fold_rows(&mut rows, duplicates);
    rows
}

/// Sorts the rows by key, and merges those of one key.
pub(super) fn fold_rows<R: Record>(rows: &mut Vec<Row<R>>, duplicates: Duplicates) {
    // A stable sort: records of one key stay in the order in which they arrived.
    rows.sort_by(|a, b| a.record.cmp_key(&b.record));
    rows.dedup_by(|repeat, row| {
        let is_same_key = row.record.cmp_key(&repeat.record).is_eq();
        if is_same_key {
            row.record.merge(&mut repeat.record, duplicates);
            row.repeats.push(std::mem::take(&mut repeat.first));
        }
        is_same_key
    });
}

impl Record for Item {
    fn cmp_key(&self, other: &Self) -> Ordering {
        let (reading, other) = (&self.reading, &other.reading);
        (&reading.device_sn, reading.ts).cmp(&(&other.device_sn, other.ts))
    }

    fn origin(&self, upload: usize) -> Origin {
        let (text, inherited) = (self.text.clone(), self.inherited.clone());
        Origin { upload, index: self.index, text, inherited, source: self.source }
    }

    fn merge(&mut self, repeat: &mut Self, duplicates: Duplicates) {
        let mut documents = std::mem::take(&mut self.reading.documents);
        documents.append(&mut repeat.reading.documents);
        match duplicates {
            Duplicates::Fill => fill(&mut self.reading, &mut repeat.reading),
            Duplicates::Keep => {}
            Duplicates::Replace => std::mem::swap(self, repeat),
        }
        self.reading.documents = documents;
    }
}

impl Record for EventItem {
    fn cmp_key(&self, other: &Self) -> Ordering {
        let (event, other) = (&self.event, &other.event);
        (&event.device_sn, &event.event_type, event.ts).cmp(&(&other.device_sn, &other.event_type, other.ts))
    }

    fn origin(&self, upload: usize) -> Origin {
        let (text, inherited) = (self.text.clone(), self.inherited.clone());
        Origin { upload, index: self.index, text, inherited, source: Source::Event }
    }

    /// The same rule as `sql/queries/device_event/add.sql`. The setting `duplicates` is about readings only.
    fn merge(&mut self, repeat: &mut Self, _duplicates: Duplicates) {
        let (first, second) = (&mut self.event, &mut repeat.event);
        fill_owner(&mut first.owner, second.owner);
        first.value = first.value.take().or(second.value.take());
        first.latitude = first.latitude.or(second.latitude);
        first.longitude = first.longitude.or(second.longitude);
        first.altitude = first.altitude.or(second.altitude);
        first.action = first.action.take().or(second.action.take());
    }
}

impl Record for DeviceInfoItem {
    fn cmp_key(&self, other: &Self) -> Ordering {
        (&self.info.device_sn, self.info.ts).cmp(&(&other.info.device_sn, other.info.ts))
    }

    fn origin(&self, upload: usize) -> Origin {
        let (text, inherited) = (self.text.clone(), self.inherited.clone());
        Origin { upload, index: self.index, text, inherited, source: Source::DeviceInfo }
    }

    /// The same rule as `sql/queries/device_info/add.sql`. The setting `duplicates` is about readings only.
    fn merge(&mut self, repeat: &mut Self, _duplicates: Duplicates) {
        fill_info(&mut self.info, &mut repeat.info);
    }
}

/// The second fills what is missing in the first; the same rule as `sql/queries/batch/merge_fill.sql`.
fn fill(first: &mut Reading, second: &mut Reading) {
    fill_owner(&mut first.owner, second.owner);
    first.measured = first.measured.or(second.measured);
    first.upload_method = first.upload_method.take().or(second.upload_method.take());
}

fn fill_owner(first: &mut Owner, second: Owner) {
    *first = first.or(second);
}

fn fill_info(first: &mut DeviceInfo, second: &mut DeviceInfo) {
    fill_owner(&mut first.owner, second.owner);
    if first.system_version.is_none() {
        (first.system_version, first.model) = (second.system_version.take(), second.model.take());
    }
    first.wifi_address = first.wifi_address.take().or(second.wifi_address.take());
    first.bluetooth_address = first.bluetooth_address.take().or(second.bluetooth_address.take());
    first.ip_address = first.ip_address.take().or(second.ip_address.take());
    first.network_mode = first.network_mode.take().or(second.network_mode.take());
    first.device_name = first.device_name.take().or(second.device_name.take());
    first.imei = first.imei.take().or(second.imei.take());
    first.battery_level = first.battery_level.or(second.battery_level);
    first.voltage = first.voltage.or(second.voltage);
    first.charging_status = first.charging_status.or(second.charging_status);
    first.wear_state = first.wear_state.take().or(second.wear_state.take());
    first.status = first.status.take().or(second.status.take());
}
