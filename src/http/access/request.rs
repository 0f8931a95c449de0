//! What `access` needs to know of a request.
//!
//! Before: the router knows the path. After: `access` admits it or refuses it.

use std::net::IpAddr;
use std::time::Duration;

use axum::extract::Request;

use super::credentials::{self, Credential};
use super::people::BrowserRequest;
use super::requirement::Requirement;
use super::{Access, CONFIG_KEY_TIMEOUT, address};

/// Not rate limited: any answer but 200 blocks the queue of events in a watch (the wire contract, rule 4).
const EVENT_PATH: &str = "/upload_common_event";

/// Its keys are looked up within [`CONFIG_KEY_TIMEOUT`].
const CONFIG_PATH: &str = "/fetch_health_data_config";

/// What [`Access`] needs to know of a request.
pub(super) struct AccessRequest {
    pub(super) address: IpAddr,
    /// By its address and its key.
    pub(super) is_rate_limited: bool,
    pub(super) requirement: Requirement,
    /// The handler decides about a request without a key.
    pub(super) may_be_anonymous: bool,
    /// `None`: the header has none.
    pub(super) credential: Option<Credential>,
    pub(super) browser: BrowserRequest,
    /// Longest wait for the database; `None`: as long as the settings say.
    pub(super) key_timeout: Option<Duration>,
}

impl AccessRequest {
    pub(super) fn of(request: &Request, access: &Access) -> Self {
        let headers = request.headers();
        let path = request.uri().path();
        let declared = access.requirements.of_request(request);
        let requirement = match declared {
            Requirement::Optional(_) if !credentials::are_given(headers) => Requirement::Nothing,
            Requirement::Optional(scope) => Requirement::Scope {
                scope,
                accepts_tenant_keys: true,
                accepts_unit_keys: false,
                accepts_responders: false,
                accepts_kiosks: false,
            },
            requirement => requirement,
        };
        let browser = BrowserRequest::of(request, access.cookies, access.own_origin.as_deref());
        Self {
            address: address::of(request, &access.limits.trusted_proxies),
            is_rate_limited: path != EVENT_PATH,
            key_timeout: (path == CONFIG_PATH).then_some(CONFIG_KEY_TIMEOUT),
            requirement,
            may_be_anonymous: matches!(declared, Requirement::Optional(_)),
            credential: if requirement == Requirement::Nothing || access.callers.is_none() {
                None
            } else {
                credentials::of(headers)
            },
            browser,
        }
    }
}
