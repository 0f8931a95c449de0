//! Who sends a request: what it may see, and in whose name it acts.
//!
//! Before: `access` has checked the key. After: the handlers, which keep the caller to its tenant, its unit and its person.

use std::net::IpAddr;
use std::sync::Arc;

use crate::http::error::AccessError;
use crate::keys::CachedKey;
use crate::model::device_key::DeviceKey;
use crate::model::tenant::OF_DIRECTORY;
use crate::store::alert::{Acting, Reach};
use crate::store::dashboard::Viewer;

/// Who sends a request; attached to every request that is let through.
#[derive(Debug, Clone)]
pub(in crate::http) struct Caller {
    pub(in crate::http) identity: Identity,
    pub(super) address: IpAddr,
}

/// How a caller is authenticated.
#[derive(Debug, Clone)]
pub(in crate::http) enum Identity {
    /// Authentication is off.
    AuthenticationOff,
    /// Authentication is on, and there is no valid key.
    Anonymous,
    /// By a key of `api_key`.
    ApiKey(Arc<CachedKey>),
    /// By the key of one device.
    DeviceKey(Arc<DeviceKey>),
}

impl Caller {
    /// The tenant that it may read and write; `None`: every tenant; 0: the tenant that the directory gives its device.
    pub(in crate::http) fn customer_id(&self) -> Option<i64> {
        match &self.identity {
            Identity::AuthenticationOff | Identity::Anonymous => None,
            Identity::ApiKey(key) => key.customer_id(),
            Identity::DeviceKey(_) => Some(OF_DIRECTORY),
        }
    }

    /// The alerts and silences that it may see and act on.
    pub(in crate::http) fn reach(&self) -> Reach {
        let org_id = match &self.identity {
            Identity::ApiKey(key) => key.org_id(),
            _ => None,
        };
        Reach { customer_id: self.customer_id(), org_id }
    }

    /// Whose health data it may see.
    pub(in crate::http) fn viewer(&self) -> Viewer {
        match &self.identity {
            Identity::AuthenticationOff => Viewer::EveryTenant,
            Identity::Anonymous | Identity::DeviceKey(_) => Viewer::Nobody,
            Identity::ApiKey(_) => Viewer::of_key(self.reach()),
        }
    }

    /// In whose name it acts: of the person to whom its key belongs, or of the one whom the request names, if the key may vouch for
    /// others. `None`: neither.
    pub(in crate::http) fn acting(&self, named: Option<String>) -> Result<Option<Acting>, AccessError> {
        let Identity::ApiKey(key) = &self.identity else {
            return Ok(named.map(|actor| Acting { actor, key_id: None }));
        };
        let actor = match (named, key.actor()) {
            (Some(named), own) if own != Some(named.as_str()) && !key.may_vouch() => {
                return Err(AccessError::OtherPerson.counted());
            }
            (Some(named), _) => Some(named),
            (None, own) => own.map(str::to_owned),
        };
        Ok(actor.map(|actor| Acting { actor, key_id: Some(key.key_id.to_string()) }))
    }

    /// Its address, as the limits count it.
    pub(in crate::http) fn address(&self) -> IpAddr {
        self.address
    }

    /// The only device that it may write for; `None`: it is not limited to one.
    pub(in crate::http) fn device(&self) -> Option<&Arc<DeviceKey>> {
        match &self.identity {
            Identity::DeviceKey(key) => Some(key),
            _ => None,
        }
    }
}
