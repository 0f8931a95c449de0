//! Logging in and out, and changing the grant in use.
//!
//! Before: `http` has the form of a login, within its limits on trying. After: a browser has the token of a session in its cookie.
//! Promise: each login and each change of the grant makes a new token, and the one before no longer works. Whether there is such an account,
//! and whether it is disabled, is not revealed to whoever does not know its password.

use std::net::IpAddr;

use rand::TryRngCore;
use rand::rngs::OsRng;

use super::password::{Comparison, PasswordError};
use super::{Accounts, log_lookup_error};
use crate::language::Language;
use crate::model::Session;
use crate::model::session::{Token, TokenHash};
use crate::store::account_session::NewSession;
use crate::store::{StoreError, account, account_session};

/// Longest text by which a browser calls itself that is stored, characters.
const MAX_USER_AGENT_CHARS: usize = 300;

/// Why somebody is not logged in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LoginError {
    /// The login name or the password is wrong, or the account is disabled.
    #[error("wrong")]
    Wrong,
    /// The account may see nothing.
    #[error("nothing_granted")]
    NothingGranted,
    /// The database is away, or too many people log in at the moment.
    #[error("unavailable")]
    Unavailable,
}

impl From<StoreError> for LoginError {
    fn from(error: StoreError) -> Self {
        log_lookup_error(&error);
        Self::Unavailable
    }
}

impl From<PasswordError> for LoginError {
    fn from(error: PasswordError) -> Self {
        tracing::warn!(%error, "a login is refused");
        Self::Unavailable
    }
}

/// The browser from which somebody logs in.
#[derive(Debug, Clone)]
pub struct Browser {
    /// Its address, as the limits count it.
    pub address: IpAddr,
    /// What it calls itself.
    pub user_agent: Option<String>,
    /// The token that it has already; that session ends.
    pub previous: Option<TokenHash>,
}

/// A login name as accounts have it.
pub fn normalize_login(login: &str) -> String {
    login.trim().to_lowercase()
}

impl Accounts {
    /// Logs somebody in with a password; returns the token for the cookie.
    ///
    /// # Errors
    /// [`LoginError`].
    pub async fn login(&self, login: &str, password: String, browser: &Browser) -> Result<Token, LoginError> {
        let shared = &self.shared;
        let login = normalize_login(login);
        let find = account::find(&shared.store, &login);
        let found = shared.store.with_timeout("account.find", find).await?;
        let hash = found.as_ref().and_then(|found| found.password_hash.clone());
        let Comparison { is_right, renewed } = shared.hasher.compare(hash.clone(), password).await?;
        let Some(found) = found.filter(|found| is_right && !found.is_disabled) else {
            return Err(LoginError::Wrong);
        };
        let grant_id = found.grant_id.ok_or(LoginError::NothingGranted)?;
        if let Some((verified, renewed)) = hash.zip(renewed) {
            let rehash = account::rehash(&shared.store, found.account_id, &verified, &renewed);
            shared.store.with_timeout("account.rehash", rehash).await?;
        }
        let token = self.open(found.account_id, grant_id, browser).await?;
        self.note_login(found.account_id, None).await;
        Ok(token)
    }

    /// Opens a session.
    pub(super) async fn open(
        &self,
        account_id: i64,
        grant_id: i64,
        browser: &Browser,
    ) -> Result<Token, LoginError> {
        let shared = &self.shared;
        let token = new_token()?;
        let user_agent: Option<String> =
            browser.user_agent.as_ref().map(|text| text.chars().take(MAX_USER_AGENT_CHARS).collect());
        let draft = NewSession {
            token_hash: token.hash(),
            account_id,
            grant_id,
            seconds: f64::from(shared.settings.seconds()),
            address: browser.address,
            user_agent: user_agent.as_deref(),
            previous: browser.previous,
        };
        let adding = account_session::add(&shared.store, &draft);
        let is_open = shared.store.with_timeout("account_session.add", adding).await?;
        if let Some(previous) = browser.previous {
            shared.sessions.remove(&previous);
        }
        if is_open { Ok(token) } else { Err(LoginError::Wrong) }
    }

    /// Records that somebody has logged in. The login is valid even if this fails.
    pub(super) async fn note_login(&self, account_id: i64, name: Option<&str>) {
        let noted = account::logged_in(&self.shared.store, account_id, name);
        if let Err(error) = self.shared.store.with_timeout("account.logged_in", noted).await {
            tracing::debug!(%error, "the time of a login was not written");
        }
    }

    /// Ends a session.
    ///
    /// # Errors
    /// The database is away: the session goes on.
    pub async fn logout(&self, token: &TokenHash) -> Result<(), StoreError> {
        let shared = &self.shared;
        let removed = account_session::remove(&shared.store, token);
        shared.store.with_timeout("account_session.remove", removed).await?;
        shared.sessions.remove(token);
        Ok(())
    }

    /// Continues a session in another grant of its account; returns the new token. `None`: the account has no such grant.
    ///
    /// # Errors
    /// The database is away.
    pub async fn switch_grant(
        &self,
        session: &Session,
        token: &TokenHash,
        grant_id: i64,
    ) -> Result<Option<Token>, LoginError> {
        let shared = &self.shared;
        let new = new_token()?;
        let new_hash = new.hash();
        let switched =
            account_session::switch_grant(&shared.store, session.session_id, token, &new_hash, grant_id);
        let is_switched = shared.store.with_timeout("account_session.switch_grant", switched).await?;
        if !is_switched {
            return Ok(None);
        }
        shared.sessions.remove(token);
        Ok(Some(new))
    }

    /// Sets the language of the pages of a person.
    ///
    /// # Errors
    /// The database is away.
    pub async fn set_language(
        &self,
        session: &Session,
        token: &TokenHash,
        language: Language,
    ) -> Result<(), StoreError> {
        let shared = &self.shared;
        let set = account::set_language(&shared.store, session.account_id, language);
        shared.store.with_timeout("account.set_language", set).await?;
        shared.sessions.remove(token);
        Ok(())
    }
}

/// A token from the random number generator of the operating system.
fn new_token() -> Result<Token, LoginError> {
    let mut random = [0; 32];
    OsRng.try_fill_bytes(&mut random).map_err(|error| {
        tracing::error!(%error, "the system gives no random bytes for a token");
        LoginError::Unavailable
    })?;
    Ok(Token::of(random))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_name_is_the_same_in_any_case() {
        assert_eq!(normalize_login(" Li.Ming@Clinic "), "li.ming@clinic");
    }
}
