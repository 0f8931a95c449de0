//! The only door to Redis, a single one or a cluster: one shared connection, which is opened once more after it breaks.
//!
//! Before: `react` writes latest values and maintains the view; `buffer` keeps uploads on a server of its own ([`stream`]). After: Redis, and
//! the dashboards that read it.
//! No command and no script names keys of two slots, so that all of them work in a cluster.
//! Promise: every await has a deadline (`connect_timeout_ms`); while Redis is away every call fails at once, until
//! [`Cache::connect`] succeeds. Everything that the Redis of the view holds can be rebuilt from the database.

pub mod alert;
mod connection;
pub mod device_info;
pub mod erasure;
mod key_scan;
pub mod latest;
mod master;
mod newest;
#[cfg(feature = "fleet")]
pub mod overview;
pub mod owner;
pub mod stream;
pub mod timeline;
mod tls;
pub mod urgent_event;
pub mod view;

pub use key_scan::KeyScan;
pub use newest::{Hashes, Shown, expire, sweep};

use std::path::PathBuf;
use std::sync::atomic::AtomicI64;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::tz::TimeZone;
use redis::{FromRedisValue, Pipeline, RedisResult};
use tokio::time::timeout;

use connection::Connection;
use master::Master;
use tls::Servers;

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
    /// Several addresses are named, but the server at this one is not a node of a cluster.
    #[error("redis: the URL names several addresses, as for a cluster, but {0} is not a node of one")]
    NoCluster(String),
    /// The server at this address takes no writes.
    #[error("redis: {0} is a replica; the URL must name its master")]
    Replica(String),
    /// Parts of the cluster have no master: this many slots.
    #[error("redis: {0} of 16384 slots of the cluster are held by no master")]
    Uncovered(u16),
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
    servers: Servers,
    deadline: Duration,
    /// Identifies this process among others that use the same Redis.
    name: String,
    /// Time zone of latest values, as dashboards read them.
    zone: TimeZone,
    /// How long the last value of an unbound device is kept, seconds.
    unbound_seconds: u64,
    connection: Mutex<Option<Connection>>,
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
        Self::at(&settings.redis_url, settings)
    }

    /// The same for the Redis of the buffer. Each client has a connection of its own.
    ///
    /// # Errors
    /// The URL is invalid, or a file of the settings cannot be read.
    pub fn of_buffer(settings: &Settings) -> Result<Self, CacheError> {
        Self::at(&settings.buffer_url, settings)
    }

    fn at(url: &str, settings: &Settings) -> Result<Self, CacheError> {
        Ok(Self {
            shared: Arc::new(Shared {
                servers: Servers::new(url, &settings.redis)?,
                deadline: settings.connect_timeout(),
                name: format!("{:032x}", rand::random::<u128>()),
                zone: settings.device_zone(),
                unbound_seconds: settings.view_unbound_seconds,
                connection: Mutex::new(None),
                timeline: AtomicI64::new(0),
            }),
        })
    }

    /// Host and port of Redis; of each node that the settings name.
    pub fn server(&self) -> String {
        self.shared.servers.endpoint().addresses
    }

    /// Whether Redis is, or may be, on another machine.
    pub fn is_remote(&self) -> bool {
        self.shared.servers.endpoint().is_remote
    }

    /// Whether connections to it are encrypted.
    pub fn is_encrypted(&self) -> bool {
        self.shared.servers.endpoint().is_encrypted
    }

    /// Opens a connection if there is none.
    ///
    /// # Errors
    /// Redis cannot be reached within the deadline.
    pub async fn connect(&self) -> Result<(), CacheError> {
        if self.connection().is_some() {
            return Ok(());
        }
        let Shared { servers, deadline, .. } = &*self.shared;
        let connecting = Connection::open(servers, *deadline);
        let connection = timeout(*deadline, connecting).await.map_err(|_| CacheError::Timeout)??;
        *self.connection() = Some(connection);
        Ok(())
    }

    /// Whether there is a connection.
    pub fn is_connected(&self) -> bool {
        self.connection().is_some()
    }

    /// A name of this client that no other has.
    fn process_name(&self) -> &str {
        &self.shared.name
    }

    /// Longest wait for an answer.
    pub fn deadline(&self) -> Duration {
        self.shared.deadline
    }

    /// Whether Redis answers now; of a cluster, every master. Gives their number, `None`: it is a single Redis.
    ///
    /// # Errors
    /// It does not, within the deadline, or slots of the cluster have no master.
    pub async fn ping(&self) -> Result<Option<usize>, CacheError> {
        self.connect().await?;
        let masters = master::all(self).await?;
        view::ping(self, &masters).await?;
        Ok(masters.iter().all(Master::is_of_cluster).then_some(masters.len()))
    }

    /// Sends commands together and takes their answers. A connection that fails or does not answer in time is dropped.
    async fn send<T: FromRedisValue>(&self, pipeline: &Pipeline) -> Result<T, CacheError> {
        self.with_connection(async |mut connection| connection.send(pipeline).await).await
    }

    /// The same to one master; the first command names a key of [`Master::key`].
    async fn send_to<T: FromRedisValue>(
        &self,
        master: &Master,
        pipeline: &Pipeline,
    ) -> Result<T, CacheError> {
        self.with_connection(async |mut connection| connection.send_to(master.slot(), pipeline).await).await
    }

    async fn with_connection<T>(
        &self,
        call: impl AsyncFnOnce(Connection) -> RedisResult<T>,
    ) -> Result<T, CacheError> {
        let connection = self.connection().clone().ok_or(CacheError::Away)?;
        let error = match timeout(self.shared.deadline, call(connection)).await {
            Ok(Ok(answers)) => return Ok(answers),
            Ok(Err(error)) if !connection::is_broken(&error) => return Err(error.into()),
            Ok(Err(error)) => CacheError::Redis(error),
            Err(_) => CacheError::Timeout,
        };
        *self.connection() = None;
        Err(error)
    }

    fn connection(&self) -> MutexGuard<'_, Option<Connection>> {
        // The lock is held for an assignment only; a thread that panicked left a complete value.
        self.shared.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
