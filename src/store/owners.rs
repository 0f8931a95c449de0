//! Who owns devices, and notifications of changes.
//!
//! Before: `owners` asks for what is not in its cache, and follows changes. After: the tables of the directory (`customer`,
//! `org_unit`, `app_user`, `device_binding`), whoever changes them.
//! Promise: owners come with the version of the directory at which they were read; a change whose notification is lost is soon
//! followed by [`OwnerChange::Disconnected`].

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::timeout;
use tokio_postgres::{Client, Row};

use super::{Statement, Store, StoreError, statement};
use crate::model::tenant::{Directory, ForeignIds, UnverifiedIds};
use crate::model::{Owner, OwnerSlot, Tenure};

const TENURES: Statement = statement!("owners", "tenures");
const AT: Statement = statement!("owners", "at");
const FOREIGN: Statement = statement!("owners", "foreign");
const VERSION: Statement = statement!("owners", "version");

/// A version of a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// Distinguishes the directories of two databases.
    pub directory_id: String,
    /// Raised by every change of an owner.
    pub number: i64,
}

/// The owners of devices at a version.
#[derive(Debug)]
pub struct Tenures {
    /// The version at which they were read.
    pub version: Version,
    /// By serial; one for each device that was asked about.
    pub by_device: HashMap<Box<str>, Tenure>,
}

/// The current owners of `device_sns` (each once, at least one).
///
/// # Errors
/// The database is away.
pub async fn tenures(store: &Store, device_sns: &[&str]) -> Result<Tenures, StoreError> {
    let client = store.client().await?;
    let rows = TENURES.query(&client, &[&device_sns]).await?;
    let first = rows.first().ok_or_else(|| StoreError::State("vitals.directory has no row".into()))?;
    let version = version_of(first);
    let by_device = rows.iter().map(|row| (row.get("device_sn"), tenure(row))).collect();
    Ok(Tenures { version, by_device })
}

/// Completes owners by what the directory says of each device at its time, without any cache.
///
/// # Errors
/// The database is away; nothing was completed.
pub async fn fill<'a>(store: &Store, slots: impl Iterator<Item = OwnerSlot<'a>>) -> Result<(), StoreError> {
    let incomplete: Vec<OwnerSlot<'a>> = slots.filter(|slot| !slot.owner.is_complete()).collect();
    if incomplete.is_empty() {
        return Ok(());
    }
    let pairs: BTreeSet<(&str, Timestamp)> =
        incomplete.iter().map(|slot| (slot.device_sn, slot.ts)).collect();
    let (device_sns, instants): (Vec<&str>, Vec<Timestamp>) = pairs.into_iter().unzip();
    let client = store.client().await?;
    let rows = AT.query(&client, &[&device_sns, &instants]).await?;
    let owners: HashMap<(&str, Timestamp), Owner> =
        rows.iter().map(|row| ((row.get("device_sn"), row.get("ts")), owner(row))).collect();
    for slot in incomplete {
        if let Some(owner) = owners.get(&(slot.device_sn, slot.ts)) {
            slot.owner.complete_from(owner);
        }
    }
    Ok(())
}

/// Which of these units and wearers are another tenant's.
///
/// # Errors
/// The database is away.
pub async fn foreign(store: &Store, unverified: &UnverifiedIds) -> Result<ForeignIds, StoreError> {
    if unverified.is_empty() {
        return Ok(ForeignIds::default());
    }
    let (org_tenants, org_ids): (Vec<i64>, Vec<i64>) = unverified.org_ids.iter().copied().unzip();
    let (user_tenants, user_ids): (Vec<i64>, Vec<i64>) = unverified.user_ids.iter().copied().unzip();
    let client = store.client().await?;
    let rows = FOREIGN.query(&client, &[&org_tenants, &org_ids, &user_tenants, &user_ids]).await?;
    let mut foreign = ForeignIds::default();
    for row in rows {
        let tenant: i64 = row.get("customer_id");
        let with_tenant = |id: Option<i64>| id.map(|id| (tenant, id));
        foreign.org_ids.extend(with_tenant(row.get("org_id")));
        foreign.user_ids.extend(with_tenant(row.get("user_id")));
    }
    Ok(foreign)
}

/// By what the database says now, without any cache.
impl Directory for Store {
    type Error = StoreError;

    async fn fill(&self, slots: Vec<OwnerSlot<'_>>) -> Result<(), StoreError> {
        fill(self, slots.into_iter()).await
    }

    async fn foreign(&self, unverified: UnverifiedIds) -> Result<ForeignIds, StoreError> {
        foreign(self, &unverified).await
    }
}

/// A change of the directory, or of the connection that listens for changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OwnerChange {
    /// Changes after this version are notified from now on; earlier ones are not.
    Listening(Version),
    /// Owners changed.
    Changed {
        /// The version number after the change.
        number: i64,
        /// The serials; `None`: of any device.
        device_sns: Option<Vec<Box<str>>>,
    },
    /// The connection is lost: changes are not notified until the next [`OwnerChange::Listening`].
    Disconnected,
}

/// The version of the directory.
///
/// # Errors
/// The database is away.
pub(super) async fn version(client: &Client, deadline: Duration) -> Result<Version, StoreError> {
    let rows = timeout(deadline, client.query(VERSION.sql, &[]))
        .await
        .map_err(|_| StoreError::Timeout(VERSION.name))?
        .map_err(|source| StoreError::Postgres { statement: VERSION.name, source })?;
    let row = rows.first().ok_or_else(|| StoreError::State("vitals.directory has no row".into()))?;
    Ok(version_of(row))
}

/// `<version> *` or `<version> ["serial", …]`.
pub(super) fn parse_change(payload: &str) -> Option<OwnerChange> {
    let (number, devices) = payload.split_once(' ')?;
    let number = number.parse().ok()?;
    let device_sns = match devices {
        "*" => None,
        devices => Some(serde_json::from_str(devices).ok()?),
    };
    Some(OwnerChange::Changed { number, device_sns })
}

fn version_of(row: &Row) -> Version {
    Version { directory_id: row.get("directory_id"), number: row.get("version") }
}

fn tenure(row: &Row) -> Tenure {
    // A bound outside the range of `Timestamp` is no bound.
    let instant = |name| row.get::<_, Option<i64>>(name).and_then(|us| Timestamp::from_microsecond(us).ok());
    Tenure { owner: owner(row), since: instant("since_us"), until: instant("until_us") }
}

fn owner(row: &Row) -> Owner {
    Owner { customer_id: row.get("customer_id"), org_id: row.get("org_id"), user_id: row.get("user_id") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notification_names_devices_or_any() {
        let some = OwnerChange::Changed { number: 7, device_sns: Some(vec!["A 1".into(), "B\"2".into()]) };
        assert_eq!(parse_change(r#"7 ["A 1","B\"2"]"#), Some(some));
        assert_eq!(parse_change("8 *"), Some(OwnerChange::Changed { number: 8, device_sns: None }));
        for strange in ["", "8", "x *", "8 [", "8 {}"] {
            assert_eq!(parse_change(strange), None, "{strange}");
        }
    }
}
