//! Who is told the configuration of a watch, and which key the watch is handed with it.
//!
//! Before: `http::access` has seen what the caller shows. After: `http::device_config` answers.
//! Promise: what an operator set as a header is told to nobody without a key of the tenant; the key of a device goes to interfaces of
//! this service alone.

use std::sync::Arc;

use super::PATIENCE;
use crate::config::Enrolment;
use crate::http::State;
use crate::http::access::{Caller, Holds};
use crate::http::error::{AccessError, ConfigError};
use crate::model::device_key::DeviceKeys;
use crate::store::device_config::DeviceConfig;

/// What an interface of this service is given as `authHeader`.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Header {
    /// What an operator set for it, and elsewhere this.
    AsSet(Option<String>),
    /// The key of the device, whatever is set: that is a secret of whoever has a key of the tenant.
    OfDevice(String),
}

impl Header {
    /// For an interface of ours, or of somebody else, to whom the key of a device is no business.
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
    /// The device of which the configuration is wanted, by one who names `named`; empty: none.
    pub(super) fn device_asked<'a>(
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

    /// The tenant whose configuration is wanted (0: none, or that of the device) by one who names `named`.
    pub(super) fn tenant_asked(&self, named: i64, caller: &Caller) -> Result<i64, AccessError> {
        match &caller.holds {
            Holds::Nothing if self.enrolment == Enrolment::Closed => {
                Err(self.refuse(caller, AccessError::NoKey))
            }
            // Whoever only tries serials asks the database for no more than a few of them.
            Holds::Nothing => self.check_patience(caller).map(|()| 0),
            Holds::Device(_) => Ok(0),
            Holds::Anything => Ok(named),
            Holds::Key(key) => match key.customer_id() {
                Some(own) if named != 0 && named != own => Err(self.refuse(caller, AccessError::OtherTenant)),
                Some(own) => Ok(own),
                None => Ok(named),
            },
        }
    }

    /// What keys of devices are made of; nothing where nobody is asked for a key.
    async fn device_keys(&self) -> Result<Arc<DeviceKeys>, ConfigError> {
        match self.keys() {
            None => Ok(Arc::default()),
            Some(keys) => keys.device_keys(PATIENCE).await.map_err(|_| ConfigError::Unavailable),
        }
    }

    /// What the device is to send as Authorization, if the caller may be told this configuration at all. `lacks_header`: an operator
    /// left something open that only a key of the device can fill. What such keys are made of is asked for where one is handed out.
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
        match &caller.holds {
            Holds::Key(key) if key.customer_id().is_some_and(|own| own != tenant) => {
                return Err(self.refuse(caller, AccessError::OtherTenant).into());
            }
            Holds::Anything => return Ok(Header::AsSet(None)),
            Holds::Key(_) if !is_enrolled || !lacks_header => return Ok(Header::AsSet(None)),
            Holds::Nothing if !is_enrolled => return Err(self.no_key(caller).into()),
            Holds::Key(_) | Holds::Device(_) | Holds::Nothing => {}
        }
        let derived = self.device_keys().await?.derive(device_sn, tenant).map(|key| key.header());
        match &caller.holds {
            Holds::Anything | Holds::Key(_) => Ok(Header::AsSet(derived)),
            Holds::Device(_) | Holds::Nothing => {
                derived.map(Header::OfDevice).ok_or_else(|| self.no_key(caller).into())
            }
        }
    }

    fn no_key(&self, caller: &Caller) -> AccessError {
        self.refuse(caller, AccessError::NoKey)
    }
}
