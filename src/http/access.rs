//! Who may ask what: every request passes here before its handler.
//!
//! Before: the router knows the path. After: the handler, with the [`Caller`]; or 401, 403, 429, 503.
//! Promise: what a route needs is what it says in the document, and one that says nothing needs `admin`; who has a key that this
//! instance knows is answered however many others of the same address have not; one it does not know costs the database
//! nothing while the address is over its limit. No secret is logged or told.
//!
//! ```text
//!  address over its rate? ─▶ what does the route need? ─▶ key of the header ─▶ scope? ─▶ tenant? ─▶ key over its rate?
//!        429                      nothing: on              401 (429)        403 (429)   403 (429)      429
//! ```

mod address;
mod credentials;
mod need;
mod rate;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State as Shared};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::error::AccessError;
use super::{State, device_config};
use crate::config::{LimitSettings, Settings};
use crate::keys::{Keys, KeysError, Known, Recalled};
use crate::model::api_key::{KeyId, Presented};
use crate::telemetry::names;
use need::{Need, Needs};
use rate::Rate;

/// Never counted: an event that is answered anything but 200 costs a watch those behind it (the wire contract, rule 4).
const NEVER_LATE: &str = "/upload_common_event";

/// Where a connection comes from; with every request of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Peer(pub(super) SocketAddr);

/// Who asks; with every request that was let through.
#[derive(Debug, Clone)]
pub(super) struct Caller {
    key: Option<Arc<Known>>,
    /// Nobody is asked for a key.
    anybody_may: bool,
    address: IpAddr,
}

impl Caller {
    /// The tenant it may write for and see; `None`: every one.
    pub(super) fn customer_id(&self) -> Option<i64> {
        self.key.as_ref().and_then(|key| key.customer_id())
    }

    /// It has to show who it is, and has not.
    pub(super) const fn is_nobody(&self) -> bool {
        self.key.is_none() && !self.anybody_may
    }
}

/// The doorman.
#[derive(Debug)]
pub(super) struct Access {
    /// `None`: nobody is asked for a key.
    keys: Option<Keys>,
    needs: Needs,
    limits: LimitSettings,
    commit_deadline: Duration,
    by_address: Option<Rate<IpAddr>>,
    by_key: Option<Rate<KeyId>>,
    failures: Rate<IpAddr>,
}

impl Access {
    pub(super) fn new(keys: Option<Keys>, document: &utoipa::openapi::OpenApi, settings: &Settings) -> Self {
        let limits = settings.limits.clone();
        Self {
            keys,
            needs: Needs::of(document),
            by_address: Rate::per_second(limits.address_requests_per_second, limits.address_burst),
            by_key: Rate::per_second(limits.key_requests_per_second, limits.key_burst),
            failures: Rate::per_minute(limits.failures_per_minute),
            commit_deadline: settings.commit_deadline(),
            limits,
        }
    }

    async fn admit(&self, asked: Asked) -> Result<Caller, AccessError> {
        let Asked { address, is_counted, need, key, patience } = asked;
        if let Some(rate) = self.by_address.as_ref().filter(|_| is_counted) {
            rate.take(address).map_err(|wait| AccessError::too_many("address", wait))?;
        }
        let caller = |key| Caller { key, anybody_may: self.keys.is_none(), address };
        let (Some(keys), Need::Scope { scope, tells_own }) = (&self.keys, need) else {
            return Ok(caller(None));
        };
        let key = self.identify(keys, key, address, patience).await?;
        if !key.may(scope) {
            return Err(self.fail(address, AccessError::Scope(scope.name())));
        }
        if key.customer_id().is_some() && !tells_own {
            return Err(self.fail(address, AccessError::EveryTenant));
        }
        if let Some(rate) = self.by_key.as_ref().filter(|_| is_counted) {
            rate.take(key.key_id).map_err(|wait| AccessError::too_many("key", wait))?;
        }
        Ok(caller(Some(key)))
    }

    async fn identify(
        &self,
        keys: &Keys,
        key: Option<Presented>,
        address: IpAddr,
        patience: Option<Duration>,
    ) -> Result<Arc<Known>, AccessError> {
        let Some(key) = key else { return Err(self.fail(address, AccessError::NoKey)) };
        let patience = patience.unwrap_or(self.commit_deadline);
        let answer = match keys.recall(&key) {
            Recalled::Answer(answer) => answer,
            Recalled::Stale => keys.look_up(&key, patience).await,
            Recalled::New => {
                self.check_patience(address)?;
                keys.look_up(&key, patience).await
            }
        };
        answer.map_err(|error| match error {
            KeysError::Refused => self.fail(address, AccessError::NoKey),
            KeysError::Unavailable => AccessError::Unavailable,
        })
    }

    /// Whether somebody of this address who is known by nothing yet may have the database asked.
    fn check_patience(&self, address: IpAddr) -> Result<(), AccessError> {
        self.failures.look(address).map_err(|wait| AccessError::too_many("failures", wait))
    }

    /// Counts a failure, and tells it or, above the limit, that there were too many.
    fn fail(&self, address: IpAddr, error: AccessError) -> AccessError {
        match self.failures.take(address) {
            Ok(()) => error.counted(),
            Err(wait) => AccessError::too_many("failures", wait),
        }
    }
}

/// What the door has to know of a request.
struct Asked {
    address: IpAddr,
    /// Against the rates of its address and its key.
    is_counted: bool,
    need: Need,
    key: Option<Presented>,
    /// Longest wait for the database; `None`: as for a commit.
    patience: Option<Duration>,
}

impl Asked {
    fn of(request: &Request, access: &Access) -> Self {
        let headers = request.headers();
        let path = request.uri().path();
        let need = match access.needs.of_request(request) {
            Need::Perhaps(_) if !credentials::are_given(headers) => Need::Nothing,
            Need::Perhaps(scope) => Need::Scope { scope, tells_own: true },
            need => need,
        };
        Self {
            address: address::of(request, &access.limits.trusted_proxies),
            is_counted: path != NEVER_LATE,
            patience: (path == device_config::PATH).then_some(device_config::KEY_PATIENCE),
            need,
            key: if need == Need::Nothing || access.keys.is_none() { None } else { credentials::of(headers) },
        }
    }
}

impl State {
    /// [`Access::check_patience`], for a caller who is nobody.
    pub(super) fn check_patience(&self, caller: &Caller) -> Result<(), AccessError> {
        self.access.check_patience(caller.address)
    }

    /// A handler refuses what the door let through.
    pub(super) fn refuse(&self, caller: &Caller, error: AccessError) -> AccessError {
        self.access.fail(caller.address, error)
    }
}

/// Lets a request through, or answers it.
pub(super) async fn check(Shared(state): Shared<Arc<State>>, mut request: Request, next: Next) -> Response {
    let asked = Asked::of(&request, &state.access);
    match state.access.admit(asked).await {
        Ok(caller) => {
            request.extensions_mut().insert(caller);
            next.run(request).await
        }
        Err(error) => error.into_response(),
    }
}

/// Counts what the door did not let through, by reason.
pub(super) fn count_refused(reason: &'static str) {
    metrics::counter!(names::TURNED_AWAY, "reason" => reason).increment(1);
}
