//! Connections: the pool, and the settings every session is opened with.
//!
//! Promise: a server that does not answer is noticed (TCP keep-alive, user time-out, statement time-out), so no
//! caller waits for ever. Every connection is made to the host that `store::hosts` chooses.

use std::sync::Arc;
use std::time::{Duration, Instant};

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use deadpool_postgres::{
    Manager, ManagerConfig, Object, Pool, PoolError, QueueMode, RecyclingMethod, Runtime, TimeoutType,
};
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, Config};

use super::StoreError;
use super::abandoned::{AbandonedConnections, Dialer};
use super::error::describe;
use super::hosts::parameters::DefaultTarget;
use super::hosts::{Connected, Hosts, PrimaryChange};
use super::read_horizon::ReadHorizon;
use super::recycle::{RecycleCheck, Requirement};
use crate::config::Settings;
use crate::tasks;
use crate::telemetry::names;

/// The pool of connections, and how to open a connection outside of it.
#[derive(Clone)]
pub struct Store {
    pool: Pool,
    pub(super) config: Config,
    hosts: Hosts,
    abandoned: AbandonedConnections,
    server: Arc<str>,
    connect_timeout: Duration,
    work_timeout: Duration,
}

/// Drives a connection outside of the pool; dropping it closes the connection.
pub type Driver = tokio_util::task::AbortOnDropHandle<()>;

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").field("pool", &self.pool.status()).finish_non_exhaustive()
    }
}

/// If a client machine disappears, its locks remain, and others wait for them: TCP keepalive makes the server notice.
const SERVER_KEEPALIVE: &str = "-c client_connection_check_interval=2s -c tcp_keepalives_idle=10 -c tcp_keepalives_interval=5 -c tcp_keepalives_count=3 -c tcp_user_timeout=30000";

/// How PostgreSQL shows one of these settings.
pub(super) const CLIENT_CHECK_INTERVAL: &str = "2s";

/// Most statements of one unit of work, each of which may take `statement_timeout_ms`.
const STATEMENTS: u32 = 4;

/// How long the server keeps an idle transaction, for the case that the network fails: devices send the readings again to another
/// instance, which waits for the locks of these rows.
const LONGEST_IDLE_MS: u64 = 10_000;

impl Store {
    /// Prepares the pool; connects to nothing yet.
    ///
    /// # Errors
    /// The URL is not one.
    pub fn new(settings: &Settings) -> Result<Self, StoreError> {
        Self::with(settings, None)
    }

    /// Prepares a pool for standbys that are as far as `horizon` requires; connects to nothing yet.
    ///
    /// # Errors
    /// The URL is not one.
    pub(super) fn of_standbys(settings: &Settings, horizon: Arc<ReadHorizon>) -> Result<Self, StoreError> {
        Self::with(settings, Some(horizon))
    }

    fn with(settings: &Settings, horizon: Option<Arc<ReadHorizon>>) -> Result<Self, StoreError> {
        let setting = if horizon.is_some() { "read.database_url" } else { "database_url" };
        let default_target = if horizon.is_some() { DefaultTarget::Standby } else { DefaultTarget::Primary };
        let (hosts, mut config) =
            Hosts::of(&settings.database_url, default_target, settings.connect_timeout())
                .map_err(|fault| StoreError::State(format!("{setting}: {fault}")))?;
        config.application_name(format!("vitals {}", settings.instance_name()));
        // A role named as our private schema would otherwise find, and make, its tables there. Late rows may touch any
        // number of compressed ones; by default TimescaleDB refuses a transaction that touches many.
        let options = format!(
            "{} -c timezone=UTC -c search_path=public -c timescaledb.max_tuples_decompressed_per_dml_transaction=0 {SERVER_KEEPALIVE}",
            config.get_options().unwrap_or_default()
        );
        config.options(&options);
        let mut with_timeout = config.clone();
        let (statement_ms, idle_ms) =
            (settings.statement_timeout_ms, settings.statement_timeout_ms.min(LONGEST_IDLE_MS));
        with_timeout.options(format!(
            "{options} -c statement_timeout={statement_ms} -c idle_in_transaction_session_timeout={idle_ms}"
        ));
        let abandoned = AbandonedConnections::default();
        let manager = Manager::from_connect(
            with_timeout,
            Dialer { hosts: hosts.clone(), abandoned: abandoned.clone() },
            // More is checked by `RecycleCheck`.
            ManagerConfig { recycling_method: RecyclingMethod::Fast },
        );
        let is_of_standbys = horizon.is_some();
        let requirement = horizon.map_or_else(|| Requirement::Primary(hosts.clone()), Requirement::Standby);
        let check = RecycleCheck::new(requirement, settings.connect_timeout() / 4);
        let mut pool = Pool::builder(manager)
            .max_size(settings.database_pool_size + settings.writer_count())
            // The connection that was in use last has planned the statements that come next. If they took turns, each would have to.
            .queue_mode(QueueMode::Lifo)
            .runtime(Runtime::Tokio1)
            .wait_timeout(Some(settings.connect_timeout()))
            .create_timeout(Some(settings.connect_timeout()))
            .pre_recycle(check.clone().hook());
        if is_of_standbys {
            pool = pool.post_create(check.hook());
        }
        let pool = pool.build().map_err(|error| StoreError::Pool(error.to_string()))?;
        let work_timeout = settings.connect_timeout() + settings.statement_timeout() * STATEMENTS;
        let server = hosts.names().into();
        let connect_timeout = settings.connect_timeout();
        Ok(Self { pool, config, hosts, abandoned, server, connect_timeout, work_timeout })
    }

    /// A connection from the pool, statements cached on it.
    ///
    /// # Errors
    /// [`super::Kind::Down`] when none can be had within `connect_timeout_ms`.
    pub async fn client(&self) -> Result<Object, StoreError> {
        let began = Instant::now();
        let got = self.pool.get().await.map_err(|error| match error {
            PoolError::Backend(source) => self.unreachable(&source),
            PoolError::Timeout(TimeoutType::Create) => self.no_answer(),
            error => StoreError::Pool(error.to_string()),
        });
        metrics::histogram!(names::POOL_WAIT_SECONDS).record(began.elapsed());
        got
    }

    /// A connection for work that may be cancelled: it is closed afterwards, not returned to the pool.
    ///
    /// # Errors
    /// [`super::Kind::Down`] when none can be had within `connect_timeout_ms`.
    pub(super) async fn own_client(&self) -> Result<OwnClient, StoreError> {
        Ok(OwnClient(Some(self.client().await?)))
    }

    /// Sets the gauges of the pool.
    #[expect(clippy::cast_precision_loss, reason = "a few connections")]
    pub fn measure_pool(&self) {
        let status = self.pool.status();
        let idle = status.available.min(status.size);
        for (state, connections) in [("idle", idle), ("used", status.size - idle)] {
            metrics::gauge!(names::POOL_CONNECTIONS, "state" => state).set(connections as f64);
        }
        metrics::gauge!(names::POOL_MAX).set(status.max_size as f64);
        metrics::gauge!(names::POOL_WAITING).set(status.waiting as f64);
    }

    /// Hosts and ports of the server, as `database_url` has them.
    pub fn server(&self) -> &str {
        &self.server
    }

    /// Whether `database_url` names more than one host.
    pub fn has_several_hosts(&self) -> bool {
        self.hosts.are_several()
    }

    /// Whether the server is, or may be, on another machine: only loopback and sockets are here for certain.
    pub fn is_remote(&self) -> bool {
        self.hosts.is_remote()
    }

    /// Closes every connection made so far if the server refused a statement because it accepts no writes any more (25006).
    pub(crate) fn note_refusal(&self, error: &StoreError) {
        if error.is(&SqlState::READ_ONLY_SQL_TRANSACTION) {
            self.hosts.demoted();
        }
    }

    /// Ends at the next change of the host that accepts writes.
    pub fn primary(&self) -> PrimaryChange {
        self.hosts.primary()
    }

    /// The server cannot be reached or refuses the login: its message, its address, and the setting.
    fn unreachable(&self, source: &tokio_postgres::Error) -> StoreError {
        let cause = if self.hosts.are_several() { self.hosts.report() } else { describe(source) };
        let state = source.code().cloned();
        let hint = if state == Some(SqlState::PROTOCOL_VIOLATION) {
            ". If this is PgBouncer or another pooler: see \"Connection poolers\" in docker/README.md"
        } else {
            ""
        };
        self.server_error(cause + hint, state)
    }

    /// The time to connect is over.
    fn no_answer(&self) -> StoreError {
        let cause =
            if self.hosts.are_several() { self.hosts.report() } else { "no answer in time".to_owned() };
        self.server_error(cause, None)
    }

    /// The server does not meet a requirement.
    pub(super) fn server_error(&self, cause: impl Into<String>, state: Option<SqlState>) -> StoreError {
        StoreError::Server { server: Arc::clone(&self.server), cause: cause.into(), state }
    }

    /// Opens a connection whose notifications are needed. No statement timeout.
    pub(super) async fn connect(&self) -> Result<Connected, StoreError> {
        self.connect_to(&self.config).await
    }

    /// The same with other parameters: to another database of the server.
    pub(super) async fn connect_to(&self, config: &Config) -> Result<Connected, StoreError> {
        let deadline = self.connect_timeout + Duration::from_millis(500);
        match tokio::time::timeout(deadline, self.hosts.connect(config)).await {
            Ok(connected) => connected.map_err(|source| self.unreachable(&source)),
            Err(_) => Err(self.no_answer()),
        }
    }

    /// A session outside of the pool, for LISTEN, migrations and refreshes: without statement timeout. It ends when the driver is
    /// dropped, and when another host accepts writes.
    ///
    /// # Errors
    /// [`super::Kind::Down`] when the server cannot be reached.
    pub async fn session(&self) -> Result<(Client, Driver), StoreError> {
        self.connect().await.map(driven)
    }

    /// A session with each host of `database_url` by itself, or why there is none; with the name of the host.
    pub async fn session_with_each_host(&self) -> Vec<(String, Result<(Client, Driver), String>)> {
        let hosts = self.hosts.connect_to_each(&self.config).await;
        hosts.into_iter().map(|(name, connected)| (name, connected.map(driven))).collect()
    }

    /// Cancels the running statement of `client`, a session outside of the pool.
    pub(super) async fn cancel(&self, client: &Client) {
        // Best effort: the server also notices when the session ends.
        let _ = client.cancel_token().cancel_query(self.hosts.connector().await).await;
    }

    /// Cancels the running statement of a connection of the pool, and closes it: a late cancellation must not reach its next user.
    pub(super) async fn cancel_and_close(&self, client: Object) {
        self.cancel(&client).await;
        drop(Object::take(client));
    }

    /// Terminates the server processes of abandoned connections.
    pub(super) async fn terminate_abandoned(&self, client: &Client) {
        self.abandoned.terminate(client).await;
    }

    /// Longest time to connect.
    pub(crate) fn connect_timeout(&self) -> Duration {
        self.connect_timeout
    }

    /// Runs `work`, a few statements, with a deadline above the statement timeout: a server that works cancels slow statements
    /// itself.
    ///
    /// # Errors
    /// [`super::Kind::Down`] when the deadline has passed: the server does not answer.
    pub async fn with_timeout<T>(
        &self,
        what: &'static str,
        work: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        tokio::time::timeout(self.work_timeout, work).await.unwrap_or(Err(StoreError::Timeout(what)))
    }

    /// Closes the pool; connections in use are closed when they are returned.
    pub fn close(&self) {
        self.pool.close();
    }
}

/// A connection that is closed when it is dropped: in the pool, the next user would get its open transaction.
pub(super) struct OwnClient(Option<Object>);

impl std::ops::Deref for OwnClient {
    type Target = Object;

    fn deref(&self) -> &Object {
        self.0.as_ref().expect("it is there until it is dropped")
    }
}

impl Drop for OwnClient {
    fn drop(&mut self) {
        drop(self.0.take().map(Object::take));
    }
}

/// Delays between the attempts of a loop while the database is away: growing up to 2 s, without end.
pub fn outage_delays() -> ExponentialBackoff {
    ExponentialBuilder::default()
        .with_min_delay(Duration::from_millis(50))
        .with_max_delay(Duration::from_secs(2))
        .without_max_times()
        .with_jitter()
        .build()
}

/// Drives a connection until it ends, or another host accepts writes.
fn driven(Connected { client, connection, mut supersession }: Connected) -> (Client, Driver) {
    let driver = tasks::spawn_abort_on_drop(async move {
        // Either shows in the next statement of the session, where it is handled.
        tokio::select! {
            _ = connection => {}
            () = supersession.happened() => {}
        }
    });
    (client, driver)
}
