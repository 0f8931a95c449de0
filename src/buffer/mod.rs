//! Uploads outlive the database: while PostgreSQL cannot store them they are kept in Redis Streams, and acknowledged from there.
//!
//! Before: `http` has read an upload. After: `ingest` commits it, at once or later, as it would have been when it came: with its time of receipt,
//! by which lateness is evaluated, and within the limits of its key.
//! Promise: an upload that is acknowledged as buffered is on as many disks as `buffer_copies` says. It leaves its stream after it is committed;
//! what cannot be stored ends in `rejected_upload`. What is drained twice, or was sent twice, is stored once by its natural keys.
//!
//! ```text
//!  upload ─▶ can PostgreSQL commit, and are the streams of its devices empty? ─ yes ─▶ ingest, buffer_after_ms at most ─▶ committed
//!                                                                        no │               not in time │
//!                                                                           ▼                           │
//!            buffered ◀─ group: XADD …, one WAITAOF ◀─ record: packed ◀─────┴───────────────────────────┘
//!                          ║
//!            64 streams by device, 64 more for urgent events ═▶ drain: lease, XAUTOCLAIM, XREADGROUP ─▶ ingest ─▶ XACK, XDEL
//! ```
//!
//! **What if a live upload overtakes a buffered one of the same device?** An instance goes by what it knows: a stream counts as occupied from
//! before its own append until Redis has answered that it is empty (`depth`); what other instances append is known after the next measurement,
//! 200 ms later at most. Within that time, or while the buffer takes nothing and PostgreSQL does, an upload may overtake. Then
//! - nothing is lost or doubled: a row is found by its device and its own time, whenever it comes;
//! - latest values, the state of a device and rollups are the same: they go by event time;
//! - alerts are the same: they are derived from the stored rows in whatever order these came (`derive_alerts.sql`), and lateness goes by the
//!   time of receipt. Only messages can differ: a breach that is stored after its recovery is reported together with it;
//! - of two records with the same device and time and different values, the first stored counts (`fill`, `keep`), or the last (`replace`). A
//!   watch repeats a sample as it was. This is why the order is kept wherever it is known.

mod commit;
mod depth;
mod destination;
mod drain;
mod group;
mod measure;
mod pace;
mod record;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::try_join_all;
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::time::{Instant, timeout_at};

use crate::cache::stream::{StreamEntry, StreamStatus};
use crate::cache::{Cache, CacheError};
use crate::config::{BufferMode, Settings};
use crate::ingest::Ingest;
use crate::tasks::{self, Stage};
use crate::telemetry::names;
use crate::wire::buffered::BufferedUpload;
pub use commit::DrainServices;
use depth::Depths;
pub use destination::Destination;
use destination::Situation;
use group::AppendRequest;
pub use measure::ServerReport;
pub use record::{PreparedUpload, UnpackError, UploadOrigin};

/// Why an upload is not acknowledged from the buffer. It may be in its stream all the same; sending again is safe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BufferError {
    /// `buffer_max_bytes`, or the memory of Redis, is used up.
    #[error("the buffer is full")]
    Full,
    /// Redis does not answer, or is stopping, or is not fit for a buffer.
    #[error("the buffer does not answer")]
    Unavailable,
    /// It was on too few disks in time.
    #[error("the buffer did not confirm the upload in time")]
    NotDurable,
}

impl BufferError {
    /// The label in metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Full => "buffer_full",
            Self::Unavailable => "buffer_unavailable",
            Self::NotDurable => "buffer_not_durable",
        }
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

/// The buffer. Clones share it.
#[derive(Debug, Clone)]
pub struct Buffer {
    shared: Arc<Shared>,
    requests: mpsc::Sender<AppendRequest>,
}

/// What its tasks share.
#[derive(Debug)]
struct Shared {
    mode: BufferMode,
    after: Duration,
    max_bytes: u64,
    copies: u32,
    ingest: Arc<Ingest>,
    depths: Arc<Depths>,
    state: Mutex<State>,
    /// Uploads were appended.
    appended: Notify,
}

#[derive(Debug, Default)]
struct State {
    /// Why the server takes no uploads; `None`: it takes them.
    refusal: Option<String>,
    /// Of each stream, as last measured; empty until then.
    status: Vec<StreamStatus>,
}

/// How the buffer is, as last measured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BufferStatus {
    /// Why it takes no uploads; `None`: it takes them.
    pub refusal: Option<String>,
    /// Uploads in all streams.
    pub uploads: u64,
    /// Memory they take.
    pub bytes: u64,
    /// Memory they may take.
    pub max_bytes: u64,
    /// How long the oldest has waited.
    pub oldest: Duration,
}

impl Buffer {
    /// Starts the tasks that append in `appending`, which must outlive the users of [`Buffer`], and those that drain in `draining`, which must
    /// stop before the ingest does. `None`: the settings want no buffer.
    ///
    /// # Errors
    /// The server would lose uploads, or does not answer although every upload depends on it.
    pub async fn start(
        services: DrainServices,
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
        let shared = Arc::new(Shared {
            mode: settings.buffer,
            after: settings.buffer_after(),
            max_bytes: settings.buffer_max_bytes,
            copies: settings.buffer_copies,
            ingest: Arc::clone(&services.ingest),
            depths: Arc::new(Depths::default()),
            state: Mutex::new(State { refusal, status: Vec::new() }),
            appended: Notify::new(),
        });
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
        metrics::gauge!(names::BUFFER_MAX_BYTES).set(settings.buffer_max_bytes as f64);
        let (requests, queue) = mpsc::channel(group::MAX_WAITING);
        let connections = group::connections(settings).map_err(of_url)?;
        let append = group::run(connections, settings.buffer_copies, queue, appending.stop_token());
        // It ends when the last sender is dropped, which may be before the stage stops.
        appending.spawn("buffer.append", append);
        let measure = measure::run(Arc::clone(&shared), cache, appending.stop_token());
        appending.spawn_loop("buffer.measure", measure);
        for drain in drain::drains(&shared, services, settings).map_err(of_url)? {
            draining.spawn_loop("buffer.drain", drain.run(draining.stop_token()));
        }
        Ok(Some(Self { shared, requests }))
    }

    /// Where this upload goes first.
    pub fn first(&self, upload: &PreparedUpload) -> Destination {
        let can_commit = self.shared.ingest.can_commit();
        let situation = Situation {
            // While PostgreSQL cannot commit, a full buffer refuses at once, instead of after the wait for a commit.
            is_usable: if can_commit { self.accepts() } else { self.shared.state().refusal.is_none() },
            can_commit,
            are_streams_empty: upload.streams().all(|stream| self.shared.depths.is_empty(stream)),
        };
        destination::first(self.shared.mode, self.shared.after, situation)
    }

    /// Whether it takes uploads now, so that an instance without PostgreSQL is of use.
    pub fn accepts(&self) -> bool {
        self.shared.state().refusal.is_none() && self.shared.depths.bytes() < self.shared.max_bytes
    }

    /// Whether an upload may have waited for longer than `limit`: one of a former process may, until the streams are measured.
    pub fn is_late(&self, limit: Duration) -> bool {
        let state = self.shared.state();
        state.status.is_empty() || state.status.iter().any(|status| status.oldest > limit)
    }

    /// How it is.
    pub fn status(&self) -> BufferStatus {
        let state = self.shared.state();
        BufferStatus {
            refusal: state.refusal.clone(),
            uploads: state.status.iter().map(|status| status.uploads).sum(),
            bytes: state.status.iter().map(|status| status.bytes).sum(),
            max_bytes: self.shared.max_bytes,
            oldest: state.status.iter().map(|status| status.oldest).max().unwrap_or_default(),
        }
    }

    /// Appends every part of an upload, and waits until all of them are on as many disks as the settings say.
    ///
    /// # Errors
    /// [`BufferError`]; a part may be in its stream, sending again is safe.
    pub async fn append(&self, upload: PreparedUpload, deadline: Instant) -> Result<(), BufferError> {
        let appended = timeout_at(deadline, self.append_parts(upload)).await;
        let appended = appended.unwrap_or(Err(BufferError::NotDurable));
        let outcome = appended.as_ref().err().map_or("buffered", |error| error.name());
        metrics::counter!(names::BUFFER_APPENDED, "outcome" => outcome).increment(1);
        self.shared.appended.notify_waiters();
        appended
    }

    async fn append_parts(&self, upload: PreparedUpload) -> Result<(), BufferError> {
        let parts =
            if upload.is_large() { tasks::run_blocking(|| upload.pack()).await } else { upload.pack() };
        let bytes: usize = parts.iter().map(|(_, packed)| packed.len()).sum();
        if self.shared.depths.bytes() + bytes as u64 > self.shared.max_bytes {
            return Err(BufferError::Full);
        }
        let parts = parts.into_iter().map(async |(stream, packed)| {
            let (reply, answer) = oneshot::channel();
            let _guard = self.shared.depths.begin_append(stream, packed.len());
            let request = AppendRequest { stream, packed, reply, _guard };
            self.requests.send(request).await.map_err(|_| BufferError::Unavailable)?;
            answer.await.unwrap_or(Err(BufferError::Unavailable))
        });
        try_join_all(parts).await.map(drop)
    }
}

/// Checks the server before the service serves. Without it an upload is still committed in mode `outage`, so that one only logs its absence.
async fn check_at_start(cache: &Cache, settings: &Settings) -> Result<Option<String>, BufferStartError> {
    let server = cache.server();
    match ServerReport::read(cache).await {
        Ok(ServerReport { refusal: Some(reason), .. }) => Err(BufferStartError::Refused { server, reason }),
        Ok(report) => {
            if let Some(warning) = report.memory_warning(settings.buffer_max_bytes) {
                tracing::warn!(server, "the buffer: {warning}");
            }
            match report.shortage(settings.buffer_copies) {
                Some(reason) if settings.buffer == BufferMode::Always => {
                    Err(BufferStartError::Refused { server, reason })
                }
                Some(reason) => {
                    tracing::warn!(reason, server, "the buffer takes no uploads until it has its replicas");
                    Ok(Some(reason))
                }
                None => Ok(None),
            }
        }
        Err(error) if settings.buffer == BufferMode::Always => Err(BufferStartError::Redis { server, error }),
        Err(error) => {
            tracing::warn!(%error, server, "the buffer does not answer: an outage of PostgreSQL refuses uploads until it does");
            Ok(Some(error.to_string()))
        }
    }
}

/// Unpacks an entry of a stream, for a person.
///
/// # Errors
/// It is of a later release, or nothing that a program has written.
pub fn read_entry(entry: &StreamEntry) -> Result<BufferedUpload, UnpackError> {
    record::unpack(&entry.upload, usize::MAX)
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        // Held for assignments only, so the state is complete even after a panic.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set_refusal(&self, refusal: Option<String>) {
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

    fn set_away(&self, error: &CacheError) {
        self.set_refusal(Some(error.to_string()));
    }

    fn set_status(&self, status: Vec<StreamStatus>) {
        self.state().status = status;
    }
}
