//! What the tasks of the buffer share: its settings, and how it was when it was last measured.
//!
//! Before: `buffer::measure` writes it. After: uploads go where it says, and health and alarms show it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use super::depth::Depths;
use crate::cache::CacheError;
use crate::cache::stream::StreamStatus;
use crate::config::{BufferMode, Settings};
use crate::ingest::Ingest;
use crate::model::{BufferStatus, ShadowCounts};

/// What the tasks share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) mode: BufferMode,
    pub(super) is_shadow: bool,
    pub(super) after: Duration,
    pub(super) max_bytes: u64,
    pub(super) copies: u32,
    pub(super) ingest: Arc<Ingest>,
    pub(super) depths: Arc<Depths>,
    state: Mutex<State>,
    /// Uploads were appended.
    pub(super) appended: Notify,
}

#[derive(Debug, Default)]
struct State {
    /// Why the server takes no uploads; `None`: it takes them.
    refusal: Option<String>,
    /// Of each stream, as last measured; empty until then.
    status: Vec<StreamStatus>,
    shadow: Option<ShadowCounts>,
}

impl Shared {
    /// `refusal`: why the server takes no uploads at first.
    pub(super) fn new(ingest: &Arc<Ingest>, settings: &Settings, refusal: Option<String>) -> Self {
        Self {
            mode: settings.buffer,
            is_shadow: settings.buffer_shadow,
            after: settings.buffer_after(),
            max_bytes: settings.buffer_max_bytes,
            copies: settings.buffer_copies,
            ingest: Arc::clone(ingest),
            depths: Arc::new(Depths::default()),
            state: Mutex::new(State { refusal, ..State::default() }),
            appended: Notify::new(),
        }
    }

    /// Whether the server takes uploads, as far as is known.
    pub(super) fn is_fit(&self) -> bool {
        self.state().refusal.is_none()
    }

    /// Whether an upload may have waited for longer than `limit`: one of a former process may, until the streams are measured.
    pub(super) fn is_late(&self, limit: Duration) -> bool {
        let state = self.state();
        state.status.is_empty() || state.status.iter().any(|status| status.oldest > limit)
    }

    /// How the buffer is.
    pub(super) fn buffer_status(&self) -> BufferStatus {
        let state = self.state();
        BufferStatus {
            refusal: state.refusal.clone(),
            uploads: state.status.iter().map(|status| status.uploads).sum(),
            bytes: state.status.iter().map(|status| status.bytes).sum(),
            max_bytes: self.max_bytes,
            oldest: state.status.iter().map(|status| status.oldest).max().unwrap_or_default(),
            shadow: state.shadow.or(self.is_shadow.then(ShadowCounts::default)),
        }
    }

    pub(super) fn set_refusal(&self, refusal: Option<String>) {
        let mut state = self.state();
        match &refusal {
            Some(reason) if state.refusal != refusal => {
                tracing::error!(reason, "the buffer takes no uploads")
            }
            None if state.refusal.is_some() => tracing::info!("the buffer takes uploads"),
            _ => {}
        }
        state.refusal = refusal;
    }

    pub(super) fn set_away(&self, error: &CacheError) {
        self.set_refusal(Some(error.to_string()));
    }

    pub(super) fn set_status(&self, status: Vec<StreamStatus>) {
        self.state().status = status;
    }

    pub(super) fn set_shadow(&self, shadow: Option<ShadowCounts>) {
        self.state().shadow = shadow;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Held for assignments only, so the state is complete even after a panic.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
