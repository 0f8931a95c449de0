//! What became of the records of a batch, by kind.
//!
//! Before: `store::batch` has written the rows. After: `store::accounting` keeps the accounts.
//! Promise: every record of the batch is counted once, also those that share a row and those that are rejected.

use super::{Batch, Written};
use crate::model::Source;
use crate::store::accounting::BatchAccount;

/// What became of the records, by kind.
pub(super) fn of<'a>(batch: &Batch<'a>, written: &Written) -> [BatchAccount<'a>; 3] {
    let rejected = |kind| batch.rejects.iter().filter(|reject| kind_of(reject.source) == kind).count();
    let account = |kind, copied: usize, merged: &[bool], folded: usize| {
        let new = merged.iter().filter(|new| **new).count();
        BatchAccount {
            instance: batch.instance,
            shard: batch.shard,
            kind,
            stored: copied + new,
            duplicate: folded + merged.len() - new,
            rejected: rejected(kind),
            replayed: 0,
        }
    };
    let folded = batch.folded;
    [
        account("reading", batch.fresh.len(), &written.inserted, folded.readings),
        account("event", 0, &written.events, folded.events),
        account("device_info", 0, &written.device_infos, folded.device_infos),
    ]
}

/// Under which kind of record an item of this route is counted.
pub const fn kind_of(source: Source) -> &'static str {
    match source {
        Source::Health | Source::HealthBatch | Source::Buffer => "reading",
        Source::Event => "event",
        Source::DeviceInfo => "device_info",
    }
}
