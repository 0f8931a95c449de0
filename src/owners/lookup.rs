//! Many lookups, few queries: devices that are not cached are looked up in Redis, then in PostgreSQL.
//!
//! Before: uploads whose devices are not cached. After: the uploads continue, and the devices are in the cache and in Redis.
//! Promise: requests that arrive while a query runs share the next query. While the database is away, a request is retried until nobody
//! waits for its answer.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::follow::RedisUpdate;
use super::{CachedOwner, OwnerSource, OwnersByDevice, OwnersError, Shared, owners_error};
use crate::cache::owner;
use crate::store::StoreError;
use crate::store::owners::{self, Tenures};
use crate::telemetry::names;

/// Most requests that may wait. Each belongs to an upload that is being handled, so this limits memory only.
pub(super) const MAX_REQUESTS: usize = 4096;

/// Devices in one query, which takes some milliseconds, so that nobody waits long behind a large upload.
pub(super) const MAX_DEVICES: usize = 1000;

/// Longest wait for Redis, which is asked first because it is faster: it takes 2 ms for a thousand devices.
const REDIS_TIMEOUT: Duration = Duration::from_millis(150);

/// Pause before the database is asked again.
const RETRY_PAUSE: Duration = Duration::from_millis(200);

type Answer = Result<Arc<OwnersByDevice>, OwnersError>;

/// A request for the owners of some devices.
#[derive(Debug)]
pub(super) struct LookupRequest {
    device_sns: Vec<Box<str>>,
    source: OwnerSource,
    reply: oneshot::Sender<Answer>,
}

/// Sends a request, and waits for the answer. Devices of other requests may be in it too.
pub(super) async fn request(
    requests: &mpsc::Sender<LookupRequest>,
    device_sns: Vec<Box<str>>,
    source: OwnerSource,
) -> Answer {
    let (reply, answer) = oneshot::channel();
    requests.send(LookupRequest { device_sns, source, reply }).await.map_err(|_| OwnersError::Stopping)?;
    answer.await.map_err(|_| OwnersError::Stopping)?
}

/// Answers requests until `stop`.
pub(super) async fn run(
    shared: Arc<Shared>,
    updates: mpsc::Sender<RedisUpdate>,
    mut requests: mpsc::Receiver<LookupRequest>,
    stop: CancellationToken,
) {
    // So that the first upload need not wait for a connection. An error shows again when the connection is needed.
    tokio::select! {
        () = stop.cancelled() => return,
        _ = shared.store.client() => {}
    }
    loop {
        let first = tokio::select! {
            () = stop.cancelled() => return,
            request = requests.recv() => match request {
                Some(request) => request,
                None => return stop.cancelled().await, // nobody is left to send a request
            },
        };
        let gathered = gather(first, &mut requests);
        tokio::select! {
            () = stop.cancelled() => return,
            () = answer(&shared, &updates, gathered) => {}
        }
    }
}

fn gather(first: LookupRequest, requests: &mut mpsc::Receiver<LookupRequest>) -> Vec<LookupRequest> {
    let mut devices = first.device_sns.len();
    let mut gathered = vec![first];
    while devices < MAX_DEVICES {
        let Ok(request) = requests.try_recv() else { break };
        devices += request.device_sns.len();
        gathered.push(request);
    }
    gathered
}

async fn answer(shared: &Shared, updates: &mpsc::Sender<RedisUpdate>, mut requests: Vec<LookupRequest>) {
    loop {
        requests.retain(|request| !request.reply.is_closed());
        // Of two requests for one device the stricter one counts.
        let mut device_sns = BTreeMap::<&str, OwnerSource>::new();
        for request in &requests {
            for device_sn in &request.device_sns {
                let source = device_sns.entry(device_sn).or_insert(request.source);
                *source = request.source.max(*source);
            }
        }
        if device_sns.is_empty() {
            return;
        }
        let finding = find(shared, updates, device_sns);
        let answer = match shared.store.with_timeout("owners.find", finding).await {
            Ok(found) => Ok(Arc::new(found)),
            Err(error) => match owners_error(&error) {
                OwnersError::Unavailable => {
                    sleep(RETRY_PAUSE).await;
                    continue;
                }
                error => Err(error),
            },
        };
        for request in requests {
            // Fails if the upload is gone meanwhile.
            let _ = request.reply.send(answer.clone());
        }
        return;
    }
}

/// The current owners of `device_sns`, each from the source that it needs. Caches them.
async fn find(
    shared: &Shared,
    updates: &mpsc::Sender<RedisUpdate>,
    device_sns: BTreeMap<&str, OwnerSource>,
) -> Result<OwnersByDevice, StoreError> {
    let generation = shared.cache.generation();
    let from_redis = device_sns.iter().filter(|(_, source)| **source == OwnerSource::Redis);
    let from_redis: Vec<&str> = from_redis.map(|(device_sn, _)| *device_sn).collect();
    let mut found = find_in_redis(shared, &from_redis).await;
    cache(shared, &found, OwnerSource::Redis, generation);
    let unknown: Vec<&str> = device_sns.into_keys().filter(|sn| !found.contains_key(*sn)).collect();
    metrics::counter!(names::OWNERS_FOUND, "in" => "redis").increment(found.len() as u64);
    if !unknown.is_empty() {
        metrics::counter!(names::OWNERS_FOUND, "in" => "database").increment(unknown.len() as u64);
        let Tenures { version, by_device } = owners::tenures(&shared.store, &unknown).await?;
        cache(shared, &by_device, OwnerSource::Database, generation);
        found.extend(by_device.iter().map(|(device_sn, tenure)| (device_sn.clone(), *tenure)));
        // If the queue is full, Redis gets it another time.
        let _ = updates.try_send(RedisUpdate::Found(Tenures { version, by_device }));
    }
    Ok(found)
}

fn cache(shared: &Shared, found: &OwnersByDevice, source: OwnerSource, generation: u64) {
    for (device_sn, tenure) in found {
        shared.cache.insert(device_sn.clone(), CachedOwner { tenure: *tenure, source }, generation);
    }
}

/// The owners that Redis has. None if Redis is away, or while changes are not received.
async fn find_in_redis(shared: &Shared, device_sns: &[&str]) -> OwnersByDevice {
    let Some(version) = shared.version().filter(|_| !device_sns.is_empty()) else {
        return OwnersByDevice::new();
    };
    let at = owner::DirectoryVersion { directory_id: &version.directory_id, number: version.number };
    match owner::get(&shared.redis, at, device_sns, REDIS_TIMEOUT).await {
        Ok(known) => {
            let now = jiff::Timestamp::now();
            let known = device_sns.iter().zip(known);
            known
                .filter_map(|(device_sn, tenure)| {
                    // A tenure that ended is followed by another one, which only the database knows.
                    let tenure = tenure.filter(|tenure| tenure.until.is_none_or(|until| now < until))?;
                    Some((Box::from(*device_sn), tenure))
                })
                .collect()
        }
        Err(error) => {
            tracing::debug!(%error, "owners not read from redis");
            OwnersByDevice::new()
        }
    }
}
