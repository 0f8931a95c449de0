//! Connections: the pool, and the settings every session is opened with.
//!
//! Promise: a server that does not answer is noticed (TCP keep-alive, user time-out, statement time-out), so no
//! caller waits for ever.

use std::time::{Duration, Instant};

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use deadpool_postgres::{Manager, ManagerConfig, Object, Pool, RecyclingMethod, Runtime};
use tokio_postgres::{Client, Config, NoTls, SimpleQueryMessage};

use super::StoreError;
use crate::config::Settings;
use crate::tasks;
use crate::telemetry::names;

/// The door: a pool of connections, and how to open one of one's own.
#[derive(Clone)]
pub struct Store {
    pool: Pool,
    config: Config,
    connect_timeout: Duration,
    patience: Duration,
}

/// Keeps a session of one's own alive.
pub type Driver = tokio_util::task::AbortOnDropHandle<()>;

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").field("pool", &self.pool.status()).finish_non_exhaustive()
    }
}

/// A machine of ours that is gone without a word leaves locks behind, for which others wait: the server looks whether it is
/// still there.
const SERVER_LOOKS: &str = "-c tcp_keepalives_idle=10 -c tcp_keepalives_interval=5 -c tcp_keepalives_count=3 -c tcp_user_timeout=30000";

/// Statements of one piece of work, each of which may take `statement_timeout_ms`.
const STATEMENTS: u32 = 4;

/// A service that is there and cannot be heard leaves its transaction to the server for this long at most: the readings in it
/// are sent again, to another instance, which waits for those rows.
const LONGEST_IDLE_MS: u64 = 10_000;

impl Store {
    /// Prepares the pool; connects to nothing yet.
    ///
    /// # Errors
    /// The URL is not one.
    pub fn new(settings: &Settings) -> Result<Self, StoreError> {
        let mut config: Config = settings
            .database_url
            .parse()
            .map_err(|source| StoreError::Postgres { statement: "database_url", source })?;
        config
            .connect_timeout(settings.connect_timeout())
            .keepalives_idle(Duration::from_secs(10))
            .tcp_user_timeout(settings.statement_timeout())
            .application_name(format!("vitals {}", settings.instance_name()));
        // A role named as our private schema would otherwise find, and make, its tables there. Late rows may touch any
        // number of compressed ones; by default TimescaleDB refuses a transaction that touches many.
        let options = format!(
            "{} -c timezone=UTC -c search_path=public -c timescaledb.max_tuples_decompressed_per_dml_transaction=0 {SERVER_LOOKS}",
            config.get_options().unwrap_or_default()
        );
        config.options(&options);
        let mut with_timeout = config.clone();
        let (statement_ms, idle_ms) =
            (settings.statement_timeout_ms, settings.statement_timeout_ms.min(LONGEST_IDLE_MS));
        with_timeout.options(format!(
            "{options} -c statement_timeout={statement_ms} -c idle_in_transaction_session_timeout={idle_ms}"
        ));
        let manager = Manager::from_config(
            with_timeout,
            NoTls,
            // A connection that fell silent is not given out again.
            ManagerConfig { recycling_method: RecyclingMethod::Verified },
        );
        let pool = Pool::builder(manager)
            .max_size(settings.database_pool_size + settings.writer_count())
            .runtime(Runtime::Tokio1)
            .wait_timeout(Some(settings.connect_timeout()))
            .create_timeout(Some(settings.connect_timeout()))
            // Several may have fallen silent together; whoever asks waits for each in turn.
            .recycle_timeout(Some(settings.connect_timeout() / 4))
            .build()
            .map_err(|error| StoreError::Pool(error.to_string()))?;
        let patience = settings.connect_timeout() + settings.statement_timeout() * STATEMENTS;
        Ok(Self { pool, config, connect_timeout: settings.connect_timeout(), patience })
    }

    /// A connection from the pool, statements cached on it.
    ///
    /// # Errors
    /// [`super::Kind::Down`] when none can be had within `connect_timeout_ms`.
    pub async fn client(&self) -> Result<Object, StoreError> {
        let asked = Instant::now();
        let got = self.pool.get().await.map_err(|error| StoreError::Pool(error.to_string()));
        metrics::histogram!(names::POOL_WAIT_SECONDS).record(asked.elapsed());
        got
    }

    /// Tells Prometheus how the pool is.
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

    /// How a session of one's own is opened where its messages are wanted too. No statement time-out.
    pub(crate) fn session_config(&self) -> &Config {
        &self.config
    }

    /// A session of one's own for LISTEN, migrations and refreshes: without statement time-out. It ends when the
    /// driver is dropped.
    ///
    /// # Errors
    /// [`super::Kind::Down`] when the server cannot be reached.
    pub async fn session(&self) -> Result<(Client, Driver), StoreError> {
        let failed = |source| StoreError::Postgres { statement: "connect", source };
        let connecting = self.config.connect(NoTls);
        let (client, connection) =
            tokio::time::timeout(self.connect_timeout + Duration::from_millis(500), connecting)
                .await
                .map_err(|_| StoreError::Timeout("connect"))?
                .map_err(failed)?;
        let driver = tasks::beside(async move {
            // Its end shows in the next statement of the session, where it is handled.
            let _ = connection.await;
        });
        Ok((client, driver))
    }

    /// Longest time to reach the server.
    pub(crate) fn connect_timeout(&self) -> Duration {
        self.connect_timeout
    }

    /// `work`, which is a few statements, unless the server falls silent in the midst of it: it ends what takes too long by
    /// itself, and says so.
    ///
    /// # Errors
    /// [`super::Kind::Down`] when it did not say so.
    pub async fn unless_silent<T>(
        &self,
        what: &'static str,
        work: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        tokio::time::timeout(self.patience, work).await.unwrap_or(Err(StoreError::Timeout(what)))
    }

    /// Closes the pool; connections that are out end when they are given back.
    pub fn close(&self) {
        self.pool.close();
    }
}

/// How long a loop that found the database away waits before it looks again: longer each time, 2 s at most, without end.
pub fn outage_delays() -> ExponentialBackoff {
    ExponentialBuilder::default()
        .with_min_delay(Duration::from_millis(50))
        .with_max_delay(Duration::from_secs(2))
        .without_max_times()
        .with_jitter()
        .build()
}

/// Whether the database answers, and takes writes.
///
/// # Errors
/// It does not, within the connect time-out; or it is a standby, or told to be read-only.
pub async fn health_check(store: &Store) -> Result<(), StoreError> {
    let asked = async {
        let client = store.client().await?;
        client
            .simple_query("show transaction_read_only")
            .await
            .map_err(|source| StoreError::Postgres { statement: "health_check", source })
    };
    let said = tokio::time::timeout(store.connect_timeout(), asked)
        .await
        .map_err(|_| StoreError::Timeout("health_check"))??;
    let is_read_only =
        said.iter().any(|one| matches!(one, SimpleQueryMessage::Row(row) if row.get(0) == Some("on")));
    if is_read_only { Err(StoreError::State("the database is read-only".into())) } else { Ok(()) }
}
