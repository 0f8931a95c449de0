//! Which writer takes what of an upload.
//!
//! Before: `Ingest::submit` has the upload. After: each part goes into the queue of its writer.
//! Promise: a device's readings always go to the same shard; an upload that holds events or device information goes whole
//! to one lane, so that an event and its sample are one transaction.

use std::hash::Hasher;

use siphasher::sip::SipHasher13;

use crate::model::{Reject, Source, Upload};

/// A writer besides the shards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lane {
    /// Events that may wait for one another, and device information.
    Event,
    /// Events that wait for nothing.
    Urgent,
}

impl Lane {
    /// All of them; their queues follow those of the shards in this order.
    pub(super) const ALL: [Self; 2] = [Self::Event, Self::Urgent];

    /// Word for metrics.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Event => "event",
            Self::Urgent => "urgent",
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
    if let Some(lane) = Lane::of(&upload) {
        return vec![(shards + lane as usize, upload)];
    }
    let mut parts: Vec<(usize, Upload)> = Vec::with_capacity(1);
    for item in std::mem::take(&mut upload.items) {
        let shard = shard_of(&item.reading.device_sn, shards);
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

/// Which shard a device belongs to: the same in every process.
pub(super) fn shard_of(device_sn: &str, shards: usize) -> usize {
    let mut hasher = SipHasher13::new();
    hasher.write(device_sn.as_bytes());
    usize::try_from(hasher.finish() % shards as u64).expect("less than the shards")
}
