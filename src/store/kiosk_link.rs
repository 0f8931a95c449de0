//! `vitals.kiosk_link`: links for screens on a wall.
//!
//! Before: `vitals kiosk` makes and revokes them; `accounts` finds one by its token. After: the table, whose triggers notify every instance.
//! Promise: this module sees the SHA-256 of a token, never the token.

use jiff::Timestamp;
use tokio_postgres::error::SqlState;

use super::alert::of_json;
use super::{Statement, Store, StoreError, statement};
use crate::model::KioskLink;
use crate::model::session::TokenHash;

const ADD: Statement = statement!("kiosk_link", "add");
const FIND: Statement = statement!("kiosk_link", "find");
const LIST: Statement = statement!("kiosk_link", "list");
const REVOKE: Statement = statement!("kiosk_link", "revoke");
const USED: Statement = statement!("kiosk_link", "used");

/// A new link.
#[derive(Debug, Clone, Copy)]
pub struct NewLink<'a> {
    /// Which screen it is for.
    pub name: &'a str,
    /// Of its token.
    pub token_hash: TokenHash,
    /// The tenant that it shows.
    pub customer_id: i64,
    /// The organisation unit that it shows; `None`: the whole tenant.
    pub org_id: Option<i64>,
    /// It shows initials in place of names, and no positions.
    pub is_private: bool,
    /// Who makes it.
    pub created_by: &'a str,
    /// When it stops working.
    pub expires_at: Option<Timestamp>,
}

/// Stores a link. False: there is one of this name.
///
/// # Errors
/// The database is away, or refuses a text.
pub async fn add(store: &Store, draft: &NewLink<'_>) -> Result<bool, StoreError> {
    let client = store.client().await?;
    let added = ADD
        .execute(
            &client,
            &[
                &draft.name,
                &draft.token_hash.as_slice(),
                &draft.customer_id,
                &draft.org_id,
                &draft.is_private,
                &draft.created_by,
                &draft.expires_at,
            ],
        )
        .await;
    match added {
        Ok(_) => Ok(true),
        Err(error) if error.is(&SqlState::UNIQUE_VIOLATION) => Ok(false),
        Err(error) => Err(error),
    }
}

/// The link of a token. `None`: there is none, or it was revoked.
///
/// # Errors
/// The database is away.
pub async fn find(store: &Store, token_hash: &TokenHash) -> Result<Option<KioskLink>, StoreError> {
    let client = store.client().await?;
    let rows = FIND.query(&client, &[&token_hash.as_slice()]).await?;
    rows.first().map(|row| of_json(row, "link")).transpose()
}

/// All links, the newest first; revoked and expired ones on request.
///
/// # Errors
/// The database is away.
pub async fn list(store: &Store, over_too: bool) -> Result<Vec<KioskLink>, StoreError> {
    let client = store.client().await?;
    let rows = LIST.query(&client, &[&over_too]).await?;
    rows.iter().map(|row| of_json(row, "link")).collect()
}

/// Revokes the link of this number or name; returns its name. `None`: there is no such link.
///
/// # Errors
/// The database is away.
pub async fn revoke(store: &Store, named: &str) -> Result<Option<String>, StoreError> {
    let client = store.client().await?;
    let rows = REVOKE.query(&client, &[&named]).await?;
    Ok(rows.first().map(|row| row.get("name")))
}

/// These links were used just now.
///
/// # Errors
/// The database is away.
pub async fn used(store: &Store, kiosk_link_ids: &[i64]) -> Result<(), StoreError> {
    let client = store.client().await?;
    USED.execute(&client, &[&kiosk_link_ids]).await.map(drop)
}
