//! What handlers ask of `access`: who a browser is, which keys and people there are, how often an address has failed.
//!
//! Before: a request was let through, or refused. After: the handlers of sessions, pages and event streams.

use std::sync::Arc;

use axum::extract::Request;
use axum::http::HeaderMap;

use super::cookies::{CookieKind, Cookies};
use super::request::AccessRequest;
use super::site::Site;
use super::{Caller, Identity, address};
use crate::accounts::Accounts;
use crate::http::State;
use crate::http::error::AccessError;
use crate::keys::Keys;
use crate::model::session::TokenHash;
use crate::model::{KioskLink, Session};

impl State {
    /// Who a request that was let through would be now: `None`, it cannot be said; `Some(None)`, it would be refused.
    pub(in crate::http) async fn caller_now(&self, request: Request) -> Option<Option<Caller>> {
        let request = AccessRequest { is_rate_limited: false, ..AccessRequest::of(&request, &self.access) };
        match self.access.admit(request).await {
            Ok(caller) => Some(Some(caller)),
            Err(AccessError::Unavailable) => None,
            Err(_) => Some(None),
        }
    }

    /// Who sent a request that was refused, as far as a cookie says it and may be looked up: a person keeps the session, whatever it does
    /// not open.
    pub(in crate::http) async fn refused_caller(&self, request: &Request<()>, looks_up: bool) -> Caller {
        let address = address::of(request, &self.access.limits.trusted_proxies);
        let mut caller = Caller { identity: Identity::Anonymous, address };
        if self.people().is_none() {
            caller.identity = Identity::AuthenticationOff;
        } else if looks_up {
            let headers = request.headers();
            if let Ok((session, _)) = self.session(&caller, headers).await {
                caller.identity = Identity::Session(session);
            } else if let Some(token) = self.access.cookies.token(headers, CookieKind::Kiosk)
                && let Ok(link) = self.kiosk(&caller, &token).await
            {
                caller.identity = Identity::Kiosk(link);
            }
        }
        caller
    }

    /// A request was let through.
    pub(super) fn note_use(&self, caller: &Caller) {
        let Some(people) = self.people() else { return };
        match &caller.identity {
            Identity::Session(session) => people.session_used(session),
            Identity::Kiosk(link) => people.kiosk_used(link),
            _ => {}
        }
    }

    /// The keys; `None`: authentication is off.
    pub(in crate::http) fn keys(&self) -> Option<&Keys> {
        self.access.callers.as_ref().map(|callers| &callers.keys)
    }

    /// The people who log in; `None`: authentication is off.
    pub(in crate::http) fn people(&self) -> Option<&Accounts> {
        self.access.callers.as_ref().map(|callers| &callers.people)
    }

    /// The cookies of browsers.
    pub(in crate::http) fn cookies(&self) -> Cookies {
        self.access.cookies
    }

    /// Which site a request comes from.
    pub(in crate::http) fn site_of(&self, headers: &HeaderMap) -> Site {
        Site::of(headers, self.access.own_origin.as_deref())
    }

    /// The session of a browser and the hash of its token, on a route that needs nobody to be logged in.
    pub(in crate::http) async fn session(
        &self,
        caller: &Caller,
        headers: &HeaderMap,
    ) -> Result<(Arc<Session>, TokenHash), AccessError> {
        let token = self.access.cookies.token(headers, CookieKind::Session);
        let (people, token) = self.people().zip(token).ok_or(AccessError::InvalidKey)?;
        let timeout = self.access.key_timeout;
        let session = self.access.session(people, &token, caller.address, timeout).await?;
        Ok((session, token))
    }

    /// The kiosk link of a token that is not in a cookie yet.
    pub(in crate::http) async fn kiosk(
        &self,
        caller: &Caller,
        token: &TokenHash,
    ) -> Result<Arc<KioskLink>, AccessError> {
        let people = self.people().ok_or(AccessError::InvalidKey)?;
        self.access.kiosk(people, token, caller.address, self.access.key_timeout).await
    }

    /// [`Access::check_failures`], for an anonymous caller.
    pub(in crate::http) fn check_failures(&self, caller: &Caller) -> Result<(), AccessError> {
        self.access.check_failures(caller.address)
    }

    /// For a handler that refuses a request that was let through.
    pub(in crate::http) fn refuse(&self, caller: &Caller, error: AccessError) -> AccessError {
        self.access.count_failure(caller.address, error)
    }
}
