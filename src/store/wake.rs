//! Wake-ups: NOTIFY after commits, throttled, and LISTEN, each on its own connection.
//!
//! Before: the writers of `ingest` call [`Announcer::announce`] after a commit, the relay when there is somebody to be
//! sent. After: the lanes of `relay`, `notify` and `keys` wait on a [`Wake`]. Promise: none but speed. A wake-up is a hint and may be lost with a connection; the outbox is the truth,
//! and [`Wake::arm`] says when a connection was made, so that the relay sweeps.
//!
//! NOTIFY is never part of a writing transaction: there it would serialise all commits of the cluster.

use std::convert::Infallible;
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep};
use tokio_postgres::Client;
use tokio_util::sync::CancellationToken;

use super::listen_connection::{Outage, PING_EVERY, ask, drive};
use super::{Store, StoreError};
use crate::config::Settings;

/// What changed; each subject has its own channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// Rows of `outbox`.
    Outbox,
    /// Rows of `notification`.
    Notification,
    /// Rows of `api_key`; its triggers send the notification.
    ApiKey,
}

impl Subject {
    fn notify(self) -> &'static str {
        match self {
            Self::Outbox => "notify vitals_outbox",
            Self::Notification => "notify vitals_notification",
            Self::ApiKey => "notify vitals_api_key",
        }
    }

    fn listen(self) -> &'static str {
        match self {
            Self::Outbox => "listen vitals_outbox",
            Self::Notification => "listen vitals_notification",
            Self::ApiKey => "listen vitals_api_key",
        }
    }
}

/// Notifies all instances of new rows.
#[derive(Debug, Clone)]
pub struct Announcer {
    subject: Subject,
    due: Arc<Notify>,
}

impl Announcer {
    /// Announces `subject`.
    pub fn of(subject: Subject) -> Self {
        Self { subject, due: Arc::default() }
    }

    /// Call it after a commit. It is cheap and never waits.
    pub fn announce(&self) {
        self.due.notify_one();
    }

    /// Sends an empty NOTIFY at most every `notify_interval_ms`: the first at once, and one after the last commit.
    /// Runs until `stop`; what was announced until then is still sent.
    pub async fn run(self, store: Store, settings: Settings, stop: CancellationToken) {
        let interval = Duration::from_millis(settings.notify_interval_ms);
        let mut outage = Outage::new("announcer", "polling goes on meanwhile");
        loop {
            let began = Instant::now();
            match self.session(&store, interval, &stop).await {
                Ok(()) => return,
                Err(error) => outage.wait(began, &error, &stop).await,
            }
            if stop.is_cancelled() {
                return;
            }
            // The broken session may not have sent the last announcement.
            self.due.notify_one();
        }
    }

    /// One connection, until it breaks; `Ok` when stopped.
    async fn session(
        &self,
        store: &Store,
        interval: Duration,
        stop: &CancellationToken,
    ) -> Result<(), StoreError> {
        let (client, mut connection) = store.connect().await?;
        let send = async {
            loop {
                tokio::select! {
                    biased;
                    () = self.due.notified() => {}
                    () = stop.cancelled() => return Ok(()),
                }
                ask(&client, store, self.subject.notify()).await?;
                tokio::select! {
                    () = sleep(interval) => {}
                    () = stop.cancelled() => {}
                }
            }
        };
        tokio::select! {
            sent = send => sent,
            lost = drive(&mut connection, |_| ()) => Err(lost),
        }
    }
}

/// Counters of the listener.
#[derive(Debug, Clone, Copy, Default)]
struct Received {
    /// Connections made.
    connections: u64,
    /// Notifications.
    notifications: u64,
}

/// Receives NOTIFY and wakes any number of [`Wake`]s.
#[derive(Debug)]
pub struct Listener {
    subject: Subject,
    received: watch::Sender<Received>,
}

impl Listener {
    /// Listens to `subject`.
    pub fn of(subject: Subject) -> Self {
        Self { subject, received: watch::Sender::default() }
    }

    /// Adds a waiter.
    pub fn wake(&self) -> Wake {
        Wake { received: self.received.subscribe(), connections: 0 }
    }

    /// Listens until `stop`.
    pub async fn run(self, store: Store, stop: CancellationToken) {
        let mut outage = Outage::new("listener", "polling goes on meanwhile");
        while !stop.is_cancelled() {
            let began = Instant::now();
            tokio::select! {
                error = self.session(&store) => outage.wait(began, &error, &stop).await,
                () = stop.cancelled() => {}
            }
        }
    }

    /// One connection, until it breaks.
    async fn session(&self, store: &Store) -> StoreError {
        let (client, mut connection) = match store.connect().await {
            Ok(session) => session,
            Err(error) => return error,
        };
        let hear = |_: &str| self.received.send_modify(|received| received.notifications += 1);
        tokio::select! {
            Err(lost) = self.listen(&client, store) => lost,
            lost = drive(&mut connection, hear) => lost,
        }
    }

    /// Starts to listen, then pings.
    async fn listen(&self, client: &Client, store: &Store) -> Result<Infallible, StoreError> {
        ask(client, store, self.subject.listen()).await?;
        self.received.send_modify(|received| received.connections += 1);
        loop {
            sleep(PING_EVERY).await;
            ask(client, store, "").await?;
        }
    }
}

/// Waits for the listener. One per polling loop.
#[derive(Debug)]
pub struct Wake {
    received: watch::Receiver<Received>,
    connections: u64,
}

impl Wake {
    /// Call it before polling the table: a notification received from now on ends the next [`Wake::woken`].
    /// True if the listener has connected since the last call: notifications sent in between are lost.
    pub fn arm(&mut self) -> bool {
        let connections = self.received.borrow_and_update().connections;
        std::mem::replace(&mut self.connections, connections) != connections
    }

    /// Ends when something was received since [`Wake::arm`].
    pub async fn woken(&mut self) {
        if self.received.changed().await.is_err() {
            // The listener has stopped; polling goes on.
            pending::<()>().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::timeout;

    use super::*;

    #[tokio::test]
    async fn what_is_heard_after_arming_is_not_lost() {
        let listener = Listener::of(Subject::Outbox);
        let mut wake = listener.wake();
        assert!(!wake.arm(), "no connection yet");
        listener.received.send_modify(|received| received.notifications += 1);
        wake.woken().await;
    }

    #[tokio::test]
    async fn a_connection_is_told_once_to_every_lane() {
        let listener = Listener::of(Subject::Outbox);
        let (mut one, mut other) = (listener.wake(), listener.wake());
        listener.received.send_modify(|received| received.connections += 1);
        assert!(one.arm());
        assert!(!one.arm());
        assert!(other.arm());
    }

    #[tokio::test]
    async fn arming_takes_what_was_heard_before() {
        let listener = Listener::of(Subject::Outbox);
        let mut wake = listener.wake();
        listener.received.send_modify(|received| received.notifications += 1);
        wake.arm();
        assert!(
            timeout(Duration::from_millis(20), wake.woken()).await.is_err(),
            "looked after it was received"
        );
    }
}
