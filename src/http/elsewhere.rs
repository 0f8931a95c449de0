//! Passes an upload on to the cell in which its devices live.
//!
//! Before: `access` has authenticated the sender. After: the answer of the other cell; or the handler, which stores the upload here.
//! Promise: handlers notice nothing, and without other cells this costs one look at an empty table. An upload is passed on only as a
//! whole: if its devices live in several cells, or in this one, it is stored here. What another cell passed on is always stored here.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request, State as Shared};
use axum::http::HeaderValue;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::State;
use super::access::Caller;
use super::body::BudgetPool;
use crate::cells::{ANSWERED_BY, PASSED_HEADERS, PASSED_ON, PassedAnswer, PassedUpload};
use crate::model::placement::{Cell, Placements};
use crate::model::tenant::OF_DIRECTORY;
use crate::wire::peek::serials;

/// Most devices of an upload that is passed on; one with more is stored here.
const MAX_DEVICES: usize = 1000;

/// Longest wait for the owners of devices. After it the tenant of the key counts, if it is of one.
const OWNERS_TIMEOUT: Duration = Duration::from_secs(1);

/// Passes an upload on, or lets it through to its handler.
pub(super) async fn pass_on(Shared(state): Shared<Arc<State>>, mut request: Request, next: Next) -> Response {
    let placements = state.cells.placements();
    let Some(pool) = pool_of(request.uri().path()) else { return next.run(request).await };
    if request.headers().contains_key(PASSED_ON) {
        return named(next.run(request).await, &placements.own);
    }
    let Some(caller) = request.extensions().get::<Caller>().cloned() else { return next.run(request).await };
    if !placements.has_elsewhere(caller.customer_id().filter(|tenant| *tenant != OF_DIRECTORY)) {
        return next.run(request).await;
    }
    let (body, unpacked) = match state.bodies.read_ahead(&mut request, pool).await {
        Ok(bodies) => bodies,
        Err(error) => return error.into_response(),
    };
    let Some(cell) = state.cell_of(&placements, &caller, unpacked.as_deref()).await else {
        return next.run(request).await;
    };
    let passed = PASSED_HEADERS.into_iter();
    let headers = passed.filter_map(|name| Some((name, request.headers().get(name)?.as_bytes().to_vec())));
    let upload = PassedUpload {
        path: request.uri().path(),
        headers: headers.collect(),
        sender: caller.address().to_string(),
        body,
        // The rest is for storing it here.
        timeout: state.bodies.commit_deadline() / 2,
    };
    match state.cells.pass_on(&cell, upload).await {
        Some(answer) => response(answer),
        None => next.run(request).await,
    }
}

/// From which budget the body of an upload is paid; `None`: the path is not one of uploads.
fn pool_of(path: &str) -> Option<BudgetPool> {
    match path {
        "/upload_health_data" | "/upload_health_data_batch" | "/upload_device_info" | "/upload_watch_log" => {
            Some(BudgetPool::Shared)
        }
        "/upload_common_event" => Some(BudgetPool::Reserved),
        _ => None,
    }
}

/// An answer to another cell, with the name of this one.
fn named(mut response: Response, own: &str) -> Response {
    if let Ok(own) = HeaderValue::from_str(own) {
        response.headers_mut().insert(ANSWERED_BY, own);
    }
    response
}

fn response(answer: PassedAnswer) -> Response {
    let mut response = Response::new(Body::from(answer.body));
    *response.status_mut() = answer.status.try_into().expect("it was a status");
    for (name, value) in answer.headers {
        if let Ok(value) = HeaderValue::from_bytes(&value) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

impl State {
    /// The one other cell in which all devices of an upload live. `None`: they live here, or in several, or nobody knows.
    async fn cell_of(
        &self,
        placements: &Placements,
        caller: &Caller,
        body: Option<&[u8]>,
    ) -> Option<Arc<Cell>> {
        let own = caller.device().map(|key| key.device_sn());
        let device_sns: Vec<&str> = match own {
            Some(own) => vec![own],
            None => serials(body?, MAX_DEVICES).filter(|found| !found.is_empty())?.into_iter().collect(),
        };
        let asking = tokio::time::timeout(OWNERS_TIMEOUT, self.owners.current_tenants(&device_sns));
        let of_key = match caller.device() {
            Some(key) => key.customer_id(),
            None => caller.customer_id().unwrap_or_default(),
        };
        let owners = match asking.await {
            Ok(Ok(owners)) => owners,
            // A device without a known owner is not one that nobody owns.
            Ok(Err(_)) | Err(_) if of_key == 0 => return None,
            Ok(Err(_)) | Err(_) => vec![None; device_sns.len()],
        };
        let cell = |(device_sn, owner): (&&str, Option<i64>)| {
            placements.elsewhere(owner.unwrap_or(of_key), device_sn).cloned()
        };
        let mut cells = device_sns.iter().zip(owners).map(cell);
        let first = cells.next()??;
        cells.all(|other| other.is_some_and(|other| other.name == first.name)).then_some(first)
    }
}
