//! The routes below `/api/` for people and their programs: alerts, and the state of the service.
//!
//! Before: `http::access` has authenticated the caller. After: `store`.
//! Promise: a change is in force when it is answered 200 or 201; every wait has a deadline.

pub(super) mod alert;
pub(super) mod alert_assignment;
pub(super) mod alert_rule;
pub(super) mod alert_silence;
pub(super) mod alert_step;
pub(super) mod batch_processor;
pub(super) mod connections;
pub(super) mod contact;
pub(super) mod contact_address;
pub(super) mod device_clock;
pub(super) mod health;
pub(super) mod notification_route;
pub(super) mod own;
pub(super) mod query;
pub(super) mod reading;
pub(super) mod route_test;
pub(super) mod shift;
pub(super) mod stats;
pub(super) mod stream;
pub(super) mod system_alert;

use std::fmt::Display;
use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{FromRequestParts, Path, Request, State as Shared};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use axum::middleware::Next;
use axum::response::Response;
use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;
use utoipa::ToSchema;

use super::State;
use super::access::Caller;
use super::error::{AccessError, ApiError};
use crate::language::text;
use crate::model::Id64;
use crate::store::alert::Acting;
use crate::store::{Store, StoreError};
use query::Parameters;

/// Longest name of a person, characters.
const MAX_ACTOR_CHARS: usize = 200;

/// Longest note, characters.
const MAX_NOTE_CHARS: usize = 2000;

/// Requests below `/api/` that ask the database at a time: devices and the relay keep the rest of the pool.
pub(super) const MAX_CONCURRENT: usize = 4;

/// What a deletion is answered
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Done {
    /// Always "success"
    #[schema(value_type = String, examples("success"))]
    status: &'static str,
}

const DONE: Done = Done { status: "success" };

/// The number in a path. What is no number is no thing of ours.
#[derive(Debug, Clone, Copy)]
pub(super) struct PathId(pub(super) i64);

impl<S: Send + Sync> FromRequestParts<S> for PathId {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let path: Result<Path<String>, PathRejection> = Path::from_request_parts(parts, state).await;
        let id = path.ok().and_then(|Path(text)| text.parse().ok());
        id.map(Self).ok_or_else(|| ApiError::Absent(text!("number-absent")))
    }
}

/// Whoever reads after the answer to a change reads the change.
pub(super) async fn note_change(Shared(state): Shared<Arc<State>>, request: Request, next: Next) -> Response {
    let may_change = !request.method().is_safe() && !is_upload(request.uri().path());
    let response = next.run(request).await;
    if may_change {
        state.reads.changed().await;
        state.pages.note_action();
    }
    response
}

/// Whether a device sends something: readers wait for no upload.
pub(super) fn is_upload(path: &str) -> bool {
    path.starts_with("/upload_") || path.starts_with("/fetch_")
}

impl State {
    /// Reads, from a standby where one is good enough, within the time that a commit has.
    pub(in crate::http) async fn list<T>(
        &self,
        read: impl AsyncFnOnce(Store) -> Result<T, StoreError> + Clone,
    ) -> Result<T, ApiError> {
        self.query(self.reads.run(read)).await
    }

    /// Asks the database within the time that a commit has, including the wait for a permit.
    pub(super) async fn query<T>(
        &self,
        asking: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, ApiError> {
        let limited = async {
            let _permit = self.api_queries.acquire().await.map_err(|_| ApiError::Unavailable)?;
            Ok(asking.await?)
        };
        tokio::time::timeout(self.bodies.commit_deadline(), limited)
            .await
            .unwrap_or(Err(ApiError::Unavailable))
    }

    /// A body of JSON.
    async fn json<T: DeserializeOwned>(&self, request: Request) -> Result<T, ApiError> {
        if !is_json(request.headers()) {
            return Err(ApiError::NotJson);
        }
        let body: Bytes = self.bodies.read_small(request).await?;
        let mut text = serde_json::Deserializer::from_slice(&body);
        let refused = |error: &dyn Display| ApiError::Bad(text!("body-refused", reason = error.to_string()));
        let value = serde_path_to_error::deserialize(&mut text).map_err(|error| refused(&error))?;
        text.end().map_err(|error| refused(&error))?;
        Ok(value)
    }
}

/// Cuts a page that was read with one row more than its limit. Returns the last row if others follow it, for the cursor.
fn cut_page<T>(rows: &mut Vec<T>, limit: i64) -> Option<&T> {
    let has_more = rows.len() > usize::try_from(limit).unwrap_or(usize::MAX);
    if has_more {
        rows.pop();
    }
    rows.last().filter(|_| has_more)
}

/// The tenant of a query. A key of one tenant sees what is its own, and no parameter widens that.
fn tenant(parameters: &mut Parameters, caller: &Caller) -> Result<Option<i64>, ApiError> {
    let named = parameters.one::<Id64>("customer_id")?.map(|Id64(id)| id);
    match (caller.customer_id(), named) {
        (Some(own), Some(named)) if own != named => Err(AccessError::OtherTenant.counted().into()),
        (own, named) => Ok(own.or(named)),
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let named = headers.get(header::CONTENT_TYPE).and_then(|named| named.to_str().ok()).unwrap_or_default();
    named.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"))
}

/// In whose name a caller acts: see [`Caller::acting`].
fn acting(caller: &Caller, named: Option<String>, note: Option<&str>) -> Result<Acting, ApiError> {
    check_words(named.as_deref(), note)?;
    caller.acting(named)?.ok_or_else(|| ApiError::Bad(text!("alert-actor-missing")))
}

/// Refuses names and notes that are none.
fn check_words(actor: Option<&str>, note: Option<&str>) -> Result<(), ApiError> {
    let fault = match (actor, note) {
        (Some(actor), _) if actor.trim().is_empty() => text!("actor-empty"),
        (Some(actor), _) if actor.chars().count() > MAX_ACTOR_CHARS => {
            text!("actor-too-long", most = MAX_ACTOR_CHARS)
        }
        (_, Some(note)) if note.chars().count() > MAX_NOTE_CHARS => {
            text!("note-too-long", most = MAX_NOTE_CHARS.to_string())
        }
        _ => return Ok(()),
    };
    Err(ApiError::Bad(fault))
}
