//! Connections of the pool, and those that were abandoned: dropped while the server still ran their statement.
//!
//! Before: the pool of `store::connect` needs a connection. After: PostgreSQL.
//! Promise: an abandoned statement does not run for ever: the next new connection terminates it. A commit that waits for a standby
//! does not notice that its client is gone, so such server processes would pile up.

use std::sync::{Arc, Mutex, PoisonError};

use deadpool_postgres::Connect;
use futures_util::future::BoxFuture;
use jiff::Timestamp;
use tokio::task::JoinHandle;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Config, Error, Row};

use super::hosts::{Connected, Hosts};
use super::statement;
use crate::tasks;

/// Most abandoned connections to remember: more than a pool has. Beyond that, the oldest are left to the server.
const MOST: usize = 1024;

/// A process of the server, with its start time, because process numbers are reused.
type Process = (i32, Timestamp);

/// Processes of the server whose client is gone. Clones share the list.
#[derive(Debug, Clone, Default)]
pub(super) struct AbandonedConnections(Arc<Mutex<Vec<Process>>>);

impl AbandonedConnections {
    fn add(&self, process: Process) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() == MOST {
            all.remove(0);
        }
        all.push(process);
    }

    /// Terminates them. Unfinished work is rolled back; a commit that waits for a standby is durable on this server only, and its
    /// sender never got an answer.
    pub(super) async fn terminate(&self, client: &Client) {
        let all = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        if all.is_empty() {
            return;
        }
        // Put back until it is certain that they were ended, even if the caller is dropped.
        let mut kept = PutBackGuard { all, abandoned: self.clone() };
        let (pids, began): (Vec<i32>, Vec<Timestamp>) = kept.all.iter().copied().unzip();
        let sql = statement!("session", "terminate_abandoned").sql;
        let parameters =
            [(&pids as &(dyn ToSql + Sync), Type::INT4_ARRAY), (&began, Type::TIMESTAMPTZ_ARRAY)];
        match client.query_typed(sql, &parameters).await {
            Ok(_) => kept.all.clear(),
            Err(error) => {
                tracing::debug!(
                    error = super::error::describe(&error),
                    "abandoned connections were not terminated"
                );
            }
        }
    }
}

/// Processes to terminate; the rest is put back when this is dropped.
struct PutBackGuard {
    all: Vec<Process>,
    abandoned: AbandonedConnections,
}

impl Drop for PutBackGuard {
    fn drop(&mut self) {
        for process in self.all.drain(..) {
            self.abandoned.add(process);
        }
    }
}

/// Opens the connections of the pool.
pub(super) struct Dialer {
    pub(super) hosts: Hosts,
    pub(super) abandoned: AbandonedConnections,
}

impl Connect for Dialer {
    fn connect(&self, config: &Config) -> BoxFuture<'_, Result<(Client, JoinHandle<()>), Error>> {
        let config = config.clone();
        Box::pin(async move {
            let Connected { client, connection, mut supersession } = self.hosts.connect(&config).await?;
            let mut served = ServerProcess { by: None, abandoned: self.abandoned.clone() };
            let (sender, receiver) = tokio::sync::oneshot::channel();
            let driver = tasks::spawn_abort_on_drop(async move {
                let mut connection = std::pin::pin!(connection);
                tokio::select! {
                    // The next statement fails, where the error is handled.
                    _ = &mut connection => return,
                    process = receiver => served.set(process.ok().flatten()),
                }
                tokio::select! {
                    // `Ok`: both sides have closed it.
                    ended = &mut connection => if ended.is_ok() {
                        served.set(None);
                    },
                    // The statement that runs fails at once, however long the former host would stay silent.
                    () = supersession.happened() => served.set(None),
                }
            });
            let rows = client.query_typed(statement!("session", "own").sql, &[]).await?;
            let _ = sender.send(rows.first().and_then(process_of));
            self.abandoned.terminate(&client).await;
            Ok((client, driver.detach()))
        })
    }
}

/// Adds its process to the abandoned ones if the driver is dropped before the connection has ended.
struct ServerProcess {
    by: Option<Process>,
    abandoned: AbandonedConnections,
}

impl ServerProcess {
    fn set(&mut self, by: Option<Process>) {
        self.by = by;
    }
}

/// `None` where the role may not look at its own login.
fn process_of(row: &Row) -> Option<Process> {
    Some((row.get::<_, Option<i32>>("pid")?, row.get::<_, Option<Timestamp>>("started_at")?))
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        if let Some(process) = self.by {
            self.abandoned.add(process);
        }
    }
}
