//! Which cell a device lives in, and passing uploads on to it.
//!
//! Before: `http` has an upload, or a watch that asks for its configuration. After: the other cell has committed the upload; or `http`
//! goes on as if there were no other.
//! Promise: an upload is acknowledged only with the answer of a cell that has committed it, and that says its name, so that no other server
//! behind its URL is taken for it. Whatever else the other cell does, [`Cells::pass_on`] returns `None` and the upload is stored here,
//! where a database of all cells finds it (sql/federation/). A cell that does not answer is not asked for [`RETRY_AFTER`], so that it
//! delays few uploads. What was passed on is never passed on a second time, so that two cells that disagree do not send it back and forth.
//!
//! The other cell authenticates the sender itself, by the `Authorization` that the sender gave: API keys move with their tenant, and the
//! secrets of device keys are copied (`vitals.accepted_device_key_secret`). So no cell has a key to another cell, and a sender
//! may write there exactly what its own key allows.

mod pass_on;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::model::placement::{Cell, Placements};
use crate::store::wake::Wake;
use crate::store::{Store, StoreError, placement};
pub use pass_on::{ANSWERED_BY, PASSED_HEADERS, PASSED_ON, PassedAnswer, PassedUpload};

/// How often the placement is read, in case the notification of a change was lost.
const FOLLOW_EVERY: Duration = Duration::from_secs(30);

/// For how long a cell is not asked that did not answer.
const RETRY_AFTER: Duration = Duration::from_secs(5);

/// Why passing on cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum CellsError {
    /// The placement cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// TLS cannot be used on this machine.
    #[error("the HTTP client for other cells: {0}")]
    Client(String),
}

/// The placement of devices, and the way to other cells. Clones share both.
#[derive(Debug, Clone)]
pub struct Cells {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    placements: RwLock<Arc<Placements>>,
    http: pass_on::Http,
    /// Until when a cell is not asked.
    away: Mutex<HashMap<Box<str>, Instant>>,
}

impl Cells {
    /// Reads the placement once.
    ///
    /// # Errors
    /// [`CellsError`].
    pub async fn read(store: &Store) -> Result<Self, CellsError> {
        let placements = RwLock::new(Arc::new(placement::list(store).await?));
        let http = pass_on::Http::new().map_err(CellsError::Client)?;
        Ok(Self { shared: Arc::new(Shared { placements, http, away: Mutex::default() }) })
    }

    /// Reads the placement after each change, until `stop`.
    pub async fn follow(self, store: Store, mut wake: Wake, stop: CancellationToken) {
        loop {
            wake.arm();
            match store.with_timeout("placement.list", placement::list(&store)).await {
                Ok(placements) => {
                    *self.shared.placements.write().unwrap_or_else(PoisonError::into_inner) =
                        Arc::new(placements);
                }
                Err(error) => {
                    tracing::warn!(%error, "placement of devices not read, the last known one applies")
                }
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = wake.woken() => {}
                () = tokio::time::sleep(FOLLOW_EVERY) => {}
            }
        }
    }

    /// The placement as it is known now.
    pub fn placements(&self) -> Arc<Placements> {
        Arc::clone(&self.shared.placements.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn is_away(&self, cell: &Cell) -> bool {
        let away = self.shared.away.lock().unwrap_or_else(PoisonError::into_inner);
        away.get(&cell.name).is_some_and(|until| Instant::now() < *until)
    }

    fn set_away(&self, cell: &Cell) {
        let mut away = self.shared.away.lock().unwrap_or_else(PoisonError::into_inner);
        away.insert(cell.name.clone(), Instant::now() + RETRY_AFTER);
    }
}
