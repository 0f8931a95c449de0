//! `vitals keys create`: a key, what it may do, for which tenant or unit, and in whose name.
//!
//! Before: `vitals keys`. After: `store::api_key`; the key is printed once.

use anyhow::bail;
use clap::ValueEnum;
use jiff::tz::TimeZone;

use super::{Expiry, KeyFormat, now, random_bytes};
use crate::command::actor::Actor;
use crate::command::text::print;
use crate::model::api_key::{KeyId, PresentedKey, Scope};
use crate::store::Store;
use crate::store::api_key::{self, NewKey};

/// Options of `create`.
#[derive(Debug, clap::Args)]
pub struct CreateOptions {
    /// What it is for, to distinguish keys
    #[arg(value_name = "NAME")]
    name: String,
    /// What it may do; can be given several times
    #[arg(long, value_name = "SCOPE", required = true, value_enum)]
    scope: Vec<ScopeArgument>,
    /// The tenant of the key: it writes and reads for this tenant only. Default: every tenant
    #[arg(long, value_name = "ID", value_parser = clap::value_parser!(i64).range(1..))]
    tenant: Option<i64>,
    /// An organisation unit of the tenant: the key sees only people, devices and alerts of the unit and its sub-units; for the scopes read
    /// and respond
    #[arg(long, value_name = "ID", requires = "tenant", value_parser = clap::value_parser!(i64).range(1..))]
    unit: Option<i64>,
    /// The person to whom the key belongs: the actor of all that is done with it
    #[arg(long, value_name = "NAME", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    person: Option<String>,
    /// A request with the key names the person who acts, and the owner of the key vouches for the name: for a program with logins
    #[arg(long)]
    vouch: bool,
    #[command(flatten)]
    expiry: Expiry,
    #[command(flatten)]
    actor: Actor,
    /// Print it as this
    #[arg(long = "as", value_name = "FORM", value_enum, default_value_t = KeyFormat::Key)]
    format: KeyFormat,
}

/// A scope on the command line.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum ScopeArgument {
    /// What devices send, and their configuration
    Upload,
    /// GET below /api/, and /metrics
    Read,
    /// Read alerts; acknowledge, note, resolve, assign and silence them. With --person or --vouch
    Respond,
    /// Everything else below /api/, such as rules; for keys of every tenant only
    Admin,
}

/// Creates the key and prints it.
///
/// # Errors
/// The database is away, there is a key of this name, or the options contradict one another.
pub(super) async fn run(options: CreateOptions, store: &Store, zone: &TimeZone) -> anyhow::Result<()> {
    let mut scopes: Vec<Scope> = options.scope.iter().map(|word| word.scope()).collect();
    scopes.sort_unstable_by_key(|scope| scope.name());
    scopes.dedup();
    if options.tenant.is_some() && scopes.contains(&Scope::Admin) {
        bail!("scope `admin` applies to every tenant: the key of one tenant cannot have it");
    }
    if options.unit.is_some() && scopes.iter().any(|scope| !matches!(scope, Scope::Read | Scope::Respond)) {
        bail!(
            "a key of one unit has the scopes `read` and `respond` and no other: uploads are not kept apart by unit"
        );
    }
    if scopes.contains(&Scope::Respond) && options.person.is_none() && !options.vouch {
        bail!(
            "scope `respond` needs to know who acts: --person names the owner of the key, or --vouch lets requests name a person"
        );
    }
    let key = PresentedKey::of(KeyId::of(random_bytes()?), random_bytes()?);
    let draft = NewKey {
        key_id: key.key_id,
        name: options.name.trim(),
        customer_id: options.tenant,
        org_id: options.unit,
        actor: options.person.as_deref().map(str::trim),
        may_vouch: options.vouch,
        scopes: &scopes,
        secret_hash: key.secret_hash(),
        created_by: &options.actor.name()?,
        expires_at: options.expiry.at(&now(store).await?.to_zoned(zone.clone()))?,
    };
    if !api_key::add(store, &draft).await? {
        bail!("there is a key {:?} already: rotate it, revoke it, or choose another name", draft.name);
    }
    print(&format!("{}\n", options.format.text(&key)))?;
    eprintln!("key {}: it is not shown again", key.key_id);
    Ok(())
}

impl ScopeArgument {
    const fn scope(self) -> Scope {
        match self {
            Self::Upload => Scope::Upload,
            Self::Read => Scope::Read,
            Self::Respond => Scope::Respond,
            Self::Admin => Scope::Admin,
        }
    }
}
