//! LISTEN and NOTIFY of an instance, on one connection: opened, kept alive, and opened again when it breaks.
//!
//! Before: writers of `ingest`, the relay and the sweep call [`Announcer::announce`] after a commit; triggers notify of keys and of
//! the directory. After: each [`Wake`] of `relay`, `notify`, `react` and `keys`; `owners` is given every change of the directory.
//! Promise: every await has a deadline; a connection that is gone is noticed within [`PING_EVERY`] and the time to reach the
//! server; the first announcement of a subject is sent at once, later ones at most every `notify_interval_ms`.
//!
//! NOTIFY is never part of a writing transaction: there it would serialise all commits of the cluster.

use std::convert::Infallible;
use std::future::poll_fn;
use std::sync::Arc;
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use futures_util::future::try_join_all;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep, timeout};
use tokio_postgres::{AsyncMessage, Client};
use tokio_util::sync::CancellationToken;

use super::owners::{self, OwnerChange};
use super::tls::Connection;
use super::wake::{Announcer, Subject, Wake, WakeSource};
use super::{Store, StoreError};
use crate::config::Settings;

/// Time between two checks that the connection is alive.
const PING_EVERY: Duration = Duration::from_secs(5);

/// A connection that held this long was good: the next back-off begins at its shortest delay.
const GOOD_AFTER: Duration = Duration::from_secs(10);

const LISTEN: &str =
    "listen vitals_outbox; listen vitals_notification; listen vitals_api_key; listen vitals_owner";

/// Where changes of the directory are notified.
const DIRECTORY_CHANNEL: &str = "vitals_owner";

/// The notifications of one instance, in both directions.
pub struct Notifier {
    outbox: WakeSource,
    notification: WakeSource,
    api_key: WakeSource,
    announced: [(Subject, Arc<Notify>); 2],
    on_directory_change: Box<dyn Fn(OwnerChange) + Send + Sync>,
}

impl Default for Notifier {
    fn default() -> Self {
        Self {
            outbox: WakeSource::default(),
            notification: WakeSource::default(),
            api_key: WakeSource::default(),
            announced: [(Subject::Outbox, Arc::default()), (Subject::Notification, Arc::default())],
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
    /// One more loop to wake when `subject` is notified.
    pub fn wake(&self, subject: Subject) -> Wake {
        self.source(subject).wake()
    }

    /// Announces new rows of `outbox` to all instances.
    pub fn outbox(&self) -> Announcer {
        Announcer::new(&self.announced[0].1)
    }

    /// Announces new rows of `notification` to all instances.
    pub fn notification(&self) -> Announcer {
        Announcer::new(&self.announced[1].1)
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
        let (client, mut connection) = tokio::select! {
            connected = store.connect() => connected?,
            () = stop.cancelled() => return Ok(()),
        };
        let work = async {
            self.listen(&client, store).await?;
            let announcing = self
                .announced
                .iter()
                .map(|(subject, due)| announce(&client, store, subject.notify(), due, interval, stop));
            tokio::select! {
                Err(lost) = keep_alive(&client, store) => Err(lost),
                announced = try_join_all(announcing) => announced.map(drop),
            }
        };
        tokio::select! {
            done = work => done,
            lost = drive(&mut connection, |channel, payload| self.receive(channel, payload)) => Err(lost),
        }
    }

    /// Listens first and reads the version of the directory then: a change between the two is notified, at worst twice.
    async fn listen(&self, client: &Client, store: &Store) -> Result<(), StoreError> {
        ask(client, store, LISTEN).await?;
        for subject in [Subject::Outbox, Subject::Notification, Subject::ApiKey] {
            self.source(subject).connected();
        }
        let version = owners::version(client, store.connect_timeout()).await?;
        (self.on_directory_change)(OwnerChange::Listening(version));
        Ok(())
    }

    fn receive(&self, channel: &str, payload: &str) {
        if channel == DIRECTORY_CHANNEL {
            match owners::parse_change(payload) {
                Some(change) => (self.on_directory_change)(change),
                // A NOTIFY of somebody else on this channel is ignored.
                None => tracing::debug!("ignored an unknown notification of {DIRECTORY_CHANNEL}"),
            }
        } else if let Some(subject) = Subject::of_channel(channel) {
            self.source(subject).notified();
        }
    }

    fn source(&self, subject: Subject) -> &WakeSource {
        match subject {
            Subject::Outbox => &self.outbox,
            Subject::Notification => &self.notification,
            Subject::ApiKey => &self.api_key,
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

/// Moves the bytes of a connection until it ends; `receive` is given channel and payload of each notification.
async fn drive(connection: &mut Connection, receive: impl Fn(&str, &str)) -> StoreError {
    loop {
        match poll_fn(|context| connection.poll_message(context)).await {
            Some(Ok(AsyncMessage::Notification(message))) => receive(message.channel(), message.payload()),
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
            .with_max_delay(Duration::from_secs(5))
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
