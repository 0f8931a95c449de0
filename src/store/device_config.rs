//! `device_config`, `device_config_metric`, `device_config_interface`: the configuration of watches.
//!
//! Before: `http::device_config` is asked by a watch. After: the tables a DBA changes.

use serde::Deserialize;
use tokio_postgres::Row;
use tokio_postgres::types::Json;

use super::{Statement, Store, StoreError, statement};
use crate::model::Owner;

const HEADERS: Statement = statement!("device_config", "headers");
const READ: Statement = statement!("device_config", "read");

/// The configuration of a watch.
#[derive(Debug)]
pub struct DeviceConfig {
    /// Who owns the device; an unbound device gets the tenant it names, if any.
    pub owner: Owner,
    /// Name of the tenant; empty: none.
    pub customer_name: String,
    /// `wifi` or `bluetooth`.
    pub upload_method: String,
    /// Whether it checks a licence.
    pub is_support_license: bool,
    /// The licence.
    pub license_key: i32,
    /// Samples it keeps.
    pub cache_max_count: i32,
    /// Whether it uploads kept samples later.
    pub enable_resume: bool,
    /// Tries of an upload.
    pub upload_retry_count: i32,
    /// Pause between them, seconds.
    pub upload_retry_interval_seconds: i32,
    /// What to measure.
    pub metrics: Vec<Metric>,
    /// Where to send it.
    pub interfaces: Vec<Interface>,
}

/// A row of `device_config_metric`. `None`: none.
#[derive(Debug, Deserialize)]
pub struct Metric {
    /// Its name.
    pub metric: String,
    /// Seconds between two measurements.
    pub interval_seconds: Option<i32>,
    /// Whether it is measured.
    pub collect: bool,
    /// Whether it is uploaded as it comes.
    pub realtime: bool,
    /// The watch warns above it.
    pub warn_high: Option<f64>,
    /// The watch warns below it.
    pub warn_low: Option<f64>,
    /// Readings in a row before it warns.
    pub warn_count: Option<i32>,
}

/// A row of `device_config_interface`.
#[derive(Debug, Deserialize)]
pub struct Interface {
    /// Its name.
    pub name: String,
    /// Path below the service's own URL, or a whole URL.
    pub path: String,
    /// Seconds between two calls.
    pub interval_seconds: i32,
    /// Whether it is called.
    pub enabled: bool,
    /// By what number the caller is known.
    pub api_id: String,
    /// What is sent as Authorization.
    pub auth_header: String,
}

impl Interface {
    /// Whether an operator set the header.
    pub fn has_header(&self) -> bool {
        !self.auth_header.trim().is_empty()
    }
}

/// The configuration for a device that names this tenant (0: none) and this serial (empty: none); `None`: there is no such tenant.
///
/// # Errors
/// The database is away, or the defaults were deleted.
pub async fn read(
    store: &Store,
    customer_id: i64,
    device_sn: &str,
) -> Result<Option<DeviceConfig>, StoreError> {
    let client = store.client().await?;
    let rows = READ.query(&client, &[&customer_id, &device_sn]).await?;
    let row = rows
        .first()
        .ok_or_else(|| StoreError::State("device_config has no row of tenant 0, the defaults".into()))?;
    if !row.get::<_, bool>("is_known") {
        return Ok(None);
    }
    let Json(metrics) = row.get("metrics");
    let Json(interfaces) = row.get("interfaces");
    Ok(Some(DeviceConfig {
        owner: Owner {
            customer_id: row.get("customer_id"),
            org_id: row.get("org_id"),
            user_id: row.get("user_id"),
        },
        customer_name: row.get("customer_name"),
        upload_method: row.get("upload_method"),
        is_support_license: row.get("is_support_license"),
        license_key: row.get("license_key"),
        cache_max_count: row.get("cache_max_count"),
        enable_resume: row.get("enable_resume"),
        upload_retry_count: row.get("upload_retry_count"),
        upload_retry_interval_seconds: row.get("upload_retry_interval_seconds"),
        metrics,
        interfaces,
    }))
}

/// The Authorization header that watches of a tenant send.
#[derive(Debug)]
pub struct AuthHeader {
    /// Tenant; 0: all tenants.
    pub customer_id: i64,
    /// The interface.
    pub name: String,
    /// The header.
    pub auth_header: String,
}

/// Every Authorization header in the configuration of watches.
///
/// # Errors
/// The database is away.
pub async fn headers(store: &Store) -> Result<Vec<AuthHeader>, StoreError> {
    let client = store.client().await?;
    let rows = HEADERS.query(&client, &[]).await?;
    let header = |row: &Row| AuthHeader {
        customer_id: row.get("customer_id"),
        name: row.get("name"),
        auth_header: row.get("auth_header"),
    };
    Ok(rows.iter().map(header).collect())
}
