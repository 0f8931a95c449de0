//! `access_log`: who looked at whose data.
//!
//! Before: `accounts::access_log` has a batch of entries; `vitals access log` asks. After: the table, until the policy ends its rows.

use jiff::Timestamp;

use super::alert::of_json;
use super::{Statement, Store, StoreError, statement};
use crate::model::access_entry::{AccessEntry, AccessSubject, Accessor, ListedAccess};

const ADD: Statement = statement!("access_log", "add");
const LIST: Statement = statement!("access_log", "list");

/// Records entries.
///
/// # Errors
/// The database is away; nothing was recorded, or (when the connection broke) it may have been.
pub async fn add(store: &Store, entries: &[AccessEntry]) -> Result<(), StoreError> {
    let column =
        |of: fn(&AccessEntry) -> Option<i64>| -> Vec<Option<i64>> { entries.iter().map(of).collect() };
    let accessed_at: Vec<Timestamp> = entries.iter().map(|entry| entry.accessed_at).collect();
    let account_id = column(|entry| match entry.accessor {
        Accessor::Account(id) => Some(id),
        _ => None,
    });
    let key_id: Vec<Option<String>> = entries
        .iter()
        .map(|entry| match &entry.accessor {
            Accessor::Key(id) => Some(id.to_string()),
            _ => None,
        })
        .collect();
    let kiosk_link_id = column(|entry| match entry.accessor {
        Accessor::Kiosk(id) => Some(id),
        _ => None,
    });
    let name: Vec<&str> = entries.iter().map(|entry| entry.name.as_str()).collect();
    let role: Vec<&str> = entries.iter().map(|entry| entry.role.name()).collect();
    let customer_id = column(|entry| entry.customer_id);
    let org_id = column(|entry| entry.org_id);
    let route: Vec<&str> = entries.iter().map(|entry| entry.route.as_str()).collect();
    let device_sn: Vec<Option<&str>> = entries
        .iter()
        .map(|entry| match &entry.subject {
            AccessSubject::Device(device_sn) => Some(device_sn.as_str()),
            AccessSubject::Person(_) | AccessSubject::List => None,
        })
        .collect();
    let user_id = column(|entry| match entry.subject {
        AccessSubject::Person(user_id) => Some(user_id),
        AccessSubject::Device(_) | AccessSubject::List => None,
    });
    let filter: Vec<Option<&str>> = entries.iter().map(|entry| entry.filter.as_deref()).collect();
    let address: Vec<String> = entries.iter().map(|entry| entry.address.to_string()).collect();
    let client = store.client().await?;
    ADD.execute(
        &client,
        &[
            &accessed_at,
            &account_id,
            &key_id,
            &kiosk_link_id,
            &name,
            &role,
            &customer_id,
            &org_id,
            &route,
            &device_sn,
            &user_id,
            &filter,
            &address,
        ],
    )
    .await
    .map(drop)
}

/// Which entries; `None` is any.
#[derive(Debug, Clone, Copy, Default)]
pub struct Filter<'a> {
    /// Serial of a device.
    pub device_sn: Option<&'a str>,
    /// Number of a person.
    pub user_id: Option<i64>,
    /// Login name of an account.
    pub login: Option<&'a str>,
    /// From then on.
    pub from: Option<Timestamp>,
}

/// Entries, the newest first, at most `most`.
///
/// # Errors
/// The database is away.
pub async fn list(store: &Store, filter: &Filter<'_>, most: i64) -> Result<Vec<ListedAccess>, StoreError> {
    let client = store.client().await?;
    let rows = LIST
        .query(&client, &[&filter.device_sn, &filter.user_id, &filter.login, &filter.from, &most])
        .await?;
    rows.iter().map(|row| of_json(row, "entry")).collect()
}
