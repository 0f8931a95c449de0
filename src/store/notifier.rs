//! LISTEN and NOTIFY of an instance, on one connection: opened, kept alive, and opened again when it breaks.
//!
//! Before: writers of `ingest`, the relay and the sweep call [`Announcer::announce`] after a commit, which wakes the loops of this
//! instance without a detour through the server; triggers notify of keys, rules and the directory. After: each [`Wake`] of `relay`, `notify`, `react` and `keys`; `owners` is given every change of the directory.
//! Promise: every await has a deadline; a connection that is gone is noticed within [`PING_EVERY`] and the time to reach the
//! server; the first announcement of a topic is sent at once, later ones at most every `notify_interval_ms`.
//!
//! NOTIFY is never part of a writing transaction: there it would serialise all commits of the cluster.

use std::convert::Infallible;
use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use futures_util::future::try_join_all;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep, timeout};
use tokio_postgres::{AsyncMessage, Client, Notification};
use tokio_util::sync::CancellationToken;

use super::hosts::Connected;
use super::owners::{self, OwnerChange};
use super::tls::Connection;
use super::wake::{Announcer, OutboxAnnouncer, Topic, Wake, WakeSource};
use super::{Store, StoreError};
use crate::config::Settings;

/// Time between two checks that the connection is alive.
const PING_EVERY: Duration = Duration::from_secs(5);

/// A connection that held this long was good: the next back-off begins at its shortest delay.
const GOOD_AFTER: Duration = Duration::from_secs(10);

const LISTEN: &str = "listen vitals_outbox; listen vitals_notification; listen vitals_api_key; \
     listen vitals_alert_rule; listen vitals_change; listen vitals_placement; \
     listen vitals_account; listen vitals_owner";

/// Where changes of the directory are notified.
const DIRECTORY_CHANNEL: &str = "vitals_owner";

/// The notifications of one instance, in both directions.
pub struct Notifier {
    outbox: WakeSource,
    urgent: WakeSource,
    notification: WakeSource,
    api_key: WakeSource,
    alert_rule: WakeSource,
    change: WakeSource,
    placement: WakeSource,
    account: WakeSource,
    announced: [(Topic, Arc<Notify>); 2],
    /// The server's process for the connection of the session: what it notifies of was announced here, and woke the loops then.
    own_process: AtomicI32,
    on_directory_change: Box<dyn Fn(OwnerChange) + Send + Sync>,
}

impl Default for Notifier {
    fn default() -> Self {
        Self {
            outbox: WakeSource::default(),
            urgent: WakeSource::default(),
            notification: WakeSource::default(),
            api_key: WakeSource::default(),
            alert_rule: WakeSource::default(),
            change: WakeSource::default(),
            placement: WakeSource::default(),
            account: WakeSource::default(),
            announced: [(Topic::Outbox, Arc::default()), (Topic::Notification, Arc::default())],
            own_process: AtomicI32::default(),
            on_directory_change: Box::new(|_| ()),
        }
    }
}

impl std::fmt::Debug for Notifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Notifier").finish_non_exhaustive()
    }
}

impl Notifier {
    /// One more loop to wake when `topic` is notified.
    pub fn wake(&self, topic: Topic) -> Wake {
        self.source(topic).wake()
    }

    /// The loop to wake when a batch with an urgent event was committed, or another instance announced batches of any kind.
    pub fn wake_urgent(&self) -> Wake {
        self.urgent.wake()
    }

    /// Announces new rows of `outbox`.
    pub fn outbox(&self) -> OutboxAnnouncer {
        OutboxAnnouncer::new(Announcer::new(&self.outbox, &self.announced[0].1), &self.urgent)
    }

    /// Announces new rows of `notification`.
    pub fn notification(&self) -> Announcer {
        Announcer::new(&self.notification, &self.announced[1].1)
    }

    /// Who is given the changes of the directory, in their order.
    pub fn on_directory_change(&mut self, follow: impl Fn(OwnerChange) + Send + Sync + 'static) {
        self.on_directory_change = Box::new(follow);
    }

    /// Listens and notifies until `stop`; what was announced before is still sent.
    pub async fn run(self, store: Store, settings: Settings, stop: CancellationToken) {
        let interval = Duration::from_millis(settings.notify_interval_ms);
        let mut outage = Outage::default();
        loop {
            let began = Instant::now();
            let Err(error) = self.session(&store, interval, &stop).await else { return };
            (self.on_directory_change)(OwnerChange::Disconnected);
            outage.wait(began, &error, &stop).await;
            if stop.is_cancelled() {
                return;
            }
            // The broken session may not have sent them.
            for (_, due) in &self.announced {
                due.notify_one();
            }
        }
    }

    /// The life of one connection; `Ok` when stopped.
    async fn session(
        &self,
        store: &Store,
        interval: Duration,
        stop: &CancellationToken,
    ) -> Result<(), StoreError> {
        let Connected { client, mut connection, mut supersession } = tokio::select! {
            connected = store.connect() => connected?,
            () = stop.cancelled() => return Ok(()),
        };
        let work = async {
            self.listen(&client, store).await?;
            let announcing = self
                .announced
                .iter()
                .map(|(topic, due)| announce(&client, store, topic.notify(), due, interval, stop));
            tokio::select! {
                Err(lost) = keep_alive(&client, store) => Err(lost),
                announced = try_join_all(announcing) => announced.map(drop),
            }
        };
        tokio::select! {
            done = work => done,
            lost = drive(&mut connection, |message| self.receive(message)) => Err(lost),
            () = supersession.happened() => Err(store.server_error("another host accepts writes now", None)),
        }
    }

    /// Listens first and reads the version of the directory then: a change between the two is notified, at worst twice.
    async fn listen(&self, client: &Client, store: &Store) -> Result<(), StoreError> {
        let process = query_process(client, store).await?;
        self.own_process.store(process, Ordering::Relaxed);
        ask(client, store, LISTEN).await?;
        for topic in Topic::ALL {
            self.source(topic).connected();
        }
        self.urgent.connected();
        let version = owners::version(client, store.connect_timeout()).await?;
        (self.on_directory_change)(OwnerChange::Listening(version));
        Ok(())
    }

    fn receive(&self, message: &Notification) {
        if message.channel() == DIRECTORY_CHANNEL {
            match owners::parse_change(message.payload()) {
                Some(change) => (self.on_directory_change)(change),
                // A NOTIFY of somebody else on this channel is ignored.
                None => tracing::debug!("ignored an unknown notification of {DIRECTORY_CHANNEL}"),
            }
        } else if message.process_id() != self.own_process.load(Ordering::Relaxed)
            && let Some(topic) = Topic::of_channel(message.channel())
        {
            self.source(topic).notified();
            if topic == Topic::Outbox {
                self.urgent.notified();
            }
        }
    }

    fn source(&self, topic: Topic) -> &WakeSource {
        match topic {
            Topic::Outbox => &self.outbox,
            Topic::Notification => &self.notification,
            Topic::ApiKey => &self.api_key,
            Topic::AlertRule => &self.alert_rule,
            Topic::Change => &self.change,
            Topic::Placement => &self.placement,
            Topic::Account => &self.account,
        }
    }
}

/// Sends `notify` when it is due, and then not before `interval` has passed. `Ok` when stopped.
async fn announce(
    client: &Client,
    store: &Store,
    notify: &'static str,
    due: &Notify,
    interval: Duration,
    stop: &CancellationToken,
) -> Result<(), StoreError> {
    loop {
        tokio::select! {
            biased;
            () = due.notified() => {}
            () = stop.cancelled() => return Ok(()),
        }
        ask(client, store, notify).await?;
        tokio::select! {
            () = sleep(interval) => {}
            () = stop.cancelled() => {}
        }
    }
}

async fn keep_alive(client: &Client, store: &Store) -> Result<Infallible, StoreError> {
    loop {
        sleep(PING_EVERY).await;
        ask(client, store, "").await?;
    }
}

/// Runs a statement without parameters, within `connect_timeout_ms`; an empty one asks for a sign of life.
async fn ask(client: &Client, store: &Store, statement: &'static str) -> Result<(), StoreError> {
    match timeout(store.connect_timeout(), client.batch_execute(statement)).await {
        Ok(answer) => answer.map_err(|source| StoreError::Postgres { statement, source }),
        Err(_) => Err(StoreError::Timeout(statement)),
    }
}

/// The number of the server's process for this connection, within `connect_timeout_ms`.
async fn query_process(client: &Client, store: &Store) -> Result<i32, StoreError> {
    const STATEMENT: &str = "select pg_backend_pid()";
    match timeout(store.connect_timeout(), client.query_one(STATEMENT, &[])).await {
        Ok(Ok(row)) => Ok(row.get(0)),
        Ok(Err(source)) => Err(StoreError::Postgres { statement: STATEMENT, source }),
        Err(_) => Err(StoreError::Timeout(STATEMENT)),
    }
}

/// Moves the bytes of a connection until it ends; `receive` is given each notification.
async fn drive(connection: &mut Connection, receive: impl Fn(&Notification)) -> StoreError {
    loop {
        match poll_fn(|context| connection.poll_message(context)).await {
            Some(Ok(AsyncMessage::Notification(message))) => receive(&message),
            Some(Ok(_)) => {}
            Some(Err(source)) => return StoreError::Postgres { statement: "session", source },
            None => return StoreError::State("the server closed the connection".into()),
        }
    }
}

/// A connection that does not hold: logged once, and the delay grows each time.
struct Outage {
    is_logged: bool,
    delays: ExponentialBackoff,
}

impl Default for Outage {
    fn default() -> Self {
        let delays = ExponentialBuilder::default()
            .with_min_delay(Duration::from_millis(100))
            .with_max_delay(Duration::from_secs(2))
            .without_max_times()
            .with_jitter()
            .build();
        Self { is_logged: false, delays }
    }
}

impl Outage {
    async fn wait(&mut self, began: Instant, error: &StoreError, stop: &CancellationToken) {
        if began.elapsed() > GOOD_AFTER {
            *self = Self::default();
        }
        if !std::mem::replace(&mut self.is_logged, true) && !stop.is_cancelled() {
            tracing::warn!(
                %error,
                "the connection for notifications is lost; meanwhile tables are polled and owners are read from the database"
            );
        }
        let delay = self.delays.next().unwrap_or(GOOD_AFTER);
        tokio::select! {
            () = sleep(delay) => {}
            () = stop.cancelled() => {}
        }
    }
}
