//! Whether Redis holds the whole view of latest values, and the right to rebuild it.
//!
//! Before and after: `react::rebuild`. The key `vitals:view` is written at the end of a full build and names it,
//! together with the run of Redis it was made in. A flush removes the key; a restart changes the run, also of a Redis that
//! came back with an older copy of its data. Promise: the key is written only when nothing was flushed since the build
//! began, for the lock of the lock would be gone too.

use std::time::Duration;

use redis::{InfoDict, pipe};
use tokio::time::sleep;

use super::{Cache, CacheError};

const VIEW_KEY: &str = "vitals:view";
pub(super) const REBUILD_LOCK: &str = "vitals:view:builder";

/// How long a lock that says nothing keeps the right, and how often it says something.
const LOCK_TTL: Duration = Duration::from_secs(5);
const RENEW_EVERY: Duration = Duration::from_secs(1);

/// Takes the lock unless another has it. One that carries our own name is from an attempt of ours that got no answer.
const ACQUIRE: &str = "local held = redis.call('GET', KEYS[1]) \
     if held and string.sub(held, 1, #ARGV[3]) ~= ARGV[3] then return 0 end \
     redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2]) return 1";

/// Prolongs the lock if it is still ours.
const RENEW: &str = "if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end \
     redis.call('PEXPIRE', KEYS[1], ARGV[2]) return 1";

/// Names the build and gives the lock back, if it is still ours.
const COMPLETE: &str = "if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end \
     redis.call('SET', KEYS[2], ARGV[2]) redis.call('DEL', KEYS[1]) return 1";

/// Gives the lock back if it is still ours.
const RELEASE: &str = "if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end return 1";

/// What Redis says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ViewState {
    /// The run of this Redis: another after each start.
    pub run_id: String,
    /// The build it holds whole, and in which run that was made.
    pub marker: Option<String>,
}

impl ViewState {
    /// How a whole view of `build` is marked in this run.
    pub fn marker_for(&self, build: &str, timeline: i64) -> String {
        format!("{build} {} {timeline}", self.run_id)
    }
}

/// Asks what Redis holds.
///
/// # Errors
/// Redis did not answer.
pub async fn read_state(cache: &Cache) -> Result<ViewState, CacheError> {
    let mut pipeline = pipe();
    pipeline.cmd("INFO").arg("server").cmd("GET").arg(VIEW_KEY);
    let (server, marker): (InfoDict, Option<String>) = cache.send(&pipeline).await?;
    Ok(ViewState { run_id: server.get("run_id").unwrap_or_default(), marker })
}

/// The right to rebuild the view, which one instance has at a time.
#[derive(Debug)]
pub struct RebuildLock<'a> {
    cache: &'a Cache,
    token: String,
}

impl<'a> RebuildLock<'a> {
    /// Takes the right; `None`: another has it.
    ///
    /// # Errors
    /// Redis did not answer.
    pub async fn acquire(cache: &'a Cache) -> Result<Option<Self>, CacheError> {
        let name = &cache.shared.name;
        let lock = Self { cache, token: format!("{name} {:032x}", rand::random::<u128>()) };
        let taken = lock.run(ACQUIRE, &[REBUILD_LOCK], &[&lock.token, &lock_ttl_ms(), name]).await?;
        Ok(taken.then_some(lock))
    }

    /// Keeps the right until it is lost, by a flush or by time.
    ///
    /// # Errors
    /// Redis did not answer.
    pub async fn keep_alive(&self) -> Result<(), CacheError> {
        while self.run(RENEW, &[REBUILD_LOCK], &[&self.token, &lock_ttl_ms()]).await? {
            sleep(RENEW_EVERY).await;
        }
        Ok(())
    }

    /// Marks the view as whole. False: the right was lost, and so perhaps what was built.
    ///
    /// # Errors
    /// Redis did not answer.
    pub async fn complete(self, marker: &str) -> Result<bool, CacheError> {
        self.run(COMPLETE, &[REBUILD_LOCK, VIEW_KEY], &[&self.token, marker]).await
    }

    /// Gives the right back unused.
    ///
    /// # Errors
    /// Redis did not answer; the right ends by time.
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
