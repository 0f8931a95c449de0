//! Logging in and out, the grant in use, and kiosk links: what sets and removes the cookies of browsers.
//!
//! Before: a form of a page, or a link that a person opens. After: `accounts`; the browser goes on to a page.
//! Promise: a failed login is answered like any other, whatever the reason, and says nothing of accounts. A page to go on to is one of
//! this service. Every login and every change of the grant sets a new token.

mod kiosk;
mod login;
mod oidc;

use axum::body::Body;
use axum::extract::{Form, FromRequest, Request};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::de::DeserializeOwned;

use super::State;
use super::access::cookies::CookieKind;
use super::access::site::Site;
use super::access::{Caller, LOGIN_PATH};
use super::error::{AccessError, ApiError};
use crate::accounts::{Browser, LoginError};
use crate::language::text;
use crate::model::session::Token;
use crate::telemetry::names;
pub(super) use kiosk::{__path_get_kiosk_token, get_kiosk_token};
pub(super) use login::{
    __path_post_login, __path_post_logout, __path_post_session_grant, __path_post_session_language,
    post_login, post_logout, post_session_grant, post_session_language,
};
pub(super) use oidc::{
    __path_get_login_oidc, __path_get_login_oidc_callback, get_login_oidc, get_login_oidc_callback,
};

/// Where a person goes on who came from nowhere.
pub(super) const FIRST_PAGE: &str = "/wall";

/// Longest address of a page to go on to, bytes.
const MAX_NEXT_BYTES: usize = 1000;

/// What is escaped in a value of a query.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');

/// The address of the page on which to log in.
pub(super) fn login_page(next: &str, failed: Option<&str>) -> HeaderValue {
    let escaped = |value: &str| utf8_percent_encode(value, ESCAPED).to_string();
    let next = page_within(next).map(|next| format!("next={}", escaped(next)));
    let failed = failed.map(|failed| format!("failed={failed}"));
    let query: Vec<String> = [next, failed].into_iter().flatten().collect();
    let address = match query.is_empty() {
        true => LOGIN_PATH.to_owned(),
        false => format!("{LOGIN_PATH}?{}", query.join("&")),
    };
    HeaderValue::try_from(address).expect("it is escaped")
}

/// A page of this service; `None`: it is none, or that of another site.
pub(super) fn page_within(next: &str) -> Option<&str> {
    let is_within = next.starts_with('/')
        && !next.starts_with("//")
        && next.len() <= MAX_NEXT_BYTES
        && next.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    is_within.then_some(next)
}

/// Sends a browser on to a page.
fn go_to(next: &str) -> Response {
    let next = HeaderValue::try_from(page_within(next).unwrap_or(FIRST_PAGE)).expect("it is ASCII");
    (StatusCode::SEE_OTHER, [(header::LOCATION, next)]).into_response()
}

fn with_cookie(mut response: Response, cookie: HeaderValue) -> Response {
    response.headers_mut().append(header::SET_COOKIE, cookie);
    response
}

impl State {
    /// The fields of a form.
    pub(super) async fn form<T: DeserializeOwned>(&self, request: Request) -> Result<T, ApiError> {
        let kind = request.headers().get(header::CONTENT_TYPE).cloned();
        let body = self.bodies.read_small(request).await?;
        let mut read = Request::post("/").body(Body::from(body)).map_err(|_| ApiError::Failed)?;
        read.headers_mut().extend(kind.map(|kind| (header::CONTENT_TYPE, kind)));
        let form = Form::<T>::from_request(read, &()).await;
        form.map(|Form(fields)| fields)
            .map_err(|error| ApiError::Bad(text!("body-refused", reason = error.body_text())))
    }

    /// Refuses a change that a page of another site has caused. `must_be_own`: also one of which no browser says where it comes from.
    fn check_site(&self, headers: &HeaderMap, must_be_own: bool) -> Result<(), AccessError> {
        match self.site_of(headers) {
            Site::Own => Ok(()),
            Site::Unknown if !must_be_own => Ok(()),
            Site::Unknown | Site::Other => Err(AccessError::OtherSite.counted()),
        }
    }

    fn browser(&self, caller: &Caller, headers: &HeaderMap) -> Browser {
        let user_agent = headers.get(header::USER_AGENT).and_then(|name| name.to_str().ok());
        Browser {
            address: caller.address(),
            user_agent: user_agent.map(str::to_owned),
            previous: self.cookies().token(headers, CookieKind::Session),
        }
    }

    /// Logs a browser in, or shows it the page on which to log in, with a word about what failed.
    fn answer_login(&self, opened: Result<Token, LoginError>, next: &str, way: &'static str) -> Response {
        let word = match &opened {
            Ok(_) => way,
            Err(LoginError::Wrong) => "wrong",
            Err(LoginError::NothingGranted) => "nothing_granted",
            Err(LoginError::Unavailable) => "unavailable",
        };
        count_login(word);
        match opened {
            Ok(token) => self.go_on_with(&token, next),
            Err(_) => to_login_page(word, next),
        }
    }

    /// Sends a browser on to a page, with the token of its session.
    fn go_on_with(&self, token: &Token, next: &str) -> Response {
        let cookie = self.cookies().set(CookieKind::Session, &token.text(), self.session_seconds);
        with_cookie(go_to(next), cookie)
    }
}

fn to_login_page(word: &str, next: &str) -> Response {
    (StatusCode::SEE_OTHER, [(header::LOCATION, login_page(next, Some(word)))]).into_response()
}

fn count_login(outcome: &'static str) {
    metrics::counter!(names::LOGINS, "outcome" => outcome).increment(1);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_goes_on_to_pages_of_this_service_only() {
        let location =
            |next: &str| go_to(next).headers()[header::LOCATION].to_str().expect("text").to_owned();
        assert_eq!(location("/people/7?from=2026-01-01"), "/people/7?from=2026-01-01");
        for other in
            ["", "wall", "//evil.example", "/\\evil.example", "https://evil.example", "/a b", "/a\n", "/ä"]
        {
            assert_eq!(location(other), FIRST_PAGE, "{other:?}");
        }
        assert_eq!(location(&format!("/{}", "x".repeat(2000))), FIRST_PAGE);
    }

    #[test]
    fn the_page_on_which_to_log_in_knows_where_to_go_on() {
        let page = |next, failed| login_page(next, failed).to_str().expect("text").to_owned();
        assert_eq!(page("", None), "/login");
        assert_eq!(page("/people/7?a=b&c=d", None), "/login?next=/people/7%3Fa%3Db%26c%3Dd");
        assert_eq!(page("//evil.example", Some("wrong")), "/login?failed=wrong");
        assert_eq!(page("/wall", Some("wrong")), "/login?next=/wall&failed=wrong");
    }
}
