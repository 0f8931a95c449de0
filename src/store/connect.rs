//! Connections: the pool, and the settings every session is opened with.
//!
//! Promise: a server that does not answer is noticed (TCP keep-alive, user time-out, statement time-out), so no
//! caller waits for ever. Every connection is encrypted as `database_url` says (`store::tls`).

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use deadpool_postgres::{
    Manager, ManagerConfig, Object, Pool, PoolError, RecyclingMethod, Runtime, TimeoutType,
};
use tokio_postgres::config::Host;
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, Config};

use super::StoreError;
use super::abandoned::{AbandonedConnections, Dialer};
use super::error::describe;
use super::tls::{Connection, Tls};
use crate::config::Settings;
use crate::tasks;
use crate::telemetry::names;

/// The pool of connections, and how to open a connection outside of it.
#[derive(Clone)]
pub struct Store {
    pool: Pool,
    pub(super) config: Config,
    tls: Tls,
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
const SERVER_KEEPALIVE: &str = "-c client_connection_check_interval=2000 -c tcp_keepalives_idle=10 -c tcp_keepalives_interval=5 -c tcp_keepalives_count=3 -c tcp_user_timeout=30000";

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
        let (tls, mut config) = Tls::of(&settings.database_url)
            .map_err(|fault| StoreError::State(format!("database_url: {fault}")))?;
        config
            .connect_timeout(settings.connect_timeout())
            .keepalives_idle(Duration::from_secs(10))
            .tcp_user_timeout(settings.statement_timeout())
            .application_name(format!("vitals {}", settings.instance_name()));
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
            Dialer { tls: tls.clone(), abandoned: abandoned.clone() },
            // A connection that no longer answers is not handed out.
            ManagerConfig { recycling_method: RecyclingMethod::Verified },
        );
        let pool = Pool::builder(manager)
            .max_size(settings.database_pool_size + settings.writer_count())
            .runtime(Runtime::Tokio1)
            .wait_timeout(Some(settings.connect_timeout()))
            .create_timeout(Some(settings.connect_timeout()))
            // Several connections may have failed together, and the caller waits for the check of each.
            .recycle_timeout(Some(settings.connect_timeout() / 4))
            .build()
            .map_err(|error| StoreError::Pool(error.to_string()))?;
        let work_timeout = settings.connect_timeout() + settings.statement_timeout() * STATEMENTS;
        let server = server_of(&config).into();
        let connect_timeout = settings.connect_timeout();
        Ok(Self { pool, config, tls, abandoned, server, connect_timeout, work_timeout })
    }

    /// A connection from the pool, statements cached on it.
    ///
    /// # Errors
    /// [`super::Kind::Down`] when none can be had within `connect_timeout_ms`.
    pub async fn client(&self) -> Result<Object, StoreError> {
        let began = Instant::now();
        let got = self.pool.get().await.map_err(|error| match error {
            PoolError::Backend(source) => self.unreachable(&source),
            PoolError::Timeout(TimeoutType::Create) => self.server_error("no answer in time", None),
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

    /// Whether the server is, or may be, on another machine: only loopback and sockets are here for certain.
    pub fn is_remote(&self) -> bool {
        let hosts = self.config.get_hosts().iter().any(|host| match host {
            Host::Tcp(host) => {
                host != "localhost" && !host.parse().is_ok_and(|ip: IpAddr| ip.to_canonical().is_loopback())
            }
            Host::Unix(_) => false,
        });
        // Where both are given, the address is what is connected to.
        match self.config.get_hostaddrs() {
            [] => hosts,
            addresses => addresses.iter().any(|ip| !ip.to_canonical().is_loopback()),
        }
    }

    /// The server cannot be reached or refuses the login: its message, its address, and the setting.
    fn unreachable(&self, source: &tokio_postgres::Error) -> StoreError {
        self.server_error(describe(source), source.code().cloned())
    }

    /// The server does not meet a requirement.
    pub(super) fn server_error(&self, cause: impl Into<String>, state: Option<SqlState>) -> StoreError {
        StoreError::Server { server: Arc::clone(&self.server), cause: cause.into(), state }
    }

    /// Opens a connection whose notifications are needed. No statement timeout.
    pub(super) async fn connect(&self) -> Result<(Client, Connection), StoreError> {
        self.connect_to(&self.config).await
    }

    /// The same with other parameters: to another database of the server.
    pub(super) async fn connect_to(&self, config: &Config) -> Result<(Client, Connection), StoreError> {
        let deadline = self.connect_timeout + Duration::from_millis(500);
        // Boxed: a handshake is large, and every caller would carry it.
        match tokio::time::timeout(deadline, Box::pin(self.tls.connect(config))).await {
            Ok(connected) => connected.map_err(|source| self.unreachable(&source)),
            Err(_) => Err(self.server_error("no answer in time", None)),
        }
    }

    /// A session outside of the pool, for LISTEN, migrations and refreshes: without statement timeout. It ends when the driver is
    /// dropped.
    ///
    /// # Errors
    /// [`super::Kind::Down`] when the server cannot be reached.
    pub async fn session(&self) -> Result<(Client, Driver), StoreError> {
        let (client, connection) = self.connect().await?;
        let driver = tasks::spawn_abort_on_drop(async move {
            // Its end shows in the next statement of the session, where it is handled.
            let _ = connection.await;
        });
        Ok((client, driver))
    }

    /// Cancels the running statement of `client`, a session outside of the pool.
    pub(super) async fn cancel(&self, client: &Client) {
        // Best effort: the server also notices when the session ends.
        let _ = client.cancel_token().cancel_query(self.tls.connector().await).await;
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

/// Hosts and ports, without anything secret.
fn server_of(config: &Config) -> String {
    let (hosts, addresses, ports) = (config.get_hosts(), config.get_hostaddrs(), config.get_ports());
    let place = |number: usize| {
        let port = ports.get(number).or(ports.first()).copied().unwrap_or(5432);
        match (hosts.get(number), addresses.get(number)) {
            (Some(Host::Tcp(host)), _) => format!("{host}:{port}"),
            (Some(Host::Unix(folder)), _) => format!("{}:{port}", folder.display()),
            (None, Some(address)) => format!("{address}:{port}"),
            (None, None) => String::new(),
        }
    };
    (0..hosts.len().max(addresses.len())).map(place).collect::<Vec<_>>().join(", ")
}
