//! A connection that receives notifications: opened, kept alive, and opened again when it breaks.
//!
//! Before: `store::wake` and `store::owners` listen. After: they interpret the notifications.
//! Promise: every await has a deadline; a lost connection is noticed within [`PING_EVERY`] and the connect timeout.

use std::future::poll_fn;
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use tokio::time::{Instant, sleep, timeout};
use tokio_postgres::{AsyncMessage, Client};
use tokio_util::sync::CancellationToken;

use super::tls::Connection;
use super::{Store, StoreError};

/// How often a listener pings its connection.
pub(super) const PING_EVERY: Duration = Duration::from_secs(5);

/// A session that lasted so long was good: the next back-off starts from the beginning.
const GOOD_AFTER: Duration = Duration::from_secs(10);

/// Runs a statement without parameters, within `connect_timeout_ms`; an empty one is a ping.
pub(super) async fn ask(client: &Client, store: &Store, statement: &'static str) -> Result<(), StoreError> {
    match timeout(store.connect_timeout(), client.batch_execute(statement)).await {
        Ok(answer) => answer.map_err(|source| StoreError::Postgres { statement, source }),
        Err(_) => Err(StoreError::Timeout(statement)),
    }
}

/// Drives a connection until it ends; `on_notification` is called with the payload of each notification.
pub(super) async fn drive(connection: &mut Connection, mut on_notification: impl FnMut(&str)) -> StoreError {
    loop {
        match poll_fn(|context| connection.poll_message(context)).await {
            Some(Ok(AsyncMessage::Notification(notification))) => on_notification(notification.payload()),
            Some(Ok(_)) => {}
            Some(Err(source)) => return StoreError::Postgres { statement: "session", source },
            None => return StoreError::State("the server closed the connection".into()),
        }
    }
}

/// The outage of a connection: logged once, with growing delays between the attempts.
pub(super) struct Outage {
    who: &'static str,
    meanwhile: &'static str,
    logged: bool,
    delays: ExponentialBackoff,
}

impl Outage {
    pub(super) fn new(who: &'static str, meanwhile: &'static str) -> Self {
        Self { who, meanwhile, logged: false, delays: Self::delays() }
    }

    fn delays() -> ExponentialBackoff {
        ExponentialBuilder::default()
            .with_min_delay(Duration::from_millis(100))
            .with_max_delay(Duration::from_secs(5))
            .without_max_times()
            .with_jitter()
            .build()
    }

    pub(super) async fn wait(&mut self, began: Instant, error: &StoreError, stop: &CancellationToken) {
        if began.elapsed() > GOOD_AFTER {
            self.delays = Self::delays();
            self.logged = false;
        }
        if !std::mem::replace(&mut self.logged, true) && !stop.is_cancelled() {
            tracing::warn!(who = self.who, %error, "connection lost; connecting again, {}", self.meanwhile);
        }
        let delay = self.delays.next().unwrap_or(GOOD_AFTER);
        tokio::select! {
            () = sleep(delay) => {}
            () = stop.cancelled() => {}
        }
    }
}
