//! Sessions of people, and the secrets of sessions and kiosk links.
//!
//! Before: `accounts` opens a session; `vitals kiosk` makes a link. After: a browser sends the secret in a cookie with each request,
//! and the hash finds the session or the link.
//! Promise: only [`Token::text`] shows a secret. `Debug` does not, and only its hash is stored.

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jiff::Timestamp;
use sha2::{Digest, Sha256};

use super::account::{Grant, Role};
use super::api_key::Scope;
use crate::language::Language;

/// Length of a token as text.
const TEXT_BYTES: usize = 43;

/// The secret of a session or a kiosk link: 256 bits of entropy, so a fast hash is enough, as for API keys.
#[derive(Clone)]
pub struct Token([u8; 32]);

/// The stored hash of a token.
pub type TokenHash = [u8; 32];

/// The text is no token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a token has 43 characters of base64url")]
pub struct InvalidToken;

impl Token {
    /// Of these random bytes.
    pub const fn of(random: [u8; 32]) -> Self {
        Self(random)
    }

    /// The secret itself.
    pub fn text(&self) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(self.0)
    }

    /// What is stored.
    pub fn hash(&self) -> TokenHash {
        Sha256::digest(self.0).into()
    }
}

impl FromStr for Token {
    type Err = InvalidToken;

    fn from_str(text: &str) -> Result<Self, InvalidToken> {
        if text.len() != TEXT_BYTES {
            return Err(InvalidToken);
        }
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).map_err(|_| InvalidToken)?;
        bytes.try_into().map(Self).map_err(|_| InvalidToken)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Token").finish_non_exhaustive()
    }
}

/// A person who is logged in, and the grant in which the person works.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Number of the session.
    pub session_id: i64,
    /// Number of the account.
    pub account_id: i64,
    /// What the person types to log in.
    pub login: String,
    /// Name of the person; changes stand under it.
    pub name: String,
    /// Language of the pages; `None`: that of the browser.
    pub language: Option<Language>,
    /// The grant in use.
    pub grant: Grant,
    /// All grants of the account, the one in use among them.
    pub grants: Vec<Grant>,
    /// When it was last used, as stored: at most a minute behind.
    pub seen_at: Timestamp,
    /// When it ends, whatever happens.
    pub ends_at: Timestamp,
}

impl Session {
    /// What the person may do now.
    pub const fn role(&self) -> Role {
        self.grant.role
    }

    /// The tenant in which the person works; `None`: every one.
    pub fn customer_id(&self) -> Option<i64> {
        self.grant.customer_id.map(|id| id.0)
    }

    /// The unit in which the person works; `None`: it is not limited to one.
    pub fn org_id(&self) -> Option<i64> {
        self.grant.org_id.map(|id| id.0)
    }

    /// Whether an API key of the same role has this scope.
    pub fn has_scope(&self, scope: Scope) -> bool {
        self.grant.role.scopes().contains(&scope)
    }
}
