//! `vitals alerts address`: where contacts are reached.

use std::process::ExitCode;

use anyhow::bail;

use super::{each, header, json_line, print_text, warn};
use crate::command::text::{aligned, escape_control, print};
use crate::language::{Locale, text};
use crate::model::{AddressChange, AddressDraft, AddressSummary, Id64};
use crate::store::Store;
use crate::store::contact_address::{self, AddressFilter, AddressOutcome};

/// What to do with addresses.
#[derive(Debug, clap::Subcommand)]
pub enum Action {
    /// List addresses; of robots and webhooks only what is no password
    List(ListOptions),
    /// Add an address of a contact
    Add(AddOptions),
    /// Change an address, or whether it is used
    Set(SetOptions),
    /// Remove addresses
    Remove(RemoveOptions),
}

/// Options of `list`.
#[derive(Debug, clap::Args)]
pub struct ListOptions {
    /// Of this contact
    #[arg(long, value_name = "ID")]
    contact: Option<i64>,
    /// Of the contacts of this tenant
    #[arg(long, value_name = "ID")]
    customer: Option<i64>,
    /// One JSON object a line
    #[arg(long)]
    json: bool,
}

/// Options of `add`.
#[derive(Debug, clap::Args)]
pub struct AddOptions {
    /// Whose: number of the contact, as `contacts` shows it
    #[arg(long, value_name = "ID")]
    contact: i64,
    /// Channel: webhook, wecom, wecom_robot, wechat, email …
    #[arg(long, value_name = "CHANNEL")]
    channel: String,
    /// Openid, user id, token of a robot, number (+8613800138000), e-mail address, or URL
    #[arg(long, value_name = "ADDRESS")]
    address: String,
    /// What its messages are signed with
    #[arg(long, value_name = "SECRET")]
    secret: Option<String>,
    /// Whether it is used; default: true
    #[arg(long, value_name = "BOOL")]
    enabled: Option<bool>,
}

/// Options of `set`.
#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("what").required(true).multiple(true).args(["address", "secret", "enabled"]))]
pub struct SetOptions {
    /// Number, as `list` shows it
    #[arg(value_name = "ID")]
    id: i64,
    /// Another address of the same channel
    #[arg(long, value_name = "ADDRESS")]
    address: Option<String>,
    /// What its messages are signed with; none: no secret any more
    #[arg(long, value_name = "SECRET")]
    secret: Option<String>,
    /// Whether it is used
    #[arg(long, value_name = "BOOL")]
    enabled: Option<bool>,
}

/// Options of `remove`.
#[derive(Debug, clap::Args)]
pub struct RemoveOptions {
    /// Numbers, as `list` shows them
    #[arg(value_name = "ID", required = true)]
    ids: Vec<i64>,
}

pub(super) async fn run(action: Action, locale: &Locale, store: &Store) -> anyhow::Result<ExitCode> {
    match action {
        Action::List(options) => list(&options, locale, store).await,
        Action::Add(options) => {
            let draft = AddressDraft {
                contact_id: Id64(options.contact),
                channel: options.channel,
                address: options.address,
                secret: options.secret,
                enabled: options.enabled.unwrap_or(true),
            };
            stored(contact_address::add(store, &draft).await?, 0, locale)
        }
        Action::Set(options) => {
            let secret = options.secret.map(|secret| Some(secret).filter(|secret| secret != "none"));
            let change = AddressChange { address: options.address, secret, enabled: options.enabled };
            stored(contact_address::change(store, options.id, &change).await?, options.id, locale)
        }
        Action::Remove(options) => {
            let remove = |id| contact_address::remove(store, id);
            let removed = |id| text!("address-removed", id = id);
            each(&options.ids, locale, remove, removed, |id| text!("address-absent", id = id)).await
        }
    }
}

fn stored(outcome: AddressOutcome, id: i64, locale: &Locale) -> anyhow::Result<ExitCode> {
    match outcome {
        AddressOutcome::Stored(address) => {
            let name = escape_control(&address.contact);
            print_text(locale, &text!("address-kept", id = address.address_id.to_string(), name = name))?;
            Ok(ExitCode::SUCCESS)
        }
        AddressOutcome::NotFound => {
            warn(locale, &text!("address-absent", id = id.to_string()));
            Ok(ExitCode::FAILURE)
        }
        AddressOutcome::Conflict(reason) | AddressOutcome::Invalid(reason) => bail!(locale.text(&reason)),
    }
}

async fn list(options: &ListOptions, locale: &Locale, store: &Store) -> anyhow::Result<ExitCode> {
    let filter = AddressFilter { contact_id: options.contact, customer_id: options.customer };
    let addresses = contact_address::list(store, filter, 0, i64::MAX).await?;
    if addresses.is_empty() && !options.json {
        print_text(locale, &text!("addresses-none"))?;
        return Ok(ExitCode::SUCCESS);
    }
    let lines =
        if options.json { addresses.iter().map(json_line).collect() } else { table(&addresses, locale) };
    print(&lines)?;
    Ok(ExitCode::SUCCESS)
}

fn table(addresses: &[AddressSummary], locale: &Locale) -> String {
    let mut lines = vec![header(locale, ["id", "contact", "channel", "address", "signed", "status"])];
    lines.extend(addresses.iter().map(|address| {
        let signed = if address.has_secret { "yes" } else { "no" };
        [
            address.address_id.to_string(),
            format!("{} {}", address.contact_id, escape_control(&address.contact)),
            address.channel.clone(),
            escape_control(&address.address),
            locale.text(&text!("yes-or-no", answer = signed)),
            locale.text(&text!("on-off", value = if address.enabled { "on" } else { "off" })),
        ]
    }));
    aligned(&lines)
}
