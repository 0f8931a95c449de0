//! `vitals keys`: API keys.
//!
//! Before: an operator; no service has to run. After: `store::api_key`; a change takes effect in every instance at once.
//! Promise: a key is shown once, when it is created, on standard output and nowhere else; only a hash of its secret is stored.

mod create;
mod devices;

use std::process::ExitCode;

use anyhow::{Context, bail};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use clap::{Subcommand, ValueEnum};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp, Zoned};
use rand::TryRngCore;
use rand::rngs::OsRng;

use super::actor::Actor;
use super::text::{aligned, escape_control, print};
use super::time_option;
use crate::config::Settings;
use crate::model::api_key::{ApiKey, KeyId, PresentedKey};
use crate::store::api_key;
use crate::store::clock::Clock;
use crate::store::{Store, device_key};
pub use create::CreateOptions;
use devices::DeviceKeyOwners;

/// What to do with API keys.
#[derive(Debug, Subcommand)]
pub enum Action {
    /// Create a key and print it, this once
    Create(CreateOptions),
    /// List the keys in force: their tenant, what they may do, when they were last used
    List(ListOptions),
    /// Give a key a new secret and print it, this once; the old secret works for a while longer
    Rotate(RotateOptions),
    /// Revoke keys at once: by name, or those that devices are handed with their configuration
    Revoke(RevokeOptions),
    /// Hand new keys to devices after a revocation; the old keys stay revoked
    Readmit(ReadmitOptions),
}

/// When a key or a link expires.
#[derive(Debug, clap::Args)]
#[group(multiple = false)]
pub(super) struct Expiry {
    /// How long it is valid: 90d, 1y
    #[arg(long = "for", value_name = "TIME")]
    for_: Option<String>,
    /// When it expires: a time (2026-01-31, "2026-01-31 08:00", in the device time zone; RFC 3339)
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
}

/// Options of `list`.
#[derive(Debug, clap::Args)]
pub struct ListOptions {
    /// Include those that are revoked or expired
    #[arg(long)]
    all: bool,
    /// One JSON object a line
    #[arg(long)]
    json: bool,
}

/// Options of `rotate`.
#[derive(Debug, clap::Args)]
pub struct RotateOptions {
    /// The key: what stands between vk_ and the secret, or its name
    #[arg(value_name = "KEY", required_unless_present = "devices")]
    key: Option<String>,
    /// Rotate the secret from which the keys of all devices are derived; each device gets its new key with its next configuration
    #[arg(long, conflicts_with_all = ["key", "for_", "until", "format"])]
    devices: bool,
    /// How long the old secret works too, so that clients can change to the new one. 0s: it was stolen
    #[arg(long, value_name = "TIME", default_value = "7d")]
    overlap: String,
    #[command(flatten)]
    expiry: Expiry,
    /// Print it as this
    #[arg(long = "as", value_name = "FORM", value_enum, default_value_t = KeyFormat::Key)]
    format: KeyFormat,
}

/// Options of `revoke`.
#[derive(Debug, clap::Args)]
pub struct RevokeOptions {
    /// Keys: what stands between vk_ and the secret, or names
    #[arg(value_name = "KEY", required_unless_present_any = ["device", "tenant"])]
    keys: Vec<String>,
    #[command(flatten)]
    of: DeviceKeyOwners,
    #[command(flatten)]
    actor: Actor,
}

/// Options of `readmit`.
#[derive(Debug, clap::Args)]
pub struct ReadmitOptions {
    #[command(flatten)]
    of: DeviceKeyOwners,
}

/// How a key is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum KeyFormat {
    /// The key itself
    Key,
    /// Value of an Authorization header, as `Bearer`
    Bearer,
    /// Value of an Authorization header, as `Basic`
    Basic,
}

/// Runs the action.
///
/// # Errors
/// The database is away, or the action is not possible.
pub async fn run(action: Action, settings: &Settings) -> anyhow::Result<ExitCode> {
    let store = Store::new(settings)?;
    let zone = settings.device_zone();
    match action {
        Action::Create(options) => create::run(options, &store, &zone).await?,
        Action::List(options) => list(&options, &store, &zone).await?,
        Action::Rotate(options) => rotate(options, &store, &zone).await?,
        Action::Revoke(options) => return revoke(&options, &store).await,
        Action::Readmit(options) => return options.of.readmit(&store).await,
    }
    Ok(ExitCode::SUCCESS)
}

async fn rotate(options: RotateOptions, store: &Store, zone: &TimeZone) -> anyhow::Result<()> {
    let overlap: Span = options.overlap.parse().context("--overlap is not a time such as 7d")?;
    let now = now(store).await?.to_zoned(zone.clone());
    let previous_until = now.checked_add(overlap.abs())?.timestamp();
    let Some(named) = options.key else {
        return devices::rotate(store, previous_until, &local(previous_until, zone)).await;
    };
    let secret = random_bytes()?;
    // The public part of the key stays the same.
    let of = |key_id| PresentedKey::of(key_id, secret);
    let secret_hash = of(KeyId::of([0; 6])).secret_hash();
    let end = options.expiry.at(&now)?;
    let Some(rotated) = api_key::rotate(store, &named, secret_hash, previous_until, end).await? else {
        bail!("there is no key {named:?} in force");
    };
    let key_id = rotated.key_id.parse().context("the stored public part is invalid")?;
    print(&format!("{}\n", options.format.text(&of(key_id))))?;
    let until = local(previous_until, zone);
    eprintln!("key {key_id}: it is not shown again; the old secret works until {until}");
    if rotated.expires_at.is_some_and(|at| at <= now.timestamp()) {
        eprintln!("the key itself has expired: rotate it with --for or --until");
    }
    Ok(())
}

async fn revoke(options: &RevokeOptions, store: &Store) -> anyhow::Result<ExitCode> {
    let mut code = options.of.revoke(store, &options.actor.name()?).await?;
    for named in &options.keys {
        match api_key::revoke(store, named).await? {
            Some(key) => {
                print(&format!("key {} ({}) no longer works\n", key.key_id, escape_control(&key.name)))?
            }
            None => {
                eprintln!("vitals: there is no key {named:?}");
                code = ExitCode::FAILURE;
            }
        }
    }
    Ok(code)
}

async fn list(options: &ListOptions, store: &Store, zone: &TimeZone) -> anyhow::Result<()> {
    let keys = api_key::list(store, options.all).await?;
    let mut text = if options.json {
        let line = |key: &ApiKey| format!("{}\n", serde_json::to_string(key).expect("a key is JSON"));
        keys.iter().map(line).collect()
    } else {
        table(&keys, zone)
    };
    text += &devices::revocations(&device_key::list(store, options.all).await?, options.json, zone);
    Ok(print(&text)?)
}

/// The time of PostgreSQL, by which keys and links expire.
pub(super) async fn now(store: &Store) -> anyhow::Result<Timestamp> {
    Ok(Clock::read(store).await?.now())
}

fn table(keys: &[ApiKey], zone: &TimeZone) -> String {
    if keys.is_empty() {
        return "there is no key: `vitals keys create` creates one\n".to_owned();
    }
    let time = |at: Option<Timestamp>| at.map_or_else(|| "-".to_owned(), |at| local(at, zone));
    let mut lines = vec![
        ["key", "name", "tenant", "unit", "person", "scopes", "made", "ends", "last used"].map(str::to_owned),
    ];
    lines.extend(keys.iter().map(|key| {
        let scopes: Vec<&str> = key.scopes.iter().map(|scope| scope.name()).collect();
        let ends = match key.revoked_at {
            Some(at) => format!("revoked {}", local(at, zone)),
            None => time(key.expires_at),
        };
        [
            key.key_id.clone(),
            escape_control(&key.name),
            key.customer_id.map_or_else(|| "every".to_owned(), |id| id.to_string()),
            key.org_id.map_or_else(|| "-".to_owned(), |id| id.to_string()),
            match (&key.actor, key.may_vouch) {
                (Some(actor), _) => escape_control(actor),
                (None, true) => "as named".to_owned(),
                (None, false) => "-".to_owned(),
            },
            scopes.join(","),
            local(key.created_at, zone),
            ends,
            time(key.last_used_at),
        ]
    }));
    aligned(&lines)
}

impl Expiry {
    /// Counted from `now`.
    pub(super) fn at(&self, now: &Zoned) -> anyhow::Result<Option<Timestamp>> {
        let at = match &self.for_ {
            Some(text) => {
                let span: Span = text.parse().context("--for is not a time such as 90d")?;
                Some(now.checked_add(span)?.timestamp())
            }
            None => time_option::parse(self.until.as_deref(), "--until", now)?,
        };
        if at.is_some_and(|at| at <= now.timestamp()) {
            bail!("it would expire before it begins");
        }
        Ok(at)
    }
}

impl KeyFormat {
    fn text(self, key: &PresentedKey) -> String {
        let key = key.text();
        match self {
            Self::Key => key,
            Self::Bearer => format!("Bearer {key}"),
            Self::Basic => format!("Basic {}", BASE64_STANDARD.encode(format!("vitals:{key}"))),
        }
    }
}

/// Bytes from the random number generator of the operating system.
pub(crate) fn random_bytes<const N: usize>() -> anyhow::Result<[u8; N]> {
    let mut bytes = [0; N];
    OsRng.try_fill_bytes(&mut bytes).context("the system gives no random bytes")?;
    Ok(bytes)
}

pub(super) fn local(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone()).strftime("%F %H:%M").to_string()
}
