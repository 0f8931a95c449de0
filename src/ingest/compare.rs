//! Compares an upload with what is stored, record by record, and stores nothing.
//!
//! Before: `buffer` has drained an upload of shadow mode. After: `store::shadow` reads the rows of its keys.
//! Promise: a record is compared as it would have been written: with the types of its table, after the reading and the completion that it had. One
//! connection, opened when it is needed.

use std::sync::Arc;

use tokio::sync::Mutex;

use super::IngestError;
use crate::model::{ShadowCounts, Source, Upload};
use crate::store::batch::BatchSession;
use crate::store::{Kind, Store, shadow};

/// Compares uploads. Clones share a connection.
#[derive(Clone)]
pub struct Comparer {
    store: Store,
    session: Arc<Mutex<Option<BatchSession>>>,
}

impl std::fmt::Debug for Comparer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Comparer").finish_non_exhaustive()
    }
}

impl Comparer {
    /// Opens no connection yet.
    pub fn new(store: &Store) -> Self {
        Self { store: store.clone(), session: Arc::default() }
    }

    /// Compares every record of an upload whose owners are completed.
    ///
    /// # Errors
    /// [`IngestError::Unavailable`]: later perhaps. [`IngestError::Failed`]: not this upload.
    pub async fn compare(&self, upload: &Upload) -> Result<ShadowCounts, IngestError> {
        let mut held = self.session.lock().await;
        // Dropped if the comparison is, for it may be in the middle of a transaction.
        let session = match held.take().filter(|session| !session.is_closed()) {
            Some(session) => Ok(session),
            None => BatchSession::open(&self.store).await,
        };
        let session = session.map_err(|_| IngestError::Unavailable)?;
        let (whole, rejects): (Vec<_>, Vec<_>) =
            upload.rejects.iter().partition(|reject| reject.source == Source::Buffer);
        match shadow::compare(&session, &upload.items, &upload.events, &upload.device_infos, &rejects).await {
            Ok(counts) => {
                *held = Some(session);
                Ok(ShadowCounts { unreadable: whole.len() as u64, ..counts })
            }
            Err(error) => {
                tracing::warn!(%error, "shadow uploads of the buffer were not compared");
                match error.kind() {
                    Kind::Down | Kind::Retry => Err(IngestError::Unavailable),
                    _ => Err(IngestError::Failed),
                }
            }
        }
    }
}
