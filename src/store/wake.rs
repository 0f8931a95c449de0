//! The wake-up: NOTIFY after commits, throttled, and LISTEN, each on a connection of its own.
//!
//! Before: the writers of `ingest` call [`Announcer::announce`] after a commit, the relay when there is somebody to be
//! told. After: the lanes of `relay`, `notify` and `keys` wait on a [`Wake`]. Promise: none but speed. A wake-up is a hint and may be lost with a connection; the outbox is the truth,
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

use super::listening::{Outage, PING_EVERY, ask, drive};
use super::{Store, StoreError};
use crate::config::Settings;

/// What there may be something new of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// Rows of `outbox`.
    Outbox,
    /// Rows of `notification`.
    Notification,
    /// Rows of `api_key`, told by its triggers.
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

/// Tells all instances that there is something new.
#[derive(Debug, Clone)]
pub struct Announcer {
    subject: Subject,
    due: Arc<Notify>,
}

impl Announcer {
    /// Tells of `subject`.
    pub fn of(subject: Subject) -> Self {
        Self { subject, due: Arc::default() }
    }

    /// Something was committed. Costs next to nothing and never waits.
    pub fn announce(&self) {
        self.due.notify_one();
    }

    /// Sends an empty NOTIFY at most every `notify_interval_ms`: the first at once, and one after the last commit.
    /// Runs until `stop`; what was announced until then is still told.
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
            // What the broken session may not have told.
            self.due.notify_one();
        }
    }

    /// One connection's life; `Ok` when stopped.
    async fn session(
        &self,
        store: &Store,
        interval: Duration,
        stop: &CancellationToken,
    ) -> Result<(), StoreError> {
        let (client, mut connection) = store.connect().await?;
        let tell = async {
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
            told = tell => told,
            lost = drive(&mut connection, |_| ()) => Err(lost),
        }
    }
}

/// What the listener has heard so far.
#[derive(Debug, Clone, Copy, Default)]
struct Heard {
    /// Connections made.
    connections: u64,
    /// Notifications.
    notifications: u64,
}

/// Hears NOTIFY and passes it on to any number of [`Wake`]s.
#[derive(Debug)]
pub struct Listener {
    subject: Subject,
    heard: watch::Sender<Heard>,
}

impl Listener {
    /// Hears of `subject`.
    pub fn of(subject: Subject) -> Self {
        Self { subject, heard: watch::Sender::default() }
    }

    /// One more to wake.
    pub fn wake(&self) -> Wake {
        Wake { heard: self.heard.subscribe(), connections: 0 }
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

    /// One connection's life; it has no good end.
    async fn session(&self, store: &Store) -> StoreError {
        let (client, mut connection) = match store.connect().await {
            Ok(session) => session,
            Err(error) => return error,
        };
        let hear = |_: &str| self.heard.send_modify(|heard| heard.notifications += 1);
        tokio::select! {
            Err(lost) = self.listen(&client, store) => lost,
            lost = drive(&mut connection, hear) => lost,
        }
    }

    /// Asks for notifications, then for signs of life.
    async fn listen(&self, client: &Client, store: &Store) -> Result<Infallible, StoreError> {
        ask(client, store, self.subject.listen()).await?;
        self.heard.send_modify(|heard| heard.connections += 1);
        loop {
            sleep(PING_EVERY).await;
            ask(client, store, "").await?;
        }
    }
}

/// Waits for the listener. One per loop that looks.
#[derive(Debug)]
pub struct Wake {
    heard: watch::Receiver<Heard>,
    connections: u64,
}

impl Wake {
    /// To be called before looking into the outbox: whatever is heard from now on ends the next [`Wake::woken`].
    /// True when the listener has connected since the last time: what was notified in between is lost.
    pub fn arm(&mut self) -> bool {
        let connections = self.heard.borrow_and_update().connections;
        std::mem::replace(&mut self.connections, connections) != connections
    }

    /// Ends when something was heard since [`Wake::arm`].
    pub async fn woken(&mut self) {
        if self.heard.changed().await.is_err() {
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
        listener.heard.send_modify(|heard| heard.notifications += 1);
        wake.woken().await;
    }

    #[tokio::test]
    async fn a_connection_is_told_once_to_every_lane() {
        let listener = Listener::of(Subject::Outbox);
        let (mut one, mut other) = (listener.wake(), listener.wake());
        listener.heard.send_modify(|heard| heard.connections += 1);
        assert!(one.arm());
        assert!(!one.arm());
        assert!(other.arm());
    }

    #[tokio::test]
    async fn arming_takes_what_was_heard_before() {
        let listener = Listener::of(Subject::Outbox);
        let mut wake = listener.wake();
        listener.heard.send_modify(|heard| heard.notifications += 1);
        wake.arm();
        assert!(timeout(Duration::from_millis(20), wake.woken()).await.is_err(), "looked after it was heard");
    }
}
