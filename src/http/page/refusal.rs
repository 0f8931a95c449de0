//! What a person is shown in place of a page that is refused or not there: a page as well, in the language of the session, with the way on.
//!
//! Before: `access`, the router or a handler has refused the request. After: the browser.
//! Promise: only whoever accepts HTML gets a page. Programs, devices, and the module of an open page are answered JSON. Status and headers
//! are the same for all.

use std::sync::Arc;

use axum::extract::{Request, State as Shared};
use axum::http::response::Parts;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;

use super::super::State;
use super::super::access::expects_page;
use super::super::api::is_upload;
use super::PageReader;
use crate::language::Text;

/// A page that waits for the database is loaded anew after so many seconds: nobody stands at a screen on a wall.
const RETRY_SECONDS: HeaderValue = HeaderValue::from_static("15");

/// Makes a page of a refusal.
pub(in crate::http) async fn show(
    Shared(state): Shared<Arc<State>>,
    request: Request,
    next: Next,
) -> Response {
    let path = request.uri().path();
    if path.starts_with("/fragments/") || is_upload(path) || !expects_page(&request) {
        return next.run(request).await;
    }
    let (head, body) = request.into_parts();
    let sent = Request::from_parts(head.clone(), ());
    let mut response = next.run(Request::from_parts(head, body)).await;
    let status = response.status();
    if !status.is_client_error() && !status.is_server_error() {
        return response;
    }
    match response.extensions_mut().remove::<Text>() {
        Some(reason) => page(&state, &sent, response.into_parts().0, &reason).await,
        None => response,
    }
}

async fn page(state: &State, sent: &Request<()>, refused: Parts, reason: &Text) -> Response {
    let is_away = refused.status == StatusCode::SERVICE_UNAVAILABLE;
    // Nobody is looked up in a database that does not answer.
    let caller = state.refused_caller(sent, !is_away).await;
    let mut page = PageReader::of_refused(state, sent, caller).refusal(refused.status, reason);
    let headers = page.headers_mut();
    for (name, value) in &refused.headers {
        if *name != header::CONTENT_LENGTH && !headers.contains_key(name) {
            headers.append(name, value.clone());
        }
    }
    if is_away && sent.method() == Method::GET {
        headers.insert(header::REFRESH, RETRY_SECONDS);
    }
    page
}
