//! Keys of the HTTP interface: their text, what is stored of them, what they may do.
//!
//! Before: `http` finds a key in a header; `vitals keys` makes one. After: `keys` compares it with `store::api_key`.
//! Promise: only [`PresentedKey::text`] shows a secret. `Debug` does not, and nothing that is stored does.
//!
//! ```text
//!  vk_5f0c3a91be47_8d1e…  (64 digits)
//!  │  │            └ the secret: 256 bits of entropy, known to the owner of the key. Only its SHA-256 is stored
//!  │  └ the public part, by which the key is looked up, listed and revoked
//!  └ a fixed prefix, by which secret scanners find leaked keys
//! ```
//!
//! A slow hash makes it expensive to guess passwords that people choose. Nobody can guess one of 2^256 secrets, so a fast hash is
//! enough, and a slow one would cost each request as much as a whole upload.

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::Id64;

/// What every key begins with.
const PREFIX: &str = "vk_";

/// Longest `user:key` that is read, bytes: a key has 80.
const MAX_BASIC_BYTES: usize = 512;

/// The public part of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId([u8; 6]);

/// The stored hash of a secret.
pub type SecretHash = [u8; 32];

/// A whole key, with its secret, as a client presents it.
#[derive(Clone)]
pub struct PresentedKey {
    /// Its public part.
    pub key_id: KeyId,
    secret: [u8; 32],
}

/// The text is no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a key looks like vk_, 12 digits from 0 to f, _, and 64 of them; that of a device like vd_, a number, and three parts after dots"
)]
pub struct InvalidKey;

/// What a key may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// What devices send, and their configuration.
    Upload,
    /// GET below `/api/`, and `/metrics`.
    Read,
    /// Reading alerts, acting on them and silencing them.
    Respond,
    /// Everything else below `/api/`.
    Admin,
}

/// A key as it is listed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiKey {
    /// Its public part.
    pub key_id: String,
    /// What it is for.
    pub name: String,
    /// Its tenant; `None`: every one.
    pub customer_id: Option<Id64>,
    /// Its organisation unit, with the sub-units; `None`: it is not limited to one.
    pub org_id: Option<Id64>,
    /// The person to whom it belongs; `None`: to none.
    pub actor: Option<String>,
    /// A request with it may name another person.
    pub may_vouch: bool,
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// When it was made.
    pub created_at: Timestamp,
    /// By whom.
    pub created_by: String,
    /// When it last got a new secret.
    pub rotated_at: Option<Timestamp>,
    /// Until when the previous secret works, too.
    pub previous_until: Option<Timestamp>,
    /// From then on it no longer works.
    pub expires_at: Option<Timestamp>,
    /// When it was ended.
    pub revoked_at: Option<Timestamp>,
    /// When it was last used, to the minute.
    pub last_used_at: Option<Timestamp>,
}

/// The key in an `Authorization` header: `Bearer <key>`, or `Basic` with the key as the password and any user. `None`: there is no
/// valid key.
pub fn of_header<K: FromStr>(text: &str) -> Option<K> {
    let (scheme, rest) = text.trim().split_once(' ')?;
    let rest = rest.trim();
    if scheme.eq_ignore_ascii_case("bearer") {
        return rest.parse().ok();
    }
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let mut plain = [0; MAX_BASIC_BYTES];
    let length = BASE64_STANDARD.decode_slice(rest, &mut plain).ok()?;
    let (_, key) = std::str::from_utf8(&plain[..length]).ok()?.split_once(':')?;
    key.parse().ok()
}

impl KeyId {
    /// Of these six random bytes.
    pub const fn of(random: [u8; 6]) -> Self {
        Self(random)
    }
}

impl FromStr for KeyId {
    type Err = InvalidKey;

    fn from_str(text: &str) -> Result<Self, InvalidKey> {
        bytes(text).map(Self)
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl PresentedKey {
    /// Of this secret, which is random.
    pub const fn of(key_id: KeyId, secret: [u8; 32]) -> Self {
        Self { key_id, secret }
    }

    /// The whole key, secret and all.
    pub fn text(&self) -> String {
        let secret: String = self.secret.iter().map(|byte| format!("{byte:02x}")).collect();
        format!("{PREFIX}{}_{secret}", self.key_id)
    }

    /// The hash of the secret, which is stored.
    pub fn secret_hash(&self) -> SecretHash {
        Sha256::digest(self.secret).into()
    }
}

impl fmt::Debug for PresentedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PresentedKey").field("key_id", &self.key_id).finish_non_exhaustive()
    }
}

impl FromStr for PresentedKey {
    type Err = InvalidKey;

    fn from_str(text: &str) -> Result<Self, InvalidKey> {
        let (key_id, secret) =
            text.strip_prefix(PREFIX).and_then(|rest| rest.split_once('_')).ok_or(InvalidKey)?;
        Ok(Self { key_id: key_id.parse()?, secret: bytes(secret)? })
    }
}

/// `2 * N` digits from 0 to f.
fn bytes<const N: usize>(digits: &str) -> Result<[u8; N], InvalidKey> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Ok(byte - b'0'),
        b'a'..=b'f' => Ok(byte - b'a' + 10),
        _ => Err(InvalidKey),
    };
    if digits.len() != 2 * N {
        return Err(InvalidKey);
    }
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(digits.as_bytes().chunks_exact(2)) {
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Ok(bytes)
}

impl Scope {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Upload, Self::Read, Self::Respond, Self::Admin];

    /// The word in `api_key.scopes`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Upload => "upload",
            Self::Read => "read",
            Self::Respond => "respond",
            Self::Admin => "admin",
        }
    }

    /// The scope of that name.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_key_is_read_as_it_was_written(key_id: [u8; 6], secret: [u8; 32]) {
            let key = PresentedKey::of(KeyId::of(key_id), secret);
            let read: PresentedKey = key.text().parse().expect("a key");
            prop_assert_eq!(read.key_id, key.key_id);
            prop_assert_eq!(read.secret_hash(), key.secret_hash());
            let shown = format!("{:?}", read);
            prop_assert!(!shown.contains(&key.text()[20..]), "{}", shown);
        }

        #[test]
        fn whatever_is_presented_nothing_panics(text: String) {
            let _ = text.parse::<PresentedKey>();
        }
    }

    #[test]
    fn what_is_no_key_is_none() {
        let key = PresentedKey::of(KeyId::of([1; 6]), [2; 32]).text();
        assert!(key.parse::<PresentedKey>().is_ok());
        let (shorter, longer) = (&key[..key.len() - 1], format!("{key}0"));
        for text in
            ["", "vk_", "vk__", shorter, &longer, &key[1..], &key.to_uppercase(), &key.replace("01", "é")]
        {
            assert_eq!(text.parse::<PresentedKey>().err(), Some(InvalidKey), "{text}");
        }
    }
}
