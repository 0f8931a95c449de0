//! `vitals keys` for the keys that devices are handed with their configuration: revoked, readmitted, rotated, listed.
//!
//! Before: `command::keys`. After: `store::device_key`, whose changes take effect in every instance at once.
//! Promise: a revoked key never works again.

use std::process::ExitCode;

use anyhow::bail;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::{local, print};
use crate::command::text::{aligned, escape_control};
use crate::store::Store;
use crate::store::device_key::{self, KeyOwner, RevokedKeys};

/// Longest serial, bytes.
const MAX_SERIAL_BYTES: usize = 64;

/// The devices whose keys are meant.
#[derive(Debug, clap::Args)]
pub(super) struct DeviceKeyOwners {
    /// The key of this device, which it was handed with its configuration
    #[arg(long, value_name = "SERIAL", value_parser = serial)]
    device: Vec<String>,
    /// The keys of all devices that belonged to this tenant when they were handed a key, or belong to it since
    #[arg(long, value_name = "ID", value_parser = clap::value_parser!(i64).range(1..))]
    tenant: Vec<i64>,
}

impl DeviceKeyOwners {
    fn owners(&self) -> impl Iterator<Item = (KeyOwner<'_>, String)> {
        let devices =
            self.device.iter().map(|sn| (KeyOwner::Device(sn), format!("device {}", escape_control(sn))));
        devices.chain(self.tenant.iter().map(|id| (KeyOwner::Tenant(*id), format!("devices of tenant {id}"))))
    }

    pub(super) async fn revoke(&self, store: &Store, revoked_by: &str) -> anyhow::Result<ExitCode> {
        let mut code = ExitCode::SUCCESS;
        for (of, name) in self.owners() {
            if device_key::revoke(store, of, revoked_by).await? {
                print(&format!("{name}: keys revoked; no key is handed out until `vitals keys readmit`\n"))?;
            } else {
                eprintln!("vitals: {name}: revoked already");
                code = ExitCode::FAILURE;
            }
        }
        Ok(code)
    }

    pub(super) async fn readmit(&self, store: &Store) -> anyhow::Result<ExitCode> {
        if self.device.is_empty() && self.tenant.is_empty() {
            bail!("name the devices: --device or --tenant");
        }
        let mut code = ExitCode::SUCCESS;
        for (of, name) in self.owners() {
            if device_key::readmit(store, of).await? {
                print(&format!("{name}: new keys are handed out; the old ones stay revoked\n"))?;
            } else {
                eprintln!("vitals: {name}: not revoked");
                code = ExitCode::FAILURE;
            }
        }
        Ok(code)
    }
}

pub(super) async fn rotate(store: &Store, others_until: Timestamp, until: &str) -> anyhow::Result<()> {
    let generation = device_key::rotate(store, others_until).await?;
    print(&format!(
        "device keys are derived from secret {generation} from now on; the old ones work until {until}\n"
    ))?;
    Ok(())
}

/// Revocations, as text or as JSON; nothing where there are none.
pub(super) fn revocations(revoked: &[RevokedKeys], is_json: bool, zone: &TimeZone) -> String {
    if is_json {
        let line =
            |one: &RevokedKeys| format!("{}\n", serde_json::to_string(one).expect("a revocation is JSON"));
        return revoked.iter().map(line).collect();
    }
    if revoked.is_empty() {
        return String::new();
    }
    let mut lines = vec![["device keys of", "revoked", "by", "readmitted"].map(str::to_owned)];
    lines.extend(revoked.iter().map(|one| {
        let of_tenant = || one.customer_id.map_or_else(|| "-".to_owned(), |id| format!("tenant {id}"));
        [
            one.device_sn.as_deref().map_or_else(of_tenant, escape_control),
            local(one.revoked_at, zone),
            escape_control(&one.revoked_by),
            one.readmitted_at.map_or_else(|| "-".to_owned(), |at| local(at, zone)),
        ]
    }));
    format!("\n{}", aligned(&lines))
}

fn serial(text: &str) -> Result<String, String> {
    let text = text.trim();
    match text.len() {
        1..=MAX_SERIAL_BYTES => Ok(text.to_owned()),
        _ => Err(format!("a serial has 1 to {MAX_SERIAL_BYTES} bytes")),
    }
}
