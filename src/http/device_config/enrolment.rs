//! Who gets the configuration of a watch, and which key is in it.
//!
//! Before: `http::access` has authenticated the caller. After: `http::device_config` answers.
//! Promise: a header that an operator set is returned only to callers with a key of the tenant; the key of a device is sent
//! only to interfaces of this service.

use std::sync::Arc;

use super::TIMEOUT;
use crate::config::Enrolment;
use crate::http::State;
use crate::http::access::{Caller, Identity};
use crate::http::error::{AccessError, ConfigError};
use crate::model::device_key::DeviceKeys;
use crate::store::device_config::DeviceConfig;

/// What an interface of this service is given as `authHeader`.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Header {
    /// What an operator set; this, where nothing is set.
    AsSet(Option<String>),
    /// The key of the device, whatever an operator set, which is a secret of the tenant.
    OfDevice(String),
}

impl Header {
    /// The header for one interface. An interface of another service never gets the key of a device.
    pub(super) fn of(&self, set: String, is_ours: bool) -> String {
        match self {
            Self::OfDevice(key) if is_ours => key.clone(),
            Self::OfDevice(_) => String::new(),
            Self::AsSet(Some(key)) if is_ours && set.trim().is_empty() => key.clone(),
            Self::AsSet(_) => set,
        }
    }
}

impl State {
    /// The device whose configuration is requested, if the request names `named`; empty: none.
    pub(super) fn requested_device<'a>(
        &self,
        named: &'a str,
        caller: &'a Caller,
    ) -> Result<&'a str, AccessError> {
        match caller.device().map(|key| key.device_sn()) {
            Some(own) if !named.is_empty() && named != own => {
                Err(self.refuse(caller, AccessError::OtherDevice))
            }
            Some(own) => Ok(own),
            None => Ok(named),
        }
    }

    /// The tenant whose configuration is requested (0: none, or that of the device), if the request names `named`.
    pub(super) fn requested_tenant(&self, named: i64, caller: &Caller) -> Result<i64, AccessError> {
        match &caller.identity {
            Identity::Anonymous if self.enrolment == Enrolment::Closed => {
                Err(self.refuse(caller, AccessError::InvalidKey))
            }
            // Somebody who tries serials at random causes few queries.
            Identity::Anonymous => self.check_failures(caller).map(|()| 0),
            Identity::DeviceKey(_) => Ok(0),
            Identity::AuthenticationOff => Ok(named),
            Identity::ApiKey(key) => match key.customer_id() {
                Some(own) if named != 0 && named != own => Err(self.refuse(caller, AccessError::OtherTenant)),
                Some(own) => Ok(own),
                None => Ok(named),
            },
            // The route asks for keys alone.
            Identity::Session(_) | Identity::Kiosk(_) => Err(self.refuse(caller, AccessError::InvalidKey)),
        }
    }

    /// The secrets of device keys; empty if authentication is off.
    async fn device_keys(&self) -> Result<Arc<DeviceKeys>, ConfigError> {
        match self.keys() {
            None => Ok(Arc::default()),
            Some(keys) => keys.device_keys(TIMEOUT).await.map_err(|_| ConfigError::Unavailable),
        }
    }

    /// What the device is to send as Authorization, if the caller may have this configuration. `lacks_header`: an operator left a
    /// header empty, so that only a key of the device can fill it. The secrets are read only if a key is handed out.
    pub(super) async fn header_for(
        &self,
        config: &DeviceConfig,
        device_sn: &str,
        caller: &Caller,
        lacks_header: bool,
    ) -> Result<Header, ConfigError> {
        let tenant = config.owner.customer_id.unwrap_or_default();
        let is_enrolled = match self.enrolment {
            Enrolment::Open => true,
            Enrolment::Known => config.owner.user_id.is_some(),
            Enrolment::Closed => false,
        };
        match &caller.identity {
            Identity::ApiKey(key) if key.customer_id().is_some_and(|own| own != tenant) => {
                return Err(self.refuse(caller, AccessError::OtherTenant).into());
            }
            Identity::AuthenticationOff => return Ok(Header::AsSet(None)),
            Identity::ApiKey(_) if !is_enrolled || !lacks_header => return Ok(Header::AsSet(None)),
            Identity::Anonymous if !is_enrolled => return Err(self.no_key(caller).into()),
            Identity::Session(_) | Identity::Kiosk(_) => return Err(self.no_key(caller).into()),
            Identity::ApiKey(_) | Identity::DeviceKey(_) | Identity::Anonymous => {}
        }
        let derived = self.device_keys().await?.derive(device_sn, tenant).map(|key| key.header());
        match &caller.identity {
            Identity::AuthenticationOff | Identity::ApiKey(_) => Ok(Header::AsSet(derived)),
            Identity::DeviceKey(_) | Identity::Anonymous | Identity::Session(_) | Identity::Kiosk(_) => {
                derived.map(Header::OfDevice).ok_or_else(|| self.no_key(caller).into())
            }
        }
    }

    fn no_key(&self, caller: &Caller) -> AccessError {
        self.refuse(caller, AccessError::InvalidKey)
    }
}
