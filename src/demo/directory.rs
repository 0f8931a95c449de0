//! The people of the demo: who wears the watches of the fleet, in which units, and who looks at the page.
//!
//! Before: `mod` has a database. After: the service knows names, units and bindings, and a person can log in.
//! Promise: names are those of nobody. Everything that is made here can be told from what somebody else has made.

use anyhow::bail;
use jiff::{SignedDuration, Timestamp};

use crate::accounts::password::hash_password;
use crate::command::keys::random_bytes;
use crate::config::Settings;
use crate::language::{Language, Text, text};
use crate::model::account::Role;
use crate::model::api_key::{KeyId, PresentedKey, Scope};
use crate::model::session::Token;
use crate::store::account::NewAccount;
use crate::store::account_grant::NewGrant;
use crate::store::api_key::NewKey;
use crate::store::directory::{BindingEntry, Customer, Entry, Import, Mode, OrgUnit, User};
use crate::store::{Store, StoreError, account, account_grant, api_key};

/// What the demo makes carries this as the one who made it.
pub(super) const MADE_BY: &str = "vitals demo";

/// What the person who looks types to log in.
const LOGIN: &str = "demo";

/// A person has a few of these rooms.
const BEDS: u32 = 2;

/// How uploads are let in, and how a person is.
#[derive(Debug)]
pub(super) struct Credentials {
    /// Value of the header `Authorization` of uploads.
    pub(super) authorization: String,
    /// The key of it.
    pub(super) key_id: String,
    /// What the person types to log in.
    pub(super) login: &'static str,
    /// The password of this run.
    pub(super) password: String,
}

/// Names of the tenants and the units of a demo in every language, by which a later demo knows them.
pub(super) fn own_names() -> Vec<String> {
    let tenants = (1..=vitals_fleet::TENANTS).map(tenant);
    let units = (1..=vitals_fleet::UNITS).map(unit);
    let names =
        tenants.chain(units).flat_map(|name| Language::ALL.map(|language| name.in_language(language)));
    names.collect()
}

fn tenant(number: u32) -> Text {
    text!("demo-tenant", number = i64::from(number))
}

fn unit(number: u32) -> Text {
    text!("demo-unit", number = i64::from(number))
}

/// Makes a key for the fleet, and an account with a new password.
///
/// # Errors
/// The database is away.
pub(super) async fn make_credentials(store: &Store, settings: &Settings) -> anyhow::Result<Credentials> {
    let key = PresentedKey::of(KeyId::of(random_bytes()?), random_bytes()?);
    let key_id = key.key_id.to_string();
    let draft = NewKey {
        key_id: key.key_id,
        name: &format!("demo {key_id}"),
        customer_id: None,
        org_id: None,
        actor: None,
        may_vouch: false,
        scopes: &[Scope::Upload],
        secret_hash: key.secret_hash(),
        created_by: MADE_BY,
        expires_at: None,
    };
    if !api_key::add(store, &draft).await? {
        bail!("there is an API key {:?} already", draft.name);
    }
    let draft = NewAccount {
        login: LOGIN,
        name: &text!("demo-account").in_language(settings.language),
        language: None,
        oidc: None,
        created_by: MADE_BY,
    };
    if account::add(store, &draft).await?.is_some() {
        let everything = NewGrant { role: Role::Admin, customer_id: None, org_id: None };
        account_grant::add(store, LOGIN, everything, MADE_BY).await?;
        let one_tenant = vitals_fleet::owners(0, 0).tenant;
        let of_one = NewGrant { role: Role::Responder, customer_id: Some(one_tenant), org_id: None };
        account_grant::add(store, LOGIN, of_one, MADE_BY).await?;
    }
    let password: String =
        Token::of(random_bytes()?).text().chars().filter(char::is_ascii_alphanumeric).take(16).collect();
    if !account::set_password(store, LOGIN, &hash_password(&password)?).await? {
        bail!("there is no account {LOGIN:?}: somebody of this name exists in the database");
    }
    Ok(Credentials { authorization: format!("Bearer {}", key.text()), key_id, login: LOGIN, password })
}

/// Names the tenants, the units and the people of a fleet, and binds its watches to them for as long as they have sent samples.
///
/// # Errors
/// The database is away, or refuses an entry.
pub(super) async fn fill(
    store: &Store,
    language: Language,
    first_serial: u64,
    devices: u32,
    since: SignedDuration,
) -> anyhow::Result<()> {
    let mut import = Import::open(store, Mode::Apply).await?;
    let owners = |number: u32| vitals_fleet::owners(first_serial + u64::from(number), number);
    let customers = (0..vitals_fleet::TENANTS).map(|number| Customer {
        customer_id: owners(number).tenant,
        name: tenant(number + 1).in_language(language),
    });
    let units = (0..vitals_fleet::UNITS).map(|number| OrgUnit {
        org_id: owners(number).org,
        name: Some(unit(number + 1).in_language(language)),
        ancestors: vec![owners(number).tenant],
    });
    let users = (0..devices).map(|number| User {
        user_id: owners(number).user,
        name: Some(text!("demo-person", number = (101 + number).to_string()).in_language(language)),
        org_id: Some(owners(number).org),
        room: Some(room(number)),
    });
    let valid_from = Timestamp::now() - since;
    let bindings = (0..devices).map(|number| BindingEntry {
        device_sn: vitals_fleet::serial(first_serial + u64::from(number)),
        user_id: Some(owners(number).user),
        valid_from: Some(valid_from),
        valid_until: None,
    });
    load(&mut import, customers).await?;
    load(&mut import, units).await?;
    load(&mut import, users).await?;
    load(&mut import, bindings).await?;
    Ok(())
}

/// The unit, and a room of it that two share.
fn room(number: u32) -> String {
    let (unit, place) = (number % vitals_fleet::UNITS + 1, number / vitals_fleet::UNITS / BEDS + 1);
    format!("{unit}-{place:02}")
}

async fn load<E: Entry>(import: &mut Import, entries: impl Iterator<Item = E>) -> Result<(), StoreError> {
    let mut refusal = None;
    let numbered = (1..).zip(entries);
    import
        .load(numbered, || Ok(()), |line, reason| refusal = Some(format!("entry {line}: {reason}")))
        .await?;
    refusal.map_or(Ok(()), |refusal| Err(StoreError::State(refusal)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_demo_has_named_is_known_in_whatever_language_it_was() {
        let names = own_names();
        assert_eq!(names.len(), 2 * (vitals_fleet::TENANTS + vitals_fleet::UNITS) as usize);
        assert!(names.contains(&"Ward 24".to_owned()) && names.contains(&"1 病区".to_owned()), "{names:?}");
        assert_eq!(
            (room(0), room(23), room(24), room(48)),
            ("1-01".into(), "24-01".into(), "1-01".into(), "1-02".into())
        );
    }
}
