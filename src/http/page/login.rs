//! `GET /login`: the form with which people log in. What it sends is received by the session routes.
//!
//! Before: a browser without a session. After: `POST /login`, or the OIDC provider.

use std::sync::Arc;

use axum::extract::State as Shared;
use axum::http::Uri;
use axum::response::Response;
use percent_encoding::percent_decode_str;

use super::super::State;
use super::super::error::OpenErrors;
use super::super::session::page_within;
use super::preferences::parameter;
use super::reader::AnyReader;
use crate::accounts::Accounts;
use crate::page::login::{self, Attempt};

/// The page on which people log in
#[utoipa::path(get, path = "/login", tag = "pages", security(()),
    params(
        ("next" = Option<String>, Query, description = "Path of this service to go to afterwards"),
        ("failed" = Option<String>, Query, description = "Why the last attempt failed"),
    ),
    responses(OpenErrors, (status = 200, description = "A form", content_type = "text/html", body = String)))]
pub(in crate::http) async fn get_login(
    Shared(state): Shared<Arc<State>>,
    AnyReader(reader): AnyReader,
    uri: Uri,
) -> Response {
    let next = parameter(&uri, "next").map(|next| percent_decode_str(next).decode_utf8_lossy().into_owned());
    let attempt = Attempt {
        next: next.as_deref().and_then(page_within).unwrap_or_default().to_owned(),
        failure: parameter(&uri, "failed").and_then(login::Failure::of_name),
        has_provider: state.people().is_some_and(Accounts::has_oidc),
    };
    reader.page(&login::title(), &login::body(&reader.frame, &attempt))
}
