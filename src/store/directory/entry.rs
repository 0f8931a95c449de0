//! The kinds of entries of a directory: what a line holds, and the statements that stage, check and merge it.
//!
//! Before: `command::directory` reads lines of files. After: [`super::Import`].

use jiff::Timestamp;
use tokio_postgres::types::{ToSql, Type};

use crate::store::{Statement, statement};

/// A tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Customer {
    /// Tenant.
    pub customer_id: i64,
    /// Its name.
    pub name: String,
}

/// An organisation unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrgUnit {
    /// Organisation unit.
    pub org_id: i64,
    /// Its name.
    pub name: Option<String>,
    /// From the root down to the parent.
    pub ancestors: Vec<i64>,
}

/// A wearer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Wearer.
    pub user_id: i64,
    /// Their name.
    pub name: Option<String>,
    /// Their organisation unit.
    pub org_id: Option<i64>,
    /// Where they are found; `None`: as it was; empty: not known any more.
    pub room: Option<String>,
}

/// Who wears a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BindingEntry {
    /// Serial.
    pub device_sn: String,
    /// Who; `None`: the device is unbound.
    pub user_id: Option<i64>,
    /// Since when; `None`: now, if it differs from the current binding.
    pub valid_from: Option<Timestamp>,
    /// Until when; `None`: until the next binding.
    pub valid_until: Option<Timestamp>,
}

/// Somebody who is notified of alerts, and one of their addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contact {
    /// Their name, by which a contact is found.
    pub name: String,
    /// The name of the channel of `address`.
    pub channel: Option<&'static str>,
    /// Where they are notified; `None`: at the addresses they have.
    pub address: Option<String>,
    /// Tag of the language they are notified in; `None`: as it was, and that of the service for a new contact.
    pub language: Option<&'static str>,
    /// The wearer they are; `None`: as it was.
    pub user_id: Option<i64>,
    /// An organisation unit they manage.
    pub org_id: Option<i64>,
}

/// How entries of one kind are staged, checked and merged.
#[derive(Debug)]
pub struct EntryKind {
    pub(super) stage: Statement,
    pub(super) copy: &'static str,
    pub(super) types: &'static [Type],
    pub(super) refuse: Statement,
    /// Each returns the numbers `added`, `changed`, `ended` and the first entries of each, or no row.
    pub(super) merge: &'static [Statement],
}

/// An entry of a file.
pub trait Entry: Sync {
    /// How such entries are imported.
    const KIND: EntryKind;
    /// The values, in the order of the columns.
    fn values(&self) -> Vec<&(dyn ToSql + Sync)>;
}

impl Entry for Customer {
    const KIND: EntryKind = EntryKind {
        stage: statement!("directory", "stage_customers"),
        copy: "copy pg_temp.incoming (line, customer_id, name) from stdin (format binary)",
        types: &[Type::INT8, Type::INT8, Type::TEXT],
        refuse: statement!("directory", "refuse_customers"),
        merge: &[statement!("directory", "merge_customers")],
    };

    fn values(&self) -> Vec<&(dyn ToSql + Sync)> {
        vec![&self.customer_id, &self.name]
    }
}

impl Entry for OrgUnit {
    const KIND: EntryKind = EntryKind {
        stage: statement!("directory", "stage_orgs"),
        copy: "copy pg_temp.incoming (line, org_id, name, ancestors) from stdin (format binary)",
        types: &[Type::INT8, Type::INT8, Type::TEXT, Type::INT8_ARRAY],
        refuse: statement!("directory", "refuse_orgs"),
        merge: &[statement!("directory", "merge_orgs")],
    };

    fn values(&self) -> Vec<&(dyn ToSql + Sync)> {
        vec![&self.org_id, &self.name, &self.ancestors]
    }
}

impl Entry for User {
    const KIND: EntryKind = EntryKind {
        stage: statement!("directory", "stage_users"),
        copy: "copy pg_temp.incoming (line, user_id, name, org_id, room) from stdin (format binary)",
        types: &[Type::INT8, Type::INT8, Type::TEXT, Type::INT8, Type::TEXT],
        refuse: statement!("directory", "refuse_users"),
        merge: &[statement!("directory", "merge_users")],
    };

    fn values(&self) -> Vec<&(dyn ToSql + Sync)> {
        vec![&self.user_id, &self.name, &self.org_id, &self.room]
    }
}

impl Entry for BindingEntry {
    const KIND: EntryKind = EntryKind {
        stage: statement!("directory", "stage_bindings"),
        copy: "copy pg_temp.incoming (line, device_sn, user_id, valid_from, valid_until) from stdin (format binary)",
        types: &[Type::INT8, Type::TEXT, Type::INT8, Type::TIMESTAMPTZ, Type::TIMESTAMPTZ],
        refuse: statement!("directory", "refuse_bindings"),
        merge: &[
            statement!("directory", "plan_bindings"),
            statement!("directory", "end_bindings"),
            statement!("directory", "merge_bindings"),
        ],
    };

    fn values(&self) -> Vec<&(dyn ToSql + Sync)> {
        vec![&self.device_sn, &self.user_id, &self.valid_from, &self.valid_until]
    }
}

impl Entry for Contact {
    const KIND: EntryKind = EntryKind {
        stage: statement!("directory", "stage_contacts"),
        copy: "copy pg_temp.incoming (line, name, channel, address, language, user_id, org_id) from stdin (format binary)",
        types: &[Type::INT8, Type::TEXT, Type::TEXT, Type::TEXT, Type::TEXT, Type::INT8, Type::INT8],
        refuse: statement!("directory", "refuse_contacts"),
        merge: &[statement!("directory", "merge_contacts")],
    };

    fn values(&self) -> Vec<&(dyn ToSql + Sync)> {
        vec![&self.name, &self.channel, &self.address, &self.language, &self.user_id, &self.org_id]
    }
}
