//! Kiosk links: a screen on a wall that shows one tenant or unit, and can change nothing.
//!
//! Before: `vitals kiosk create`. After: a browser opened the link, and `accounts` finds it by its token.
//! Promise: a link shows no more than a viewer of its tenant or unit sees; where it is private, without full names and positions.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Id64;

/// A link that is listed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KioskLink {
    /// Its number.
    pub kiosk_link_id: Id64,
    /// Which screen it is for.
    pub name: String,
    /// The tenant that it shows.
    pub customer_id: Id64,
    /// The organisation unit that it shows, with its sub-units; `None`: the whole tenant.
    pub org_id: Option<Id64>,
    /// Name of the tenant; `None`: the directory has none.
    pub tenant_name: Option<String>,
    /// Name of the unit.
    pub unit_name: Option<String>,
    /// It shows initials in place of names, and no positions.
    pub is_private: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// By whom.
    pub created_by: String,
    /// From then on it no longer works.
    pub expires_at: Option<Timestamp>,
    /// When it was ended.
    pub revoked_at: Option<Timestamp>,
    /// When it was last used, to the minute.
    pub last_used_at: Option<Timestamp>,
}

impl KioskLink {
    /// Whether it works at `now`.
    pub fn is_valid(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|at| now < at)
    }
}
