//! `GET /login/oidc` and `/login/oidc/callback`: logging in through an OpenID Connect provider.
//!
//! Before: a person chooses the provider on the page on which to log in. After: `accounts`; the browser goes on to a page.
//! Promise: only the browser that began a login can finish it: it keeps state, nonce and verifier in a cookie until then.

use std::sync::Arc;

use axum::extract::{Extension, Query, State as Shared};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::Deserialize;
use utoipa::IntoParams;

use super::{page_within, to_login_page, with_cookie};
use crate::accounts::LoginError;
use crate::http::State;
use crate::http::access::Caller;
use crate::http::access::cookies::CookieKind;
use crate::http::error::{AccessError, OpenErrors};

/// How long a login at the provider may take, seconds.
const LOGIN_SECONDS: u64 = 600;

/// Where to go on after logging in
#[derive(Debug, Deserialize, IntoParams)]
pub(in crate::http) struct OidcQuery {
    /// The page to go on to; default: the wall
    #[serde(default)]
    next: String,
}

/// What the provider sends back
#[derive(Deserialize, IntoParams)]
pub(in crate::http) struct OidcAnswer {
    /// The code; missing: the provider did not log the person in
    #[serde(default)]
    code: String,
    /// What this service sent to the provider
    #[serde(default)]
    state: String,
}

/// A person logs in through the provider
#[utoipa::path(get, path = "/login/oidc", tag = "people", security(()), params(OidcQuery), responses(
    (status = 303, description = "To the provider; to `/login` with `failed` if there is none, or it does not answer"),
    OpenErrors))]
pub(in crate::http) async fn get_login_oidc(
    Shared(state): Shared<Arc<State>>,
    Query(OidcQuery { next }): Query<OidcQuery>,
) -> Response {
    let Some(people) = state.people().filter(|people| people.has_oidc()) else {
        return to_login_page("unavailable", &next);
    };
    let started = match people.start_oidc().await {
        Ok(started) => started,
        Err(error) => return state.answer_login(Err(error), &next, "oidc"),
    };
    let Ok(address) = HeaderValue::try_from(started.url) else {
        return state.answer_login(Err(LoginError::Unavailable), &next, "oidc");
    };
    let next = BASE64_URL_SAFE_NO_PAD.encode(page_within(&next).unwrap_or_default());
    let kept = format!("{next}.{}", started.kept);
    let response = (StatusCode::SEE_OTHER, [(header::LOCATION, address)]).into_response();
    with_cookie(response, state.cookies().set(CookieKind::Oidc, &kept, LOGIN_SECONDS))
}

/// The provider sends the person back
#[utoipa::path(get, path = "/login/oidc/callback", tag = "people", security(()), params(OidcAnswer), responses(
    (status = 303, description = "Logged in: to the page that the person came from. Else: to `/login` with `failed`: wrong, nothing_granted, limited or unavailable"),
    OpenErrors))]
pub(in crate::http) async fn get_login_oidc_callback(
    Shared(state): Shared<Arc<State>>,
    Extension(caller): Extension<Caller>,
    Query(OidcAnswer { code, state: sent }): Query<OidcAnswer>,
    headers: HeaderMap,
) -> Response {
    let cookies = state.cookies();
    let kept = cookies.value(&headers, CookieKind::Oidc).unwrap_or_default();
    let (next, kept) = kept.split_once('.').unwrap_or_default();
    let next = BASE64_URL_SAFE_NO_PAD.decode(next).ok().and_then(|next| String::from_utf8(next).ok());
    let next = next.unwrap_or_default();
    let Some(people) = state.people().filter(|people| people.has_oidc()) else {
        return to_login_page("unavailable", &next);
    };
    let response = if state.check_failures(&caller).is_err() {
        to_login_page("limited", &next)
    } else {
        let browser = state.browser(&caller, &headers);
        let opened = people.finish_oidc(&code, &sent, kept, &browser).await;
        if opened.as_ref().err() == Some(&LoginError::Wrong) {
            // It may have asked the provider for something.
            let _ = state.refuse(&caller, AccessError::InvalidKey);
        }
        state.answer_login(opened, &next, "oidc")
    };
    with_cookie(response, cookies.remove(CookieKind::Oidc))
}
