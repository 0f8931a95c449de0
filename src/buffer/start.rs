//! Starts the buffer: checks its server, and starts the tasks that append, measure, announce, compare and drain.
//!
//! Before: `app` has started what draining needs. After: `http` gives it uploads.

use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use tokio::sync::mpsc;

use super::shared::Shared;
use super::{Buffer, ServerReport, drain, group, measure, shadow, urgent};
use crate::cache::{Cache, CacheError};
use crate::config::{BufferMode, Settings};
use crate::ingest::Ingest;
use crate::ingest::compare::Comparer;
use crate::ingest::erased::Erased;
use crate::model::SystemAlert;
use crate::owners::Owners;
use crate::tasks::Stage;
use crate::telemetry::names;

/// What the buffer uses of the rest of the service.
#[derive(Clone)]
pub struct BufferServices {
    /// Commits uploads.
    pub ingest: Arc<Ingest>,
    /// Compares shadow uploads with what is stored.
    pub comparer: Comparer,
    /// Knows what was erased after it was received.
    pub erased: Erased,
    /// Looks up who owns a device.
    pub owners: Owners,
    /// Zone of times without a zone.
    pub device_zone: TimeZone,
    /// Start of the time for which raw rows are kept, at a time of receipt.
    pub oldest: Arc<dyn Fn(Timestamp) -> Option<Timestamp> + Send + Sync>,
    /// The Redis that dashboards listen to.
    pub view: Cache,
    /// Notifies operators.
    pub operators: mpsc::Sender<SystemAlert>,
}

impl std::fmt::Debug for BufferServices {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BufferServices").finish_non_exhaustive()
    }
}

/// Why the buffer does not start.
#[derive(Debug, thiserror::Error)]
pub enum BufferStartError {
    /// The settings cannot be used, or Redis does not answer.
    #[error("the buffer at {server} (setting buffer_url): {error}")]
    Redis {
        /// Host and port.
        server: String,
        /// Why.
        error: CacheError,
    },
    /// The server would lose uploads.
    #[error("the buffer at {server} (setting buffer_url): {reason}")]
    Refused {
        /// Host and port.
        server: String,
        /// Why, and what to do.
        reason: String,
    },
}

impl Buffer {
    /// Starts the tasks that append in `appending`, which must outlive the users of [`Buffer`], and those that drain in `draining`, which must
    /// stop before the ingest does. `None`: the settings want no buffer.
    ///
    /// # Errors
    /// The server would lose uploads, or does not answer although every upload depends on it.
    pub async fn start(
        services: BufferServices,
        settings: &Settings,
        appending: &Stage,
        draining: &Stage,
    ) -> Result<Option<Self>, BufferStartError> {
        if settings.buffer == BufferMode::Off {
            return Ok(None);
        }
        // Not the URL itself, which may hold a password.
        let of_url = |error| BufferStartError::Redis { server: "an address".to_owned(), error };
        let cache = Cache::of_buffer(settings).map_err(of_url)?;
        let refusal = check_at_start(&cache, settings).await?;
        let shared = Arc::new(Shared::new(&services.ingest, settings, refusal));
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
        metrics::gauge!(names::BUFFER_MAX_BYTES).set(settings.buffer_max_bytes as f64);
        let (requests, queue) = mpsc::channel(group::MAX_WAITING);
        let connections = group::connections(settings).map_err(of_url)?;
        let append = group::run(connections, settings.buffer_copies, queue, appending.stop_token());
        // It ends when the last sender is dropped, which may be before the stage stops.
        appending.spawn("buffer.append", append);
        let measure = measure::run(Arc::clone(&shared), cache, appending.stop_token());
        appending.spawn_loop("buffer.measure", measure);
        let marks = Cache::of_buffer(settings).map_err(of_url)?;
        let (announcer, announcing) = urgent::announcing(&services, marks, settings);
        appending.spawn_loop("buffer.announce", announcing.run(appending.stop_token()));
        for drain in drain::drains(&shared, &services, &announcer, settings).map_err(of_url)? {
            draining.spawn_loop("buffer.drain", drain.run(draining.stop_token()));
        }
        let (shadows, uploads) = mpsc::channel(shadow::MAX_WAITING);
        let buffer = Self { shared, requests, announcer, shadows };
        if settings.buffer_shadow {
            let shadow = shadow::run(buffer.clone(), uploads, appending.stop_token());
            appending.spawn_loop("buffer.shadow", shadow);
        }
        Ok(Some(buffer))
    }
}

/// Checks the server before the service serves. Without it an upload is still committed in mode `outage`, and in shadow mode every upload is,
/// so that these only log its absence.
async fn check_at_start(cache: &Cache, settings: &Settings) -> Result<Option<String>, BufferStartError> {
    let server = cache.server();
    let is_needed = settings.buffer == BufferMode::Always && !settings.buffer_shadow;
    match ServerReport::read(cache).await {
        Ok(ServerReport { refusal: Some(reason), .. }) => Err(BufferStartError::Refused { server, reason }),
        Ok(report) => {
            if let Some(warning) = report.memory_warning(settings.buffer_max_bytes) {
                tracing::warn!(server, "the buffer: {warning}");
            }
            match report.shortage(settings.buffer_copies) {
                Some(reason) if is_needed => Err(BufferStartError::Refused { server, reason }),
                Some(reason) => {
                    tracing::warn!(reason, server, "the buffer takes no uploads until it has its replicas");
                    Ok(Some(reason))
                }
                None => Ok(None),
            }
        }
        Err(error) if is_needed => Err(BufferStartError::Redis { server, error }),
        Err(error) => {
            tracing::warn!(%error, server, "the buffer does not answer: an outage of PostgreSQL refuses uploads until it does");
            Ok(Some(error.to_string()))
        }
    }
}
