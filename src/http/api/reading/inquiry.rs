//! A request that reads, and its answer in the form that it wants.
//!
//! Before: `access` has authenticated the caller. After: the handler, and the client.
//! Promise: an answer of JSON has an `ETag`, and is not sent again to whoever has it. An export is sent as it is read, and begins only
//! once the database has answered; if it fails later, the connection is closed before the end of the body, so that no client takes a part
//! for the whole.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use serde::Serialize;
use sha2::{Digest, Sha256};
use tokio::sync::OwnedSemaphorePermit;

use super::super::{ApiError, Parameters, tenant};
use super::form::Form;
use super::table::{Table, write_cell};
use crate::http::State;
use crate::http::access::Caller;
use crate::store::StoreError;
use crate::store::dashboard::{self, Query, RowStream, Subject, Viewer};

/// Exports at a time: each has a connection of the pool for as long as it takes.
pub(in crate::http) const MAX_EXPORTS: usize = 2;

/// Longest wait for one of them to end.
const EXPORT_WAIT: Duration = Duration::from_secs(2);

/// Who reads, in which form, and what.
#[derive(Debug)]
pub(in crate::http) struct Inquiry {
    pub(super) viewer: Viewer,
    pub(super) form: Form,
    pub(super) parameters: Parameters,
    known: HeaderMap,
}

impl FromRequestParts<Arc<State>> for Inquiry {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &Arc<State>) -> Result<Self, ApiError> {
        let caller = parts.extensions.get::<Caller>().cloned().ok_or(ApiError::Failed)?;
        let mut parameters = Parameters::from_request_parts(parts, state).await?;
        let form = Form::of(&mut parameters, &parts.headers)?;
        let viewer = match tenant(&mut parameters, &caller)? {
            Some(customer_id) => caller.viewer().within(customer_id),
            None => caller.viewer(),
        };
        let mut known = HeaderMap::new();
        for value in parts.headers.get_all(header::IF_NONE_MATCH) {
            known.append(header::IF_NONE_MATCH, value.clone());
        }
        Ok(Self { viewer, form, parameters, known })
    }
}

impl Inquiry {
    /// Of a route without further parameters, whose answer is no table.
    pub(super) fn only_json(&mut self) -> Result<(), ApiError> {
        std::mem::take(&mut self.parameters).end()?;
        if self.form == Form::Json { Ok(()) } else { Err(ApiError::NotAcceptable) }
    }

    /// Answers with JSON, or with 304 if the client has the same.
    pub(super) fn json(&self, answer: &impl Serialize) -> Result<Response, ApiError> {
        let body = serde_json::to_vec(answer).map_err(|error| failed(&error))?;
        let digest = Sha256::digest(&body);
        let tag: String = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        let tag = format!("\"{tag}\"");
        let is_known = self.known.get_all(header::IF_NONE_MATCH).iter().any(|value| matches_tag(value, &tag));
        let mut response = if is_known {
            StatusCode::NOT_MODIFIED.into_response()
        } else {
            Body::from(body).into_response()
        };
        let headers = response.headers_mut();
        if !is_known {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(Form::Json.media_type()));
        }
        if let Ok(tag) = HeaderValue::from_str(&tag) {
            headers.insert(header::ETAG, tag);
        }
        headers.insert(header::VARY, HeaderValue::from_static("accept"));
        Ok(response)
    }

    /// Answers with all rows of a query, as NDJSON or CSV.
    pub(super) async fn export<T: Send + 'static>(
        &self,
        state: &State,
        name: &'static str,
        subject: &Subject,
        query: Query<T>,
        table: impl Table<T>,
    ) -> Result<Response, ApiError> {
        let permit = tokio::time::timeout(EXPORT_WAIT, Arc::clone(&state.exports).acquire_owned()).await;
        let Ok(Ok(permit)) = permit else { return Err(ApiError::TooManyExports) };
        let mut rows = query.export(state.reads.clone(), self.viewer);
        // The first rows show whether there can be an answer.
        let first = match rows.next().await {
            Some(first) => first?,
            None => return Err(ApiError::Failed),
        };
        if first.is_empty() && !self.sees(state, subject).await? {
            return Err(super::record::absent(subject));
        }
        let mut lines = Lines { table, form: self.form, has_failed: false };
        let begin = lines.head(first);
        let rest = lines.rest(rows, permit);
        let body = stream::once(async move { begin }).chain(rest);
        let mut response = Body::from_stream(body).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(self.form.media_type()));
        headers.insert(header::VARY, HeaderValue::from_static("accept"));
        let extension = if self.form == Form::Csv { "csv" } else { "ndjson" };
        if let Ok(file) = HeaderValue::from_str(&format!("attachment; filename=\"{name}.{extension}\"")) {
            headers.insert(header::CONTENT_DISPOSITION, file);
        }
        Ok(response)
    }

    async fn sees(&self, state: &State, subject: &Subject) -> Result<bool, ApiError> {
        let viewer = self.viewer;
        state.list(async |store| dashboard::is_visible(&store, viewer, subject).await).await
    }
}

/// Whether one of the tags of a header is this one. Whether it is weak does not matter for a read.
fn matches_tag(value: &HeaderValue, tag: &str) -> bool {
    let tags = value.to_str().unwrap_or_default().split(',').map(str::trim);
    tags.into_iter().any(|each| each == "*" || each.strip_prefix("W/").unwrap_or(each) == tag)
}

/// What could not be written.
fn failed(error: &serde_json::Error) -> ApiError {
    tracing::error!(%error, "an answer cannot be written");
    ApiError::Failed
}

/// Writes rows as lines.
struct Lines<L> {
    table: L,
    form: Form,
    has_failed: bool,
}

impl<L> Lines<L> {
    /// The names of the columns, and the first rows.
    fn head<T>(&mut self, rows: Vec<T>) -> Result<Bytes, StoreError>
    where
        L: Table<T>,
    {
        let mut text = Vec::new();
        if self.form == Form::Csv {
            for (place, name) in self.table.columns().iter().enumerate() {
                if place > 0 {
                    text.push(b',');
                }
                write_cell(name, &mut text);
            }
            text.extend_from_slice(b"\r\n");
        }
        self.append(&rows, &mut text)?;
        Ok(text.into())
    }

    fn append<T>(&self, rows: &[T], text: &mut Vec<u8>) -> Result<(), StoreError>
    where
        L: Table<T>,
    {
        for row in rows {
            let (written, end): (_, &[u8]) = match self.form {
                Form::Csv => (self.table.write_csv(row, text), b"\r\n"),
                Form::Ndjson | Form::Json => (self.table.write_json(row, text), b"\n"),
            };
            written.map_err(|error| StoreError::State(format!("a row cannot be written: {error}")))?;
            text.extend_from_slice(end);
        }
        Ok(())
    }

    /// The other rows; the permit is given back when the last one is sent, or the client has gone.
    fn rest<T: Send + 'static>(
        mut self,
        rows: RowStream<T>,
        permit: OwnedSemaphorePermit,
    ) -> impl futures_util::Stream<Item = Result<Bytes, StoreError>> + Send + 'static
    where
        L: Table<T>,
    {
        rows.map(move |rows| {
            let _held = &permit;
            let mut text = Vec::new();
            let written = rows.and_then(|rows| self.append(&rows, &mut text));
            if let Err(error) = &written
                && !std::mem::replace(&mut self.has_failed, true)
            {
                tracing::warn!(%error, "an export ended early");
            }
            written.map(|()| Bytes::from(text))
        })
    }
}

/// The serial in a path.
#[derive(Debug, Clone)]
pub(in crate::http) struct PathSerial(pub(super) String);

impl<S: Send + Sync> FromRequestParts<S> for PathSerial {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let path = axum::extract::Path::<String>::from_request_parts(parts, state).await;
        let absent = |_| ApiError::Absent(crate::language::text!("device-absent"));
        path.map(|axum::extract::Path(device_sn)| Self(device_sn)).map_err(absent)
    }
}
