//! `GET /kiosk/{token}`: a screen on a wall opens its link.
//!
//! Before: a person opens the link of `vitals kiosk create` in the browser of the screen. After: the wall.
//! Promise: the browser keeps the token in a cookie, so that it is in no address from then on. Whoever was logged in there is logged out: the
//! screen shows what the link shows, and nothing else.

use std::sync::Arc;

use axum::extract::{Extension, Path, State as Shared};
use axum::http::HeaderMap;
use axum::response::Response;

use super::{FIRST_PAGE, go_to, to_login_page, with_cookie};
use crate::http::State;
use crate::http::access::Caller;
use crate::http::access::cookies::{CookieKind, LONGEST_SECONDS};
use crate::http::error::{AccessError, ApiError, OpenErrors};
use crate::model::session::Token;

/// A screen opens its link
#[utoipa::path(get, path = "/kiosk/{token}", tag = "people", security(()),
    params(("token" = String, Path, description = "The secret of the link", example = "x")),
    responses(
        (status = 303, description = "The link works: to the wall, with its cookie. Else: to `/login` with `failed=kiosk`"),
        (status = 503, description = "The database does not answer", body = crate::http::error::ErrorAnswer),
        OpenErrors))]
pub(in crate::http) async fn get_kiosk_token(
    Shared(state): Shared<Arc<State>>,
    Extension(caller): Extension<Caller>,
    Path(token): Path<String>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let Some(people) = state.people() else { return Ok(go_to(FIRST_PAGE)) };
    let Ok(token) = token.parse::<Token>() else {
        return match state.refuse(&caller, AccessError::InvalidKey) {
            AccessError::InvalidKey => Ok(to_login_page("kiosk", "")),
            too_many => Err(too_many.into()),
        };
    };
    let link = match state.kiosk(&caller, &token.hash()).await {
        Ok(link) => link,
        Err(AccessError::InvalidKey) => return Ok(to_login_page("kiosk", "")),
        Err(error) => return Err(error.into()),
    };
    let seconds = link.expires_at.map_or(LONGEST_SECONDS, |at| {
        u64::try_from(at.duration_since(state.time.now()).as_secs()).unwrap_or(0)
    });
    let mut response =
        with_cookie(go_to(FIRST_PAGE), state.cookies().set(CookieKind::Kiosk, &token.text(), seconds));
    if let Some(session) = state.cookies().token(&headers, CookieKind::Session) {
        people.logout(&session).await?;
        response = with_cookie(response, state.cookies().remove(CookieKind::Session));
    }
    Ok(response)
}
