//! The marker of a complete Redis view, and the lock for rebuilding it.
//!
//! Before and after: `react::rebuild`. The key `vitals:view` holds the marker: it is written at the end of a rebuild, and names
//! the rebuild and the run id of Redis at that time. A flush removes the key; a restart changes the run id, also when Redis
//! loads an older copy of its data. Of a cluster each master has a marker and a lock of its own, with a hash tag behind their names:
//! each of them is flushed, restarted and replaced by its replica by itself. Promise: the marker is written only if nothing was flushed
//! since the rebuild began, because a flush removes the rebuild lock too.

use std::time::Duration;

use futures_util::future::try_join_all;
use redis::{InfoDict, pipe};
use tokio::time::sleep;

use super::master::{self, Master};
use super::{Cache, CacheError};

pub(super) const VIEW_KEY: &str = "vitals:view";
const REBUILD_LOCK: &str = "vitals:view:builder";

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
    masters: Vec<MasterState>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct MasterState {
    master: Master,
    /// Run id of the server: a new one after each start.
    run_id: String,
    /// The marker of the last complete rebuild.
    marker: Option<String>,
}

impl MasterState {
    /// The marker of a complete rebuild of `build` in this run of the server.
    fn marker_for(&self, build: &str, timeline: i64) -> String {
        format!("{build} {} {timeline}", self.run_id)
    }

    /// Whether it was marked in this run and timeline, for whatever build of the same view.
    fn was_marked(&self, build: &str, timeline: i64) -> bool {
        let view_of = |build: &str| build.split_once(' ').map(|(view, _)| view.to_owned());
        let marked = self
            .marker
            .as_deref()
            .and_then(|marker| marker.strip_suffix(&format!(" {} {timeline}", self.run_id)));
        marked.is_some_and(|marked| view_of(marked).is_some() && view_of(marked) == view_of(build))
    }
}

impl ViewState {
    /// Whether every master is marked with a complete rebuild of `build`.
    pub fn is_complete(&self, build: &str, timeline: i64) -> bool {
        self.masters.iter().all(|state| state.marker.as_ref() == Some(&state.marker_for(build, timeline)))
    }

    /// Whether every master still has what an earlier build brought: nothing is missing but what was missed since.
    pub fn was_complete(&self, build: &str, timeline: i64) -> bool {
        self.masters.iter().all(|state| state.was_marked(build, timeline))
    }

    /// The marker of each master; they change with each complete rebuild.
    pub fn markers(&self) -> Vec<Option<String>> {
        self.masters.iter().map(|state| state.marker.clone()).collect()
    }
}

/// Reads the state of the view.
///
/// # Errors
/// Redis did not answer.
pub async fn read_state(cache: &Cache) -> Result<ViewState, CacheError> {
    let states = master::all(cache).await?.into_iter().map(async |master| {
        let mut pipeline = pipe();
        pipeline.cmd("GET").arg(master.key(VIEW_KEY)).cmd("INFO").arg("server");
        let (marker, server): (Option<String>, InfoDict) = cache.send_to(&master, &pipeline).await?;
        Ok::<_, CacheError>(MasterState { master, run_id: server.get("run_id").unwrap_or_default(), marker })
    });
    Ok(ViewState { masters: try_join_all(states).await? })
}

/// Whether every master answers a command that reads a key.
pub(super) async fn ping(cache: &Cache, masters: &[Master]) -> Result<(), CacheError> {
    exists(cache, masters, VIEW_KEY).await.map(drop)
}

/// Whether an instance is rebuilding the view.
///
/// # Errors
/// Redis did not answer.
pub async fn is_rebuilding(cache: &Cache) -> Result<bool, CacheError> {
    exists(cache, &master::all(cache).await?, REBUILD_LOCK).await
}

/// Whether any of the masters has its key of this name.
async fn exists(cache: &Cache, masters: &[Master], name: &str) -> Result<bool, CacheError> {
    let asking = masters.iter().map(async |master| {
        let mut pipeline = pipe();
        pipeline.cmd("EXISTS").arg(master.key(name));
        let (exists,): (bool,) = cache.send_to(master, &pipeline).await?;
        Ok::<_, CacheError>(exists)
    });
    Ok(try_join_all(asking).await?.contains(&true))
}

/// The lock for rebuilding the view; one instance holds it at a time.
#[derive(Debug)]
pub struct RebuildLock<'a> {
    cache: &'a Cache,
    token: String,
    /// Those whose lock is held, in the order of all.
    masters: Vec<Master>,
}

impl<'a> RebuildLock<'a> {
    /// Acquires the lock at every master of `state`; `None`: another instance holds it.
    ///
    /// # Errors
    /// Redis did not answer.
    pub async fn acquire(cache: &'a Cache, state: &ViewState) -> Result<Option<Self>, CacheError> {
        let name = &cache.shared.name;
        let token = format!("{name} {:032x}", rand::random::<u128>());
        let mut lock = Self { cache, token, masters: Vec::new() };
        // In the same order everywhere: whoever gets the first gets all.
        for MasterState { master, .. } in &state.masters {
            let keys = [master.key(REBUILD_LOCK)];
            if !lock.run(master, ACQUIRE, &keys, &[&lock.token, &lock_ttl_ms(), name]).await? {
                lock.release().await?;
                return Ok(None);
            }
            lock.masters.push(master.clone());
        }
        Ok(Some(lock))
    }

    /// Renews the lock until it is lost at a master, by a flush or because it expired.
    ///
    /// # Errors
    /// Redis did not answer.
    pub async fn keep_alive(&self) -> Result<(), CacheError> {
        while self.run_at_all(RENEW, &[&self.token, &lock_ttl_ms()]).await? {
            sleep(RENEW_EVERY).await;
        }
        Ok(())
    }

    /// Marks the view as complete, for the run ids of `state`. False: the lock was lost at a master, and parts of the view may be too,
    /// or other masters hold the slots now.
    ///
    /// # Errors
    /// Redis did not answer.
    pub async fn complete(self, state: &ViewState, build: &str, timeline: i64) -> Result<bool, CacheError> {
        if master::all(self.cache).await? != self.masters {
            self.release().await?;
            return Ok(false);
        }
        let marking = state.masters.iter().map(async |state| {
            let keys = [state.master.key(REBUILD_LOCK), state.master.key(VIEW_KEY)];
            let marker = state.marker_for(build, timeline);
            self.run(&state.master, COMPLETE, &keys, &[&self.token, &marker]).await
        });
        Ok(!try_join_all(marking).await?.contains(&false))
    }

    /// Releases the lock; the view is not marked.
    ///
    /// # Errors
    /// Redis did not answer; the lock expires.
    pub async fn release(self) -> Result<(), CacheError> {
        self.run_at_all(RELEASE, &[&self.token]).await.map(drop)
    }

    /// True: everywhere.
    async fn run_at_all(&self, script: &str, arguments: &[&str]) -> Result<bool, CacheError> {
        let running = self
            .masters
            .iter()
            .map(async |master| self.run(master, script, &[master.key(REBUILD_LOCK)], arguments).await);
        Ok(!try_join_all(running).await?.contains(&false))
    }

    async fn run(
        &self,
        master: &Master,
        script: &str,
        keys: &[String],
        arguments: &[&str],
    ) -> Result<bool, CacheError> {
        let mut pipeline = pipe();
        pipeline.cmd("EVAL").arg(script).arg(keys.len()).arg(keys).arg(arguments);
        let (done,): (bool,) = self.cache.send_to(master, &pipeline).await?;
        Ok(done)
    }
}

fn lock_ttl_ms() -> String {
    LOCK_TTL.as_millis().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(run_id: &str, marker: Option<String>) -> ViewState {
        let master = Master::single();
        ViewState { masters: vec![MasterState { master, run_id: run_id.into(), marker }] }
    }

    fn marker(run_id: &str, build: &str, timeline: i64) -> Option<String> {
        state(run_id, None).masters.first().map(|master| master.marker_for(build, timeline))
    }

    #[test]
    fn a_restart_of_redis_or_another_timeline_makes_a_view_incomplete() {
        let marked = marker("a1", "x 7", 1);
        assert!(state("a1", marked.clone()).is_complete("x 7", 1));
        assert!(!state("b2", marked.clone()).is_complete("x 7", 1), "restarted");
        assert!(!state("a1", marked.clone()).is_complete("x 7", 2), "the database went back");
        assert!(!state("a1", marked).is_complete("x 8", 1), "values were missed");
    }

    #[test]
    fn a_master_without_its_marker_makes_the_view_of_all_incomplete() {
        let mut states = state("a1", marker("a1", "x 7", 1));
        states.masters.extend(state("b1", None).masters);
        assert!(!states.is_complete("x 7", 1) && !states.was_complete("x 8", 1));
    }

    #[test]
    fn an_earlier_build_of_the_same_view_lacks_only_what_was_missed_since() {
        let marked = marker("a1", "x 7", 1);
        assert!(state("a1", marked.clone()).was_complete("x 8", 1));
        assert!(!state("a1", marked.clone()).was_complete("y 8", 1), "the view of another database");
        assert!(!state("a1", marked.clone()).was_complete("x 8", 2));
        assert!(!state("b2", marked).was_complete("x 8", 1));
    }
}
