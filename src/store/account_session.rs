//! `vitals.account_session`: people who are logged in.
//!
//! Before: `accounts`. After: the table, which all instances share; its trigger notifies them when a session ends or changes.
//! Promise: this module sees the SHA-256 of a token, never the token.

use std::net::IpAddr;

use tokio_postgres::Row;

use super::alert::of_json;
use super::{Statement, Store, StoreError, statement};
use crate::language::Language;
use crate::model::session::TokenHash;
use crate::model::{Grant, Session};

const ADD: Statement = statement!("account_session", "add");
const END_ALL: Statement = statement!("account_session", "end_all");
const FIND: Statement = statement!("account_session", "find");
const REMOVE: Statement = statement!("account_session", "remove");
const SWITCH_GRANT: Statement = statement!("account_session", "switch_grant");
const USED: Statement = statement!("account_session", "used");

/// A new session.
#[derive(Debug, Clone, Copy)]
pub struct NewSession<'a> {
    /// Of its token.
    pub token_hash: TokenHash,
    /// Who has logged in.
    pub account_id: i64,
    /// The grant in use.
    pub grant_id: i64,
    /// Seconds until it ends.
    pub seconds: f64,
    /// Address of the browser.
    pub address: IpAddr,
    /// What the browser calls itself.
    pub user_agent: Option<&'a str>,
    /// Of the token that the browser had before; that session ends.
    pub previous: Option<TokenHash>,
}

/// Opens a session. False: the account or the grant is gone, or the account is disabled.
///
/// # Errors
/// The database is away.
pub async fn add(store: &Store, draft: &NewSession<'_>) -> Result<bool, StoreError> {
    let client = store.client().await?;
    let rows = ADD
        .query(
            &client,
            &[
                &draft.token_hash.as_slice(),
                &draft.account_id,
                &draft.grant_id,
                &draft.seconds,
                &draft.address.to_string(),
                &draft.user_agent,
                &draft.previous.as_ref().map(|hash| hash.as_slice()),
            ],
        )
        .await?;
    Ok(!rows.is_empty())
}

/// The session of a token. `None`: there is none, or its account is disabled.
///
/// # Errors
/// The database is away.
pub async fn find(store: &Store, token_hash: &TokenHash) -> Result<Option<Session>, StoreError> {
    let client = store.client().await?;
    let rows = FIND.query(&client, &[&token_hash.as_slice()]).await?;
    rows.first().map(session).transpose()
}

fn session(row: &Row) -> Result<Session, StoreError> {
    let grants: Vec<Grant> = of_json(row, "grants")?;
    let grant_id: i64 = row.get("grant_id");
    let grant = grants.iter().find(|grant| grant.grant_id.0 == grant_id).cloned();
    let grant =
        grant.ok_or_else(|| StoreError::State(format!("session in grant {grant_id}, which is gone")))?;
    Ok(Session {
        session_id: row.get("session_id"),
        account_id: row.get("account_id"),
        login: row.get("login"),
        name: row.get("name"),
        language: row.get::<_, Option<&str>>("language").and_then(Language::of_tag),
        grant,
        grants,
        seen_at: row.get("seen_at"),
        ends_at: row.get("ends_at"),
    })
}

/// Continues a session in another grant of its account, with a new token. False: the session or the grant is gone.
///
/// # Errors
/// The database is away.
pub async fn switch_grant(
    store: &Store,
    session_id: i64,
    token_hash: &TokenHash,
    new_hash: &TokenHash,
    grant_id: i64,
) -> Result<bool, StoreError> {
    let client = store.client().await?;
    let parameters: &[&(dyn tokio_postgres::types::ToSql + Sync)] =
        &[&session_id, &token_hash.as_slice(), &new_hash.as_slice(), &grant_id];
    Ok(!SWITCH_GRANT.query(&client, parameters).await?.is_empty())
}

/// Ends the session of a token.
///
/// # Errors
/// The database is away.
pub async fn remove(store: &Store, token_hash: &TokenHash) -> Result<(), StoreError> {
    let client = store.client().await?;
    REMOVE.execute(&client, &[&token_hash.as_slice()]).await.map(drop)
}

/// Ends all sessions of the account of this login name; returns how many there were.
///
/// # Errors
/// The database is away.
pub async fn end_all(store: &Store, login: &str) -> Result<u64, StoreError> {
    let client = store.client().await?;
    END_ALL.execute(&client, &[&login]).await
}

/// These sessions were used just now.
///
/// # Errors
/// The database is away.
pub async fn used(store: &Store, session_ids: &[i64]) -> Result<(), StoreError> {
    let client = store.client().await?;
    USED.execute(&client, &[&session_ids]).await.map(drop)
}
