//! The reader of a page, and the frame that the page is drawn in: an extractor of every handler of a page.
//!
//! Before: `access` has attached the [`Caller`]. After: the handler.
//! Promise: a handler with a [`PageReader`] runs only for a reader who may look at pages; everybody else is led to `/login`.

use std::sync::Arc;

use axum::extract::{FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri};
use axum::response::{IntoResponse, Response};

use super::super::State;
use super::super::access::Caller;
use super::super::error::AccessError;
use super::super::session::{FIRST_PAGE, page_within};
use super::Preferences;
use crate::model::page_viewer::PageViewer;
use crate::page::{Frame, VERSION};

/// Who reads a page.
#[derive(Debug)]
pub(in crate::http) struct PageReader {
    /// What the page is drawn in.
    pub(in crate::http) frame: Frame,
    /// What the reader may see and do.
    pub(in crate::http) caller: Caller,
    pub(super) policy: HeaderValue,
    pub(super) cookies: Vec<HeaderValue>,
}

/// A reader who need not be logged in.
#[derive(Debug)]
pub(in crate::http) struct AnyReader(pub(in crate::http) PageReader);

impl FromRequestParts<Arc<State>> for PageReader {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &Arc<State>) -> Result<Self, Response> {
        let caller = parts.extensions.get::<Caller>().cloned();
        let viewer = caller.as_ref().and_then(Caller::page_viewer);
        match (caller, viewer) {
            (Some(caller), Some(viewer)) => {
                Ok(reader(&parts.uri, &parts.headers, state, caller, Some(viewer)))
            }
            _ => Err(AccessError::NotLoggedIn { next: path_and_query(&parts.uri) }.into_response()),
        }
    }
}

impl FromRequestParts<Arc<State>> for AnyReader {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &Arc<State>) -> Result<Self, Response> {
        let caller = parts.extensions.get::<Caller>().cloned();
        let caller = caller.ok_or_else(|| StatusCode::INTERNAL_SERVER_ERROR.into_response())?;
        Ok(Self(reader(&parts.uri, &parts.headers, state, caller, None)))
    }
}

impl PageReader {
    /// The name under which the reader changes things.
    pub(super) fn actor(&self) -> Option<&str> {
        self.frame.viewer.as_ref().map(|viewer| viewer.name.as_str())
    }

    /// Whoever sent a request that was refused.
    pub(super) fn of_refused(state: &State, request: &Request<()>, caller: Caller) -> Self {
        let viewer = caller.page_viewer();
        let mut reader = reader(request.uri(), request.headers(), state, caller, viewer);
        // Links lead back to it: no form is sent by a link, and `//elsewhere` would be another site.
        if !request.method().is_safe() || page_within(&reader.frame.path).is_none() {
            reader.frame.path = FIRST_PAGE.to_owned();
        }
        reader
    }
}

fn reader(
    uri: &Uri,
    headers: &HeaderMap,
    state: &State,
    caller: Caller,
    viewer: Option<PageViewer>,
) -> PageReader {
    let own = viewer.as_ref().and_then(|viewer| viewer.language);
    let pages = &state.pages;
    let preferences = Preferences::of(uri, headers, own, pages.language);
    let frame = Frame {
        viewer,
        language: preferences.language,
        path: path_and_query(uri),
        version: VERSION,
        theme: preferences.theme,
        zone: state.device_zone.clone(),
        now: state.time.now(),
    };
    PageReader { frame, caller, policy: pages.policy.clone(), cookies: preferences.cookies(pages.is_secure) }
}

fn path_and_query(uri: &Uri) -> String {
    uri.path_and_query().map_or_else(|| "/".to_owned(), ToString::to_string)
}
