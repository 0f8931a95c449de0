//! From a parsed upload to its outcome: committed, or kept in the buffer.
//!
//! Before: a handler has read an upload. After: `ingest` has committed it, or `buffer` keeps it; the handler answers.
//! Promise: 200 means durable; the header `Vitals-Durability` says where. An upload that fails at one of the two is tried at the other, as long
//! as its sender waits; a commit that takes long goes on beside the buffer, and whichever has the upload first is answered.

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use jiff::Timestamp;
use serde::Serialize;
use tokio::time::{Instant, timeout, timeout_at};
use utoipa::ToSchema;

use super::body::BudgetShare;
use super::{HttpError, State};
use crate::buffer::{Buffer, BufferError, Destination, PreparedUpload, UploadOrigin};
use crate::ingest::IngestError;
use crate::model::device_key::DeviceKey;
use crate::model::{Source, Upload, UploadOutcome};
use crate::owners::OwnersError;
use crate::telemetry::names;
use crate::telemetry::trace::TraceContext;

/// Says where an upload is.
const DURABILITY: HeaderName = HeaderName::from_static("vitals-durability");

/// Longest `X-Request-Id` that is kept, bytes.
const MAX_REQUEST_ID: usize = 128;

/// The limits of an upload: its deadline, and what its key may write; and where it came from.
#[derive(Debug)]
pub(super) struct UploadTerms {
    /// When its sender has to be answered.
    pub(super) deadline: Instant,
    /// The tenant of its key; `None`: a key of every tenant, or none.
    pub(super) customer_id: Option<i64>,
    /// The only device of its key; `None`: not limited to one.
    pub(super) device: Option<Arc<DeviceKey>>,
    /// When it was received.
    pub(super) received_at: Timestamp,
    /// `X-Request-Id` of the request, where it is kept.
    pub(super) request_id: Option<String>,
    /// The body, unpacked; empty if there is no buffer.
    pub(super) body: Bytes,
    /// What its records take of the budget of bodies, until they are queued or refused.
    pub(super) _share: BudgetShare,
}

/// Where an upload is that was answered 200
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Durability {
    /// In PostgreSQL
    Committed,
    /// In the buffer, until PostgreSQL can store it; the figures of the answer are then those before it is stored
    Buffered,
}

/// An upload that was taken.
#[derive(Debug)]
pub(super) struct SubmittedUpload {
    pub(super) outcome: UploadOutcome,
    pub(super) durability: Durability,
}

/// An answer with the header that says where the upload is.
#[derive(Debug)]
pub(super) struct DurableAnswer<T>(pub(super) Durability, pub(super) T);

impl<T: IntoResponse> IntoResponse for DurableAnswer<T> {
    fn into_response(self) -> Response {
        let value = match self.0 {
            Durability::Committed => "committed",
            Durability::Buffered => "buffered",
        };
        let mut response = self.1.into_response();
        response.headers_mut().insert(DURABILITY, HeaderValue::from_static(value));
        response
    }
}

/// `X-Request-Id`, if it is short text.
pub(super) fn request_id(headers: &HeaderMap) -> Option<String> {
    let id = headers.get("x-request-id")?.to_str().ok()?;
    (!id.is_empty() && id.len() <= MAX_REQUEST_ID).then(|| id.to_owned())
}

impl State {
    /// Takes an upload before its deadline. Records that the key may not write become rejects.
    pub(super) async fn submit(
        &self,
        source: Source,
        mut upload: Upload,
        terms: UploadTerms,
    ) -> Result<SubmittedUpload, HttpError> {
        if let Some(key) = &terms.device {
            upload.keep_device(key.device_sn());
        }
        match self.buffer.as_ref().filter(|_| upload.received() > 0) {
            Some(buffer) if buffer.is_shadow() => {
                let prepared = PreparedUpload::new(terms.origin(source), &upload);
                let outcome = self.commit(upload, &terms).await?;
                buffer.compare_later(prepared);
                Ok(committed(outcome))
            }
            Some(buffer) => {
                self.submit_either(buffer, source, upload, &terms).await.inspect_err(count_refused)
            }
            None => self.commit(upload, &terms).await.map(committed),
        }
    }

    /// To PostgreSQL or the buffer, and to the other one if the first fails.
    async fn submit_either(
        &self,
        buffer: &Buffer,
        source: Source,
        upload: Upload,
        terms: &UploadTerms,
    ) -> Result<SubmittedUpload, HttpError> {
        let prepared = PreparedUpload::new(terms.origin(source), &upload);
        let (outcome, urgent) = (buffered_outcome(&upload), prepared.urgent().to_vec());
        let committed = |outcome| {
            buffer.complete(urgent);
            committed(outcome)
        };
        let buffered = || SubmittedUpload { outcome, durability: Durability::Buffered };
        match buffer.first(&prepared) {
            Destination::Database(None) => {
                let announced = prepared.urgent().to_vec();
                let done = self.commit_withdrawable(upload, terms).await;
                if done.as_ref().is_err_and(may_be_buffered) {
                    buffer.announce(announced);
                }
                done.map(committed)
            }
            Destination::Database(Some(alone)) => {
                let committing = pin!(self.commit_withdrawable(upload, terms));
                let appending = buffer.append(prepared, terms.deadline);
                let done = commit_or_buffer(committing, alone, appending).await?;
                Ok(done.map_or_else(buffered, committed))
            }
            Destination::Buffer => match buffer.append(prepared, terms.deadline).await {
                Ok(()) => Ok(buffered()),
                Err(error) if self.ingest.can_commit() => {
                    let done = self.commit_withdrawable(upload, terms).await.map(committed);
                    done.map_err(|late| more_useful(error, late))
                }
                Err(error) => Err(error.into()),
            },
        }
    }

    /// Completes owners and commits, both before the deadline.
    async fn commit(&self, mut upload: Upload, terms: &UploadTerms) -> Result<UploadOutcome, HttpError> {
        let committing = async {
            self.complete_owners(&mut upload, terms).await?;
            Ok(self.ingest.submit(upload).await?)
        };
        timeout_at(terms.deadline, committing).await.unwrap_or_else(|_| {
            let error = IngestError::Unavailable.into();
            count_refused(&error);
            Err(error)
        })
    }

    /// The same, for an upload that the buffer may take instead: an error is not counted yet, and what has not begun to be written when nobody
    /// waits any more is not written.
    async fn commit_withdrawable(
        &self,
        mut upload: Upload,
        terms: &UploadTerms,
    ) -> Result<UploadOutcome, HttpError> {
        let committing = async {
            self.complete_owners(&mut upload, terms).await?;
            Ok(self.ingest.submit_until(upload, terms.deadline).await?)
        };
        timeout_at(terms.deadline, committing).await.unwrap_or(Err(IngestError::Unavailable.into()))
    }

    async fn complete_owners(&self, upload: &mut Upload, terms: &UploadTerms) -> Result<(), OwnersError> {
        match terms.customer_id {
            Some(customer_id) => self.owners.keep_own(upload, customer_id).await,
            None => self.owners.fill(upload.owner_slots()).await,
        }
    }
}

impl UploadTerms {
    fn origin(&self, source: Source) -> UploadOrigin {
        UploadOrigin {
            source,
            received_at: self.received_at,
            key_customer_id: self.customer_id,
            key_device_sn: self.device.as_ref().map(|key| key.device_sn().to_owned()),
            request_id: self.request_id.clone(),
            traceparent: TraceContext::current().map(|trace| trace.traceparent()),
            body: self.body.clone(),
        }
    }
}

fn committed(outcome: UploadOutcome) -> SubmittedUpload {
    SubmittedUpload { outcome, durability: Durability::Committed }
}

/// Commits an upload, alone for a time; then the buffer gets it too, and whichever has it first is answered. `None`: the buffer. An upload that
/// both have is stored once.
async fn commit_or_buffer(
    mut committing: Pin<&mut impl Future<Output = Result<UploadOutcome, HttpError>>>,
    alone: Duration,
    appending: impl Future<Output = Result<(), BufferError>>,
) -> Result<Option<UploadOutcome>, HttpError> {
    match timeout(alone, committing.as_mut()).await {
        // By a full queue, say: it is not tried once more, because uploads that are refused at once keep the service from being overrun.
        Ok(Err(error)) if may_be_buffered(&error) => return by_buffer(appending.await),
        Ok(done) => return done.map(Some),
        Err(_) => {}
    }
    let mut appending = pin!(appending);
    tokio::select! {
        done = committing.as_mut() => match done {
            Err(error) if may_be_buffered(&error) => by_buffer(appending.await),
            done => done.map(Some),
        },
        appended = appending.as_mut() => match appended {
            Ok(()) => Ok(None),
            Err(error) => committing.await.map(Some).map_err(|late| more_useful(error, late)),
        },
    }
}

/// The outcome of an upload that only the buffer may take.
fn by_buffer(appended: Result<(), BufferError>) -> Result<Option<UploadOutcome>, HttpError> {
    appended?;
    Ok(None)
}

/// The error of an upload that neither takes: if PostgreSQL cannot store it now, what is wrong with the buffer says more.
fn more_useful(error: BufferError, late: HttpError) -> HttpError {
    if may_be_buffered(&late) { error.into() } else { late }
}

/// The outcome as far as it is known before PostgreSQL has the upload: what is valid counts as stored.
fn buffered_outcome(upload: &Upload) -> UploadOutcome {
    UploadOutcome {
        stored: u32::try_from(upload.received() - upload.rejects.len()).unwrap_or(u32::MAX),
        duplicate: 0,
        rejected: upload.rejects.iter().map(|reject| reject.refusal.clone()).collect(),
        batch_id: None,
    }
}

/// Whether PostgreSQL is why it failed, and may store it later.
fn may_be_buffered(error: &HttpError) -> bool {
    matches!(
        error,
        HttpError::Ingest(IngestError::Unavailable | IngestError::Full)
            | HttpError::Owners(OwnersError::Unavailable)
    )
}

fn count_refused(error: &HttpError) {
    let reason = match error {
        HttpError::Ingest(error) => error.name(),
        HttpError::Buffer(error) => error.name(),
        _ => return,
    };
    metrics::counter!(names::REFUSED, "reason" => reason).increment(1);
}
