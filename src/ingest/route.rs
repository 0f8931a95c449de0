//! Which writer takes what of an upload.
//!
//! Before: `Ingest::submit` has the upload. After: each part goes into the queue of its writer.
//! Promise: a device's readings of now always go to the same shard; an upload that holds events or device information goes whole
//! to one lane, so that an event and its sample are one transaction, unless it spans more days than a transaction may. What
//! is far goes to a lane of its own: an upload of years costs nobody but its sender.

use std::hash::Hasher;

use siphasher::sip::SipHasher13;

use super::days;
use super::writer::Manner;
use crate::model::{Reject, Source, Upload};

/// A writer besides the shards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lane {
    /// Events that may wait for one another, and device information.
    Event,
    /// Events that wait for nothing.
    Urgent,
    /// Records of long ago, see `ingest::days`.
    Far,
}

impl Lane {
    /// All of them; their queues follow those of the shards in this order.
    pub(super) const ALL: [Self; 3] = [Self::Event, Self::Urgent, Self::Far];

    /// Word for metrics.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Event => "event",
            Self::Urgent => "urgent",
            Self::Far => "far",
        }
    }

    /// How its writer goes about it.
    pub(super) const fn manner(self) -> Manner {
        match self {
            Self::Event | Self::Urgent => Manner::Prompt,
            Self::Far => Manner::Far,
        }
    }

    /// The lane of `upload`; `None`: it goes to the shards.
    fn of(upload: &Upload) -> Option<Self> {
        let is_prompt = |reject: &Reject| matches!(reject.source, Source::Event | Source::DeviceInfo);
        if upload.events.iter().any(|item| item.event.is_urgent()) {
            return Some(Self::Urgent);
        }
        let prompt = !upload.events.is_empty() || !upload.device_infos.is_empty();
        (prompt || upload.rejects.iter().any(is_prompt)).then_some(Self::Event)
    }
}

/// The parts of `upload`, each with the number of its queue. Rejects go with the first part: they have no key that could
/// collide.
pub(super) fn split(mut upload: Upload, shards: usize) -> Vec<(usize, Upload)> {
    let far = shards + Lane::Far as usize;
    if let Some(lane) = Lane::of(&upload) {
        let number = shards + lane as usize;
        if days::of(&upload).len() <= days::MAX_DAYS {
            return vec![(number, upload)];
        }
        return vec![(far, take_far(&mut upload)), (number, upload)];
    }
    let mut parts: Vec<(usize, Upload)> = Vec::with_capacity(1);
    for item in std::mem::take(&mut upload.items) {
        let is_far = days::is_far(item.reading.ts, item.received_at);
        let shard = if is_far { far } else { shard_of(&item.reading.device_sn, shards) };
        match parts.iter_mut().find(|(number, _)| *number == shard) {
            Some((_, part)) => part.items.push(item),
            None => parts.push((shard, Upload { items: vec![item], ..Upload::default() })),
        }
    }
    match parts.first_mut() {
        Some((_, part)) => part.rejects = upload.rejects,
        None => parts.push((0, upload)),
    }
    parts
}

/// What of `upload` is far.
fn take_far(upload: &mut Upload) -> Upload {
    Upload {
        items: upload.items.extract_if(.., |it| days::is_far(it.reading.ts, it.received_at)).collect(),
        events: upload.events.extract_if(.., |it| days::is_far(it.event.ts, it.received_at)).collect(),
        device_infos: upload
            .device_infos
            .extract_if(.., |it| days::is_far(it.info.ts, it.received_at))
            .collect(),
        ..Upload::default()
    }
}

/// Which shard a device belongs to: the same in every process.
pub(super) fn shard_of(device_sn: &str, shards: usize) -> usize {
    let mut hasher = SipHasher13::new();
    hasher.write(device_sn.as_bytes());
    usize::try_from(hasher.finish() % shards as u64).expect("less than the shards")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ingest::test_records::item;

    #[test]
    fn what_is_far_goes_to_its_lane_and_the_rest_to_the_shard_of_its_device() {
        let now = 1_767_294_245;
        let days_ago = |days: i64| item("A", now - days * 86_400, now);
        let upload = Upload {
            items: vec![days_ago(0), days_ago(13), days_ago(15), days_ago(900)],
            ..Upload::default()
        };
        let parts = split(upload, 2);
        let counts: Vec<(usize, usize)> =
            parts.iter().map(|(number, part)| (*number, part.received())).collect();
        assert_eq!(counts, [(shard_of("A", 2), 2), (2 + Lane::Far as usize, 2)]);
    }
}
