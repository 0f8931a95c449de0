//! `vitals people`: accounts of people who log in.
//!
//! Before: an operator; no service has to run. After: `store::account`, `store::account_grant`; a change takes effect in every instance at once.
//! Promise: a password is read from the terminal without being shown, or from standard input; it is never an argument, which other users
//! of the machine could see, and only its hash is stored.

mod create;
mod password;

use std::process::ExitCode;

use anyhow::bail;
use clap::Subcommand;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::actor::Actor;
use super::keys::local;
use super::text::{aligned, escape_control, print};
use crate::accounts::normalize_login;
use crate::config::Settings;
use crate::model::{Account, Grant, Role};
use crate::store::account_grant::{self, NewGrant};
use crate::store::{Store, account};
pub use create::CreateOptions;

/// What to do with accounts.
#[derive(Debug, Subcommand)]
pub enum Action {
    /// Create an account, with a password, or for somebody whom the OIDC provider vouches for
    Create(CreateOptions),
    /// List accounts with their grants
    List(ListOptions),
    /// Grant a role in a tenant or unit
    Grant(GrantOptions),
    /// Revoke grants; sessions that use them end at once
    Revoke(RevokeOptions),
    /// Set a password; sessions of the account end at once
    Password(PasswordOptions),
    /// Disable accounts: their sessions end at once, and nobody can log in with them
    Disable(DisableOptions),
}

/// Which role, and where.
#[derive(Debug, Clone, clap::Args)]
pub struct GrantArguments {
    /// What the person may do: viewer (look), responder (also act on alerts and silence them), admin (also change rules and contacts)
    #[arg(long, value_name = "ROLE")]
    role: Option<Role>,
    /// In which tenant. Default: in every one
    #[arg(long, value_name = "ID", requires = "role", value_parser = clap::value_parser!(i64).range(1..))]
    tenant: Option<i64>,
    /// In which organisation unit of the tenant, with its sub-units. Default: in all of them
    #[arg(long, value_name = "ID", requires = "tenant", value_parser = clap::value_parser!(i64).range(1..))]
    unit: Option<i64>,
}

/// Options of `list`.
#[derive(Debug, clap::Args)]
pub struct ListOptions {
    /// Include accounts that are disabled
    #[arg(long)]
    all: bool,
    /// One JSON object a line
    #[arg(long)]
    json: bool,
}

/// Options of `grant`.
#[derive(Debug, clap::Args)]
pub struct GrantOptions {
    /// Login name
    #[arg(value_name = "LOGIN")]
    login: String,
    #[command(flatten)]
    grant: GrantArguments,
    #[command(flatten)]
    actor: Actor,
}

/// Options of `revoke`.
#[derive(Debug, clap::Args)]
pub struct RevokeOptions {
    /// Login name
    #[arg(value_name = "LOGIN")]
    login: String,
    /// Numbers of the grants, as `list` shows them
    #[arg(value_name = "GRANT", required_unless_present = "all")]
    grants: Vec<i64>,
    /// All grants of the account
    #[arg(long, conflicts_with = "grants")]
    all: bool,
}

/// Options of `password`.
#[derive(Debug, clap::Args)]
pub struct PasswordOptions {
    /// Login name
    #[arg(value_name = "LOGIN")]
    login: String,
}

/// Options of `disable`.
#[derive(Debug, clap::Args)]
pub struct DisableOptions {
    /// Login names
    #[arg(value_name = "LOGIN", required = true)]
    logins: Vec<String>,
    /// Let them log in as before
    #[arg(long)]
    undo: bool,
}

/// Runs the action.
///
/// # Errors
/// The database is away, or the action is not possible.
pub async fn run(action: Action, settings: &Settings) -> anyhow::Result<ExitCode> {
    let store = Store::new(settings)?;
    match action {
        Action::Create(options) => create::run(&options, &store, settings).await?,
        Action::List(options) => list(&options, &store, &settings.device_zone()).await?,
        Action::Grant(options) => grant(&options, &store).await?,
        Action::Revoke(options) => return revoke(&options, &store).await,
        Action::Password(options) => set_password(&options, &store, settings).await?,
        Action::Disable(options) => return disable(&options, &store).await,
    }
    Ok(ExitCode::SUCCESS)
}

impl GrantArguments {
    fn grant(&self) -> Option<NewGrant> {
        let role = self.role?;
        Some(NewGrant { role, customer_id: self.tenant, org_id: self.unit })
    }
}

async fn grant(options: &GrantOptions, store: &Store) -> anyhow::Result<()> {
    let login = normalize_login(&options.login);
    let Some(grant) = options.grant.grant() else { bail!("--role says what is granted") };
    match account_grant::add(store, &login, grant, &options.actor.name()?).await? {
        Some(grant_id) => {
            print(&format!("grant {grant_id}: {}\n", place(grant.role, grant.customer_id, grant.org_id)))?;
            Ok(())
        }
        None => bail!("there is no account {login:?}"),
    }
}

async fn revoke(options: &RevokeOptions, store: &Store) -> anyhow::Result<ExitCode> {
    let login = normalize_login(&options.login);
    let chosen = (!options.all).then_some(options.grants.as_slice());
    let revoked = account_grant::revoke(store, &login, chosen).await?;
    for grant_id in &revoked {
        print(&format!("grant {grant_id} is revoked\n"))?;
    }
    let absent = options.grants.iter().filter(|id| !revoked.contains(id));
    let mut code = ExitCode::SUCCESS;
    for grant_id in absent {
        eprintln!("vitals: {login} has no grant {grant_id}");
        code = ExitCode::FAILURE;
    }
    Ok(code)
}

async fn set_password(options: &PasswordOptions, store: &Store, settings: &Settings) -> anyhow::Result<()> {
    let login = normalize_login(&options.login);
    let hash = password::read_and_hash(&login, settings)?;
    if !account::set_password(store, &login, &hash).await? {
        bail!("there is no account {login:?}");
    }
    Ok(print(&format!("{login} has another password; all sessions of the account have ended\n"))?)
}

async fn disable(options: &DisableOptions, store: &Store) -> anyhow::Result<ExitCode> {
    let mut code = ExitCode::SUCCESS;
    for login in options.logins.iter().map(|login| normalize_login(login)) {
        if account::set_disabled(store, &login, !options.undo).await? {
            let state = if options.undo { "can log in" } else { "is disabled, and logged out everywhere" };
            print(&format!("{login} {state}\n"))?;
        } else {
            eprintln!("vitals: there is no account {login:?}");
            code = ExitCode::FAILURE;
        }
    }
    Ok(code)
}

async fn list(options: &ListOptions, store: &Store, zone: &TimeZone) -> anyhow::Result<()> {
    let accounts = account::list(store, options.all).await?;
    let text = if options.json {
        let line =
            |account: &Account| format!("{}\n", serde_json::to_string(account).expect("an account is JSON"));
        accounts.iter().map(line).collect()
    } else {
        table(&accounts, zone)
    };
    Ok(print(&text)?)
}

fn table(accounts: &[Account], zone: &TimeZone) -> String {
    if accounts.is_empty() {
        return "there is no account: `vitals people create` creates one\n".to_owned();
    }
    let time = |at: Option<Timestamp>| at.map_or_else(|| "-".to_owned(), |at| local(at, zone));
    let mut lines = vec![["login", "name", "logs in by", "grants", "made", "last login"].map(str::to_owned)];
    for account in accounts {
        let way = match (account.disabled_at, account.has_password, account.oidc_issuer.is_some()) {
            (Some(at), ..) => format!("disabled {}", local(at, zone)),
            (None, true, true) => "password, oidc".to_owned(),
            (None, true, false) => "password".to_owned(),
            (None, false, true) => "oidc".to_owned(),
            (None, false, false) => "nothing".to_owned(),
        };
        lines.push([
            escape_control(&account.login),
            escape_control(&account.name),
            way,
            account.grants.first().map_or_else(|| "none".to_owned(), shown),
            local(account.created_at, zone),
            time(account.logged_in_at),
        ]);
        let others = account.grants.iter().skip(1);
        lines.extend(others.map(|grant| {
            let mut line: [String; 6] = std::array::from_fn(|_| String::new());
            line[3] = shown(grant);
            line
        }));
    }
    aligned(&lines)
}

fn shown(grant: &Grant) -> String {
    let (customer_id, org_id) = (grant.customer_id.map(|id| id.0), grant.org_id.map(|id| id.0));
    format!("{}: {}", grant.grant_id, place(grant.role, customer_id, org_id))
}

fn place(role: Role, customer_id: Option<i64>, org_id: Option<i64>) -> String {
    match (customer_id, org_id) {
        (Some(tenant), Some(unit)) => format!("{role} in unit {unit} of tenant {tenant}"),
        (Some(tenant), None) => format!("{role} in tenant {tenant}"),
        (None, _) => format!("{role} in every tenant"),
    }
}
