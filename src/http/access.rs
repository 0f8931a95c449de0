//! Authentication, authorisation and rate limits: every request passes here before its handler.
//!
//! Before: the router knows the path. After: the handler, with the [`Caller`]; or 401, 403, 429, 503.
//! Promise: a route requires what it declares in the OpenAPI document; a route that declares nothing requires `admin`. A key that
//! this instance has cached is accepted, however many requests of the same address fail. A key that is not cached causes no
//! query while the address is over its limit of failures. No secret is logged or returned. Without a key, cookies count (`people`).
//!
//! ```text
//!  address over its rate? ─▶ what does the route require? ─▶ key of the header ─▶ scope? ─▶ tenant? ─▶ key over its rate?
//!        429                      nothing: pass              401 (429)         403 (429)  403 (429)       429
//! ```

pub(super) mod address;
mod caller;
pub(super) mod cookies;
mod credentials;
mod login;
mod people;
mod rate_limit;
mod request;
mod requirement;
pub(super) mod site;
mod state;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State as Shared};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::State;
use super::connections::Connection;
use super::error::AccessError;
use crate::accounts::Accounts;
use crate::config::{LimitSettings, Settings};
use crate::keys::{CachedKey, KeyLookup, Keys, KeysError};
use crate::model::api_key::{KeyId, PresentedKey, Scope};
use crate::model::device_key::DeviceKey;
use crate::owners::Owners;
use crate::telemetry::names;
pub(super) use caller::{Caller, Identity};
use cookies::Cookies;
use credentials::Credential;
use login::LoginLimits;
pub(super) use people::{LOGIN_PATH, expects_page};
use rate_limit::RateLimit;
use request::AccessRequest;
use requirement::{Requirement, Requirements};
use site::{Site, origin_of};

/// Longest wait for a key that is not cached, where a watch asks for its configuration: it waits 2 s for the whole answer.
pub(super) const CONFIG_KEY_TIMEOUT: Duration = Duration::from_millis(400);

/// Where a connection comes from; attached to every request of it.
#[derive(Debug, Clone)]
pub(super) struct Peer {
    pub(super) address: SocketAddr,
    pub(super) connection: Arc<Connection>,
}

/// What a rate limit by key counts.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum RateKey {
    Key(KeyId),
    Device(Box<str>),
    Account(i64),
    Kiosk(i64),
}

/// Decides which requests reach their handlers.
#[derive(Debug)]
pub(super) struct Access {
    /// `None`: authentication is off.
    callers: Option<Callers>,
    owners: Owners,
    requirements: Requirements,
    limits: LimitSettings,
    /// Longest wait for a key that is not cached.
    key_timeout: Duration,
    by_address: Option<RateLimit<IpAddr>>,
    by_key: Option<RateLimit<RateKey>>,
    failures: RateLimit<IpAddr>,
    logins: LoginLimits,
    cookies: Cookies,
    /// The origin under which people use the service; `None`: no setting says so.
    own_origin: Option<String>,
}

/// Who may send requests: programs and devices by keys, people by sessions.
#[derive(Debug)]
#[expect(missing_docs, reason = "the fields are what their types say")]
pub struct Callers {
    pub keys: Keys,
    pub people: Accounts,
}

impl Access {
    pub(super) fn new(
        callers: Option<Callers>,
        owners: Owners,
        document: &utoipa::openapi::OpenApi,
        settings: &Settings,
    ) -> Self {
        let limits = settings.limits.clone();
        Self {
            callers,
            owners,
            requirements: Requirements::of(document),
            by_address: RateLimit::per_second(limits.address_requests_per_second, limits.address_burst),
            by_key: RateLimit::per_second(limits.key_requests_per_second, limits.key_burst),
            failures: RateLimit::per_minute(limits.failures_per_minute),
            logins: LoginLimits::new(&settings.login),
            cookies: Cookies::new(settings),
            own_origin: origin_of(&settings.public_base_url),
            key_timeout: settings.key_timeout(),
            limits,
        }
    }

    async fn admit(&self, request: AccessRequest) -> Result<Caller, AccessError> {
        let AccessRequest {
            address,
            is_rate_limited,
            requirement,
            may_be_anonymous,
            credential,
            browser,
            key_timeout,
        } = request;
        if let Some(limit) = self.by_address.as_ref().filter(|_| is_rate_limited) {
            limit.take(address).map_err(|wait| AccessError::too_many("address", wait))?;
        }
        let Some(Callers { keys, people }) = &self.callers else {
            if browser.is_unsafe && browser.site == Site::Other {
                return Err(AccessError::OtherSite.counted());
            }
            return Ok(Caller { identity: Identity::AuthenticationOff, address });
        };
        let Requirement::Scope { scope, .. } = requirement else {
            return Ok(Caller { identity: Identity::Anonymous, address });
        };
        let key_timeout = key_timeout.unwrap_or(self.key_timeout);
        let (identity, counted_as) = match credential {
            None => self.admit_browser(people, &browser, requirement, address, key_timeout).await?,
            Some(Credential::Invalid) => return Err(self.count_failure(address, AccessError::InvalidKey)),
            Some(Credential::Key(key)) => {
                let key = self.authenticate(keys, key, address, key_timeout).await?;
                self.check_scope(&key, requirement, address)?;
                let counted_as = RateKey::Key(key.key_id);
                (Identity::ApiKey(key), counted_as)
            }
            Some(Credential::Device(key)) => match self.admit_device(keys, &key, key_timeout).await {
                Ok(()) if scope != Scope::Upload => {
                    return Err(self.count_failure(address, AccessError::Scope(scope.name())));
                }
                Ok(()) => {
                    let counted_as = RateKey::Device(key.device_sn().into());
                    (Identity::DeviceKey(Arc::new(key)), counted_as)
                }
                // A watch that was away until its key expired is treated like one that starts for the first time.
                Err(KeysError::Refused) if may_be_anonymous => {
                    return Ok(Caller { identity: Identity::Anonymous, address });
                }
                Err(error) => return Err(self.key_error(address, error)),
            },
        };
        if let Some(limit) = self.by_key.as_ref().filter(|_| is_rate_limited) {
            limit.take(counted_as).map_err(|wait| AccessError::too_many("key", wait))?;
        }
        Ok(Caller { identity, address })
    }

    /// One cache lookup if no key of any tenant was ever revoked; else two, and the upload needs the owner anyway.
    async fn admit_device(&self, keys: &Keys, key: &DeviceKey, timeout: Duration) -> Result<(), KeysError> {
        let device_keys = keys.admit_device(key, timeout).await?;
        if !device_keys.depend_on_owners() {
            return Ok(());
        }
        let tenant = tokio::time::timeout(timeout, self.owners.current_tenant(key.device_sn())).await;
        let Ok(Ok(tenant)) = tenant else { return Err(KeysError::Unavailable) };
        if device_keys.admits_of(key, tenant.unwrap_or_default()) { Ok(()) } else { Err(KeysError::Refused) }
    }

    fn check_scope(
        &self,
        key: &CachedKey,
        requirement: Requirement,
        address: IpAddr,
    ) -> Result<(), AccessError> {
        let limits = (key.customer_id().is_some(), key.org_id().is_some());
        match requirement.refusal(|scope| key.has_scope(scope), limits) {
            Some(error) => Err(self.count_failure(address, error)),
            None => Ok(()),
        }
    }

    async fn authenticate(
        &self,
        keys: &Keys,
        key: PresentedKey,
        address: IpAddr,
        timeout: Duration,
    ) -> Result<Arc<CachedKey>, AccessError> {
        let answer = match keys.cached(&key) {
            KeyLookup::Answer(answer) => answer,
            KeyLookup::Stale => keys.look_up(&key, timeout).await,
            KeyLookup::Unknown => {
                self.check_failures(address)?;
                keys.look_up(&key, timeout).await
            }
        };
        answer.map_err(|error| self.key_error(address, error))
    }

    fn key_error(&self, address: IpAddr, error: KeysError) -> AccessError {
        match error {
            KeysError::Refused => self.count_failure(address, AccessError::InvalidKey),
            KeysError::Unavailable => AccessError::Unavailable,
        }
    }

    /// Whether an address may cause a query although it has shown no key that is known yet.
    fn check_failures(&self, address: IpAddr) -> Result<(), AccessError> {
        self.failures.peek(address).map_err(|wait| AccessError::too_many("failures", wait))
    }

    /// Counts a failure of this address. Returns the error, or that there were too many failures.
    fn count_failure(&self, address: IpAddr, error: AccessError) -> AccessError {
        match self.failures.take(address) {
            Ok(()) => error.counted(),
            Err(wait) => AccessError::too_many("failures", wait),
        }
    }
}

/// Lets a request through to its handler, or answers it.
pub(super) async fn check(Shared(state): Shared<Arc<State>>, mut request: Request, next: Next) -> Response {
    let access_request = AccessRequest::of(&request, &state.access);
    match state.access.admit(access_request).await {
        Ok(caller) => {
            state.note_use(&caller);
            request.extensions_mut().insert(caller);
            next.run(request).await
        }
        Err(error) => error.into_response(),
    }
}

/// Counts requests and connections that are refused, by reason.
pub(super) fn count_refused(reason: &'static str) {
    metrics::counter!(names::TURNED_AWAY, "reason" => reason).increment(1);
}
