//! Who looked at whose data: an entry of the log of accesses.
//!
//! Before: `http::access_log` makes one for an answer that shows data of people. After: `accounts` writes it; `vitals access log` lists it.
//! Promise: an entry holds no health value, and its filter names no device or person.

use std::net::IpAddr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::account::Role;
use super::api_key::KeyId;
use super::id::Id64;

/// Who looked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Accessor {
    /// Authentication is off.
    Local,
    /// A person who has logged in.
    Account(i64),
    /// An API key.
    Key(KeyId),
    /// A kiosk link.
    Kiosk(i64),
}

/// Whose data.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum AccessSubject {
    /// Of a device.
    Device(String),
    /// Of a person.
    Person(i64),
    /// Of several: the filter says which.
    List,
}

/// One access.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessEntry {
    /// When.
    pub accessed_at: Timestamp,
    /// Who.
    pub accessor: Accessor,
    /// Name of the person, the person of the key, or the link.
    pub name: String,
    /// What the caller may do.
    pub role: Role,
    /// Tenant to which the caller is limited; `None`: to none.
    pub customer_id: Option<i64>,
    /// Unit to which the caller is limited; `None`: to none.
    pub org_id: Option<i64>,
    /// The route, as in the OpenAPI document.
    pub route: String,
    /// Whose.
    pub subject: AccessSubject,
    /// What a list was filtered by; `None`: nothing.
    pub filter: Option<String>,
    /// Address of the caller.
    pub address: IpAddr,
}

/// An entry as it is listed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListedAccess {
    /// When.
    pub accessed_at: Timestamp,
    /// Login name, if it was a person who had logged in.
    pub login: Option<String>,
    /// Public part of the API key, if it was one.
    pub key_id: Option<String>,
    /// Number of the kiosk link, if it was one.
    pub kiosk_link_id: Option<Id64>,
    /// Name of the person, the person of the key, or the link at that time.
    pub name: String,
    /// What the caller could do at that time.
    pub role: Role,
    /// Tenant to which the caller was limited; `None`: every tenant.
    pub within_customer_id: Option<Id64>,
    /// Unit to which the caller was limited; `None`: to none.
    pub within_org_id: Option<Id64>,
    /// The route.
    pub route: String,
    /// The device, if it was one.
    pub device_sn: Option<String>,
    /// The person, if it was one.
    pub user_id: Option<Id64>,
    /// What a list was filtered by.
    pub filter: Option<String>,
    /// Address of the caller.
    pub address: String,
    /// The device or the person was erased since.
    pub erased: bool,
}
