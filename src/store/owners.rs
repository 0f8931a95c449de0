//! Whom devices belong to, and the news of a change.
//!
//! Before: `owners` asks for what it does not remember, and follows the changes. After: the directory (`customer`,
//! `org_unit`, `app_user`, `device_binding`), whoever changes it.
//! Promise: owners come with the version of the directory they were read at; a change that is not told is followed by
//! [`Change::Disconnected`] before long.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::timeout;
use tokio_postgres::{Client, Row};

use super::{Statement, Store, StoreError, statement};
use crate::model::tenant::{self, Doubts, Foreign, Probe};
use crate::model::upload::Sent;
use crate::model::{Owned, Owner, Reject, Tenure, Upload};

const TENURES: Statement = statement!("owners", "tenures");
const AT: Statement = statement!("owners", "at");
const FOREIGN: Statement = statement!("owners", "foreign");
const VERSION: Statement = statement!("owners", "version");

/// Which directory, and how far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// Tells the directories of two databases apart.
    pub directory_id: String,
    /// Raised by every change of an owner.
    pub number: i64,
}

/// What devices belonged to at a version.
#[derive(Debug)]
pub struct Tenures {
    /// When it was so.
    pub version: Version,
    /// By serial; one for each that was asked for.
    pub by_device: HashMap<Box<str>, Tenure>,
}

/// Whom `device_sns` (each once, at least one) belong to now.
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

/// Completes the owners of what devices sent from what the directory says of the time of each, without any memory.
///
/// # Errors
/// The database is away; nothing was completed.
pub async fn fill<'a, T: Owned + 'a>(
    store: &Store,
    sent: impl Iterator<Item = &'a mut T>,
) -> Result<(), StoreError> {
    let sent: Vec<&mut T> = sent.filter(|one| !one.owner().is_complete()).collect();
    if sent.is_empty() {
        return Ok(());
    }
    let pairs: BTreeSet<(&str, Timestamp)> = sent.iter().map(|one| (one.device_sn(), one.ts())).collect();
    let (device_sns, instants): (Vec<&str>, Vec<Timestamp>) = pairs.into_iter().unzip();
    let client = store.client().await?;
    let rows = AT.query(&client, &[&device_sns, &instants]).await?;
    let owners: HashMap<(&str, Timestamp), Owner> =
        rows.iter().map(|row| ((row.get("device_sn"), row.get("ts")), owner(row))).collect();
    for one in sent {
        if let Some(owner) = owners.get(&(one.device_sn(), one.ts())).copied() {
            one.owner_mut().complete_from(&owner);
        }
    }
    Ok(())
}

/// What of it is another tenant's.
///
/// # Errors
/// The database is away.
pub async fn foreign(store: &Store, doubts: &Doubts) -> Result<Foreign, StoreError> {
    if doubts.is_none() {
        return Ok(Foreign::default());
    }
    let (org_tenants, org_ids): (Vec<i64>, Vec<i64>) = doubts.org_ids.iter().copied().unzip();
    let (user_tenants, user_ids): (Vec<i64>, Vec<i64>) = doubts.user_ids.iter().copied().unzip();
    let client = store.client().await?;
    let rows = FOREIGN.query(&client, &[&org_tenants, &org_ids, &user_tenants, &user_ids]).await?;
    let mut foreign = Foreign::default();
    for row in rows {
        let tenant: i64 = row.get("customer_id");
        let of_tenant = |id: Option<i64>| id.map(|id| (tenant, id));
        foreign.org_ids.extend(of_tenant(row.get("org_id")));
        foreign.user_ids.extend(of_tenant(row.get("user_id")));
    }
    Ok(foreign)
}

/// Keeps what is the tenant's (`customer_id` as in `rejected_upload.key_customer_id`) of an upload, by what the directory says
/// now, without any memory; the rest becomes rejects.
///
/// # Errors
/// The database is away; nothing was changed.
pub async fn keep_own(store: &Store, upload: &mut Upload, customer_id: i64) -> Result<(), StoreError> {
    async fn keep<T: Sent>(
        store: &Store,
        sent: &mut Vec<T>,
        rejects: &mut Vec<Reject>,
        customer_id: i64,
    ) -> Result<(), StoreError> {
        let mut probes: Vec<Probe> = sent.iter().map(Probe::of).collect();
        fill(store, probes.iter_mut()).await?;
        let mut doubts = Doubts::default();
        for (one, probe) in sent.iter().zip(&probes) {
            doubts.add(one, &probe.owner, customer_id);
        }
        let foreign = foreign(store, &doubts).await?;
        tenant::keep_own(sent, probes.into_iter().map(|probe| probe.owner), &foreign, customer_id, rejects);
        Ok(())
    }
    keep(store, &mut upload.items, &mut upload.rejects, customer_id).await?;
    keep(store, &mut upload.events, &mut upload.rejects, customer_id).await?;
    keep(store, &mut upload.device_infos, &mut upload.rejects, customer_id).await
}

/// What `store::notifier` hears of the directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Changes are notified from now on; those before this version are not.
    Connected(Version),
    /// Owners changed.
    Changed {
        /// By how far.
        number: i64,
        /// The serials; `None`: of any device.
        device_sns: Option<Vec<Box<str>>>,
    },
    /// The connection is lost: changes are not notified until the next [`Change::Connected`].
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
pub(super) fn parse_change(payload: &str) -> Option<Change> {
    let (number, devices) = payload.split_once(' ')?;
    let number = number.parse().ok()?;
    let device_sns = match devices {
        "*" => None,
        devices => Some(serde_json::from_str(devices).ok()?),
    };
    Some(Change::Changed { number, device_sns })
}

fn version_of(row: &Row) -> Version {
    Version { directory_id: row.get("directory_id"), number: row.get("version") }
}

fn tenure(row: &Row) -> Tenure {
    // A bound beyond what the clock can show is none.
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
        let some = Change::Changed { number: 7, device_sns: Some(vec!["A 1".into(), "B\"2".into()]) };
        assert_eq!(parse_change(r#"7 ["A 1","B\"2"]"#), Some(some));
        assert_eq!(parse_change("8 *"), Some(Change::Changed { number: 8, device_sns: None }));
        for strange in ["", "8", "x *", "8 [", "8 {}"] {
            assert_eq!(parse_change(strange), None, "{strange}");
        }
    }
}
