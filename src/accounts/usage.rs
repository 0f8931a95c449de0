//! When sessions and kiosk links were last used: noted for each request, written once a minute for each.
//!
//! Before: `http` lets a request through. After: `vitals.account_session.seen_at`, from which the idle time counts, and
//! `vitals.kiosk_link.last_used_at`.
//! Promise: a request whose session was seen within a minute costs one comparison. A write that fails is tried again with the next use.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::Shared;
use crate::model::{KioskLink, Session};
use crate::store::{account_session, kiosk_link};

/// How exact the times are.
const EXACT_TO: SignedDuration = SignedDuration::from_secs(60);

/// Pause between two writes.
const WRITE_EVERY: Duration = Duration::from_secs(5);

#[derive(Debug, Default)]
pub(super) struct Usage {
    ids: Mutex<UsedIds>,
    due: Notify,
}

#[derive(Debug, Default)]
struct UsedIds {
    sessions: BTreeSet<i64>,
    kiosks: BTreeSet<i64>,
}

impl Usage {
    pub(super) fn note_session(&self, session: &Session, now: Timestamp) {
        if now.duration_since(session.seen_at) >= EXACT_TO {
            self.note(|ids| ids.sessions.insert(session.session_id));
        }
    }

    pub(super) fn note_kiosk(&self, link: &KioskLink, now: Timestamp) {
        if link.last_used_at.is_none_or(|at| now.duration_since(at) >= EXACT_TO) {
            self.note(|ids| ids.kiosks.insert(link.kiosk_link_id.0));
        }
    }

    fn note(&self, add: impl FnOnce(&mut UsedIds) -> bool) {
        if add(&mut self.ids.lock().unwrap_or_else(PoisonError::into_inner)) {
            self.due.notify_one();
        }
    }

    fn take(&self) -> UsedIds {
        std::mem::take(&mut *self.ids.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Writes the first use at once, and then what was noted in between, until `stop`.
pub(super) async fn run(shared: Arc<Shared>, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = shared.usage.due.notified() => {}
        }
        write(&shared).await;
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(WRITE_EVERY) => {}
        }
    }
}

async fn write(shared: &Shared) {
    let used = shared.usage.take();
    let (sessions, kiosks): (Vec<i64>, Vec<i64>) =
        (used.sessions.into_iter().collect(), used.kiosks.into_iter().collect());
    let written = async {
        if !sessions.is_empty() {
            account_session::used(&shared.store, &sessions).await?;
        }
        if !kiosks.is_empty() {
            kiosk_link::used(&shared.store, &kiosks).await?;
        }
        Ok(())
    };
    if let Err(error) = shared.store.with_timeout("account_session.used", written).await {
        tracing::debug!(%error, "the time of use of sessions was not written");
    }
}
