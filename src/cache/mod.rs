//! The only door to Redis: one connection that many share, made again when it breaks.
//!
//! Before: `react` shows latest values and looks after the view. After: Redis, and the dashboards that read it.
//! Promise: every await has a deadline (`connect_timeout_ms`); while Redis is away every call says so at once, until
//! [`Cache::connect`] succeeds again. What Redis holds can always be made anew from the database.

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

/// Why Redis did not do it. Whatever it is, the caller goes on without and rebuilds later.
#[derive(Debug, thiserror::Error)]
pub enum CacheError {
    /// There is no connection at present.
    #[error("redis is away")]
    Away,
    /// No answer within the deadline.
    #[error("redis: no answer in time")]
    Timeout,
    /// It is not known which timeline of the database Redis holds, or it holds a later one.
    #[error("redis: another timeline of the database")]
    Timeline,
    /// Redis or the connection to it said no.
    #[error("redis: {0}")]
    Redis(#[from] redis::RedisError),
    /// A file of the settings cannot be read.
    #[error("{name} = {file}: {error}")]
    Unreadable {
        /// The setting.
        name: &'static str,
        /// Which.
        file: PathBuf,
        /// Why.
        error: std::io::Error,
    },
}

/// The door; clones share the connection.
#[derive(Clone)]
pub struct Cache {
    shared: Arc<Shared>,
}

struct Shared {
    client: Client,
    config: AsyncConnectionConfig,
    deadline: Duration,
    /// Tells this process from others that use the same Redis.
    name: String,
    /// Zone in which dashboards read the time of a latest value.
    zone: TimeZone,
    /// How long what a device nobody bound said last is shown, seconds.
    unbound_seconds: u64,
    connection: Mutex<Option<MultiplexedConnection>>,
    /// See [`timeline`]; 0: not known.
    timeline: AtomicI64,
}

impl std::fmt::Debug for Cache {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cache").field("connected", &self.connection().is_some()).finish_non_exhaustive()
    }
}

impl Cache {
    /// Prepares the door; connects to nothing yet.
    ///
    /// # Errors
    /// The URL is not one.
    pub fn new(settings: &Settings) -> Result<Self, CacheError> {
        let deadline = settings.connect_timeout();
        // The deadlines are kept here, around every call; the client's own would only end them earlier.
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

    /// Where Redis is: host and port.
    pub fn server(&self) -> String {
        tls::place(&self.shared.client).0
    }

    /// Whether Redis is, or may be, on another machine.
    pub fn is_remote(&self) -> bool {
        tls::place(&self.shared.client).1
    }

    /// Whether connections to it are encrypted.
    pub fn is_encrypted(&self) -> bool {
        tls::place(&self.shared.client).2
    }

    /// Makes sure that there is a connection.
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

    /// Sends a pipeline and takes its answers. A connection that fails or stays silent is given up.
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
        // The lock is held for an assignment only; one that panicked left a whole value.
        self.shared.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
