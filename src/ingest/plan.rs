//! Folds the repeats inside a batch: one row per (device_sn, ts), sorted, with the records that share it.
//!
//! Before: `ingest::writer` has gathered parts. After: it writes the rows and answers each record's sender.
//! Promise: every record is in exactly one row's group; rows are in the order of the key, which COPY likes best.

use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;

use super::Part;
use crate::config::Duplicates;
use crate::model::{Item, Reading, Refusal, Reject, RejectReason, Source};

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
    /// The place of `item`, which came with `part`.
    pub(super) fn of(item: &Item, part: usize) -> Self {
        Self {
            part,
            index: item.index,
            text: item.text.clone(),
            inherited: item.inherited.clone(),
            source: item.source,
        }
    }
}

/// One row to write, and the records it stands for; the first of them is the one counted as stored.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) item: Item,
    pub(super) places: Vec<Place>,
}

impl Row {
    /// Every record of the row, as rejects, should the database refuse it.
    pub(super) fn rejects(&self, detail: &str) -> impl Iterator<Item = Reject> {
        self.places.iter().map(move |place| Reject {
            refusal: Refusal {
                index: place.index,
                reason: RejectReason::RefusedByDatabase,
                detail: detail.to_owned(),
            },
            device_sn: Some(self.item.reading.device_sn.clone()),
            text: place.text.clone(),
            inherited: place.inherited.clone(),
            source: place.source,
            received_at: self.item.received_at,
        })
    }
}

/// Takes the items out of `parts` and folds them.
pub(super) fn fold(parts: &mut [Part], duplicates: Duplicates) -> Vec<Row> {
    let mut records: Vec<(Item, Place)> = Vec::with_capacity(parts.iter().map(|part| part.items.len()).sum());
    for (number, part) in parts.iter_mut().enumerate() {
        records.extend(std::mem::take(&mut part.items).into_iter().map(|item| {
            let place = Place::of(&item, number);
            (item, place)
        }));
    }
    fold_records(records, duplicates)
}

/// Folds records that have their places already.
pub(super) fn fold_records(mut records: Vec<(Item, Place)>, duplicates: Duplicates) -> Vec<Row> {
    // Stable: among records of one key, the order of arrival stays.
    records.sort_by(|(a, _), (b, _)| key(&a.reading).cmp(&key(&b.reading)));
    let mut rows: Vec<Row> = Vec::with_capacity(records.len());
    for (item, place) in records {
        match rows.last_mut() {
            Some(row) if key(&row.item.reading) == key(&item.reading) => {
                row.places.push(place);
                join(&mut row.item, item, duplicates);
            }
            _ => rows.push(Row { item, places: vec![place] }),
        }
    }
    rows
}

fn key(reading: &Reading) -> (&str, Timestamp) {
    (&reading.device_sn, reading.ts)
}

fn join(first: &mut Item, repeat: Item, duplicates: Duplicates) {
    let mut documents = std::mem::take(&mut first.reading.documents);
    documents.extend(repeat.reading.documents.iter().cloned());
    match duplicates {
        Duplicates::Fill => fill(&mut first.reading, repeat.reading),
        Duplicates::Keep => {}
        Duplicates::Replace => *first = repeat,
    }
    first.reading.documents = documents;
}

/// What the first left open the second fills; the same rule as `sql/queries/batch/merge_fill.sql`.
fn fill(first: &mut Reading, second: Reading) {
    let (known, given) = (&mut first.owner, second.owner);
    known.customer_id = known.customer_id.or(given.customer_id);
    known.org_id = known.org_id.or(given.org_id);
    known.user_id = known.user_id.or(given.user_id);
    first.heart_rate = first.heart_rate.or(second.heart_rate);
    first.blood_oxygen = first.blood_oxygen.or(second.blood_oxygen);
    first.temperature = first.temperature.or(second.temperature);
    first.pressure_high = first.pressure_high.or(second.pressure_high);
    first.pressure_low = first.pressure_low.or(second.pressure_low);
    first.stress = first.stress.or(second.stress);
    first.step = first.step.or(second.step);
    first.distance = first.distance.or(second.distance);
    first.calorie = first.calorie.or(second.calorie);
    first.latitude = first.latitude.or(second.latitude);
    first.longitude = first.longitude.or(second.longitude);
    first.altitude = first.altitude.or(second.altitude);
    first.upload_method = first.upload_method.take().or(second.upload_method);
}
