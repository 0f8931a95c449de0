//! Folds the repeats inside a batch: one row per key, sorted, with the records that share it.
//!
//! Before: `ingest::writer` has gathered parts. After: it writes the rows and answers each record's sender.
//! Promise: every record is in exactly one row's group; rows are in the order of the key, which COPY likes best.

use std::cmp::Ordering;
use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;

use super::Part;
use crate::config::Duplicates;
use crate::model::{
    DeviceInfo, DeviceInfoItem, EventItem, Item, Owner, Reading, Refusal, Reject, RejectReason, Source,
};

/// Where a record came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    /// Which of the gathered parts.
    pub(super) part: usize,
    /// Place in its upload.
    pub(super) index: u32,
    /// The record as it was sent.
    pub(super) text: Bytes,
    /// What the objects around it said for it.
    pub(super) inherited: Option<Arc<str>>,
    /// The kind of record.
    pub(super) source: Source,
}

impl Place {
    /// The place of `record`, which came with `part`.
    pub(super) fn of(record: &impl Record, part: usize) -> Self {
        let origin = record.origin();
        Self {
            part,
            index: origin.index,
            text: origin.text.clone(),
            inherited: origin.inherited.cloned(),
            source: origin.source,
        }
    }
}

/// One row to write, and the records it stands for; the first of them is the one counted as stored.
#[derive(Debug)]
pub(super) struct Row<R = Item> {
    pub(super) item: R,
    pub(super) places: Vec<Place>,
}

/// A record that may be sent twice.
pub(super) trait Record: Sized {
    /// By key.
    fn order(&self, other: &Self) -> Ordering;
    /// What it came as.
    fn origin(&self) -> Origin<'_>;
    /// The reject it is, should the database refuse it.
    fn refused(&self, place: &Place, detail: &str) -> Reject {
        let Origin { device_sn, received_at, key_customer_id, .. } = self.origin();
        Reject {
            refusal: Refusal {
                index: place.index,
                reason: RejectReason::RefusedByDatabase,
                detail: detail.to_owned(),
            },
            device_sn: Some(device_sn.to_owned()),
            text: place.text.clone(),
            inherited: place.inherited.clone(),
            source: place.source,
            received_at,
            key_customer_id,
        }
    }
    /// Takes what another record of the same key adds.
    fn join(&mut self, repeat: Self, duplicates: Duplicates);
}

/// What a record came as.
pub(super) struct Origin<'r> {
    index: u32,
    text: &'r Bytes,
    inherited: Option<&'r Arc<str>>,
    source: Source,
    device_sn: &'r str,
    received_at: Timestamp,
    key_customer_id: Option<i64>,
}

impl<R: Record> Row<R> {
    /// Every record of the row, as rejects, should the database refuse it.
    pub(super) fn rejects(&self, detail: &str) -> impl Iterator<Item = Reject> {
        self.places.iter().map(move |place| self.item.refused(place, detail))
    }
}

/// Takes the records of one kind out of `parts` and folds them.
pub(super) fn fold<R: Record>(
    parts: &mut [Part],
    kind: impl Fn(&mut Part) -> &mut Vec<R>,
    duplicates: Duplicates,
) -> Vec<Row<R>> {
    let mut records: Vec<(R, Place)> =
        Vec::with_capacity(parts.iter_mut().map(|part| kind(part).len()).sum());
    for (number, part) in parts.iter_mut().enumerate() {
        records.extend(std::mem::take(kind(part)).into_iter().map(|record| {
            let place = Place::of(&record, number);
            (record, place)
        }));
    }
    fold_records(records, duplicates)
}

/// Folds records that have their places already.
pub(super) fn fold_records<R: Record>(mut records: Vec<(R, Place)>, duplicates: Duplicates) -> Vec<Row<R>> {
    // Stable: among records of one key, the order of arrival stays.
    records.sort_by(|(a, _), (b, _)| a.order(b));
    let mut rows: Vec<Row<R>> = Vec::with_capacity(records.len());
    for (record, place) in records {
        match rows.last_mut() {
            Some(row) if row.item.order(&record).is_eq() => {
                row.places.push(place);
                row.item.join(record, duplicates);
            }
            _ => rows.push(Row { item: record, places: vec![place] }),
        }
    }
    rows
}

impl Record for Item {
    fn order(&self, other: &Self) -> Ordering {
        let (reading, other) = (&self.reading, &other.reading);
        (&reading.device_sn, reading.ts).cmp(&(&other.device_sn, other.ts))
    }

    fn origin(&self) -> Origin<'_> {
        Origin {
            index: self.index,
            text: &self.text,
            inherited: self.inherited.as_ref(),
            source: self.source,
            device_sn: &self.reading.device_sn,
            received_at: self.received_at,
            key_customer_id: self.key_customer_id,
        }
    }

    fn join(&mut self, repeat: Self, duplicates: Duplicates) {
        let mut documents = std::mem::take(&mut self.reading.documents);
        documents.extend(repeat.reading.documents.iter().cloned());
        match duplicates {
            Duplicates::Fill => fill(&mut self.reading, repeat.reading),
            Duplicates::Keep => {}
            Duplicates::Replace => *self = repeat,
        }
        self.reading.documents = documents;
    }
}

impl Record for EventItem {
    fn order(&self, other: &Self) -> Ordering {
        let (event, other) = (&self.event, &other.event);
        (&event.device_sn, &event.event_type, event.ts).cmp(&(&other.device_sn, &other.event_type, other.ts))
    }

    fn origin(&self) -> Origin<'_> {
        Origin {
            index: self.index,
            text: &self.text,
            inherited: self.inherited.as_ref(),
            source: Source::Event,
            device_sn: &self.event.device_sn,
            received_at: self.received_at,
            key_customer_id: self.key_customer_id,
        }
    }

    /// The same rule as `sql/queries/device_event/add.sql`, whatever the setting, which is about readings.
    fn join(&mut self, repeat: Self, _duplicates: Duplicates) {
        let (known, given) = (&mut self.event, repeat.event);
        fill_owner(&mut known.owner, given.owner);
        known.value = known.value.take().or(given.value);
        known.latitude = known.latitude.or(given.latitude);
        known.longitude = known.longitude.or(given.longitude);
        known.altitude = known.altitude.or(given.altitude);
        known.action = known.action.take().or(given.action);
    }
}

impl Record for DeviceInfoItem {
    fn order(&self, other: &Self) -> Ordering {
        (&self.info.device_sn, self.info.ts).cmp(&(&other.info.device_sn, other.info.ts))
    }

    fn origin(&self) -> Origin<'_> {
        Origin {
            index: self.index,
            text: &self.text,
            inherited: self.inherited.as_ref(),
            source: Source::DeviceInfo,
            device_sn: &self.info.device_sn,
            received_at: self.received_at,
            key_customer_id: self.key_customer_id,
        }
    }

    /// The same rule as `sql/queries/device_info/add.sql`, whatever the setting, which is about readings.
    fn join(&mut self, repeat: Self, _duplicates: Duplicates) {
        fill_info(&mut self.info, repeat.info);
    }
}

/// What the first left open the second fills; the same rule as `sql/queries/batch/merge_fill.sql`.
fn fill(first: &mut Reading, second: Reading) {
    fill_owner(&mut first.owner, second.owner);
    first.measured = first.measured.or(second.measured);
    first.upload_method = first.upload_method.take().or(second.upload_method);
}

fn fill_owner(known: &mut Owner, given: Owner) {
    *known = known.or(given);
}

fn fill_info(first: &mut DeviceInfo, second: DeviceInfo) {
    fill_owner(&mut first.owner, second.owner);
    if first.system_version.is_none() {
        (first.system_version, first.model) = (second.system_version, second.model);
    }
    first.wifi_address = first.wifi_address.take().or(second.wifi_address);
    first.bluetooth_address = first.bluetooth_address.take().or(second.bluetooth_address);
    first.ip_address = first.ip_address.take().or(second.ip_address);
    first.network_mode = first.network_mode.take().or(second.network_mode);
    first.device_name = first.device_name.take().or(second.device_name);
    first.imei = first.imei.take().or(second.imei);
    first.battery_level = first.battery_level.or(second.battery_level);
    first.voltage = first.voltage.or(second.voltage);
    first.charging_status = first.charging_status.or(second.charging_status);
    first.wear_state = first.wear_state.take().or(second.wear_state);
    first.status = first.status.take().or(second.status);
}
