//! Takes out of old uploads what was erased after they were received.
//!
//! Before: `buffer` has drained uploads. After: it commits, or compares, what is left.
//! Promise: nothing that an erasure covers comes back through the buffer, whoever erased it, by command or by SQL.

use super::IngestError;
use crate::model::Upload;
use crate::store::{Store, erasure};

/// Knows what was erased. Clones share the connections of the store.
#[derive(Clone)]
pub struct Erased {
    store: Store,
}

impl Erased {
    /// Asks this database.
    pub fn new(store: &Store) -> Self {
        Self { store: store.clone() }
    }

    /// Removes what was erased; gives the number of records and rejects.
    ///
    /// # Errors
    /// [`IngestError::Unavailable`]: the database does not say what was erased, so nothing is stored for now.
    pub async fn remove_from(&self, uploads: &mut [Upload]) -> Result<usize, IngestError> {
        let covered = erasure::covered(&self.store, uploads).await.map_err(|error| {
            tracing::warn!(%error, "buffered uploads wait: the database does not say what was erased");
            IngestError::Unavailable
        })?;
        let count = covered.iter().filter(|covered| **covered).count();
        if count > 0 {
            tracing::info!(records = count, "buffered records are not stored: they were erased meanwhile");
            let mut covered = covered.into_iter();
            uploads.iter_mut().for_each(|upload| upload.retain(|| covered.next() == Some(false)));
        }
        Ok(count)
    }
}
