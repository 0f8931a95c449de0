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

/// Where an administrator gives and takes roles: in every tenant, in one, or in a unit of one with its sub-units.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GrantReach {
    /// The tenant; `None`: every one.
    pub customer_id: Option<i64>,
    /// The unit; `None`: not limited to one.
    pub org_id: Option<i64>,
    /// The unit and its sub-units, else those of the tenant.
    pub units: Vec<Id64>,
}

impl GrantReach {
    /// Whether it is limited to a tenant.
    pub const fn is_limited(&self) -> bool {
        self.customer_id.is_some()
    }

    /// Whether what is granted in a tenant and unit is within it.
    pub fn covers(&self, customer_id: Option<Id64>, org_id: Option<Id64>) -> bool {
        let Some(own) = self.customer_id else { return true };
        customer_id == Some(Id64(own))
            && (self.org_id.is_none() || org_id.is_some_and(|id| self.has_unit(id)))
    }

    /// Whether a role can be given there: beside [`Self::covers`], a unit that is named has to be one of the tenant.
    pub fn may_give(&self, customer_id: Option<Id64>, org_id: Option<Id64>) -> bool {
        let is_own = !self.is_limited() || org_id.is_none_or(|id| self.has_unit(id));
        self.covers(customer_id, org_id) && is_own
    }

    /// Whether a unit is one of its own. One that the directory does not have is, if it is limited to it.
    pub fn has_unit(&self, org_id: Id64) -> bool {
        self.org_id == Some(org_id.0) || self.units.contains(&org_id)
    }

    /// Whether an account is seen: some of its grants are within it.
    pub fn shows(&self, account: &Account) -> bool {
        !self.is_limited() || account.grants.iter().any(|grant| self.covers(grant.customer_id, grant.org_id))
    }

    /// Whether all that an account may do is within it, so that the account itself can be changed.
    pub fn holds(&self, account: &Account) -> bool {
        account.grants.iter().all(|grant| self.covers(grant.customer_id, grant.org_id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_gives_a_role_outside_of_their_own_reach() {
        let id = |id: i64| Some(Id64(id));
        let units = vec![Id64(50), Id64(51)];
        let every = GrantReach::default();
        let tenant = GrantReach { customer_id: Some(5), org_id: None, units: units.clone() };
        let unit = GrantReach { customer_id: Some(5), org_id: Some(50), units };
        for (customer_id, org_id, of_tenant, of_unit) in [
            (None, None, false, false),
            (id(6), None, false, false),
            (id(6), id(50), false, false),
            (id(5), None, true, false),
            (id(5), id(50), true, true),
            (id(5), id(51), true, true),
            (id(5), id(60), false, false),
        ] {
            assert!(every.may_give(customer_id, org_id));
            assert_eq!(tenant.may_give(customer_id, org_id), of_tenant, "{customer_id:?} {org_id:?}");
            assert_eq!(unit.may_give(customer_id, org_id), of_unit, "{customer_id:?} {org_id:?}");
        }
        assert!(tenant.covers(id(5), id(60)), "a unit that the directory no longer has");
    }
}
