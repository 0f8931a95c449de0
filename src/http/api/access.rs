//! Who may ask below `/api/`: whoever has the token, where one is set.
//!
//! Before: the router knows the path. After: the handler, or 401.
//! Promise: devices, operators and readers of the document are never asked; how long a comparison takes says nothing of
//! the token.

use std::sync::Arc;

use axum::extract::{Request, State as Shared};
use axum::http::{HeaderMap, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use subtle::ConstantTimeEq;

use super::super::State;
use super::ApiError;

pub(in crate::http) async fn check(
    Shared(state): Shared<Arc<State>>,
    request: Request,
    next: Next,
) -> Response {
    let is_guarded = request.uri().path().starts_with("/api/");
    if is_guarded && !admits(&state.api_token, request.headers()) {
        return ApiError::NoToken.into_response();
    }
    next.run(request).await
}

fn admits(token: &str, headers: &HeaderMap) -> bool {
    if token.is_empty() {
        return true;
    }
    let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let (scheme, given) = given.split_once(' ').unwrap_or_default();
    scheme.eq_ignore_ascii_case("bearer") && bool::from(given.trim().as_bytes().ct_eq(token.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_whole_token_is_admitted() {
        let with = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::AUTHORIZATION, value.parse().expect("a header"));
            admits("0123456789abcdef", &headers)
        };
        assert!(with("Bearer 0123456789abcdef"));
        assert!(with("bearer  0123456789abcdef"));
        for value in
            ["", "Bearer", "Bearer ", "0123456789abcdef", "Bearer 0123456789abcde", "Basic 0123456789abcdef"]
        {
            assert!(!with(value), "{value}");
        }
        assert!(!admits("0123456789abcdef", &HeaderMap::new()));
        assert!(admits("", &HeaderMap::new()));
    }
}
