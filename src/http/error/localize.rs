//! Answers below `/api/` in the language that the request asks for (`Accept-Language`), else in that of the service.
//!
//! Before: `measure` passes the request on. After: the handler finds the language in the extensions of the request.
//! Promise: an answer below `/api/` has its language in `Content-Language`, and `Vary: Accept-Language`; answers to devices are not
//! changed.

use axum::extract::{Request, State as Shared};
use axum::http::header::{ACCEPT_LANGUAGE, CONTENT_LANGUAGE, VARY};
use axum::http::{HeaderMap, HeaderValue};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::ErrorAnswer;
use crate::language::{self, Language, Text};

/// The paths that people and their programs ask.
const API: &str = "/api/";

/// Chooses the language of the answer, and says an error in it.
pub(in crate::http) async fn localize(
    Shared(default): Shared<Language>,
    mut request: Request,
    next: Next,
) -> Response {
    if !request.uri().path().starts_with(API) {
        return next.run(request).await;
    }
    let language = preferred(request.headers(), default);
    request.extensions_mut().insert(language);
    let mut response = next.run(request).await;
    if let Some(text) = response.extensions_mut().remove::<Text>() {
        let (parts, _) = response.into_parts();
        let body = ErrorAnswer::new(text.in_language(language)).into_response().into_body();
        response = Response::from_parts(parts, body);
    }
    let headers = response.headers_mut();
    headers.insert(CONTENT_LANGUAGE, HeaderValue::from_static(language.tag()));
    headers.append(VARY, HeaderValue::from_static("Accept-Language"));
    response
}

/// The language of the header `Accept-Language`. Several headers of one name are one list.
pub(in crate::http) fn preferred(headers: &HeaderMap, default: Language) -> Language {
    let values: Vec<&str> =
        headers.get_all(ACCEPT_LANGUAGE).iter().filter_map(|value| value.to_str().ok()).collect();
    language::negotiate(&values.join(","), default)
}
