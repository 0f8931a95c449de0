//! Passwords of people: Argon2id hashes with the parameters that OWASP recommends.
//!
//! Before: the form of a login; `vitals people`; `/admin/accounts`. After: `store::account` has the hash.
//! Promise: no more hashes are computed at a time than [`MAX_HASHES`], each in 19 MiB, and none on a thread that answers requests. An
//! account that does not exist costs as much time as a wrong password.

use std::time::Duration;

use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version};
use rand::TryRngCore;
use rand::rngs::OsRng;
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::language::{Text, text};
use crate::tasks::run_blocking;

/// OWASP's first choice for Argon2id: memory in KiB, passes, lanes.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;

const SALT_BYTES: usize = 16;

/// Most hashes that are computed at a time.
const MAX_HASHES: usize = 2;

/// Longest wait for a place among them. A login that waits longer is refused, so that a flood of logins does not pile up.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// Longest password that is hashed, bytes.
const MAX_PASSWORD_BYTES: usize = 1024;

/// Why there is no hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    /// Too many logins at a time.
    #[error("too many people log in at the moment")]
    Busy,
    /// The system gives no random bytes.
    #[error("the system gives no random bytes for a salt")]
    NoSalt,
}

/// Computes hashes, a few at a time.
#[derive(Debug)]
pub struct Hasher {
    permits: Semaphore,
}

impl Default for Hasher {
    fn default() -> Self {
        Self { permits: Semaphore::new(MAX_HASHES) }
    }
}

/// What came of a comparison.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Comparison {
    /// It is the password.
    pub(super) is_right: bool,
    /// A hash with the present parameters, if it is the password and the stored hash has others.
    pub(super) renewed: Option<String>,
}

impl Hasher {
    /// The hash of a new password, computed on a thread for blocking work.
    ///
    /// # Errors
    /// [`PasswordError`].
    pub async fn hash(&self, password: String) -> Result<String, PasswordError> {
        let _permit = self.permit().await?;
        run_blocking(move || hash_password(&password)).await
    }

    /// Compares a password with a hash; `None`: there is no account or no password, and the comparison only takes its time.
    pub(super) async fn compare(
        &self,
        hash: Option<String>,
        password: String,
    ) -> Result<Comparison, PasswordError> {
        let _permit = self.permit().await?;
        Ok(run_blocking(move || compare(hash.as_deref(), &password)).await)
    }

    async fn permit(&self) -> Result<SemaphorePermit<'_>, PasswordError> {
        let permit = tokio::time::timeout(LONGEST_WAIT, self.permits.acquire()).await;
        permit.ok().and_then(Result::ok).ok_or(PasswordError::Busy)
    }
}

fn compare(hash: Option<&str>, password: &str) -> Comparison {
    let wrong = Comparison { is_right: false, renewed: None };
    if password.len() > MAX_PASSWORD_BYTES {
        return wrong;
    }
    let Some(parsed) = hash.and_then(|hash| PasswordHash::new(hash).ok()) else {
        // Its only effect is the time it takes.
        let _ = std::hint::black_box(hasher().hash_password_with_salt(password.as_bytes(), &[0; SALT_BYTES]));
        return wrong;
    };
    if hasher().verify_password(password.as_bytes(), &parsed).is_err() {
        return wrong;
    }
    let is_current = Params::try_from(&parsed).is_ok_and(|params| {
        (params.m_cost(), params.t_cost(), params.p_cost()) == (MEMORY_KIB, PASSES, LANES)
    });
    let renewed = if is_current { None } else { hash_password(password).ok() };
    Comparison { is_right: true, renewed }
}

/// The hash of a new password. It takes a processor some hundredths of a second.
///
/// # Errors
/// [`PasswordError::NoSalt`].
pub fn hash_password(password: &str) -> Result<String, PasswordError> {
    let mut salt = [0; SALT_BYTES];
    OsRng.try_fill_bytes(&mut salt).map_err(|_| PasswordError::NoSalt)?;
    let hash = hasher().hash_password_with_salt(password.as_bytes(), &salt);
    Ok(hash.expect("the parameters and the salt are valid").to_string())
}

/// Why a password cannot be set; `None`: it can.
pub fn refusal(password: &str, login: &str, min_chars: usize) -> Option<Text> {
    let chars = password.chars().count();
    if chars < min_chars {
        Some(text!("password-short", chars = chars, least = min_chars))
    } else if password.len() > MAX_PASSWORD_BYTES {
        Some(text!("password-long", most = MAX_PASSWORD_BYTES.to_string()))
    } else if password.to_lowercase() == login.to_lowercase() {
        Some(text!("password-is-login"))
    } else {
        None
    }
}

fn hasher() -> Argon2<'static> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).expect("the parameters are in range");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWORD: &str = "correct horse battery staple";

    #[test]
    fn a_password_is_its_own_and_no_other() {
        let hash = hash_password(PASSWORD).expect("a hash");
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert_eq!(compare(Some(&hash), PASSWORD), Comparison { is_right: true, renewed: None });
        for (hash, password) in [
            (Some(hash.as_str()), "correct horse battery stapl"),
            (Some(hash.as_str()), ""),
            (Some("no hash"), PASSWORD),
            (None, PASSWORD),
        ] {
            assert!(!compare(hash, password).is_right, "{hash:?} {password}");
        }
    }

    #[test]
    fn a_hash_with_other_parameters_is_renewed() {
        let params = Params::new(8 * 1024, 1, 1, None).expect("parameters");
        let older = Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_with_salt(PASSWORD.as_bytes(), &[7; SALT_BYTES])
            .expect("a hash")
            .to_string();
        let renewed = compare(Some(&older), PASSWORD).renewed.expect("another hash");
        assert_eq!(compare(Some(&renewed), PASSWORD), Comparison { is_right: true, renewed: None });
    }

    #[test]
    fn a_password_is_long_enough_and_not_the_login_name() {
        assert_eq!(refusal(PASSWORD, "li.ming", 12), None);
        assert_eq!(refusal("密码密码密码密码密码密码", "li.ming", 12), None, "characters count, not bytes");
        assert!(refusal("short", "li.ming", 12).is_some());
        assert!(refusal("Li.Ming@Clinic", "li.ming@clinic", 12).is_some());
        assert!(refusal(&"x".repeat(2000), "li.ming", 12).is_some());
    }
}
