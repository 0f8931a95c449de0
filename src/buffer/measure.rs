//! Measures the streams at intervals, and whether the server of the buffer is fit for it.
//!
//! Before: Redis. After: `buffer::depth` knows which streams are empty; metrics, health and alarms show the rest.
//! Promise: a server that evicts, that has no append-only file, or that has fewer replicas than `buffer_copies` needs, takes no upload, also if
//! it becomes so later or replaces another. A consumer group that was lost is created from the first entry on, and that is logged.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::shared::Shared;
use crate::cache::stream::{self, Persistence, StreamMasters, StreamStatus, UploadStream};
use crate::cache::{Cache, CacheError};
use crate::telemetry::names;

/// How often the streams are measured. It takes less than a millisecond.
pub(super) const EVERY: Duration = Duration::from_millis(200);

/// How often the settings of the server are read: somebody may change them while it runs.
const CHECK_EVERY: Duration = Duration::from_secs(10);

/// The same while it takes no uploads because of them.
const CHECK_REFUSED_EVERY: Duration = Duration::from_secs(1);

/// Measures until `stop`.
pub(super) async fn run(shared: Arc<Shared>, cache: Cache, stop: CancellationToken) {
    let mut clock = interval(EVERY);
    clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut check_at = Instant::now();
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = clock.tick() => {}
        }
        if !cache.is_connected() || Instant::now() >= check_at {
            match check(&cache, shared.copies).await {
                Ok(refusal) => {
                    let pause = if refusal.is_none() { CHECK_EVERY } else { CHECK_REFUSED_EVERY };
                    check_at = Instant::now() + pause;
                    shared.set_refusal(refusal);
                }
                Err(error) => {
                    check_at = Instant::now();
                    shared.set_away(&error);
                    continue;
                }
            }
        }
        if let Err(error) = measure(&shared, &cache).await {
            check_at = Instant::now();
            shared.set_away(&error);
        }
    }
}

/// Measures once.
async fn measure(shared: &Shared, cache: &Cache) -> Result<(), CacheError> {
    let measurement = shared.depths.begin_measurement();
    let status = stream::measure(cache).await?;
    shared.depths.end_measurement(&measurement, &status);
    export(&status);
    shared.set_status(status);
    if shared.is_shadow {
        shared.set_shadow(stream::shadow::read(cache).await?);
    }
    Ok(())
}

/// Whether the server is fit for a buffer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerReport {
    /// Why it is not; `None`: it is.
    pub refusal: Option<String>,
    /// `appendfsync`, of a cluster that of one master; `None`: the server does not say.
    pub fsync: Option<String>,
    /// `maxmemory` of all masters together; `None`: one of them has no limit.
    pub max_memory: Option<u64>,
    /// Replicas of the master that has fewest.
    pub replicas: u32,
}

impl ServerReport {
    /// Reads its settings.
    ///
    /// # Errors
    /// It does not answer.
    pub async fn read(cache: &Cache) -> Result<Self, CacheError> {
        cache.connect().await?;
        let persistence = StreamMasters::read(cache).await?.persistence(cache).await?;
        let refusal = persistence.iter().find_map(refusal_of);
        let replicas = persistence.iter().map(|master| master.replicas).min().unwrap_or_default();
        let has_limits = persistence.iter().all(|master| master.max_memory > 0);
        let max_memory = has_limits.then(|| persistence.iter().map(|master| master.max_memory).sum());
        let fsync = persistence.into_iter().find_map(|master| master.fsync);
        Ok(Self { refusal, fsync, max_memory, replicas })
    }

    /// Why no upload can be on `copies` disks now.
    pub fn shortage(&self, copies: u32) -> Option<String> {
        let (needed, replicas) = (copies.saturating_sub(1), self.replicas);
        (replicas < needed).then(|| {
            format!(
                "buffer_copies is {copies}, but a master has {replicas} of the {needed} replicas that this needs: connect them, or lower buffer_copies"
            )
        })
    }

    /// Why it takes no upload that is to be on `copies` disks; `None`: it takes them.
    pub fn into_refusal(self, copies: u32) -> Option<String> {
        let shortage = self.shortage(copies);
        self.refusal.or(shortage)
    }

    /// What to change if the memory of the server is used up before the buffer is full.
    pub fn memory_warning(&self, max_bytes: u64) -> Option<String> {
        let max_memory = self.max_memory.filter(|max_memory| *max_memory <= max_bytes)?;
        Some(format!(
            "maxmemory is {max_memory} bytes, not above buffer_max_bytes = {max_bytes}: Redis refuses uploads before the buffer is full. Raise \
             maxmemory, or lower buffer_max_bytes"
        ))
    }
}

/// Why the server takes no uploads; `None`: it takes them, and has every group.
async fn check(cache: &Cache, copies: u32) -> Result<Option<String>, CacheError> {
    let report = ServerReport::read(cache).await?;
    if report.refusal.is_none() {
        let streams: Vec<UploadStream> = UploadStream::all().collect();
        create_groups(cache, &streams).await?;
    }
    Ok(report.into_refusal(copies))
}

/// Creates the groups that are missing, and logs where uploads are read once more because of it.
pub(super) async fn create_groups(cache: &Cache, streams: &[UploadStream]) -> Result<(), CacheError> {
    for stream in stream::create_groups(cache, streams).await? {
        tracing::warn!(
            stream = stream.name(),
            "the consumer group of the buffer was missing: all uploads of the stream are read from the first one on"
        );
    }
    Ok(())
}

/// Why a server with these settings loses uploads.
pub(super) fn refusal_of(persistence: &Persistence) -> Option<String> {
    let Persistence { eviction, has_file, fsync, .. } = persistence;
    if eviction != "noeviction" {
        return Some(format!(
            "maxmemory-policy is {eviction}, so Redis would evict buffered uploads: set it to noeviction, or name another server in buffer_url"
        ));
    }
    if !has_file {
        return Some(
            "appendonly is off, so buffered uploads would be lost with the process of Redis: set appendonly yes, or name another server in \
             buffer_url"
                .to_owned(),
        );
    }
    (fsync.as_deref() == Some("no")).then(|| {
        "appendfsync is no, so nothing says when buffered uploads are on the disk: set it to everysec or always".to_owned()
    })
}

#[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
fn export(status: &[StreamStatus]) {
    let sum = |figure: fn(&StreamStatus) -> u64| status.iter().map(figure).sum::<u64>() as f64;
    let oldest = status.iter().map(|status| status.oldest).max().unwrap_or_default();
    metrics::gauge!(names::BUFFER_UPLOADS).set(sum(|status| status.uploads));
    metrics::gauge!(names::BUFFER_BYTES).set(sum(|status| status.bytes));
    metrics::gauge!(names::BUFFER_PENDING).set(sum(|status| status.pending));
    metrics::gauge!(names::BUFFER_OLDEST_SECONDS).set(oldest.as_secs_f64());
    if status.iter().all(|status| status.lag.is_some()) {
        metrics::gauge!(names::BUFFER_LAG).set(sum(|status| status.lag.unwrap_or_default()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(eviction: &str, has_file: bool, fsync: Option<&str>) -> Option<String> {
        let fsync = fsync.map(str::to_owned);
        refusal_of(&Persistence {
            eviction: eviction.to_owned(),
            has_file,
            fsync,
            max_memory: 0,
            replicas: 0,
        })
    }

    #[test]
    fn a_server_that_evicts_or_does_not_write_is_refused_with_the_reason() {
        assert_eq!(refusal("noeviction", true, Some("always")), None);
        assert_eq!(refusal("noeviction", true, Some("everysec")), None);
        assert_eq!(refusal("noeviction", true, None), None, "it does not say");
        assert!(refusal("allkeys-lru", true, None).is_some_and(|why| why.contains("maxmemory-policy")));
        assert!(refusal("noeviction", false, None).is_some_and(|why| why.contains("appendonly")));
        assert!(refusal("noeviction", true, Some("no")).is_some_and(|why| why.contains("appendfsync")));
    }

    fn report(max_memory: Option<u64>, replicas: u32) -> ServerReport {
        ServerReport { refusal: None, fsync: None, max_memory, replicas }
    }

    #[test]
    fn copies_need_a_replica_each_besides_the_master() {
        let is_short = |replicas, copies| report(None, replicas).shortage(copies).is_some();
        assert!(!is_short(0, 1) && !is_short(1, 2) && !is_short(2, 2));
        assert!(is_short(0, 2) && is_short(1, 3));
    }

    #[test]
    fn memory_that_is_used_up_before_the_buffer_is_full_is_a_warning() {
        let warning = |max_memory| report(max_memory, 0).memory_warning(1000);
        assert_eq!([None, Some(1001)].map(warning), [None, None]);
        assert!([Some(1), Some(1000)].map(warning).iter().all(Option::is_some));
    }
}
