//! `vitals people create`: an account, its password, and its first grant.
//!
//! Before: `vitals people`. After: `store::account`.

use anyhow::bail;

use super::{GrantArguments, password, place};
use crate::accounts::normalize_login;
use crate::command::actor::Actor;
use crate::command::text::print;
use crate::config::Settings;
use crate::language::Language;
use crate::store::account::NewAccount;
use crate::store::{Store, account, account_grant};

/// Options of `create`.
#[derive(Debug, clap::Args)]
pub struct CreateOptions {
    /// What the person types to log in; capital letters make no difference
    #[arg(value_name = "LOGIN")]
    login: String,
    /// Name of the person: changes stand under it. Default: the login name
    #[arg(long, value_name = "NAME", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    name: Option<String>,
    #[command(flatten)]
    grant: GrantArguments,
    /// Language of the pages (en, zh). Default: that of the browser
    #[arg(long, value_name = "LANGUAGE")]
    pages: Option<Language>,
    /// The person logs in through the OIDC provider, where this is the subject; without it, a password is asked for
    #[arg(long, value_name = "SUBJECT")]
    oidc: Option<String>,
    #[command(flatten)]
    actor: Actor,
}

/// Creates the account.
///
/// # Errors
/// The database is away, the login name or the name is taken, or the password is refused.
pub(super) async fn run(options: &CreateOptions, store: &Store, settings: &Settings) -> anyhow::Result<()> {
    let login = normalize_login(&options.login);
    if options.oidc.is_some() && !settings.oidc.is_on() {
        bail!("--oidc needs the setting oidc.issuer");
    }
    let hash = match &options.oidc {
        None => Some(password::read_and_hash(&login, settings)?),
        Some(_) => None,
    };
    let created_by = options.actor.name()?;
    let draft = NewAccount {
        login: &login,
        name: options.name.as_deref().map_or(login.as_str(), str::trim),
        language: options.pages,
        oidc: options.oidc.as_deref().map(|subject| (settings.oidc.issuer.as_str(), subject)),
        created_by: &created_by,
    };
    if account::add(store, &draft).await?.is_none() {
        bail!(
            "there is an account with the login name {login:?}, the name {:?} or that subject already",
            draft.name
        );
    }
    if let Some(hash) = hash {
        account::set_password(store, &login, &hash).await?;
    }
    let granted = match options.grant.grant() {
        Some(grant) => {
            account_grant::add(store, &login, grant, &created_by).await?;
            place(grant.role, grant.customer_id, grant.org_id)
        }
        None => "nothing yet: `vitals people grant`".to_owned(),
    };
    Ok(print(&format!("{login}: {granted}\n"))?)
}
