//! What whoever writes batches needs for it: one session, and what the settings say of writing.
//!
//! Before: `ingest::writer`, `ingest::replay` and `ingest::backfill` know what to write. After: `store::batch` writes it.
//! Promise: one session at a time; one that the server has closed is not used again.

use std::time::Duration;

use crate::config::{Duplicates, Settings};
use crate::store::batch::Session;
use crate::store::{Kind, Store, StoreError};

/// The server has the first say on a statement that takes too long: what it cancels is known not to be done.
const SERVER_FIRST: Duration = Duration::from_secs(1);

/// Of one writer, replay or backfill.
pub(super) struct Means {
    pub(super) store: Store,
    /// `None`: not opened yet, broken, or in use.
    pub(super) session: Option<Session>,
    pub(super) instance: String,
    pub(super) duplicates: Duplicates,
    pub(super) write_deadline: Duration,
}

impl std::fmt::Debug for Means {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Means").field("instance", &self.instance).finish_non_exhaustive()
    }
}

impl Means {
    /// Takes no connection yet.
    pub(super) fn new(store: &Store, settings: &Settings) -> Self {
        Self {
            store: store.clone(),
            session: None,
            instance: settings.instance_name(),
            duplicates: settings.duplicates,
            write_deadline: settings.statement_timeout() + SERVER_FIRST,
        }
    }

    /// Takes the session, if there is one that the server has not closed.
    pub(super) fn take(&mut self) -> Option<Session> {
        self.session.take().filter(|session| !session.is_closed())
    }

    /// Takes the session, or opens another.
    ///
    /// # Errors
    /// [`Kind::Down`].
    pub(super) async fn take_or_open(&mut self) -> Result<Session, StoreError> {
        match self.take() {
            Some(session) => Ok(session),
            None => Session::open(&self.store).await,
        }
    }

    /// Puts the session back after work that left no transaction open, or, if the database was away in it, closes it.
    pub(super) fn put_back(&mut self, session: Session, failed: Option<&StoreError>) {
        if failed.is_none_or(|error| error.kind() != Kind::Down) {
            self.session = Some(session);
        }
    }
}
