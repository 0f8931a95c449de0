//! Accounts: people who log in, and what each may see and do.
//!
//! Before: `vitals people` makes them, or an OIDC provider vouches for somebody. After: `accounts` opens a session in one of the
//! grants.
//! Promise: a role stands for scopes, so that a session passes the same checks as an API key of the same tenant or unit.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Id64;
use super::api_key::Scope;
use crate::language::Language;

/// What a person may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Looks at data and alerts.
    Viewer,
    /// Also acts on alerts and silences them.
    Responder,
    /// Also changes rules, contacts and the rest.
    Admin,
}

impl Role {
    /// All of them, the least first.
    pub const ALL: [Self; 3] = [Self::Viewer, Self::Responder, Self::Admin];

    /// The word in `account_grant.role`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Responder => "responder",
            Self::Admin => "admin",
        }
    }

    /// The scopes of an API key that may do the same.
    pub const fn scopes(self) -> &'static [Scope] {
        match self {
            Self::Viewer => &[Scope::Read],
            Self::Responder => &[Scope::Read, Scope::Respond],
            Self::Admin => &[Scope::Read, Scope::Respond, Scope::Admin],
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Role {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|role| role.name() == name);
        found.ok_or_else(|| format!("one of: {}", Self::ALL.map(Self::name).join(", ")))
    }
}

/// A role in a tenant or a unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// Its number.
    pub grant_id: Id64,
    /// What the person may do.
    pub role: Role,
    /// In which tenant; `None`: in every one.
    pub customer_id: Option<Id64>,
    /// In which organisation unit, with its sub-units; `None`: it is not limited to one.
    pub org_id: Option<Id64>,
    /// Name of the tenant; `None`: every tenant, or the directory has no name of it.
    pub tenant_name: Option<String>,
    /// Name of the unit.
    pub unit_name: Option<String>,
}

impl Grant {
    /// Name of its tenant, else its number; `None`: every tenant.
    pub fn shown_tenant(&self) -> Option<String> {
        self.customer_id.map(|id| self.tenant_name.clone().unwrap_or_else(|| id.to_string()))
    }

    /// Name of its unit, else its number; `None`: it is not limited to one.
    pub fn shown_unit(&self) -> Option<String> {
        self.org_id.map(|id| self.unit_name.clone().unwrap_or_else(|| id.to_string()))
    }
}

/// An account as it is listed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Its number.
    pub account_id: Id64,
    /// What the person types to log in; in lower case.
    pub login: String,
    /// Name of the person, for people: changes stand under it.
    pub name: String,
    /// Language of the pages; `None`: that of the browser.
    pub language: Option<Language>,
    /// Whether there is a password.
    pub has_password: bool,
    /// The OIDC provider that vouches for the person; `None`: none does.
    pub oidc_issuer: Option<String>,
    /// What the person may see and do.
    pub grants: Vec<Grant>,
    /// When it was made.
    pub created_at: Timestamp,
    /// By whom.
    pub created_by: String,
    /// Since when nobody can log in with it; `None`: it is not disabled.
    pub disabled_at: Option<Timestamp>,
    /// When the person last logged in.
    pub logged_in_at: Option<Timestamp>,
}
