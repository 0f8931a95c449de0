//! `vitals.device_key_secret` and `device_key_revocation`: the secrets and the revocations of the keys of single devices.
//!
//! Before: `keys` reads both whole; `vitals keys` revokes, readmits and rotates. After: the tables, whose triggers announce a change
//! to every instance (`wake::Topic::ApiKey`).
//! Promise: nothing is stored about a device whose keys were never revoked.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio_postgres::Row;

use super::alert::of_json;
use super::{Statement, Store, StoreError, statement};
use crate::model::Id64;
use crate::model::device_key::{DeviceKeys, DeviceSecret, Revocation};

const LIST: Statement = statement!("device_key", "list");
const READMIT: Statement = statement!("device_key", "readmit");
const REVOCATIONS: Statement = statement!("device_key", "revocations");
const REVOKE: Statement = statement!("device_key", "revoke");
const ROTATE: Statement = statement!("device_key", "rotate");
const SECRETS: Statement = statement!("device_key", "secrets");

/// The owner of some device keys.
#[derive(Debug, Clone, Copy)]
pub enum KeyOwner<'a> {
    /// One device.
    Device(&'a str),
    /// All devices that belonged to a tenant when they received their keys, or belong to it now.
    Tenant(i64),
}

/// A revocation as it is listed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RevokedKeys {
    /// The device; `None`: it is of a tenant.
    pub device_sn: Option<String>,
    /// The tenant; `None`: it is of a device.
    pub customer_id: Option<Id64>,
    /// When.
    pub revoked_at: Timestamp,
    /// By whom.
    pub revoked_by: String,
    /// Since when new keys are handed out again.
    pub readmitted_at: Option<Timestamp>,
}

impl<'a> KeyOwner<'a> {
    const fn columns(self) -> (Option<&'a str>, Option<i64>) {
        match self {
            Self::Device(device_sn) => (Some(device_sn), None),
            Self::Tenant(customer_id) => (None, Some(customer_id)),
        }
    }
}

/// All secrets and revocations.
///
/// # Errors
/// The database is away.
pub async fn load(store: &Store) -> Result<DeviceKeys, StoreError> {
    let client = store.client().await?;
    let secrets = SECRETS.query(&client, &[]).await?.iter().map(secret).collect::<Result<_, _>>()?;
    let mut keys = DeviceKeys { secrets, ..DeviceKeys::default() };
    for row in REVOCATIONS.query(&client, &[]).await? {
        let revocation = Revocation {
            times: row.get("times"),
            newest: row.get("newest"),
            is_in_force: row.get("is_in_force"),
        };
        if let Some(device_sn) = row.get::<_, Option<Box<str>>>("device_sn") {
            keys.devices.insert(device_sn, revocation);
        } else if let Some(customer_id) = row.get::<_, Option<i64>>("customer_id") {
            keys.tenants.insert(customer_id, revocation);
        }
    }
    Ok(keys)
}

fn secret(row: &Row) -> Result<DeviceSecret, StoreError> {
    let secret = row.get::<_, &[u8]>("secret").try_into();
    let secret = secret.map_err(|_| StoreError::State("a device_key_secret has not 32 bytes".into()))?;
    Ok(DeviceSecret {
        generation: row.get("generation"),
        secret,
        ends_at: row.get("ends_at"),
        is_own: row.get("is_own"),
    })
}

/// Revokes keys. False: they are revoked already.
///
/// # Errors
/// The database is away, or refuses a text.
pub async fn revoke(store: &Store, of: KeyOwner<'_>, revoked_by: &str) -> Result<bool, StoreError> {
    let client = store.client().await?;
    let (device_sn, customer_id) = of.columns();
    Ok(REVOKE.execute(&client, &[&device_sn, &customer_id, &revoked_by]).await? > 0)
}

/// Lets new keys be issued again. False: they are issued.
///
/// # Errors
/// The database is away.
pub async fn readmit(store: &Store, of: KeyOwner<'_>) -> Result<bool, StoreError> {
    let client = store.client().await?;
    let (device_sn, customer_id) = of.columns();
    Ok(READMIT.execute(&client, &[&device_sn, &customer_id]).await? > 0)
}

/// Makes new keys with another secret from now on; keys of older secrets work until `others_until`. Returns the number of the secret.
///
/// # Errors
/// The database is away, or somebody else rotated it at the same moment.
pub async fn rotate(store: &Store, others_until: Timestamp) -> Result<i32, StoreError> {
    let client = store.client().await?;
    let rows = ROTATE.query(&client, &[&others_until]).await?;
    rows.first()
        .map(|row| row.get(0))
        .ok_or_else(|| StoreError::State("device_key.rotate gave no row".into()))
}

/// Revocations, the newest first; ended ones on request.
///
/// # Errors
/// The database is away.
pub async fn list(store: &Store, ended_too: bool) -> Result<Vec<RevokedKeys>, StoreError> {
    let client = store.client().await?;
    let rows = LIST.query(&client, &[&ended_too]).await?;
    rows.iter().map(|row| of_json(row, "revocation")).collect()
}
