//! Limits on trying to log in: by account, so that nobody finds a password by trying, and by address, so that nobody tries many accounts.
//!
//! Before: the form of a login. After: `accounts` compares the password; or the login is refused unseen.
//! Promise: a login over a limit costs no hash and no query. Each instance counts by itself.

use std::net::IpAddr;

use super::rate_limit::RateLimit;
use super::{Access, count_refused};
use crate::accounts::normalize_login;
use crate::config::LoginSettings;

/// Longest part of a login name by which tries are counted, characters: longer ones do not exist.
const COUNTED_CHARS: usize = 200;

#[derive(Debug)]
pub(super) struct LoginLimits {
    tries: RateLimit<Box<str>>,
    failures: RateLimit<IpAddr>,
}

impl LoginLimits {
    pub(super) fn new(settings: &LoginSettings) -> Self {
        Self {
            tries: RateLimit::per_minute(settings.account_tries_per_minute),
            failures: RateLimit::per_minute(settings.address_failures_per_minute),
        }
    }
}

impl Access {
    /// Whether somebody at this address may try to log in to this account now. Counts the try.
    pub(in crate::http) fn may_try_login(&self, login: &str, address: IpAddr) -> bool {
        let login: String = normalize_login(login).chars().take(COUNTED_CHARS).collect();
        let may_try =
            self.logins.failures.peek(address).is_ok() && self.logins.tries.take(login.into()).is_ok();
        if !may_try {
            count_refused("login_rate");
        }
        may_try
    }

    /// Counts a login that failed.
    pub(in crate::http) fn count_failed_login(&self, address: IpAddr) {
        // The next one is refused if this was one too many.
        let _ = self.logins.failures.take(address);
    }
}
