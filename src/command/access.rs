//! `vitals access log`: who looked at whose data.
//!
//! Before: an operator, or whoever has to answer a person who asks. After: `store::access_log`.

use std::process::ExitCode;

use clap::Subcommand;
use jiff::tz::TimeZone;

use super::keys::{local, now};
use super::text::{aligned, escape_control, print};
use super::time_option;
use crate::accounts::normalize_login;
use crate::config::Settings;
use crate::model::access_entry::ListedAccess;
use crate::store::Store;
use crate::store::access_log::{self, Filter};

/// What to do with the log of accesses.
#[derive(Debug, Subcommand)]
pub enum Action {
    /// List who looked at whose data and who changed something, the newest first
    Log(LogOptions),
}

/// Options of `log`.
#[derive(Debug, clap::Args)]
pub struct LogOptions {
    /// At data of this device
    #[arg(long, value_name = "SERIAL")]
    device: Option<String>,
    /// At data of this person
    #[arg(long, value_name = "ID", conflicts_with = "device")]
    user: Option<i64>,
    /// By this account: its login name
    #[arg(long, value_name = "LOGIN")]
    account: Option<String>,
    /// From then on: an age (7d) or a time (2026-01-31, RFC 3339)
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// How many at most
    #[arg(long, value_name = "NUMBER", default_value_t = 1000, value_parser = clap::value_parser!(i64).range(1..))]
    limit: i64,
    /// One JSON object a line
    #[arg(long)]
    json: bool,
}

/// Runs the action.
///
/// # Errors
/// The database is away, or an option is invalid.
pub async fn run(action: &Action, settings: &Settings) -> anyhow::Result<ExitCode> {
    let Action::Log(options) = action;
    let store = Store::new(settings)?;
    let zone = settings.device_zone();
    let now = now(&store).await?.to_zoned(zone.clone());
    let login = options.account.as_deref().map(normalize_login);
    let filter = Filter {
        device_sn: options.device.as_deref(),
        user_id: options.user,
        login: login.as_deref(),
        from: time_option::parse(options.since.as_deref(), "--since", &now)?,
    };
    let entries = access_log::list(&store, &filter, options.limit).await?;
    let text = if options.json {
        let line =
            |entry: &ListedAccess| format!("{}\n", serde_json::to_string(entry).expect("an entry is JSON"));
        entries.iter().map(line).collect()
    } else {
        table(&entries, &zone)
    };
    print(&text)?;
    Ok(ExitCode::SUCCESS)
}

fn table(entries: &[ListedAccess], zone: &TimeZone) -> String {
    if entries.is_empty() {
        return "nobody looked\n".to_owned();
    }
    let mut lines = vec![["when", "who", "role", "within", "what", "at", "address"].map(str::to_owned)];
    lines.extend(entries.iter().map(|entry| {
        [
            local(entry.accessed_at, zone),
            accessor(entry),
            entry.role.to_string(),
            within(entry),
            match &entry.filter {
                Some(filter) => format!("{}?{}", entry.route, escape_control(filter)),
                None => entry.route.clone(),
            },
            subject(entry),
            entry.address.clone(),
        ]
    }));
    aligned(&lines)
}

fn accessor(entry: &ListedAccess) -> String {
    let name = escape_control(&entry.name);
    match (&entry.login, &entry.key_id, entry.kiosk_link_id) {
        (Some(login), ..) => format!("{name} ({})", escape_control(login)),
        (None, Some(key_id), _) => format!("{name} (key {key_id})"),
        (None, None, Some(id)) => format!("{name} (kiosk {id})"),
        (None, None, None) => name,
    }
}

fn within(entry: &ListedAccess) -> String {
    match (entry.within_customer_id, entry.within_org_id) {
        (_, Some(unit)) => format!("unit {unit}"),
        (Some(tenant), None) => format!("tenant {tenant}"),
        (None, None) => "every tenant".to_owned(),
    }
}

fn subject(entry: &ListedAccess) -> String {
    match (&entry.device_sn, entry.user_id) {
        (Some(device_sn), _) => format!("device {}", escape_control(device_sn)),
        (None, Some(user_id)) => format!("user {user_id}"),
        (None, None) if entry.erased => "erased".to_owned(),
        (None, None) => "-".to_owned(),
    }
}
