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
use super::preferences::parameter;
use super::reader::AnyReader;
use crate::page::login::{self, Attempt};

/// The page on which people log in
#[utoipa::path(get, path = "/login", tag = "pages", security(()),
    params(
        ("next" = Option<String>, Query, description = "Path of this service to go to afterwards"),
        ("failed" = Option<String>, Query, description = "Why the last attempt failed: `credentials`, `wait` or `provider`"),
    ),
    responses(OpenErrors, (status = 200, description = "A form", content_type = "text/html", body = String)))]
pub(in crate::http) async fn get_login(
    Shared(state): Shared<Arc<State>>,
    AnyReader(reader): AnyReader,
    uri: Uri,
) -> Response {
    let next = parameter(&uri, "next").map(|next| percent_decode_str(next).decode_utf8_lossy().into_owned());
    let attempt = Attempt {
        next: next.as_deref().filter(|next| is_local(next)).unwrap_or("/wall").to_owned(),
        failure: parameter(&uri, "failed").and_then(login::Failure::of_name),
        has_provider: state.has_login_provider(),
    };
    reader.page(&login::title(), &login::body(&reader.frame, &attempt))
}

/// Whether an address leads to a page of this service, so that nobody can be led elsewhere by a link to the form.
pub(in crate::http) fn is_local(address: &str) -> bool {
    let rest = address.strip_prefix('/');
    rest.is_some_and(|rest| !rest.starts_with(['/', '\\'])) && !address.contains(|c: char| c.is_control() || c == '\\')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_pages_of_this_service_are_gone_to() {
        for good in ["/wall", "/alerts?status=firing", "/"] {
            assert!(is_local(good), "{good}");
        }
        for bad in ["", "wall", "//example.org", "/\\example.org", "https://example.org", "/a\\b", "/a\r\nb", "\\\\x"] {
            assert!(!is_local(bad), "{bad}");
        }
    }
}
