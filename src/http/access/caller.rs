//! Who sends a request: what it may see, and in whose name it acts.
//!
//! Before: `access` has checked the key. After: the handlers, which keep the caller to its tenant, its unit and its person.

use std::net::IpAddr;
use std::sync::Arc;

use jiff::Timestamp;

use crate::http::error::AccessError;
use crate::keys::CachedKey;
use crate::model::api_key::Scope;
use crate::model::device_key::DeviceKey;
use crate::model::tenant::OF_DIRECTORY;
use crate::model::{GrantChoice, KioskLink, PageViewer, Role, Session};
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
    /// A person who has logged in, by the cookie of the session.
    Session(Arc<Session>),
    /// A screen on a wall, by the cookie of its link.
    Kiosk(Arc<KioskLink>),
}

impl Caller {
    /// The tenant that it may read and write; `None`: every tenant; 0: the tenant that the directory gives its device.
    pub(in crate::http) fn customer_id(&self) -> Option<i64> {
        match &self.identity {
            Identity::AuthenticationOff | Identity::Anonymous => None,
            Identity::ApiKey(key) => key.customer_id(),
            Identity::DeviceKey(_) => Some(OF_DIRECTORY),
            Identity::Session(session) => session.customer_id(),
            Identity::Kiosk(link) => Some(link.customer_id.0),
        }
    }

    /// The alerts and silences that it may see and act on.
    pub(in crate::http) fn reach(&self) -> Reach {
        let org_id = match &self.identity {
            Identity::ApiKey(key) => key.org_id(),
            Identity::Session(session) => session.org_id(),
            Identity::Kiosk(link) => link.org_id.map(|id| id.0),
            Identity::AuthenticationOff | Identity::Anonymous | Identity::DeviceKey(_) => None,
        };
        Reach { customer_id: self.customer_id(), org_id }
    }

    /// Whose health data it may see.
    pub(in crate::http) fn viewer(&self) -> Viewer {
        match &self.identity {
            Identity::AuthenticationOff => Viewer::EveryTenant,
            Identity::Anonymous | Identity::DeviceKey(_) => Viewer::Nobody,
            Identity::ApiKey(_) | Identity::Session(_) | Identity::Kiosk(_) => Viewer::of_key(self.reach()),
        }
    }

    /// Whether it may see health data. Who may only respond sees alerts.
    pub(in crate::http) fn may_read(&self) -> bool {
        match &self.identity {
            Identity::AuthenticationOff | Identity::Kiosk(_) => true,
            Identity::ApiKey(key) => key.has_scope(Scope::Read),
            Identity::Session(session) => session.has_scope(Scope::Read),
            Identity::Anonymous | Identity::DeviceKey(_) => false,
        }
    }

    /// Whether it may administer, within its tenant and unit.
    pub(in crate::http) fn may_administer(&self) -> bool {
        self.page_viewer().is_some_and(|viewer| viewer.can_admin)
    }

    /// Whether its session or its link has ended by now, as far as that was known when it was let through.
    pub(in crate::http) fn is_over(&self, now: Timestamp) -> bool {
        match &self.identity {
            Identity::Session(session) => session.ends_at <= now,
            Identity::Kiosk(link) => !link.is_valid(now),
            _ => false,
        }
    }

    /// In whose name it acts: of the person who has logged in; of the person to whom its key belongs, or of the one whom the request
    /// names, if the key may vouch for others. `None`: neither.
    pub(in crate::http) fn acting(&self, named: Option<String>) -> Result<Option<Acting>, AccessError> {
        let key = match &self.identity {
            Identity::ApiKey(key) => key,
            Identity::Session(session) => return acting_in(session, named).map(Some),
            _ => return Ok(named.map(|actor| Acting { actor, key_id: None })),
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

    /// What a page shows of the caller; `None`: nobody to show a page to.
    pub(in crate::http) fn page_viewer(&self) -> Option<PageViewer> {
        match &self.identity {
            Identity::AuthenticationOff => Some(local_viewer()),
            Identity::ApiKey(key) => Some(viewer_of_key(key)),
            Identity::Session(session) => Some(viewer_of_session(session)),
            Identity::Kiosk(link) => Some(viewer_of_kiosk(link)),
            Identity::Anonymous | Identity::DeviceKey(_) => None,
        }
    }
}

/// A person who has logged in speaks for nobody else.
fn acting_in(session: &Session, named: Option<String>) -> Result<Acting, AccessError> {
    match named {
        Some(named) if named != session.name => Err(AccessError::OtherPerson.counted()),
        _ => Ok(Acting { actor: session.name.clone(), key_id: None }),
    }
}

/// Who uses a service that only this machine can reach.
fn local_viewer() -> PageViewer {
    PageViewer {
        name: "local".to_owned(),
        language: None,
        role: Role::Admin,
        tenant_name: None,
        unit_name: None,
        can_respond: true,
        can_admin: true,
        is_kiosk: false,
        is_private: false,
        has_session: false,
        grants: Vec::new(),
    }
}

fn viewer_of_key(key: &CachedKey) -> PageViewer {
    let can_admin = key.has_scope(Scope::Admin);
    let can_respond = can_admin || key.has_scope(Scope::Respond);
    let role = match (can_admin, can_respond) {
        (true, _) => Role::Admin,
        (false, true) => Role::Responder,
        (false, false) => Role::Viewer,
    };
    PageViewer {
        name: key.actor().map_or_else(|| key.key_id.to_string(), str::to_owned),
        role,
        tenant_name: key.customer_id().map(|id| id.to_string()),
        unit_name: key.org_id().map(|id| id.to_string()),
        can_respond,
        can_admin,
        ..local_viewer()
    }
}

fn viewer_of_session(session: &Session) -> PageViewer {
    let choices = session.grants.iter().map(|grant| GrantChoice {
        grant_id: grant.grant_id.0,
        role: grant.role,
        tenant_name: grant.shown_tenant(),
        unit_name: grant.shown_unit(),
        is_current: grant.grant_id == session.grant.grant_id,
    });
    PageViewer {
        name: session.name.clone(),
        language: session.language,
        role: session.role(),
        tenant_name: session.grant.shown_tenant(),
        unit_name: session.grant.shown_unit(),
        can_respond: session.has_scope(Scope::Respond),
        can_admin: session.has_scope(Scope::Admin),
        has_session: true,
        grants: choices.collect(),
        ..local_viewer()
    }
}

fn viewer_of_kiosk(link: &KioskLink) -> PageViewer {
    let tenant_name = link.tenant_name.clone().unwrap_or_else(|| link.customer_id.to_string());
    let unit_name = link.org_id.map(|id| link.unit_name.clone().unwrap_or_else(|| id.to_string()));
    PageViewer {
        name: link.name.clone(),
        role: Role::Viewer,
        tenant_name: Some(tenant_name),
        unit_name,
        can_respond: false,
        can_admin: false,
        is_kiosk: true,
        is_private: link.is_private,
        ..local_viewer()
    }
}
