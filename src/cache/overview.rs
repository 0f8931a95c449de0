//! What dashboards read from Redis: for the report of `vitals demo`, and for tests.
//!
//! Before: `demo`. After: Redis, read only, over connections of its own.
//! Promise: every await ends by the caller's deadline or by `connect_timeout_ms`.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::future::select_ok;
use futures_util::{FutureExt, StreamExt};
use redis::pipe;
use tokio::time::timeout;

use super::tls::Servers;
use super::{Cache, CacheError};
use crate::config::Settings;

/// The latest value of a device: the fields of the hash `health_data:{sn}` by name; empty if there is none.
///
/// # Errors
/// Redis is away.
pub async fn latest(settings: &Settings, device_sn: &str) -> Result<BTreeMap<String, String>, CacheError> {
    hash(settings, &format!("health_data:{device_sn}")).await
}

/// The open alerts of a device: the hash `alert_info:{sn}`, JSON by number of the alert.
///
/// # Errors
/// Redis is away.
pub async fn alerts(settings: &Settings, device_sn: &str) -> Result<BTreeMap<String, String>, CacheError> {
    hash(settings, &format!("alert_info:{device_sn}")).await
}

async fn hash(settings: &Settings, key: &str) -> Result<BTreeMap<String, String>, CacheError> {
    let cache = Cache::new(settings)?;
    cache.connect().await?;
    let mut pipeline = pipe();
    pipeline.cmd("HGETALL").arg(key);
    let (fields,) = cache.send(&pipeline).await?;
    Ok(fields)
}

/// Listens on `health_data_channel:{sn}` and gives the first message; `None` if none came within `deadline`. Every node of a cluster
/// passes on what is published at any.
///
/// # Errors
/// Redis is away.
pub async fn first_message(
    settings: &Settings,
    device_sn: &str,
    deadline: Duration,
) -> Result<Option<String>, CacheError> {
    let subscribing = async {
        let servers = Servers::new(&settings.redis_url, &settings.redis)?;
        let subscribers = servers.clients.iter().map(|client| client.get_async_pubsub().boxed());
        let (mut messages, _) = select_ok(subscribers).await?;
        messages.subscribe(format!("health_data_channel:{device_sn}")).await?;
        Ok::<_, CacheError>(messages)
    };
    let mut messages =
        timeout(settings.connect_timeout(), subscribing).await.unwrap_or(Err(CacheError::Timeout))?;
    let message = timeout(deadline, messages.on_message().next()).await.ok().flatten();
    Ok(message.map(|message| message.get_payload()).transpose()?)
}
