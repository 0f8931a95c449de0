//! Servers, databases, services, proxies, and waiting for a condition.

mod alerts;
mod balancer;
mod browser;
mod certificates;
mod chromium;
mod cluster;
mod database;
mod events;
mod form;
mod key;
mod login;
mod manual;
mod process;
mod proxy;
mod receiver;
mod redis_cluster;
mod servers;
mod service;
mod small_queues;
mod standby;

use std::future::Future;
use std::time::Duration;

pub use alerts::{add_alert, notify_of_all, only_rule};
pub use balancer::{Balancer, BalancerKind, Behind, authority};
pub use browser::{Browser, PASSWORD, account, people};
pub use chromium::{Chromedriver, Chromium, axe};
pub use cluster::{Cluster, Node};
pub use database::Database;
pub use events::{EventStream, StreamEvent};
pub use form::form_of;
pub use key::{authorization, key};
pub use login::Login;
pub use manual::{add_program, commands_below, run_commands};
pub use process::{CommandOutput, Process, command, command_of, vitals, vitals_with};
pub use proxy::Proxy;
pub use receiver::{ReceivedRequest, Receiver, Reply};
pub use redis_cluster::{RedisCluster, RedisServer, free_port};
pub use servers::{DisposableServers, Encrypted};
pub use service::{Answer, Service};
pub use small_queues::{readings, small_queues};
pub use standby::Standby;

/// Longest wait for a condition; reached only by a test that fails.
pub const TIMEOUT: Duration = Duration::from_secs(20);

/// Longest wait until a process serves: on a machine that is busy with other tests it takes long, and no test is about that.
pub const START_TIMEOUT: Duration = Duration::from_secs(60);

/// How often a condition is checked.
const CHECK_EVERY: Duration = Duration::from_millis(10);

/// Waits until `condition` gives a value, and fails the test after [`TIMEOUT`].
pub async fn eventually<T, F: Future<Output = Option<T>>>(what: &str, condition: impl FnMut() -> F) -> T {
    eventually_within(TIMEOUT, what, condition).await
}

/// Waits until `condition` gives a value, and fails the test after `limit`.
pub async fn eventually_within<T, F: Future<Output = Option<T>>>(
    limit: Duration,
    what: &str,
    condition: impl FnMut() -> F,
) -> T {
    match within(limit, condition).await {
        Some(value) => value,
        None => panic!("not within {} s: {what}", limit.as_secs()),
    }
}

/// Waits until `condition` gives a value, for [`TIMEOUT`] at most.
pub async fn eventually_or_none<T, F: Future<Output = Option<T>>>(condition: impl FnMut() -> F) -> Option<T> {
    within(TIMEOUT, condition).await
}

async fn within<T, F: Future<Output = Option<T>>>(
    limit: Duration,
    mut condition: impl FnMut() -> F,
) -> Option<T> {
    let waiting = async {
        loop {
            if let Some(value) = condition().await {
                return value;
            }
            tokio::time::sleep(CHECK_EVERY).await;
        }
    };
    tokio::time::timeout(limit, waiting).await.ok()
}
