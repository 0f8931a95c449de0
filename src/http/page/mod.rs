//! The pages: handlers that read the values of a page, let `crate::page` draw it, and send it.
//!
//! Before: `access` has authenticated the reader. After: the browser.
//! Promise: a handler refuses as those of `/api/` do, and `refusal` makes a page of it. A reader without a session is led to `/login`; no
//! page is kept by a cache; a page loads scripts, styles and pictures from this service alone (and pictures from the tile server that the
//! settings name).
//!
//! | file | routes |
//! |---|---|
//! | [`asset`] | `/assets/{name}` |
//! | [`admin`] | `/admin`, and what is below it |
//! | [`alerts`] | `/alerts`, `/alerts/{id}`, and the part `alert-list` |
//! | [`alert_steps`] | `POST /alerts/{id}/…`, `POST /alerts/actions` |
//! | [`limits`] | `POST /people/{id}/limits` |
//! | [`login`] | `GET /login` |
//! | [`people`] | `/people`, `/devices` |
//! | [`person`] | `/people/{id}`, `/devices/{sn}`, and the part `person-now` |
//! | [`refusal`] | every one, where a page is refused |
//! | [`wall`] | `/wall`, and the parts of the wall below `/fragments/` |

pub(super) mod admin;
pub(super) mod alert_steps;
pub(super) mod alerts;
pub(super) mod asset;
mod flash;
mod form;
pub(super) mod limits;
pub(super) mod login;
pub(super) mod people;
pub(super) mod person;
mod preferences;
mod reader;
mod record;
pub(super) mod refusal;
pub(super) mod wall;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::config::{PageSettings, Settings};
use crate::language::{Language, Text};
use crate::page::{self, Markup};
use flash::Flash;
use preferences::Preferences;
pub(super) use reader::PageReader;

/// What the pages of this service have in common.
#[derive(Debug)]
pub(super) struct Pages {
    /// The language of readers whose browser asks for none of ours.
    language: Language,
    /// Cookies are sent by TLS only.
    is_secure: bool,
    policy: HeaderValue,
    walls: wall::Walls,
}

impl Pages {
    pub(super) fn new(settings: &Settings) -> Self {
        Self {
            language: settings.language,
            is_secure: settings.has_tls() || settings.public_base_url.starts_with("https://"),
            policy: content_security_policy(&settings.page),
            walls: wall::Walls::new(settings),
        }
    }

    /// An action of a person is about to be answered.
    pub(super) fn note_action(&self) {
        self.walls.note_action();
    }
}

/// Nothing from elsewhere, nothing inline, in no frame; forms lead back here.
fn content_security_policy(settings: &PageSettings) -> HeaderValue {
    let tiles = settings.tile_origin().map(|origin| format!(" {origin}")).unwrap_or_default();
    let policy = format!(
        "default-src 'self'; img-src 'self'{tiles}; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    );
    HeaderValue::try_from(policy).expect("the settings are checked")
}

impl PageReader {
    /// A whole page. `body` begins with its `h1`.
    pub(super) fn page(&self, title: &Text, body: &Markup) -> Response {
        self.page_with(StatusCode::OK, title, body)
    }

    fn page_with(&self, status: StatusCode, title: &Text, body: &Markup) -> Response {
        let title = self.frame.text(title);
        self.send(status, page::document(&self.frame, &title, body).into_string())
    }

    /// A part of a page, which replaces the one that is shown.
    pub(super) fn fragment(&self, part: String) -> Response {
        self.send(StatusCode::OK, part)
    }

    /// A page that says why there is no other one.
    fn refusal(&self, status: StatusCode, reason: &Text) -> Response {
        let body = page::layout::refusal(&self.frame, status.as_u16(), reason);
        self.page_with(status, &page::layout::refusal_title(), &body)
    }

    fn send(&self, status: StatusCode, html: String) -> Response {
        let mut response = (status, html).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
        headers.insert(header::CONTENT_SECURITY_POLICY, self.policy.clone());
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
        // Under `no-referrer`, which every other answer has, browsers send the forms of a page with the origin `null`.
        headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
        headers.insert(header::CONTENT_LANGUAGE, HeaderValue::from_static(self.frame.language.tag()));
        for cookie in &self.cookies {
            headers.append(header::SET_COOKIE, cookie.clone());
        }
        response
    }
}

impl Preferences {
    /// What the query of the request has changed, for the next requests.
    fn cookies(&self, is_secure: bool) -> Vec<HeaderValue> {
        let chosen = [
            (preferences::LANGUAGE, self.chosen_language.map(Language::tag)),
            (preferences::THEME, self.chosen_theme.map(page::Theme::name)),
        ];
        let secure = if is_secure { "; Secure" } else { "" };
        let cookie = |(name, value): (&str, Option<&str>)| {
            let text = format!("{name}={}; Path=/; Max-Age=31536000; HttpOnly; SameSite=Lax{secure}", value?);
            HeaderValue::try_from(text).ok()
        };
        chosen.into_iter().filter_map(cookie).collect()
    }
}
