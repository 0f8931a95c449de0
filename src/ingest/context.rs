//! What writer, replay and backfill share: one session, the settings for writing, and the retry policy.
//!
//! Before: `ingest::writer`, `ingest::replay` and `ingest::backfill` have rows to write. After: `store::batch` writes them.
//! Promise: one session at a time; a session that the server has closed is not reused. A transaction is tried at most [`MAX_TRIES`] times
//! if the database reports that a retry may work at once. While the database is away, it is retried with pauses, as long as a sender
//! waits.

use std::time::Duration;

use futures_util::FutureExt;
use tokio::time::{Instant, sleep};

use crate::config::{Duplicates, Settings};
use crate::store::batch::BatchSession;
use crate::store::{Kind, Store, StoreError};

/// Tries of one transaction when the database says that the same may work at once.
const MAX_TRIES: u32 = 5;

/// Pause before a new connection is asked for while the database is away.
pub(super) const RECONNECT_PAUSE: Duration = Duration::from_millis(200);

/// Added to `statement_timeout_ms`, so that the server cancels a slow statement before the client gives up on it: what the server
/// cancels is known not to be done.
const SERVER_FIRST: Duration = Duration::from_secs(1);

/// The context of one writer, replay or backfill.
pub(super) struct WriterContext {
    pub(super) store: Store,
    /// `None`: not opened yet, broken, or in use.
    pub(super) session: Option<BatchSession>,
    pub(super) instance: String,
    pub(super) duplicates: Duplicates,
    pub(super) write_deadline: Duration,
}

impl std::fmt::Debug for WriterContext {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WriterContext").field("instance", &self.instance).finish_non_exhaustive()
    }
}

impl WriterContext {
    /// Opens no session yet.
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
    pub(super) fn take_session(&mut self) -> Option<BatchSession> {
        self.session.take().filter(|session| !session.is_closed())
    }

    /// Takes the session, or opens a new one.
    ///
    /// # Errors
    /// [`Kind::Down`].
    pub(super) async fn take_or_open_session(&mut self) -> Result<BatchSession, StoreError> {
        match self.take_session() {
            Some(session) => Ok(session),
            None => BatchSession::open(&self.store).await,
        }
    }

    /// Puts the session back after work that left no transaction open. After [`Kind::Down`] the session is closed instead.
    pub(super) fn put_back(&mut self, session: BatchSession, error: Option<&StoreError>) {
        match error {
            Some(error) if error.kind() == Kind::Down => self.store.note_refusal(error),
            _ => self.session = Some(session),
        }
    }
}

/// `work`, or [`Kind::Down`] at the deadline. Not an async function: its future would hold that of `work` twice.
pub(super) fn within<T>(
    deadline: Duration,
    what: &'static str,
    work: impl Future<Output = Result<T, StoreError>>,
) -> impl Future<Output = Result<T, StoreError>> {
    tokio::time::timeout(deadline, work).map(move |done| done.unwrap_or(Err(StoreError::Timeout(what))))
}

/// When one transaction is tried again.
#[derive(Debug)]
pub(super) struct RetryPolicy {
    tries: u32,
    /// Until when to wait for a database that is away; `None`: not at all.
    wait_until: Option<Instant>,
}

impl RetryPolicy {
    /// Waits until then for a database that is away.
    pub(super) fn wait_until(deadline: Instant) -> Self {
        Self { tries: 0, wait_until: Some(deadline) }
    }

    /// Does not wait for a database that is away.
    pub(super) fn no_wait() -> Self {
        Self { tries: 0, wait_until: None }
    }

    /// To be called after a try that failed. Pauses if that helps, and says whether to try again.
    pub(super) async fn should_retry(&mut self, error: &StoreError) -> bool {
        self.tries += 1;
        match error.kind() {
            Kind::Retry => self.tries < MAX_TRIES,
            Kind::Down if self.wait_until.is_some_and(|deadline| Instant::now() < deadline) => {
                tracing::warn!(%error, "database away, trying again");
                sleep(RECONNECT_PAUSE).await;
                true
            }
            _ => false,
        }
    }
}
