//! The right to read a stream: a key with a token, which every read compares and renews in its script.
//!
//! Before: `buffer` wants to drain a stream. After: one consumer at a time reads it, in the order in which uploads came.
//! Promise: whoever has lost the lease reads nothing more. What it has read already it may still store: that is stored once by its keys.

use std::time::Duration;

use redis::{Value, pipe};

use super::entry::{StreamEntry, entries_of};
use super::{GROUP, UploadStream};
use crate::cache::{Cache, CacheError};

/// Acquires the lease if nobody has it. It is allowed when all memory is used: draining frees it.
const ACQUIRE: &str = "#!lua flags=allow-oom\n\
     if redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then return 1 end return 0";

/// Renews the lease if it is still ours. Each of the next two begins with it.
const RENEW: &str = "if redis.call('GET', KEYS[2]) ~= ARGV[1] then return {0} end \
     redis.call('PEXPIRE', KEYS[2], ARGV[2]) ";

/// Entries that no consumer has read.
const READ: &str = "local read = redis.call('XREADGROUP', 'GROUP', ARGV[3], ARGV[4], 'COUNT', ARGV[5], 'STREAMS', KEYS[1], '>') \
     return {1, read and read[1][2] or {}}";

/// Entries that a consumer has read and not removed, whichever it was.
const CLAIM: &str = "local claimed = redis.call('XAUTOCLAIM', KEYS[1], ARGV[3], ARGV[4], 0, ARGV[6], 'COUNT', ARGV[5]) \
     return {1, claimed[2], claimed[1]}";

const RELEASE: &str =
    "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0";

/// The right to read a stream, while it is renewed.
#[derive(Debug, Clone)]
pub struct StreamLease {
    stream: UploadStream,
    /// Of this acquisition alone, so that a former holder reads nothing more.
    token: String,
    ttl_ms: u64,
}

impl StreamLease {
    /// Acquires it for `ttl`; `None`: somebody has it.
    ///
    /// # Errors
    /// Redis did not answer.
    pub async fn acquire(
        cache: &Cache,
        stream: UploadStream,
        ttl: Duration,
    ) -> Result<Option<Self>, CacheError> {
        let ttl_ms = u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX);
        let lease = Self { stream, token: format!("{:032x}", rand::random::<u128>()), ttl_ms };
        let mut pipeline = pipe();
        let acquire = pipeline.cmd("EVAL").arg(ACQUIRE).arg(1).arg(stream.lease_key());
        acquire.arg(&lease.token).arg(ttl_ms);
        let (acquired,): (u8,) = cache.send(&pipeline).await?;
        Ok((acquired == 1).then_some(lease))
    }

    /// Its stream.
    pub fn stream(&self) -> UploadStream {
        self.stream
    }

    /// Renews it; false: it is somebody else's now.
    ///
    /// # Errors
    /// Redis did not answer.
    pub async fn renew(&self, cache: &Cache) -> Result<bool, CacheError> {
        Ok(self.run(cache, "return {1}", 0, "").await?.is_some())
    }

    /// Reads up to `count` entries that no consumer has read; `None`: the lease is somebody else's now.
    ///
    /// # Errors
    /// Redis did not answer.
    pub async fn read(&self, cache: &Cache, count: usize) -> Result<Option<Vec<StreamEntry>>, CacheError> {
        Ok(self.run(cache, READ, count, "").await?.map(|answer| entries_of(answer.get(1))))
    }

    /// Takes over up to `count` entries that any consumer has read and not removed, from `cursor` on (`0-0` first); with the next cursor, `0-0` at
    /// the end. `None`: the lease is somebody else's now.
    ///
    /// # Errors
    /// Redis did not answer.
    pub async fn claim(
        &self,
        cache: &Cache,
        cursor: &str,
        count: usize,
    ) -> Result<Option<(Vec<StreamEntry>, String)>, CacheError> {
        let answer = self.run(cache, CLAIM, count, cursor).await?;
        Ok(answer.map(|answer| {
            let next = answer.get(2).and_then(|next| redis::from_redis_value_ref(next).ok());
            (entries_of(answer.get(1)), next.unwrap_or_else(|| "0-0".to_owned()))
        }))
    }

    /// Ends it.
    ///
    /// # Errors
    /// Redis did not answer: it ends by itself.
    pub async fn release(self, cache: &Cache) -> Result<(), CacheError> {
        let mut pipeline = pipe();
        pipeline.cmd("EVAL").arg(RELEASE).arg(1).arg(self.stream.lease_key()).arg(&self.token);
        let _: (i64,) = cache.send(&pipeline).await?;
        Ok(())
    }

    /// Runs a script that begins with [`RENEW`]; `None`: the lease is somebody else's.
    async fn run(
        &self,
        cache: &Cache,
        script: &str,
        count: usize,
        cursor: &str,
    ) -> Result<Option<Vec<Value>>, CacheError> {
        let mut pipeline = pipe();
        let command = pipeline.cmd("EVAL").arg(format!("{RENEW}{script}"));
        command.arg(2).arg(self.stream.key()).arg(self.stream.lease_key());
        command.arg(&self.token).arg(self.ttl_ms).arg(GROUP).arg(cache.process_name()).arg(count).arg(cursor);
        let (answer,): (Vec<Value>,) = cache.send(&pipeline).await?;
        Ok((answer.first() == Some(&Value::Int(1))).then_some(answer))
    }
}
