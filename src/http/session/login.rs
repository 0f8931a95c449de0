//! `POST /login`, `/logout`, `/session/grant`, `/session/language`: forms of the pages.
//!
//! Before: a person. After: `accounts`. Promise: nothing is changed for a page of another site.

use std::sync::Arc;

use axum::extract::{Extension, Request, State as Shared};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use utoipa::ToSchema;

use super::{count_login, go_to, to_login_page, with_cookie};
use crate::accounts::{Accounts, LoginError};
use crate::http::State;
use crate::http::access::Caller;
use crate::http::access::cookies::CookieKind;
use crate::http::error::{AccessError, ApiError, HttpError, OpenErrors};
use crate::language::{Language, text};
use crate::model::session::TokenHash;
use crate::model::{Id64, Session};

/// Who logs in
#[derive(Deserialize, ToSchema)]
pub(in crate::http) struct LoginForm {
    /// The login name
    #[schema(max_length = 200)]
    login: String,
    /// The password
    #[schema(format = Password)]
    password: String,
    /// The page to go on to; default: the wall
    #[serde(default)]
    next: String,
}

/// Which grant to work in
#[derive(Debug, Deserialize, ToSchema)]
pub(in crate::http) struct GrantForm {
    /// Number of a grant of the account
    grant_id: Id64,
    /// The page to go on to; default: the wall
    #[serde(default)]
    next: String,
}

/// The language of the pages
#[derive(Debug, Deserialize, ToSchema)]
pub(in crate::http) struct LanguageForm {
    /// The language
    #[schema(value_type = String, examples("zh"))]
    language: Language,
    /// The page to go on to; default: the wall
    #[serde(default)]
    next: String,
}

/// A person logs in with a password
///
/// Too many tries, of one account or one address, are refused without a look at the password.
#[utoipa::path(post, path = "/login", tag = "people", security(()),
    request_body(content = LoginForm, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 303, description = "Logged in: to the page `next`, with the cookie of a session. Not logged in: to `/login` with `failed`: wrong, nothing_granted, limited or unavailable"),
        (status = 403, description = "A page of another site has sent the form", body = crate::http::error::ErrorAnswer),
        HttpError, OpenErrors))]
pub(in crate::http) async fn post_login(
    Shared(state): Shared<Arc<State>>,
    Extension(caller): Extension<Caller>,
    request: Request,
) -> Result<Response, ApiError> {
    state.check_site(request.headers(), false)?;
    let browser = state.browser(&caller, request.headers());
    let LoginForm { login, password, next } = state.form(request).await?;
    // Authentication is off: everybody is logged in.
    let Some(people) = state.people() else { return Ok(go_to(&next)) };
    if !state.access.may_try_login(&login, browser.address) {
        count_login("limited");
        return Ok(to_login_page("limited", &next));
    }
    let opened = people.login(&login, password, &browser).await;
    if opened.as_ref().err() == Some(&LoginError::Wrong) {
        state.access.count_failed_login(browser.address);
    }
    Ok(state.answer_login(opened, &next, "password"))
}

/// A person logs out
#[utoipa::path(post, path = "/logout", tag = "people", security(()), responses(
    (status = 303, description = "The session has ended, if there was one: to `/login`"),
    (status = 403, description = "A page of another site has sent the form", body = crate::http::error::ErrorAnswer),
    (status = 503, description = "The database does not answer: the session goes on", body = crate::http::error::ErrorAnswer),
    OpenErrors))]
pub(in crate::http) async fn post_logout(
    Shared(state): Shared<Arc<State>>,
    request: Request,
) -> Result<Response, ApiError> {
    state.check_site(request.headers(), true)?;
    let token = state.cookies().token(request.headers(), CookieKind::Session);
    if let Some((people, token)) = state.people().zip(token) {
        people.logout(&token).await?;
    }
    let left = AccessError::NotLoggedIn { next: String::new() }.into_response();
    Ok(with_cookie(left, state.cookies().remove(CookieKind::Session)))
}

/// A person goes on in another grant: as another role, or in another tenant or unit
#[utoipa::path(post, path = "/session/grant", tag = "people", security(()),
    request_body(content = GrantForm, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 303, description = "To the page `next`, with a new cookie; to `/login` if nobody is logged in"),
        (status = 403, description = "A page of another site has sent the form", body = crate::http::error::ErrorAnswer),
        (status = 404, description = "The account has no such grant", body = crate::http::error::ErrorAnswer),
        HttpError, OpenErrors))]
pub(in crate::http) async fn post_session_grant(
    Shared(state): Shared<Arc<State>>,
    Extension(caller): Extension<Caller>,
    request: Request,
) -> Result<Response, ApiError> {
    let (GrantForm { grant_id, next }, person) = state.form_of_person(&caller, request).await?;
    let Some((people, session, token)) = person else { return Ok(go_to(&next)) };
    let switched = people.switch_grant(&session, &token, grant_id.0).await;
    match switched.map_err(|_| ApiError::Unavailable)? {
        Some(token) => Ok(state.go_on_with(&token, &next)),
        None => Err(ApiError::Absent(text!("number-absent"))),
    }
}

/// A person chooses the language of the pages
#[utoipa::path(post, path = "/session/language", tag = "people", security(()),
    request_body(content = LanguageForm, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 303, description = "To the page `next`; to `/login` if nobody is logged in"),
        (status = 403, description = "A page of another site has sent the form", body = crate::http::error::ErrorAnswer),
        HttpError, OpenErrors))]
pub(in crate::http) async fn post_session_language(
    Shared(state): Shared<Arc<State>>,
    Extension(caller): Extension<Caller>,
    request: Request,
) -> Result<Response, ApiError> {
    let (LanguageForm { language, next }, person) = state.form_of_person(&caller, request).await?;
    let Some((people, session, token)) = person else { return Ok(go_to(&next)) };
    people.set_language(&session, &token, language).await?;
    Ok(go_to(&next))
}

/// Who is logged in, and the hash of the token.
type LoggedIn<'a> = (&'a Accounts, Arc<Session>, TokenHash);

impl State {
    /// The form of a page about the person who is logged in; `None`: authentication is off.
    async fn form_of_person<T: DeserializeOwned>(
        &self,
        caller: &Caller,
        request: Request,
    ) -> Result<(T, Option<LoggedIn<'_>>), ApiError> {
        self.check_site(request.headers(), true)?;
        let headers = request.headers().clone();
        let fields = self.form(request).await?;
        let Some(people) = self.people() else { return Ok((fields, None)) };
        match self.session(caller, &headers).await {
            Ok((session, token)) => Ok((fields, Some((people, session, token)))),
            Err(AccessError::InvalidKey) => Err(AccessError::NotLoggedIn { next: String::new() }.into()),
            Err(error) => Err(error.into()),
        }
    }
}
