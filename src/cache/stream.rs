//! Streams of uploads, on a Redis of their own: append, and know on how many disks it is; read under a lease; remove.
//!
//! Before: `buffer` appends uploads, and drains them. After: Redis Streams, with one consumer group.
//! Promise: a stream is read by whoever holds its lease, which every read checks in the script that reads. What is removed leaves the group
//! and the stream in one step. No command names keys of two slots: a stream, its urgent one and their leases have the same hash tag.

mod entry;
mod lease;
pub mod shadow;
mod stream_master;
pub mod urgent_mark;

use std::time::Duration;

use bytes::Bytes;
use redis::{Value, pipe};

use super::{Cache, CacheError};
use crate::model::Partition;
pub use entry::StreamEntry;
use entry::entry_of;
pub use lease::StreamLease;
pub use stream_master::{Persistence, StreamMasters};

/// Partitions of the devices; each has a stream for urgent events, and one for everything else.
const PARTITIONS: u8 = Partition::COUNT;

/// The consumer group that drains.
const GROUP: &str = "drain";

/// The only field of an entry.
const FIELD: &str = "upload";

/// Creates the group from the first entry on. Gives -1 if there is one, else the length of the stream. It takes little memory, and without it
/// nothing is drained, so it is allowed when all memory is used.
const CREATE_GROUP: &str = "#!lua flags=allow-oom\n\
     if redis.call('EXISTS', KEYS[1]) == 1 then \
         for _, group in ipairs(redis.call('XINFO', 'GROUPS', KEYS[1])) do for at = 1, #group, 2 do \
             if group[at] == 'name' and group[at + 1] == ARGV[1] then return -1 end \
         end end \
     end \
     redis.call('XGROUP', 'CREATE', KEYS[1], ARGV[1], '0', 'MKSTREAM') \
     return redis.call('XLEN', KEYS[1])";

/// Length, age of the oldest entry in milliseconds, memory in bytes, entries that a consumer has, entries that none has read yet or -1.
const MEASURE: &str = "local length = redis.call('XLEN', KEYS[1]) \
     if length == 0 then return {0, 0, 0, 0, 0} end \
     local first = redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', 1)[1][1] \
     local now = redis.call('TIME') \
     local age = now[1] * 1000 + math.floor(now[2] / 1000) - tonumber(string.match(first, '^%d+')) \
     local pending, lag, groups = 0, length, redis.call('XINFO', 'GROUPS', KEYS[1]) \
     for _, group in ipairs(groups) do for at = 1, #group, 2 do \
         if group[at] == 'pending' then pending = group[at + 1] end \
         if group[at] == 'lag' then lag = group[at + 1] or -1 end \
     end end \
     return {length, age, redis.call('MEMORY', 'USAGE', KEYS[1]), pending, lag}";

/// In one step, so that no entry stays that no consumer would be given. XACKDEL (Redis 8.2) does the same.
const REMOVE: &str = "redis.call('XACK', KEYS[1], ARGV[1], unpack(ARGV, 2)) \
     return redis.call('XDEL', KEYS[1], unpack(ARGV, 2))";

/// A stream of uploads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UploadStream {
    partition: u8,
    is_urgent: bool,
}

impl UploadStream {
    /// How many there are.
    pub const COUNT: usize = 2 * PARTITIONS as usize;

    /// The stream of a partition, from 0.
    pub const fn new(partition: u8, is_urgent: bool) -> Self {
        Self { partition: partition % PARTITIONS, is_urgent }
    }

    /// All of them, the urgent ones first.
    pub fn all() -> impl Iterator<Item = Self> {
        let of = |is_urgent| (0..PARTITIONS).map(move |partition| Self::new(partition, is_urgent));
        of(true).chain(of(false))
    }

    /// Its position in [`Self::all`].
    pub const fn index(self) -> usize {
        self.partition as usize + if self.is_urgent { 0 } else { PARTITIONS as usize }
    }

    /// Whether it holds urgent events.
    pub const fn is_urgent(self) -> bool {
        self.is_urgent
    }

    /// Its name for people: `17`, or `urgent-17`.
    pub fn name(self) -> String {
        if self.is_urgent { format!("urgent-{}", self.partition) } else { self.partition.to_string() }
    }

    /// The stream of this name.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::all().find(|stream| stream.name() == name)
    }

    fn key(self) -> String {
        let kind = if self.is_urgent { "urgent_upload" } else { "upload" };
        format!("vitals:{kind}:{{{}}}", self.partition)
    }

    fn lease_key(self) -> String {
        format!("{}:lease", self.key())
    }
}

/// How an appended group is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Copies {
    /// The master has it on its disk: 1, else 0.
    pub local: u32,
    /// Replicas that have it on their disks.
    pub replicas: u32,
}

/// Appends entries to streams of one master, and waits until they are on `copies` disks, or until `wait` is over.
///
/// # Errors
/// Redis did not answer, or refused an entry. Any of them may have been appended all the same.
pub async fn append(
    cache: &Cache,
    masters: &StreamMasters,
    number: usize,
    entries: &[(UploadStream, Bytes)],
    copies: u32,
    wait: Duration,
) -> Result<Copies, CacheError> {
    let mut pipeline = pipe();
    for (stream, upload) in entries {
        pipeline.cmd("XADD").arg(stream.key()).arg("*").arg(FIELD).arg(&upload[..]);
    }
    let wait_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
    pipeline.cmd("WAITAOF").arg(1).arg(copies - 1).arg(wait_ms);
    let answers: Vec<Value> = masters.send(cache, number, &pipeline).await?;
    let answer = answers.into_iter().next_back().unwrap_or(Value::Nil);
    let (local, replicas) = redis::from_redis_value(answer).map_err(redis::RedisError::from)?;
    Ok(Copies { local, replicas })
}

/// What a stream holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct StreamStatus {
    /// Uploads in it.
    pub uploads: u64,
    /// How long the oldest has been there.
    pub oldest: Duration,
    /// Memory it takes.
    pub bytes: u64,
    /// Uploads that a consumer has read.
    pub pending: u64,
    /// Uploads that no consumer has read. `None`: the server does not know.
    pub lag: Option<u64>,
}

/// Measures every stream, in the order of [`UploadStream::all`].
///
/// # Errors
/// Redis did not answer.
pub async fn measure(cache: &Cache) -> Result<Vec<StreamStatus>, CacheError> {
    let mut pipeline = pipe();
    for stream in UploadStream::all() {
        pipeline.cmd("EVAL").arg(MEASURE).arg(1).arg(stream.key());
    }
    let figures: Vec<Vec<i64>> = cache.send(&pipeline).await?;
    Ok(figures.iter().map(|figures| status_of(figures)).collect())
}

fn status_of(figures: &[i64]) -> StreamStatus {
    let figure = |at: usize| figures.get(at).and_then(|figure| u64::try_from(*figure).ok());
    StreamStatus {
        uploads: figure(0).unwrap_or_default(),
        oldest: Duration::from_millis(figure(1).unwrap_or_default()),
        bytes: figure(2).unwrap_or_default(),
        pending: figure(3).unwrap_or_default(),
        lag: figure(4),
    }
}

/// Creates the groups that do not exist. Gives the streams whose group was missing although they hold uploads: all of these are read once more.
///
/// # Errors
/// Redis did not answer.
pub async fn create_groups(cache: &Cache, streams: &[UploadStream]) -> Result<Vec<UploadStream>, CacheError> {
    let mut pipeline = pipe();
    for stream in streams {
        pipeline.cmd("EVAL").arg(CREATE_GROUP).arg(1).arg(stream.key()).arg(GROUP);
    }
    let lengths: Vec<i64> = cache.send(&pipeline).await?;
    let lost = streams.iter().zip(lengths).filter(|(_, length)| *length > 0).map(|(stream, _)| *stream);
    Ok(lost.collect())
}

/// Whether a read failed because the group does not exist: somebody has removed it, or emptied Redis.
pub fn is_missing_group(error: &CacheError) -> bool {
    matches!(error, CacheError::Redis(error) if error.to_string().contains("NOGROUP"))
}

/// Whether Redis refused to write because its memory is used up. A pipeline has an error for each of its commands.
pub fn is_out_of_memory(error: &CacheError) -> bool {
    let CacheError::Redis(error) = error else { return false };
    let refusals = error.clone().into_server_errors();
    refusals.is_some_and(|refusals| refusals.iter().any(|(_, refusal)| refusal.code() == "OOM"))
}

/// Removes entries that are stored elsewhere now, whoever has read them.
///
/// # Errors
/// Redis did not answer; the call can be repeated.
pub async fn remove(cache: &Cache, stream: UploadStream, ids: &[String]) -> Result<u64, CacheError> {
    if ids.is_empty() {
        return Ok(0);
    }
    let mut pipeline = pipe();
    pipeline.cmd("EVAL").arg(REMOVE).arg(1).arg(stream.key()).arg(GROUP).arg(ids);
    let (removed,): (u64,) = cache.send(&pipeline).await?;
    Ok(removed)
}

/// The number of the newest entry of each stream that holds any.
///
/// # Errors
/// Redis did not answer.
pub async fn newest(cache: &Cache) -> Result<Vec<(UploadStream, String)>, CacheError> {
    let mut pipeline = pipe();
    for stream in UploadStream::all() {
        pipeline.cmd("XREVRANGE").arg(stream.key()).arg("+").arg("-").arg("COUNT").arg(1);
    }
    let newest: Vec<Vec<Value>> = cache.send(&pipeline).await?;
    let ids = newest.iter().map(|entries| entries.first().and_then(entry_of).map(|entry| entry.id));
    Ok(UploadStream::all().zip(ids).filter_map(|(stream, id)| Some((stream, id?))).collect())
}

/// The number of the oldest entry of each of these streams, if it is not newer than the number that stands with the stream.
///
/// # Errors
/// Redis did not answer.
pub async fn oldest_until(
    cache: &Cache,
    streams: &[(UploadStream, String)],
) -> Result<Vec<(UploadStream, String)>, CacheError> {
    let mut pipeline = pipe();
    for (stream, last) in streams {
        pipeline.cmd("XRANGE").arg(stream.key()).arg("-").arg(last).arg("COUNT").arg(1);
    }
    let oldest: Vec<Vec<Value>> = if streams.is_empty() { Vec::new() } else { cache.send(&pipeline).await? };
    let ids = oldest.iter().map(|entries| entries.first().and_then(entry_of).map(|entry| entry.id));
    Ok(streams.iter().zip(ids).filter_map(|((stream, _), id)| Some((*stream, id?))).collect())
}

/// The oldest entry.
///
/// # Errors
/// Redis did not answer.
pub async fn first(cache: &Cache, stream: UploadStream) -> Result<Option<StreamEntry>, CacheError> {
    let mut pipeline = pipe();
    pipeline.cmd("XRANGE").arg(stream.key()).arg("-").arg("+").arg("COUNT").arg(1);
    let (entries,): (Vec<Value>,) = cache.send(&pipeline).await?;
    Ok(entries.first().and_then(entry_of))
}

/// The entry of this id.
///
/// # Errors
/// Redis did not answer.
pub async fn find(cache: &Cache, stream: UploadStream, id: &str) -> Result<Option<StreamEntry>, CacheError> {
    let mut pipeline = pipe();
    pipeline.cmd("XRANGE").arg(stream.key()).arg(id).arg(id);
    let (entries,): (Vec<Value>,) = cache.send(&pipeline).await?;
    Ok(entries.first().and_then(entry_of))
}
