//! `account`: people who log in, and their passwords.
//!
//! Before: `accounts` logs somebody in; `vitals people` makes and changes accounts. After: the tables, whose triggers end sessions and
//! notify every instance (`wake::Topic::Account`).
//! Promise: this module sees the hash of a password, never the password.

use tokio_postgres::Row;

use super::alert::of_json;
use super::{Statement, Store, StoreError, statement};
use crate::language::Language;
use crate::model::Account;

const ADD: Statement = statement!("account", "add");
const FIND: Statement = statement!("account", "find");
const FIND_OIDC: Statement = statement!("account", "find_oidc");
const LIST: Statement = statement!("account", "list");
const LOGGED_IN: Statement = statement!("account", "logged_in");
const REHASH: Statement = statement!("account", "rehash");
const SET_DISABLED: Statement = statement!("account", "set_disabled");
const SET_LANGUAGE: Statement = statement!("account", "set_language");
const SET_PASSWORD: Statement = statement!("account", "set_password");

/// A new account.
#[derive(Debug, Clone, Copy)]
pub struct NewAccount<'a> {
    /// What the person types to log in, in lower case.
    pub login: &'a str,
    /// Name of the person.
    pub name: &'a str,
    /// Language of the pages; `None`: that of the browser.
    pub language: Option<Language>,
    /// Issuer and subject at an OIDC provider; `None`: there is none.
    pub oidc: Option<(&'a str, &'a str)>,
    /// Who makes it.
    pub created_by: &'a str,
}

/// What a login with a password needs to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredAccount {
    /// Its number.
    pub account_id: i64,
    /// Nobody can log in with it.
    pub is_disabled: bool,
    /// The hash of its password; `None`: there is none.
    pub password_hash: Option<String>,
    /// The grant in which a session begins; `None`: it has none.
    pub grant_id: Option<i64>,
}

/// Makes an account; returns its number. `None`: the login name, the name or the id at the provider is taken.
///
/// # Errors
/// The database is away, or refuses a text.
pub async fn add(store: &Store, draft: &NewAccount<'_>) -> Result<Option<i64>, StoreError> {
    let client = store.client().await?;
    let language = draft.language.map(Language::tag);
    let (issuer, subject) = draft.oidc.unzip();
    let rows = ADD
        .query(&client, &[&draft.login, &draft.name, &language, &issuer, &subject, &draft.created_by])
        .await?;
    Ok(account_id(&rows))
}

/// The account of this login name.
///
/// # Errors
/// The database is away.
pub async fn find(store: &Store, login: &str) -> Result<Option<StoredAccount>, StoreError> {
    let client = store.client().await?;
    let rows = FIND.query(&client, &[&login]).await?;
    Ok(rows.first().map(|row| StoredAccount {
        account_id: row.get("account_id"),
        is_disabled: row.get("is_disabled"),
        password_hash: row.get("password_hash"),
        grant_id: row.get("grant_id"),
    }))
}

/// The account of a person at an OIDC provider, and whether it is disabled.
///
/// # Errors
/// The database is away.
pub async fn find_oidc(
    store: &Store,
    issuer: &str,
    subject: &str,
) -> Result<Option<(i64, bool)>, StoreError> {
    let client = store.client().await?;
    let rows = FIND_OIDC.query(&client, &[&issuer, &subject]).await?;
    Ok(rows.first().map(|row| (row.get("account_id"), row.get("is_disabled"))))
}

/// All accounts by login name; disabled ones on request.
///
/// # Errors
/// The database is away.
pub async fn list(store: &Store, disabled_too: bool) -> Result<Vec<Account>, StoreError> {
    let client = store.client().await?;
    let rows = LIST.query(&client, &[&disabled_too]).await?;
    rows.iter().map(|row| of_json(row, "account")).collect()
}

/// Records a login, and the present name of the person if an OIDC provider reports one.
///
/// # Errors
/// The database is away.
pub async fn logged_in(store: &Store, account_id: i64, name: Option<&str>) -> Result<(), StoreError> {
    let client = store.client().await?;
    LOGGED_IN.execute(&client, &[&account_id, &name]).await.map(drop)
}

/// Replaces the hash of a password by one of the same password with other parameters.
///
/// # Errors
/// The database is away.
pub async fn rehash(store: &Store, account_id: i64, verified: &str, hash: &str) -> Result<(), StoreError> {
    let client = store.client().await?;
    REHASH.execute(&client, &[&account_id, &verified, &hash]).await.map(drop)
}

/// Disables an account, which ends its sessions, or enables it. False: there is no such account.
///
/// # Errors
/// The database is away.
pub async fn set_disabled(store: &Store, login: &str, is_disabled: bool) -> Result<bool, StoreError> {
    let client = store.client().await?;
    let rows = SET_DISABLED.query(&client, &[&login, &is_disabled]).await?;
    Ok(account_id(&rows).is_some())
}

/// Sets the language of the pages of a person.
///
/// # Errors
/// The database is away.
pub async fn set_language(store: &Store, account_id: i64, language: Language) -> Result<(), StoreError> {
    let client = store.client().await?;
    SET_LANGUAGE.execute(&client, &[&account_id, &language.tag()]).await.map(drop)
}

/// Gives an account a password, which ends its sessions. False: there is no such account.
///
/// # Errors
/// The database is away.
pub async fn set_password(store: &Store, login: &str, hash: &str) -> Result<bool, StoreError> {
    let client = store.client().await?;
    let rows = SET_PASSWORD.query(&client, &[&login, &hash]).await?;
    Ok(account_id(&rows).is_some())
}

fn account_id(rows: &[Row]) -> Option<i64> {
    rows.first().map(|row| row.get("account_id"))
}
