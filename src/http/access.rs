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

pub(super) mod address;
mod credentials;
mod need;
mod rate;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State as Shared};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::connections::Connection;
use super::error::AccessError;
use super::{State, device_config};
use crate::config::{LimitSettings, Settings};
use crate::keys::{Keys, KeysError, Known, Recalled};
use crate::model::api_key::{KeyId, Presented, Scope};
use crate::model::device_key::DeviceKey;
use crate::model::tenant::OF_DIRECTORY;
use crate::owners::Owners;
use crate::telemetry::names;
use credentials::Credential;
use need::{Need, Needs};
use rate::Rate;

/// Never counted: an event that is answered anything but 200 costs a watch those behind it (the wire contract, rule 4).
const NEVER_LATE: &str = "/upload_common_event";

/// Where a connection comes from; with every request of it.
#[derive(Debug, Clone)]
pub(super) struct Peer {
    pub(super) address: SocketAddr,
    pub(super) connection: Arc<Connection>,
}

/// Who asks; with every request that was let through.
#[derive(Debug, Clone)]
pub(super) struct Caller {
    pub(super) holds: Holds,
    address: IpAddr,
}

/// What somebody showed.
#[derive(Debug, Clone)]
pub(super) enum Holds {
    /// Nobody is asked for a key.
    Anything,
    /// It has to show a key, and has shown none.
    Nothing,
    /// A key of `api_key`.
    Key(Arc<Known>),
    /// The key of one device.
    Device(Arc<DeviceKey>),
}

impl Caller {
    /// The tenant it may write for and see; `None`: every one; 0: that of its device, as the directory has it.
    pub(super) fn customer_id(&self) -> Option<i64> {
        match &self.holds {
            Holds::Anything | Holds::Nothing => None,
            Holds::Key(key) => key.customer_id(),
            Holds::Device(_) => Some(OF_DIRECTORY),
        }
    }

    /// The only device it may write for; `None`: it may for others.
    pub(super) fn device(&self) -> Option<&Arc<DeviceKey>> {
        match &self.holds {
            Holds::Device(key) => Some(key),
            _ => None,
        }
    }
}

/// What has a rate of its own.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum RateOf {
    Key(KeyId),
    Device(Box<str>),
}

/// The doorman.
#[derive(Debug)]
pub(super) struct Access {
    /// `None`: nobody is asked for a key.
    keys: Option<Keys>,
    owners: Owners,
    needs: Needs,
    limits: LimitSettings,
    commit_deadline: Duration,
    by_address: Option<Rate<IpAddr>>,
    by_key: Option<Rate<RateOf>>,
    failures: Rate<IpAddr>,
}

impl Access {
    pub(super) fn new(
        keys: Option<Keys>,
        owners: Owners,
        document: &utoipa::openapi::OpenApi,
        settings: &Settings,
    ) -> Self {
        let limits = settings.limits.clone();
        Self {
            keys,
            owners,
            needs: Needs::of(document),
            by_address: Rate::per_second(limits.address_requests_per_second, limits.address_burst),
            by_key: Rate::per_second(limits.key_requests_per_second, limits.key_burst),
            failures: Rate::per_minute(limits.failures_per_minute),
            commit_deadline: settings.commit_deadline(),
            limits,
        }
    }

    async fn admit(&self, asked: Asked) -> Result<Caller, AccessError> {
        let Asked { address, is_counted, need, may_be_nobody, credential, patience } = asked;
        if let Some(rate) = self.by_address.as_ref().filter(|_| is_counted) {
            rate.take(address).map_err(|wait| AccessError::too_many("address", wait))?;
        }
        let Some(keys) = &self.keys else { return Ok(Caller { holds: Holds::Anything, address }) };
        let Need::Scope { scope, tells_own } = need else {
            return Ok(Caller { holds: Holds::Nothing, address });
        };
        let patience = patience.unwrap_or(self.commit_deadline);
        let (holds, rate_of) = match credential {
            None => return Err(self.fail(address, AccessError::NoKey)),
            Some(Credential::Key(key)) => {
                let key = self.identify(keys, key, address, patience).await?;
                self.check_scope(&key, scope, tells_own, address)?;
                let rate_of = RateOf::Key(key.key_id);
                (Holds::Key(key), rate_of)
            }
            Some(Credential::Device(key)) => match self.admit_device(keys, &key, patience).await {
                Ok(()) if scope != Scope::Upload => {
                    return Err(self.fail(address, AccessError::Scope(scope.name())));
                }
                Ok(()) => {
                    let rate_of = RateOf::Device(key.device_sn().into());
                    (Holds::Device(Arc::new(key)), rate_of)
                }
                // A watch that was away for longer than its key is in force asks as one that starts for the first time.
                Err(KeysError::Refused) if may_be_nobody => {
                    return Ok(Caller { holds: Holds::Nothing, address });
                }
                Err(error) => return Err(self.refused(address, error)),
            },
        };
        if let Some(rate) = self.by_key.as_ref().filter(|_| is_counted) {
            rate.take(rate_of).map_err(|wait| AccessError::too_many("key", wait))?;
        }
        Ok(Caller { holds, address })
    }

    /// Where no tenant was ever revoked this is a look into memory; else two, as the upload asks for the owner anyway.
    async fn admit_device(&self, keys: &Keys, key: &DeviceKey, patience: Duration) -> Result<(), KeysError> {
        let held_against = keys.admit_device(key, patience).await?;
        if !held_against.depend_on_owners() {
            return Ok(());
        }
        let tenant = tokio::time::timeout(patience, self.owners.current_tenant(key.device_sn())).await;
        let Ok(Ok(tenant)) = tenant else { return Err(KeysError::Unavailable) };
        if held_against.admits_of(key, tenant.unwrap_or_default()) { Ok(()) } else { Err(KeysError::Refused) }
    }

    fn check_scope(
        &self,
        key: &Known,
        scope: Scope,
        tells_own: bool,
        address: IpAddr,
    ) -> Result<(), AccessError> {
        if !key.may(scope) {
            return Err(self.fail(address, AccessError::Scope(scope.name())));
        }
        if key.customer_id().is_some() && !tells_own {
            return Err(self.fail(address, AccessError::EveryTenant));
        }
        Ok(())
    }

    async fn identify(
        &self,
        keys: &Keys,
        key: Presented,
        address: IpAddr,
        patience: Duration,
    ) -> Result<Arc<Known>, AccessError> {
        let answer = match keys.recall(&key) {
            Recalled::Answer(answer) => answer,
            Recalled::Stale => keys.look_up(&key, patience).await,
            Recalled::New => {
                self.check_patience(address)?;
                keys.look_up(&key, patience).await
            }
        };
        answer.map_err(|error| self.refused(address, error))
    }

    fn refused(&self, address: IpAddr, error: KeysError) -> AccessError {
        match error {
            KeysError::Refused => self.fail(address, AccessError::NoKey),
            KeysError::Unavailable => AccessError::Unavailable,
        }
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
    /// The handler decides about one without a key.
    may_be_nobody: bool,
    credential: Option<Credential>,
    /// Longest wait for the database; `None`: as for a commit.
    patience: Option<Duration>,
}

impl Asked {
    fn of(request: &Request, access: &Access) -> Self {
        let headers = request.headers();
        let path = request.uri().path();
        let needed = access.needs.of_request(request);
        let need = match needed {
            Need::Perhaps(_) if !credentials::are_given(headers) => Need::Nothing,
            Need::Perhaps(scope) => Need::Scope { scope, tells_own: true },
            need => need,
        };
        Self {
            address: address::of(request, &access.limits.trusted_proxies),
            is_counted: path != NEVER_LATE,
            patience: (path == device_config::PATH).then_some(device_config::KEY_PATIENCE),
            need,
            may_be_nobody: matches!(needed, Need::Perhaps(_)),
            credential: if need == Need::Nothing || access.keys.is_none() {
                None
            } else {
                credentials::of(headers)
            },
        }
    }
}

impl State {
    /// Who has keys; `None`: nobody is asked for one.
    pub(super) fn keys(&self) -> Option<&Keys> {
        self.access.keys.as_ref()
    }

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
