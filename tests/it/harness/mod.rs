//! Servers, databases, services, cables and waiting.

mod alerts;
mod certificates;
mod database;
mod key;
mod login;
mod narrow;
mod process;
mod proxy;
mod receiver;
mod servers;
mod service;

use std::future::Future;
use std::time::Duration;

pub use alerts::add_alert;
pub use database::Database;
pub use key::{authorization, key};
pub use login::Login;
pub use narrow::{narrow, readings};
pub use process::{Process, Said, command, vitals};
pub use proxy::Proxy;
pub use receiver::{Receiver, Reply, Seen};
pub use servers::{Encrypted, Victims};
pub use service::{Answer, Service};

/// Longest wait for a condition; reached only when a test is about to fail.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// How often a condition is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// Waits until `condition` gives a value, and fails the test after [`PATIENCE`].
pub async fn eventually<T, F: Future<Output = Option<T>>>(what: &str, mut condition: impl FnMut() -> F) -> T {
    let looking = async {
        loop {
            if let Some(value) = condition().await {
                return value;
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    };
    match tokio::time::timeout(PATIENCE, looking).await {
        Ok(value) => value,
        Err(_) => panic!("not within {} s: {what}", PATIENCE.as_secs()),
    }
}
