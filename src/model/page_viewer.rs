//! Who looks at a page: what its header shows, and which buttons it has.
//!
//! Before: `http::access` has authenticated the caller. After: `page` draws.
//! Promise: it decides what is shown, never what is allowed; every route checks its caller itself.

use super::account::Role;
use crate::language::Language;

/// Who looks at a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageViewer {
    /// Name of the person, of the key, or of the kiosk link.
    pub name: String,
    /// Language that the person chose; `None`: that of the browser.
    pub language: Option<Language>,
    /// What the viewer may do.
    pub role: Role,
    /// The tenant that is shown: its name, else its number; `None`: every tenant.
    pub tenant_name: Option<String>,
    /// The unit that is shown: its name, else its number; `None`: it is not limited to one.
    pub unit_name: Option<String>,
    /// May act on alerts and silence them.
    pub can_respond: bool,
    /// May change rules, contacts and the rest.
    pub can_admin: bool,
    /// A screen on a wall: nobody to talk to, nothing to change.
    pub is_kiosk: bool,
    /// Initials in place of names, and no positions.
    pub is_private: bool,
    /// Logged in with a session, so that the page offers to log out.
    pub has_session: bool,
    /// What else the person may work as (`POST /session/grant`, field `grant_id`); fewer than two: there is nothing to choose.
    pub grants: Vec<GrantChoice>,
}

/// A grant that a person can switch to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrantChoice {
    /// Its number.
    pub grant_id: i64,
    /// What the person may do.
    pub role: Role,
    /// Name or number of the tenant; `None`: every tenant.
    pub tenant_name: Option<String>,
    /// Name or number of the unit; `None`: it is not limited to one.
    pub unit_name: Option<String>,
    /// It is the one in use.
    pub is_current: bool,
}
