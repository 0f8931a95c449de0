//! The marker of a complete Redis view, and the lock for rebuilding it.
//!
//! Before and after: `react::rebuild`. The key `vitals:view` holds the marker: it is written at the end of a rebuild, and names
//! the rebuild and the run id of Redis at that time. A flush removes the key; a restart changes the run id, also when Redis
//! loads an older copy of its data. Promise: the marker is written only if nothing was flushed since the rebuild began,
//! because a flush removes the rebuild lock too.

use std::time::Duration;

use redis::{InfoDict, pipe};
use tokio::time::sleep;

use super::{Cache, CacheError};

const VIEW_KEY: &str = "vitals:view";
pub(super) const REBUILD_LOCK: &str = "vitals:view:builder";

/// How long the lock is held without renewal, and how often it is renewed.
const LOCK_TTL: Duration = Duration::from_secs(5);
const RENEW_EVERY: Duration = Duration::from_secs(1);

/// Acquires the lock unless another instance has it. A lock with our own name is from an attempt whose answer was lost.
const ACQUIRE: &str = "local held = redis.call('GET', KEYS[1]) \
     if held and string.sub(held, 1, #ARGV[3]) ~= ARGV[3] then return 0 end \
     redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2]) return 1";

/// Renews the lock if it is still ours.
const RENEW: &str = "if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end \
     redis.call('PEXPIRE', KEYS[1], ARGV[2]) return 1";

/// Writes the marker and releases the lock, if it is still ours.
const COMPLETE: &str = "if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end \
     redis.call('SET', KEYS[2], ARGV[2]) redis.call('DEL', KEYS[1]) return 1";

/// Releases the lock if it is still ours.
const RELEASE: &str = "if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end return 1";

/// The state of the view in Redis.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ViewState {
    /// Run id of Redis: a new one after each start.
    pub run_id: String,
    /// The marker of the last complete rebuild.
    pub marker: Option<String>,
}

impl ViewState {
    /// The marker of a complete rebuild of `build` in this run of Redis.
    pub fn marker_for(&self, build: &str, timeline: i64) -> String {
        format!("{build} {} {timeline}", self.run_id)
    }
}

/// Reads the state of the view.
///
/// # Errors
/// Redis did not answer.
pub async fn read_state(cache: &Cache) -> Result<ViewState, CacheError> {
    let mut pipeline = pipe();
    pipeline.cmd("INFO").arg("server").cmd("GET").arg(VIEW_KEY);
    let (server, marker): (InfoDict, Option<String>) = cache.send(&pipeline).await?;
    Ok(ViewState { run_id: server.get("run_id").unwrap_or_default(), marker })
}

/// The lock for rebuilding the view; one instance holds it at a time.
#[derive(Debug)]
pub struct RebuildLock<'a> {
    cache: &'a Cache,
    token: String,
}

impl<'a> RebuildLock<'a> {
    /// Acquires the lock; `None`: another instance holds it.
    ///
    /// # Errors
    /// Redis did not answer.
    pub async fn acquire(cache: &'a Cache) -> Result<Option<Self>, CacheError> {
        let name = &cache.shared.name;
        let lock = Self { cache, token: format!("{name} {:032x}", rand::random::<u128>()) };
        let taken = lock.run(ACQUIRE, &[REBUILD_LOCK], &[&lock.token, &lock_ttl_ms(), name]).await?;
        Ok(taken.then_some(lock))
    }

    /// Renews the lock until it is lost, by a flush or because it expired.
    ///
    /// # Errors
    /// Redis did not answer.
    pub async fn keep_alive(&self) -> Result<(), CacheError> {
        while self.run(RENEW, &[REBUILD_LOCK], &[&self.token, &lock_ttl_ms()]).await? {
            sleep(RENEW_EVERY).await;
        }
        Ok(())
    }

    /// Marks the view as complete. False: the lock was lost, and parts of the view may be too.
    ///
    /// # Errors
    /// Redis did not answer.
    pub async fn complete(self, marker: &str) -> Result<bool, CacheError> {
        self.run(COMPLETE, &[REBUILD_LOCK, VIEW_KEY], &[&self.token, marker]).await
    }

    /// Releases the lock; the view is not marked.
    ///
    /// # Errors
    /// Redis did not answer; the lock expires.
    pub async fn release(self) -> Result<(), CacheError> {
        self.run(RELEASE, &[REBUILD_LOCK], &[&self.token]).await.map(drop)
    }

    async fn run(&self, script: &str, keys: &[&str], arguments: &[&str]) -> Result<bool, CacheError> {
        let mut pipeline = pipe();
        pipeline.cmd("EVAL").arg(script).arg(keys.len()).arg(keys).arg(arguments);
        let (done,): (bool,) = self.cache.send(&pipeline).await?;
        Ok(done)
    }
}

fn lock_ttl_ms() -> String {
    LOCK_TTL.as_millis().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_restart_of_redis_changes_the_mark_of_the_same_build() {
        let before = ViewState { run_id: "a1".into(), marker: None };
        let after = ViewState { run_id: "b2".into(), marker: Some(before.marker_for("x 7", 1)) };
        assert_ne!(after.marker, Some(after.marker_for("x 7", 1)));
        assert_eq!(after.marker, Some(before.marker_for("x 7", 1)));
        assert_ne!(after.marker, Some(before.marker_for("x 7", 2)), "the database went back");
    }
}
