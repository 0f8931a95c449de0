//! Requests of browsers: a person who has logged in, or a screen on a wall, by their cookies.
//!
//! Before: a request without a key. After: the handler, with the session or the kiosk link; or 401, or the page on which to log in.
//! Promise: a session passes exactly where an API key of its role and its tenant or unit does; a kiosk link only where a route says
//! so, and it changes nothing. A change is refused unless the browser says that it comes from a page of this service.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::Request;
use axum::http::{HeaderMap, header};

use super::cookies::{CookieKind, Cookies};
use super::requirement::Requirement;
use super::site::Site;
use super::{Access, Identity, RateKey};
use crate::accounts::{Accounts, AccountsError, TokenLookup};
use crate::http::error::AccessError;
use crate::model::session::TokenHash;
use crate::model::{KioskLink, Session};

/// Where people log in.
pub(in crate::http) const LOGIN_PATH: &str = "/login";

/// What `access` needs to know of a request that may come from a browser.
#[derive(Debug)]
pub(super) struct BrowserRequest {
    session: Option<TokenHash>,
    kiosk: Option<TokenHash>,
    pub(super) site: Site,
    /// It may change something.
    pub(super) is_unsafe: bool,
    /// A person waits for a page: where to go on after logging in.
    next: Option<String>,
}

impl BrowserRequest {
    pub(super) fn of(request: &Request, cookies: Cookies, own_origin: Option<&str>) -> Self {
        let headers = request.headers();
        let is_unsafe = !request.method().is_safe();
        Self {
            session: cookies.token(headers, CookieKind::Session),
            kiosk: cookies.token(headers, CookieKind::Kiosk),
            site: Site::of(headers, own_origin),
            is_unsafe,
            next: expects_page(request).then(|| match request.uri().path_and_query() {
                Some(page) if !is_unsafe => page.as_str().to_owned(),
                _ => String::new(),
            }),
        }
    }

    /// Nobody is logged in: a person is shown where to log in.
    fn not_logged_in(&self, error: AccessError) -> AccessError {
        match (&self.next, error) {
            (Some(next), AccessError::InvalidKey) => AccessError::NotLoggedIn { next: next.clone() },
            (_, error) => error,
        }
    }
}

/// Whether a person waits for a page, and no program for an answer.
pub(in crate::http) fn expects_page(request: &Request) -> bool {
    let accepts_html = |headers: &HeaderMap| {
        let accepted = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
        accepted.into_iter().any(|value| value.contains("text/html"))
    };
    !request.uri().path().starts_with("/api/") && accepts_html(request.headers())
}

impl Access {
    /// The person or the screen that sends a request, and what its rate counts as.
    pub(super) async fn admit_browser(
        &self,
        people: &Accounts,
        request: &BrowserRequest,
        requirement: Requirement,
        address: IpAddr,
        timeout: Duration,
    ) -> Result<(Identity, RateKey), AccessError> {
        match self.identify(people, request, requirement, address, timeout).await {
            Err(error) => Err(request.not_logged_in(error)),
            Ok(Identity::Session(session)) => {
                if request.is_unsafe && request.site != Site::Own {
                    return Err(self.count_failure(address, AccessError::OtherSite));
                }
                let has_scope = |scope| session.has_scope(scope);
                let limits = (session.customer_id().is_some(), session.org_id().is_some());
                if requirement.refusal(has_scope, limits).is_some() {
                    return Err(self.count_failure(address, AccessError::Role));
                }
                let counted = RateKey::Account(session.account_id);
                Ok((Identity::Session(session), counted))
            }
            Ok(Identity::Kiosk(link)) => {
                let counted = RateKey::Kiosk(link.kiosk_link_id.0);
                Ok((Identity::Kiosk(link), counted))
            }
            Ok(other) => unreachable!("{other:?} has no cookie"),
        }
    }

    /// The session counts before the kiosk link: a person who logs in on the screen of a wall is that person.
    async fn identify(
        &self,
        people: &Accounts,
        request: &BrowserRequest,
        requirement: Requirement,
        address: IpAddr,
        timeout: Duration,
    ) -> Result<Identity, AccessError> {
        let mut refused = None;
        if let Some(token) = &request.session {
            match self.session(people, token, address, timeout).await {
                Ok(session) => return Ok(Identity::Session(session)),
                Err(error @ AccessError::InvalidKey) => refused = Some(error),
                Err(error) => return Err(error),
            }
        }
        let may_be_kiosk = requirement.accepts_kiosks() && !request.is_unsafe;
        if let Some(token) = request.kiosk.as_ref().filter(|_| may_be_kiosk) {
            return self.kiosk(people, token, address, timeout).await.map(Identity::Kiosk);
        }
        // A person who opens a page without being logged in has not failed.
        match (refused, &request.next) {
            (Some(error), _) => Err(error),
            (None, Some(_)) => Err(AccessError::InvalidKey),
            (None, None) => Err(self.count_failure(address, AccessError::InvalidKey)),
        }
    }

    /// The session of a token.
    pub(super) async fn session(
        &self,
        people: &Accounts,
        token: &TokenHash,
        address: IpAddr,
        timeout: Duration,
    ) -> Result<Arc<Session>, AccessError> {
        let answer = match people.cached_session(token) {
            TokenLookup::Answer(answer) => answer,
            TokenLookup::Stale => people.session(token, timeout).await,
            TokenLookup::Unknown => {
                self.check_failures(address)?;
                people.session(token, timeout).await
            }
        };
        answer.map_err(|error| self.token_error(address, error))
    }

    /// The kiosk link of a token.
    pub(super) async fn kiosk(
        &self,
        people: &Accounts,
        token: &TokenHash,
        address: IpAddr,
        timeout: Duration,
    ) -> Result<Arc<KioskLink>, AccessError> {
        let answer = match people.cached_kiosk(token) {
            TokenLookup::Answer(answer) => answer,
            TokenLookup::Stale => people.kiosk(token, timeout).await,
            TokenLookup::Unknown => {
                self.check_failures(address)?;
                people.kiosk(token, timeout).await
            }
        };
        answer.map_err(|error| self.token_error(address, error))
    }

    fn token_error(&self, address: IpAddr, error: AccountsError) -> AccessError {
        match error {
            AccountsError::Refused => self.count_failure(address, AccessError::InvalidKey),
            AccountsError::Unavailable => AccessError::Unavailable,
        }
    }
}
