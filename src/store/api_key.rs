//! `api_key`: keys of the HTTP interface.
//!
//! Before: `keys` looks one up by its public part; `vitals keys` creates, lists, rotates and revokes them. After: the table,
//! whose triggers notify every instance of a change (`wake::Topic::ApiKey`).
//! Promise: this module sees the SHA-256 of a secret, never the secret.

use std::collections::HashMap;

use jiff::Timestamp;
use tokio_postgres::Row;
use tokio_postgres::error::SqlState;

use super::alert::of_json;
use super::{Statement, Store, StoreError, statement};
use crate::model::api_key::{ApiKey, KeyId, Scope, SecretHash};

const ADD: Statement = statement!("api_key", "add");
const FIND: Statement = statement!("api_key", "find");
const LIST: Statement = statement!("api_key", "list");
const MEASURE: Statement = statement!("api_key", "measure");
const REVOKE: Statement = statement!("api_key", "revoke");
const ROTATE: Statement = statement!("api_key", "rotate");
const USED: Statement = statement!("api_key", "used");

/// A key as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredKey {
    /// Its tenant; `None`: every one.
    pub customer_id: Option<i64>,
    /// Its organisation unit; `None`: it is not limited to one.
    pub org_id: Option<i64>,
    /// The person to whom it belongs.
    pub actor: Option<String>,
    /// A request with it may name another person.
    pub may_vouch: bool,
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// Of its secret.
    pub secret_hash: SecretHash,
    /// Hash of the previous secret, and until when it works.
    pub previous: Option<(SecretHash, Timestamp)>,
    /// When it stops working.
    pub expires_at: Option<Timestamp>,
    /// It was revoked.
    pub is_revoked: bool,
}

/// A new key.
#[derive(Debug, Clone)]
pub struct NewKey<'a> {
    /// Its public part.
    pub key_id: KeyId,
    /// What it is for.
    pub name: &'a str,
    /// Its tenant; `None`: every one.
    pub customer_id: Option<i64>,
    /// Its organisation unit; `None`: it is not limited to one.
    pub org_id: Option<i64>,
    /// The person to whom it belongs.
    pub actor: Option<&'a str>,
    /// A request with it may name another person.
    pub may_vouch: bool,
    /// What it may do.
    pub scopes: &'a [Scope],
    /// Of its secret.
    pub secret_hash: SecretHash,
    /// Who makes it.
    pub created_by: &'a str,
    /// When it stops working.
    pub expires_at: Option<Timestamp>,
}

/// The keys that have these public parts; unknown ones are left out.
///
/// # Errors
/// The database is away.
pub async fn find(store: &Store, key_ids: &[KeyId]) -> Result<HashMap<KeyId, StoredKey>, StoreError> {
    let client = store.client().await?;
    let key_ids: Vec<String> = key_ids.iter().map(ToString::to_string).collect();
    let rows = FIND.query(&client, &[&key_ids]).await?;
    rows.iter().map(|row| Ok((key_id(row)?, stored_key(row)?))).collect()
}

fn key_id(row: &Row) -> Result<KeyId, StoreError> {
    let key_id = row.get::<_, &str>("key_id").parse();
    key_id.map_err(|_| StoreError::State("a key_id in api_key is none".into()))
}

fn stored_key(row: &Row) -> Result<StoredKey, StoreError> {
    let hash = |bytes: &[u8]| {
        SecretHash::try_from(bytes).map_err(|_| StoreError::State("a hash in api_key is no SHA-256".into()))
    };
    let previous = row.get::<_, Option<&[u8]>>("previous_hash").map(hash).transpose()?;
    let scopes: Vec<&str> = row.get("scopes");
    Ok(StoredKey {
        customer_id: row.get("customer_id"),
        org_id: row.get("org_id"),
        actor: row.get("actor"),
        may_vouch: row.get("may_vouch"),
        scopes: scopes.into_iter().filter_map(Scope::of_name).collect(),
        secret_hash: hash(row.get("secret_hash"))?,
        previous: previous.zip(row.get("previous_until")),
        expires_at: row.get("expires_at"),
        is_revoked: row.get::<_, Option<Timestamp>>("revoked_at").is_some(),
    })
}

/// Stores a key. False: there is one of this name.
///
/// # Errors
/// The database is away, or refuses a text.
pub async fn add(store: &Store, draft: &NewKey<'_>) -> Result<bool, StoreError> {
    let client = store.client().await?;
    let scopes: Vec<&str> = draft.scopes.iter().map(|scope| scope.name()).collect();
    let added = ADD
        .execute(
            &client,
            &[
                &draft.key_id.to_string(),
                &draft.name,
                &draft.customer_id,
                &scopes,
                &draft.secret_hash.as_slice(),
                &draft.created_by,
                &draft.expires_at,
                &draft.org_id,
                &draft.actor,
                &draft.may_vouch,
            ],
        )
        .await;
    match added {
        Ok(_) => Ok(true),
        Err(error) if error.is(&SqlState::UNIQUE_VIOLATION) => Ok(false),
        Err(error) => Err(error),
    }
}

/// All keys, the newest first; expired and revoked ones on request.
///
/// # Errors
/// The database is away.
pub async fn list(store: &Store, over_too: bool) -> Result<Vec<ApiKey>, StoreError> {
    let client = store.client().await?;
    let rows = LIST.query(&client, &[&over_too]).await?;
    rows.iter().map(|row| of_json(row, "key")).collect()
}

/// Number of keys that work now.
///
/// # Errors
/// The database is away.
pub async fn measure(store: &Store) -> Result<i64, StoreError> {
    let client = store.client().await?;
    Ok(MEASURE.query(&client, &[]).await?.first().map_or(0, |row| row.get("in_force")))
}

/// Gives the key of this public part or name a new secret; the current one works until `previous_until`. `None`: there is no such
/// key, or it is revoked.
///
/// # Errors
/// The database is away.
pub async fn rotate(
    store: &Store,
    named: &str,
    secret_hash: SecretHash,
    previous_until: Timestamp,
    expires_at: Option<Timestamp>,
) -> Result<Option<ApiKey>, StoreError> {
    let client = store.client().await?;
    let rows =
        ROTATE.query(&client, &[&named, &secret_hash.as_slice(), &previous_until, &expires_at]).await?;
    rows.first().map(|row| of_json(row, "key")).transpose()
}

/// Revokes the key of this public part or name. `None`: there is no such key.
///
/// # Errors
/// The database is away.
pub async fn revoke(store: &Store, named: &str) -> Result<Option<ApiKey>, StoreError> {
    let client = store.client().await?;
    let rows = REVOKE.query(&client, &[&named]).await?;
    rows.first().map(|row| of_json(row, "key")).transpose()
}

/// These keys were used just now.
///
/// # Errors
/// The database is away.
pub async fn used(store: &Store, key_ids: &[KeyId]) -> Result<(), StoreError> {
    let client = store.client().await?;
    let key_ids: Vec<String> = key_ids.iter().map(ToString::to_string).collect();
    USED.execute(&client, &[&key_ids]).await.map(drop)
}
