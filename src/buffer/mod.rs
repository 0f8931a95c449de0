//! Uploads outlive the database: while PostgreSQL cannot store them they are kept in Redis Streams, and acknowledged from there.
//!
//! Before: `http` has read an upload. After: `ingest` commits it, at once or later, as it would have been when it came: with its time of receipt,
//! by which lateness is evaluated, and within the limits of its key.
//! Promise: an upload that is acknowledged as buffered is on as many disks as `buffer_copies` says. It leaves its stream after it is committed;
//! what cannot be stored ends in `rejected_upload`. What is drained twice, or was sent twice, is stored once by its natural keys.
//!
//! ```text
//!  upload ─▶ can PostgreSQL commit, and does nothing of its devices wait? ─── yes  ─▶ ingest, alone for buffer_after_ms ─▶ committed
//!                                                                        no │               not in time │
//!                                                                           ▼                           │
//!            buffered ◀─ group: XADD …, one WAITAOF ◀─ record: packed ◀─────┴───────────────────────────┘
//!                          ║
//!            64 streams by device, 64 more for urgent events ═▶ drain: lease, XAUTOCLAIM, XREADGROUP ─▶ ingest ─▶ XACK, XDEL
//! ```
//!
//! **What if a live upload overtakes a buffered one of the same device?** An instance goes by what it knows: a stream counts as occupied from
//! before its own append until Redis has answered that it is empty, or that it is drained as fast as it is filled (`depth`); what other instances
//! append is known after the next measurement, 200 ms later at most. Within that time, or while the oldest upload of a stream has waited for less
//! than five seconds, or while the buffer takes nothing and PostgreSQL does, an upload may overtake. Then
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
mod entry;
mod group;
mod measure;
mod pace;
mod record;
mod shadow;
mod shared;
mod start;
mod urgent;

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::try_join_all;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, timeout_at};

use crate::cache::stream::StreamEntry;
use crate::model::BufferStatus;
use crate::tasks;
use crate::telemetry::names;
use crate::wire::buffered::BufferedUpload;
pub use destination::Destination;
use destination::Situation;
use group::AppendRequest;
pub use measure::ServerReport;
pub use record::{PreparedUpload, UnpackError, UploadOrigin};
use shared::Shared;
pub use start::{BufferServices, BufferStartError};
use urgent::Announcer;
pub use urgent::UrgentEvent;

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

/// The buffer. Clones share it.
#[derive(Debug, Clone)]
pub struct Buffer {
    shared: Arc<Shared>,
    requests: mpsc::Sender<AppendRequest>,
    announcer: Announcer,
    shadows: mpsc::Sender<PreparedUpload>,
}

impl Buffer {
    /// Where this upload goes first.
    pub fn first(&self, upload: &PreparedUpload) -> Destination {
        let can_commit = self.shared.ingest.can_commit();
        let situation = Situation {
            // While PostgreSQL cannot commit, a full buffer refuses at once, instead of after the wait for a commit.
            is_usable: if can_commit { self.accepts() } else { self.shared.is_fit() },
            can_commit,
            is_behind: upload.streams().any(|stream| self.shared.depths.is_behind(stream)),
            is_urgent: upload.is_urgent(),
        };
        destination::first(self.shared.mode, self.shared.after, situation)
    }

    /// Whether uploads are stored as without a buffer, and only compared with what the buffer has.
    pub fn is_shadow(&self) -> bool {
        self.shared.is_shadow
    }

    /// Whether it takes uploads now, so that an instance without PostgreSQL is of use.
    pub fn accepts(&self) -> bool {
        !self.shared.is_shadow && self.shared.is_fit() && self.shared.depths.bytes() < self.shared.max_bytes
    }

    /// Whether an upload may have waited for longer than `limit`: one of a former process may, until the streams are measured.
    pub fn is_late(&self, limit: Duration) -> bool {
        !self.shared.is_shadow && self.shared.is_late(limit)
    }

    /// How it is.
    pub fn status(&self) -> BufferStatus {
        self.shared.buffer_status()
    }

    /// Appends every part of an upload, and waits until all of them are on as many disks as the settings say. Its urgent events are announced
    /// meanwhile, whether they are appended or not: PostgreSQL has not evaluated them.
    ///
    /// # Errors
    /// [`BufferError`]; a part may be in its stream, sending again is safe.
    pub async fn append(&self, mut upload: PreparedUpload, deadline: Instant) -> Result<(), BufferError> {
        self.announcer.announce(upload.take_urgent());
        self.append_counted(upload, deadline).await
    }

    /// These urgent events are neither stored nor in the buffer, and somebody has to know of them.
    pub fn announce(&self, urgent: Vec<UrgentEvent>) {
        self.announcer.announce(urgent);
    }

    /// These urgent events are stored: that is announced if their waiting was, and later it is not announced that they wait.
    pub fn complete(&self, urgent: Vec<UrgentEvent>) {
        self.announcer.complete(urgent);
    }

    /// Passes on an upload that PostgreSQL has stored, to be compared with that later. Waits for nothing: if the buffer cannot keep up, the
    /// upload is not compared, and that is counted.
    pub fn compare_later(&self, upload: PreparedUpload) {
        if self.shadows.try_send(upload.into_shadow()).is_err() {
            shadow::count_skipped();
        }
    }

    async fn append_counted(&self, upload: PreparedUpload, deadline: Instant) -> Result<(), BufferError> {
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

/// Unpacks an entry of a stream, for a person.
///
/// # Errors
/// It is of a later release, or nothing that a program has written.
pub fn read_entry(entry: &StreamEntry) -> Result<BufferedUpload, UnpackError> {
    record::unpack(&entry.upload, usize::MAX)
}
