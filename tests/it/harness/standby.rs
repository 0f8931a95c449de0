//! A standby of disposable servers: a process of a test, which ends with it.

use std::process::Stdio;

use tokio::process::{Child, Command};
use tokio_postgres::Client;

use super::database::{connect, try_connect};
use super::redis_cluster::free_port;
use super::servers::disposable_stack;
use super::{Database, DisposableServers, eventually};

/// A PostgreSQL that streams from another one.
pub struct Standby {
    port: u16,
    _process: Child,
}

impl Standby {
    /// Copies the primary, starts, and waits until it answers.
    pub async fn of(_primary: &DisposableServers, database: &Database) -> Self {
        let port = free_port();
        let process = Command::from(disposable_stack())
            .args(["standby", &port.to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("docker/stack can be run");
        let standby = Self { port, _process: process };
        let url = standby.url(database);
        eventually("the standby answers", || async { try_connect(&url).await.ok() }).await;
        standby
    }

    /// `host:port`.
    pub fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// The URL of the copy of a database.
    pub fn url(&self, database: &Database) -> String {
        let url = database.url();
        let (user, rest) = url.rsplit_once('@').expect("a user");
        let (_, path) = rest.split_once('/').expect("a database");
        format!("{user}@{}/{path}", self.host())
    }

    /// A connection to the copy of a database.
    pub async fn client(&self, database: &Database) -> Client {
        connect(&self.url(database)).await
    }

    /// Makes it the primary.
    pub async fn promote(&self, database: &Database) {
        let promoted = self.client(database).await.query_one("select pg_promote()", &[]).await;
        assert!(promoted.expect("an answer").get::<_, bool>(0), "it is promoted");
    }
}
