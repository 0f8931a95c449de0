//! The record `vitals:timeline`: which timeline of the database Redis holds, and up to which transaction.
//!
//! Before: `timeline` compares the record with the database. After: every versioned value in Redis carries the number.
//! Promise: the number only rises as long as Redis keeps it; of two instances that find the database gone back, one raises it.

use std::sync::atomic::Ordering;

use redis::pipe;

use super::{Cache, CacheError};

const KEY: &str = "vitals:timeline";

/// ARGV: the timeline that was read, origin, position, whether the number rises. -1: another instance changed it first. A new
/// number is at least the time in seconds, so that the first one after a flush is above those that an instance may still write with.
const UPDATE: &str = "local number = tonumber(redis.call('HGET', KEYS[1], 'number') or '0') \
     if number ~= tonumber(ARGV[1]) then return -1 end \
     local position = tonumber(redis.call('HGET', KEYS[1], 'position') or '0') \
     if ARGV[4] == '1' then \
         number = math.max(number + 1, tonumber(redis.call('TIME')[1])) position = 0 \
     end \
     if tonumber(ARGV[3]) > position then position = tonumber(ARGV[3]) end \
     redis.call('HSET', KEYS[1], 'number', string.format('%.0f', number), 'origin', ARGV[2], \
         'position', string.format('%.0f', position)) \
     return number";

/// What Redis has on record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimelineRecord {
    number: i64,
    origin: String,
    position: i64,
}

/// How far the history of the database has come.
#[derive(Debug, Clone, Copy)]
pub struct DatabasePosition<'a> {
    /// The database and its history: a restore or a promotion changes it.
    pub origin: &'a str,
    /// Number of the last transaction.
    pub number: i64,
}

impl TimelineRecord {
    /// Whether the present database never reached the recorded position.
    fn went_back(&self, database: DatabasePosition<'_>) -> bool {
        self.number == 0 || self.origin != database.origin || database.number < self.position
    }
}

impl Cache {
    /// The timeline, if this instance knows it.
    pub fn timeline(&self) -> Option<i64> {
        Some(self.shared.timeline.load(Ordering::SeqCst)).filter(|number| *number > 0)
    }

    /// The database may have gone back: nothing is read or written until the timeline is resolved once more.
    pub fn forget_timeline(&self) {
        self.shared.timeline.store(0, Ordering::SeqCst);
    }
}

/// Reads the record.
///
/// # Errors
/// Redis did not answer.
pub async fn read(cache: &Cache) -> Result<TimelineRecord, CacheError> {
    cache.connect().await?;
    let mut pipeline = pipe();
    pipeline.cmd("HMGET").arg(KEY).arg("number").arg("origin").arg("position");
    type Fields = (Option<i64>, Option<String>, Option<i64>);
    let ((number, origin, position),): (Fields,) = cache.send(&pipeline).await?;
    Ok(TimelineRecord {
        number: number.unwrap_or_default(),
        origin: origin.unwrap_or_default(),
        position: position.unwrap_or_default(),
    })
}

/// Records the position of the database, which was read after `record`; gives the timeline, which rises if the database went back, or
/// if `is_behind`: what Redis holds is of a later one. `None`: the record changed in between.
///
/// # Errors
/// Redis did not answer.
pub async fn update(
    cache: &Cache,
    record: &TimelineRecord,
    database: DatabasePosition<'_>,
    is_behind: bool,
) -> Result<Option<i64>, CacheError> {
    let mut pipeline = pipe();
    pipeline.cmd("EVAL").arg(UPDATE).arg(1).arg(KEY);
    pipeline
        .arg(record.number)
        .arg(database.origin)
        .arg(database.number)
        .arg(i64::from(is_behind || record.went_back(database)));
    let (number,): (i64,) = cache.send(&pipeline).await?;
    if number < 0 {
        return Ok(None);
    }
    cache.shared.timeline.store(number, Ordering::SeqCst);
    Ok(Some(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_that_is_behind_or_another_went_back() {
        let record = TimelineRecord { number: 3, origin: "a".into(), position: 100 };
        let went_back = |origin, number| record.went_back(DatabasePosition { origin, number });
        assert!(!went_back("a", 100) && !went_back("a", 101));
        assert!(went_back("a", 99) && went_back("b", 200));
        let nothing = TimelineRecord { number: 0, origin: String::new(), position: 0 };
        assert!(
            nothing.went_back(DatabasePosition { origin: "a", number: 1 }),
            "Redis was flushed, or is new"
        );
    }
}
