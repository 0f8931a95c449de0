//! Which urgent events were announced, and which of them are stored.
//!
//! Before: `buffer` announces an event, or has stored it. After: whoever does the same, in any instance, knows that it was done.
//! Promise: of all calls for an event, one is the first. Marks end after a week: no watch sends an event for that long.

use redis::pipe;

use super::UploadStream;
use crate::cache::{Cache, CacheError};

const TTL_SECONDS: u32 = 7 * 24 * 3600;

/// 1: it was not announced and not stored before. Allowed when all memory is used: few bytes, of a few events.
const MARK: &str = "#!lua flags=allow-oom\n\
     if redis.call('SET', KEYS[1], 'waits', 'NX', 'EX', ARGV[1]) then return 1 end return 0";

/// 1: it was announced, and nobody has marked it as stored before.
const COMPLETE: &str = "#!lua flags=allow-oom\n\
     local held = redis.call('GET', KEYS[1]) \
     redis.call('SET', KEYS[1], 'stored', 'EX', ARGV[1]) \
     if held == 'waits' then return 1 end return 0";

/// Marks an event as announced; true: nobody did before.
///
/// # Errors
/// Redis did not answer.
pub async fn mark(cache: &Cache, stream: UploadStream, event: &str) -> Result<bool, CacheError> {
    run(cache, MARK, stream, event).await
}

/// Marks an event as stored; true: it was announced, and this is the first call.
///
/// # Errors
/// Redis did not answer.
pub async fn complete(cache: &Cache, stream: UploadStream, event: &str) -> Result<bool, CacheError> {
    run(cache, COMPLETE, stream, event).await
}

async fn run(cache: &Cache, script: &str, stream: UploadStream, event: &str) -> Result<bool, CacheError> {
    cache.connect().await?;
    let mut pipeline = pipe();
    let key = format!("vitals:urgent_event:{{{}}}:{event}", stream.partition);
    pipeline.cmd("EVAL").arg(script).arg(1).arg(key).arg(TTL_SECONDS);
    let (first,): (u8,) = cache.send(&pipeline).await?;
    Ok(first == 1)
}
