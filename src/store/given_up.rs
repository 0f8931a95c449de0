//! Connections of the pool, and what becomes of those that are given up while the server is still at work on them.
//!
//! Before: the pool of `store::connect` wants a connection. After: PostgreSQL.
//! Promise: a statement that was not waited for does not stay at the server for ever: whoever connects next ends it. A commit
//! that waits for a standby would not notice that its client is gone, and such connections would add up.

use std::sync::{Arc, Mutex, PoisonError};

use deadpool_postgres::Connect;
use futures_util::future::BoxFuture;
use jiff::Timestamp;
use tokio::task::JoinHandle;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Config, Error, Row};

use super::statement;
use super::tls::Tls;
use crate::tasks;

/// Connections given up that are remembered: more than a pool has. Of more, the oldest are left to the server.
const MOST: usize = 1024;

/// A process of the server, with the time it began: numbers come again.
type Process = (i32, Timestamp);

/// Processes of the server that may still be at work for nobody. Clones share it.
#[derive(Debug, Clone, Default)]
pub(super) struct GivenUp(Arc<Mutex<Vec<Process>>>);

impl GivenUp {
    fn add(&self, process: Process) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() == MOST {
            all.remove(0);
        }
        all.push(process);
    }

    /// Ends them. One that has ended by itself is not there; what is done only half is rolled back, and a commit that waits for a
    /// standby stands on this server alone, which is what its sender was never told.
    pub(super) async fn end(&self, client: &Client) {
        let all = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        if all.is_empty() {
            return;
        }
        // Kept until it is certain that they were ended, also where whoever waits for this gives up.
        let mut kept = Kept { all, given_up: self.clone() };
        let (pids, began): (Vec<i32>, Vec<Timestamp>) = kept.all.iter().copied().unzip();
        let sql = statement!("session", "end_given_up").sql;
        let parameters =
            [(&pids as &(dyn ToSql + Sync), Type::INT4_ARRAY), (&began, Type::TIMESTAMPTZ_ARRAY)];
        match client.query_typed(sql, &parameters).await {
            Ok(_) => kept.all.clear(),
            Err(error) => {
                tracing::debug!(
                    error = super::error::describe(&error),
                    "connections given up were not ended"
                );
            }
        }
    }
}

/// Processes that are to be ended, put back unless they were.
struct Kept {
    all: Vec<Process>,
    given_up: GivenUp,
}

impl Drop for Kept {
    fn drop(&mut self) {
        for process in self.all.drain(..) {
            self.given_up.add(process);
        }
    }
}

/// Makes the connections of the pool.
pub(super) struct Dialer {
    pub(super) tls: Tls,
    pub(super) given_up: GivenUp,
}

impl Connect for Dialer {
    fn connect(&self, config: &Config) -> BoxFuture<'_, Result<(Client, JoinHandle<()>), Error>> {
        let config = config.clone();
        Box::pin(async move {
            let (client, connection) = self.tls.connect(&config).await?;
            let mut served = Served { by: None, given_up: self.given_up.clone() };
            let (tell, told) = tokio::sync::oneshot::channel();
            let driver = tasks::spawn_abort_on_drop(async move {
                let mut connection = std::pin::pin!(connection);
                tokio::select! {
                    // Its end shows in the next statement, where it is handled.
                    _ = &mut connection => return,
                    process = told => served.set(process.ok().flatten()),
                }
                if connection.await.is_ok() {
                    // Both sides know that it has ended.
                    served.set(None);
                }
            });
            let rows = client.query_typed(statement!("session", "own").sql, &[]).await?;
            let _ = tell.send(rows.first().and_then(process_of));
            self.given_up.end(&client).await;
            Ok((client, driver.detach()))
        })
    }
}

/// Remembers a connection whose driver is dropped before it has ended.
struct Served {
    by: Option<Process>,
    given_up: GivenUp,
}

impl Served {
    fn set(&mut self, by: Option<Process>) {
        self.by = by;
    }
}

/// `None` where the role may not look at its own login.
fn process_of(row: &Row) -> Option<Process> {
    Some((row.get::<_, Option<i32>>("pid")?, row.get::<_, Option<Timestamp>>("started_at")?))
}

impl Drop for Served {
    fn drop(&mut self) {
        if let Some(process) = self.by {
            self.given_up.add(process);
        }
    }
}
