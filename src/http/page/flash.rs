//! What became of an action, shown once on the page that follows: a cookie that lives until then.
//!
//! Before: a handler of a form has acted. After: the handler of the page that the browser is led to shows and removes it.
//! Promise: no address makes a page show words: only this service sets the cookie.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;

use super::preferences::cookie;
use super::{PageReader, Pages};

const NAME: &str = "vitals_flash";

/// Longest text, characters: four bytes each, and a third more as base64, fit a cookie.
const MAX_CHARS: usize = 700;

/// What became of the last action; `None`: there was none, or it was shown.
#[derive(Debug)]
pub(in crate::http) struct Flash(pub(super) Option<String>);

impl<S: Send + Sync> FromRequestParts<S> for Flash {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let decoded =
            cookie(&parts.headers, NAME).and_then(|value| BASE64_URL_SAFE_NO_PAD.decode(value).ok());
        Ok(Self(decoded.and_then(|bytes| String::from_utf8(bytes).ok()).filter(|text| !text.is_empty())))
    }
}

impl Flash {
    /// Words of this answer itself.
    pub(super) fn of(words: Option<String>) -> Self {
        Self(words)
    }
}

impl PageReader {
    /// The page that is sent next shows it, and the one after that does not.
    pub(super) fn shown_once(&mut self, flash: Flash) -> Option<String> {
        let Flash(text) = flash;
        if text.is_some() {
            self.cookies
                .push(HeaderValue::from_static("vitals_flash=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax"));
        }
        text
    }
}

impl Pages {
    /// Leads the browser back to a page, which shows what became of its action.
    pub(super) fn go_back(&self, to: &str, outcome: &str) -> Response {
        let short: String = outcome.chars().take(MAX_CHARS).collect();
        let secure = if self.is_secure { "; Secure" } else { "" };
        let value = BASE64_URL_SAFE_NO_PAD.encode(short);
        let cookie = format!("{NAME}={value}; Path=/; Max-Age=60; HttpOnly; SameSite=Lax{secure}");
        let mut response = StatusCode::SEE_OTHER.into_response();
        let to = HeaderValue::try_from(to).unwrap_or(HeaderValue::from_static("/wall"));
        response.headers_mut().insert(header::LOCATION, to);
        if let Ok(cookie) = HeaderValue::try_from(cookie) {
            response.headers_mut().insert(header::SET_COOKIE, cookie);
        }
        response
    }
}
