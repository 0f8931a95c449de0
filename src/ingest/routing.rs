//! Which writer takes which part of an upload, and in which pieces.
//!
//! Before: `Ingest::submit` has the upload. After: the first piece of each part is queued at its writer; the next piece follows
//! when the one before it is committed, so that other uploads get between them.
//! Promise: no record is lost or doubled. The current readings of a device always go to the same shard. An upload with events or device
//! information goes to one writer in one piece, so that an event and its sample are in one transaction, unless the upload spans more days
//! than a transaction may. Late data goes to a writer of its own and is split by days, so that an upload of years delays only its sender.

use std::collections::BTreeMap;
use std::vec::IntoIter;

use super::chunks::{self, KnownChunks};
use super::writer::WriteMode;
use crate::model::{Partition, Reject, Source, Upload};

/// Most rows of a piece: other uploads wait for one of them, and a large upload takes little longer than as a whole. Measured in
/// benches/README.md; no other number was tried.
const MAX_PIECE_ROWS: usize = 1000;

/// A writer besides those of the shards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WriterLane {
    /// Events that may wait for one another, and device information.
    Event,
    /// Events that wait for nothing.
    Urgent,
    /// Late data, see `ingest::chunks`.
    Late,
}

impl WriterLane {
    /// All of them; their writers follow those of the shards in this order.
    pub(super) const ALL: [Self; 3] = [Self::Event, Self::Urgent, Self::Late];

    /// The label in metrics.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Event => "event",
            Self::Urgent => "urgent",
            Self::Late => "far",
        }
    }

    pub(super) const fn mode(self) -> WriteMode {
        match self {
            Self::Event | Self::Urgent => WriteMode::LowLatency,
            Self::Late => WriteMode::Late,
        }
    }

    /// The lane of `upload`; `None`: it goes to the shards.
    fn of(upload: &Upload) -> Option<Self> {
        let is_for_lane = |reject: &Reject| matches!(reject.source, Source::Event | Source::DeviceInfo);
        if upload.events.iter().any(|item| item.event.is_urgent()) {
            return Some(Self::Urgent);
        }
        let has_records = !upload.events.is_empty() || !upload.device_infos.is_empty();
        (has_records || upload.rejects.iter().any(is_for_lane)).then_some(Self::Event)
    }
}

/// The number of the writer of late data.
pub(super) const fn late_writer(shards: usize) -> usize {
    shards + WriterLane::Late as usize
}

/// The parts of `upload`, each with the number of its writer. Rejects go with the first part: they have no key that could
/// collide.
pub(super) fn split(mut upload: Upload, shards: usize) -> Vec<(usize, Upload)> {
    if let Some(lane) = WriterLane::of(&upload) {
        let writer = shards + lane as usize;
        if chunks::days_of(&upload).len() <= chunks::MAX_NEW_CHUNKS {
            return vec![(writer, upload)];
        }
        return vec![(late_writer(shards), take_late(&mut upload)), (writer, upload)];
    }
    let mut parts: Vec<(usize, Upload)> = Vec::with_capacity(1);
    for item in std::mem::take(&mut upload.items) {
        let is_late = chunks::is_late(item.reading.ts, item.received_at);
        let writer = if is_late { late_writer(shards) } else { shard_of(&item.reading.device_sn, shards) };
        match parts.iter_mut().find(|(number, _)| *number == writer) {
            Some((_, part)) => part.items.push(item),
            None => parts.push((writer, Upload { items: vec![item], ..Upload::default() })),
        }
    }
    match parts.first_mut() {
        Some((_, part)) => part.rejects = upload.rejects,
        None => parts.push((0, upload)),
    }
    parts
}

fn take_late(upload: &mut Upload) -> Upload {
    Upload {
        items: upload.items.extract_if(.., |it| chunks::is_late(it.reading.ts, it.received_at)).collect(),
        events: upload.events.extract_if(.., |it| chunks::is_late(it.event.ts, it.received_at)).collect(),
        device_infos: upload
            .device_infos
            .extract_if(.., |it| chunks::is_late(it.info.ts, it.received_at))
            .collect(),
        ..Upload::default()
    }
}

/// Which shard a device belongs to. All devices of a partition belong to the same one, so the alerts of batches of different shards are
/// evaluated at the same time.
pub(super) fn shard_of(device_sn: &str, shards: usize) -> usize {
    Partition::of(device_sn).number() as usize % shards
}

/// The pieces of a part of few days, in the order of its records.
pub(super) fn cut(part: Upload) -> IntoIter<Upload> {
    let is_mixed = !part.events.is_empty() || !part.device_infos.is_empty();
    if is_mixed { vec![part] } else { cut_by_rows(part) }.into_iter()
}

/// The pieces of late data: each weighs at most [`chunks::LATE_WEIGHT`].
pub(super) fn cut_by_days(mut part: Upload, known_chunks: &KnownChunks) -> IntoIter<Upload> {
    let mut groups: BTreeMap<(bool, i64), Upload> = BTreeMap::new();
    for item in part.items {
        groups.entry(known_chunks.group_of(item.reading.ts)).or_default().items.push(item);
    }
    for item in part.events {
        groups.entry(known_chunks.group_of(item.event.ts)).or_default().events.push(item);
    }
    for item in part.device_infos {
        groups.entry(known_chunks.group_of(item.info.ts)).or_default().device_infos.push(item);
    }
    let mut pieces: Vec<Upload> = groups.into_values().collect();
    match pieces.first_mut() {
        Some(first) => first.rejects = std::mem::take(&mut part.rejects),
        None => pieces.push(Upload { rejects: part.rejects, ..Upload::default() }),
    }
    pieces.into_iter().flat_map(cut_by_rows).collect::<Vec<_>>().into_iter()
}

/// Readings and rejects, [`MAX_PIECE_ROWS`] at a time; the few events and device information with the first of them.
fn cut_by_rows(part: Upload) -> Vec<Upload> {
    if part.received() <= MAX_PIECE_ROWS {
        return vec![part];
    }
    let (mut items, mut rejects) = (part.items.into_iter(), part.rejects.into_iter());
    let mut pieces = Vec::new();
    let mut piece = Upload { events: part.events, device_infos: part.device_infos, ..Upload::default() };
    loop {
        piece.items = items.by_ref().take(MAX_PIECE_ROWS).collect();
        piece.rejects = rejects.by_ref().take(MAX_PIECE_ROWS - piece.items.len()).collect();
        if piece.received() == 0 {
            return pieces;
        }
        pieces.push(std::mem::take(&mut piece));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ingest::test_records::{item, reject};

    #[test]
    fn late_data_goes_to_its_lane_and_the_rest_to_the_shard_of_its_device() {
        let now = 1_767_294_245;
        let days_ago = |days: i64| item("A", now - days * 86_400, now);
        let upload = Upload {
            items: vec![days_ago(0), days_ago(13), days_ago(15), days_ago(900)],
            ..Upload::default()
        };
        let parts = split(upload, 2);
        let counts: Vec<(usize, usize)> =
            parts.iter().map(|(number, part)| (*number, part.received())).collect();
        assert_eq!(counts, [(shard_of("A", 2), 2), (late_writer(2), 2)]);
    }

    #[test]
    fn every_record_is_in_one_piece_in_its_order() {
        for count in [1, MAX_PIECE_ROWS, MAX_PIECE_ROWS + 1, 5 * MAX_PIECE_ROWS + 7] {
            let part = Upload { rejects: (0..count).map(reject).collect(), ..Upload::default() };
            let pieces: Vec<Upload> = cut(part).collect();
            assert!(pieces.iter().all(|piece| piece.received() <= MAX_PIECE_ROWS));
            assert_eq!(pieces.len(), count.div_ceil(MAX_PIECE_ROWS));
            let indices = pieces.iter().flat_map(|piece| &piece.rejects).map(|it| it.refusal.index as usize);
            assert!(indices.eq(0..count));
        }
    }

    #[test]
    fn late_data_is_cut_by_days_and_by_rows() {
        let days = 100;
        let mut part = Upload { rejects: vec![reject(0)], ..Upload::default() };
        for day in (0..days).rev() {
            part.items.push(item("A", day * 86_400, days * 86_400));
        }
        part.items.extend((0..2 * MAX_PIECE_ROWS as i64).map(|second| item("B", second, days * 86_400)));
        let all = part.received();
        let known = KnownChunks::default();
        let pieces: Vec<Upload> = cut_by_days(part.clone(), &known).collect();
        assert!(pieces.iter().all(|piece| known.weight(&chunks::days_of(piece)) <= chunks::LATE_WEIGHT));
        assert!(pieces.iter().all(|piece| piece.received() <= MAX_PIECE_ROWS));
        assert_eq!(pieces.iter().map(Upload::received).sum::<usize>(), all);
        assert_eq!(pieces.len(), 15, "13 groups of days, the first in 3 pieces");
        // When it is sent again, nearly all chunks exist: the new one comes first, the others take few transactions.
        known.add(part.items.iter().map(|item| item.reading.ts).filter(|ts| chunks::day_of(*ts) != 50));
        let pieces: Vec<Upload> = cut_by_days(part, &known).collect();
        assert!(pieces.iter().all(|piece| known.weight(&chunks::days_of(piece)) <= chunks::LATE_WEIGHT));
        assert_eq!(chunks::days_of(&pieces[0]).into_iter().collect::<Vec<_>>(), [50]);
        assert_eq!(pieces.iter().map(Upload::received).sum::<usize>(), all);
        assert_eq!(pieces.len(), 4);
    }
}
