//! The only door to Redis: one shared connection, which is opened once more after it breaks.
//!
//! Before: `react` writes latest values and maintains the view. After: Redis, and the dashboards that read it.
//! Promise: every await has a deadline (`connect_timeout_ms`); while Redis is away every call fails at once, until
//! [`Cache::connect`] succeeds. Everything Redis holds can be rebuilt from the database.

pub mod alert;
pub mod device_info;
pub mod erasure;
pub mod latest;
mod newest;
#[cfg(feature = "fleet")]
pub mod overview;
pub mod owner;
pub mod timeline;
mod tls;
pub mod view;

pub use newest::{Hashes, Shown, sweep};

use std::path::PathBuf;
use std::sync::atomic::AtomicI64;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::tz::TimeZone;
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, FromRedisValue, Pipeline};
use tokio::time::timeout;

use crate::config::Settings;

/// Why a call failed. In every case the caller goes on without Redis and rebuilds the view later.
#[derive(Debug, thiserror::Error)]
pub enum CacheError {
    /// There is no connection at present.
    #[error("redis is away")]
    Away,
    /// No answer within the deadline.
    #[error("redis: no answer in time")]
    Timeout,
    /// The timeline of the database that Redis holds is not known, or it is a later one.
    #[error("redis: another timeline of the database")]
    Timeline,
    /// Redis answered with an error, or the connection failed.
    #[error("redis: {0}")]
    Redis(#[from] redis::RedisError),
    /// A file of the settings cannot be read.
    #[error("{name} = {file}: {error}")]
    Unreadable {
        /// The setting.
        name: &'static str,
        /// Its path.
        file: PathBuf,
        /// The error of the file system.
        error: std::io::Error,
    },
}

/// A client of Redis; clones share the connection.
#[derive(Clone)]
pub struct Cache {
    shared: Arc<Shared>,
}

struct Shared {
    client: Client,
    config: AsyncConnectionConfig,
    deadline: Duration,
    /// Identifies this process among others that use the same Redis.
    name: String,
    /// Time zone of latest values, as dashboards read them.
    zone: TimeZone,
    /// How long the last value of an unbound device is kept, seconds.
    unbound_seconds: u64,
    connection: Mutex<Option<MultiplexedConnection>>,
    /// The timeline (see [`timeline`]); 0: not known.
    timeline: AtomicI64,
}

impl std::fmt::Debug for Cache {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cache").field("connected", &self.connection().is_some()).finish_non_exhaustive()
    }
}

impl Cache {
    /// Prepares the client; opens no connection yet.
    ///
    /// # Errors
    /// The URL is invalid, or a file of the settings cannot be read.
    pub fn new(settings: &Settings) -> Result<Self, CacheError> {
        let deadline = settings.connect_timeout();
        // Deadlines are kept here, around every call; the library's own would only end calls earlier.
        let config = AsyncConnectionConfig::new().set_connection_timeout(None).set_response_timeout(None);
        Ok(Self {
            shared: Arc::new(Shared {
                client: tls::client(settings)?,
                config,
                deadline,
                name: format!("{:032x}", rand::random::<u128>()),
                zone: settings.device_zone(),
                unbound_seconds: settings.view_unbound_seconds,
                connection: Mutex::new(None),
                timeline: AtomicI64::new(0),
            }),
        })
    }

    /// Host and port of Redis.
    pub fn server(&self) -> String {
        tls::endpoint(&self.shared.client).address
    }

    /// Whether Redis is, or may be, on another machine.
    pub fn is_remote(&self) -> bool {
        tls::endpoint(&self.shared.client).is_remote
    }

    /// Whether connections to it are encrypted.
    pub fn is_encrypted(&self) -> bool {
        tls::endpoint(&self.shared.client).is_encrypted
    }

    /// Opens a connection if there is none.
    ///
    /// # Errors
    /// Redis cannot be reached within the deadline.
    pub async fn connect(&self) -> Result<(), CacheError> {
        if self.connection().is_some() {
            return Ok(());
        }
        let shared = &self.shared;
        let connecting = shared.client.get_multiplexed_async_connection_with_config(&shared.config);
        let connection = timeout(shared.deadline, connecting).await.map_err(|_| CacheError::Timeout)??;
        *self.connection() = Some(connection);
        Ok(())
    }

    /// Whether Redis answers now.
    ///
    /// # Errors
    /// It does not, within the deadline.
    pub async fn ping(&self) -> Result<(), CacheError> {
        self.connect().await?;
        self.send::<()>(Pipeline::new().cmd("PING").ignore()).await
    }

    /// Sends a pipeline and takes its answers. A connection that fails or does not answer in time is dropped.
    async fn send<T: FromRedisValue>(&self, pipeline: &Pipeline) -> Result<T, CacheError> {
        let mut connection = self.connection().clone().ok_or(CacheError::Away)?;
        let error = match timeout(self.shared.deadline, pipeline.query_async(&mut connection)).await {
            Ok(Ok(answers)) => return Ok(answers),
            Ok(Err(error)) => CacheError::Redis(error),
            Err(_) => CacheError::Timeout,
        };
        let broken = match &error {
            CacheError::Redis(error) => error.is_io_error() || error.is_unrecoverable_error(),
            CacheError::Timeout | CacheError::Away | CacheError::Unreadable { .. } => true,
            CacheError::Timeline => false,
        };
        if broken {
            *self.connection() = None;
        }
        Err(error)
    }

    fn connection(&self) -> MutexGuard<'_, Option<MultiplexedConnection>> {
        // The lock is held for an assignment only; a thread that panicked left a complete value.
        self.shared.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
