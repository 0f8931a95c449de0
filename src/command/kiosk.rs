//! `vitals kiosk`: links for screens on a wall.
//!
//! Before: an operator; no service has to run. After: `store::kiosk_link`; a change takes effect in every instance at once.
//! Promise: a link is shown once, when it is created, on standard output and nowhere else; only a hash of its token is stored.

use std::process::ExitCode;

use anyhow::bail;
use clap::Subcommand;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::actor::Actor;
use super::keys::{Expiry, local, now, random_bytes};
use super::text::{aligned, escape_control, print};
use crate::config::Settings;
use crate::model::KioskLink;
use crate::model::session::Token;
use crate::store::Store;
use crate::store::kiosk_link::{self, NewLink};

/// What to do with kiosk links.
#[derive(Debug, Subcommand)]
pub enum Action {
    /// Create a link and print it, this once: whoever opens it sees the wall of one tenant or unit, and can change nothing
    Create(CreateOptions),
    /// List the links in force: what they show, when they were last used
    List(ListOptions),
    /// Revoke links at once
    Revoke(RevokeOptions),
}

/// Options of `create`.
#[derive(Debug, clap::Args)]
pub struct CreateOptions {
    /// Which screen it is for
    #[arg(value_name = "NAME")]
    name: String,
    /// The tenant that it shows
    #[arg(long, value_name = "ID", value_parser = clap::value_parser!(i64).range(1..))]
    tenant: i64,
    /// An organisation unit of the tenant that it shows, with its sub-units. Default: the whole tenant
    #[arg(long, value_name = "ID", value_parser = clap::value_parser!(i64).range(1..))]
    unit: Option<i64>,
    /// Show initials in place of names, and no positions
    #[arg(long)]
    private: bool,
    #[command(flatten)]
    expiry: Expiry,
    #[command(flatten)]
    actor: Actor,
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

/// Options of `revoke`.
#[derive(Debug, clap::Args)]
pub struct RevokeOptions {
    /// Links: names, or numbers as `list` shows them
    #[arg(value_name = "LINK", required = true)]
    links: Vec<String>,
}

/// Runs the action.
///
/// # Errors
/// The database is away, or there is a link of this name.
pub async fn run(action: Action, settings: &Settings) -> anyhow::Result<ExitCode> {
    let store = Store::new(settings)?;
    let zone = settings.device_zone();
    match action {
        Action::Create(options) => create(&options, &store, &zone, settings).await?,
        Action::List(options) => list(&options, &store, &zone).await?,
        Action::Revoke(options) => return revoke(&options, &store).await,
    }
    Ok(ExitCode::SUCCESS)
}

async fn create(
    options: &CreateOptions,
    store: &Store,
    zone: &TimeZone,
    settings: &Settings,
) -> anyhow::Result<()> {
    let token = Token::of(random_bytes()?);
    let draft = NewLink {
        name: options.name.trim(),
        token_hash: token.hash(),
        customer_id: options.tenant,
        org_id: options.unit,
        is_private: options.private,
        created_by: &options.actor.name()?,
        expires_at: options.expiry.at(&now(store).await?.to_zoned(zone.clone()))?,
    };
    if !kiosk_link::add(store, &draft).await? {
        bail!("there is a link {:?} already: revoke it, or choose another name", draft.name);
    }
    let base = settings.public_url(settings.listen);
    print(&format!("{}/kiosk/{}\n", base.as_deref().unwrap_or_default(), token.text()))?;
    eprintln!("it is not shown again: open it in the browser of the screen");
    if base.is_none() {
        eprintln!("put the address of the service in front, or set public_base_url");
    }
    Ok(())
}

async fn revoke(options: &RevokeOptions, store: &Store) -> anyhow::Result<ExitCode> {
    let mut code = ExitCode::SUCCESS;
    for named in &options.links {
        match kiosk_link::revoke(store, named).await? {
            Some(name) => print(&format!("link {} no longer works\n", escape_control(&name)))?,
            None => {
                eprintln!("vitals: there is no link {named:?}");
                code = ExitCode::FAILURE;
            }
        }
    }
    Ok(code)
}

async fn list(options: &ListOptions, store: &Store, zone: &TimeZone) -> anyhow::Result<()> {
    let links = kiosk_link::list(store, options.all).await?;
    let text = if options.json {
        let line = |link: &KioskLink| format!("{}\n", serde_json::to_string(link).expect("a link is JSON"));
        links.iter().map(line).collect()
    } else {
        table(&links, zone)
    };
    Ok(print(&text)?)
}

fn table(links: &[KioskLink], zone: &TimeZone) -> String {
    if links.is_empty() {
        return "there is no link: `vitals kiosk create` creates one\n".to_owned();
    }
    let time = |at: Option<Timestamp>| at.map_or_else(|| "-".to_owned(), |at| local(at, zone));
    let named = |id: String, name: Option<&String>| match name {
        Some(name) => format!("{} ({id})", escape_control(name)),
        None => id,
    };
    let mut lines =
        vec![["link", "name", "tenant", "unit", "private", "made", "ends", "last used"].map(str::to_owned)];
    lines.extend(links.iter().map(|link| {
        [
            link.kiosk_link_id.to_string(),
            escape_control(&link.name),
            named(link.customer_id.to_string(), link.tenant_name.as_ref()),
            link.org_id.map_or_else(|| "-".to_owned(), |id| named(id.to_string(), link.unit_name.as_ref())),
            if link.is_private { "yes" } else { "no" }.to_owned(),
            local(link.created_at, zone),
            match link.revoked_at {
                Some(at) => format!("revoked {}", local(at, zone)),
                None => time(link.expires_at),
            },
            time(link.last_used_at),
        ]
    }));
    aligned(&lines)
}
