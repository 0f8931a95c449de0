//! People who log in: their passwords, their sessions, kiosk links, and the log of who looked at whose data.
//!
//! Before: `http` finds a token in a cookie, or the form of a login. After: the request goes on with its [`Session`] or [`KioskLink`], or is
//! refused.
//! Promise: a cached session costs one cache lookup and one SHA-256, and no query; no token and no password is cached or logged. A change
//! takes effect as soon as its notification arrives, at the latest after [`RENEW_AFTER`]. Sessions end by the clock of PostgreSQL; all
//! instances share them. The time of a login does not reveal whether there is such an account.
//!
//! ```text
//!  token ─▶ cached? ─▶ not over? ─▶ Session
//!           └ no ─▶ looked up, a few at a time
//!  login + password ─▶ account ─▶ Argon2 on a thread for blocking work, a few at a time ─▶ token
//!  NOTIFY vitals_account ─▶ everything cached becomes stale
//! ```

pub mod access_log;
mod login;
pub mod oidc;
pub mod password;
mod token_cache;
mod usage;

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::config::{LoginSettings, Settings};
use crate::model::session::TokenHash;
use crate::model::{KioskLink, Session};
use crate::store::clock::Clock;
use crate::store::notifier::Notifier;
use crate::store::wake::{Topic, Wake};
use crate::store::{Kind, Store, StoreError, account_session, kiosk_link};
use crate::tasks::Stage;
pub use access_log::AccessLog;
pub use login::{Browser, LoginError, normalize_login};
use oidc::Oidc;
pub use oidc::{OidcError, OidcStart};
use password::Hasher;
use token_cache::TokenCache;
pub use token_cache::TokenLookup;
use usage::Usage;

/// Age at which a session is looked up again, in case the notification of a change was lost.
const RENEW_AFTER: Duration = Duration::from_secs(10);

/// Most lookups at a time. Uploads and the relay keep the rest of the pool.
const MAX_LOOKUPS: usize = 2;

/// Why nobody is logged in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AccountsError {
    /// There is no such session or link, or it is over. The caller does not learn which.
    #[error("not logged in")]
    Refused,
    /// It is not cached, and the database is away.
    #[error("the session cannot be looked up: the database does not answer")]
    Unavailable,
}

/// Logs people in and finds their sessions. Clones share the cache.
#[derive(Debug, Clone)]
pub struct Accounts {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    store: Store,
    time: Clock,
    sessions: TokenCache<Session>,
    kiosks: TokenCache<KioskLink>,
    lookups: Semaphore,
    hasher: Hasher,
    usage: Usage,
    settings: LoginSettings,
    oidc: Option<Oidc>,
}

impl Accounts {
    /// Starts the tasks that follow changes and write when sessions were used, in `stage`, which must outlive the users of [`Accounts`].
    ///
    /// # Errors
    /// TLS cannot be used on this machine.
    pub fn start(
        store: &Store,
        time: &Clock,
        notifier: &Notifier,
        settings: &Settings,
        stage: &Stage,
    ) -> Result<Self, OidcError> {
        let oidc = settings.oidc.is_on().then(|| Oidc::new(settings)).transpose()?;
        let shared = Arc::new(Shared {
            store: store.clone(),
            time: time.clone(),
            sessions: TokenCache::new(RENEW_AFTER),
            kiosks: TokenCache::new(RENEW_AFTER),
            lookups: Semaphore::new(MAX_LOOKUPS),
            hasher: Hasher::default(),
            usage: Usage::default(),
            settings: settings.login.clone(),
            oidc,
        });
        let follow = follow(Arc::clone(&shared), notifier.wake(Topic::Account), stage.stop_token());
        stage.spawn_loop("accounts.follow", follow);
        stage.spawn_loop("accounts.usage", usage::run(Arc::clone(&shared), stage.stop_token()));
        Ok(Self { shared })
    }

    /// A request was let through by this session: it does not become idle.
    pub fn session_used(&self, session: &Session) {
        self.shared.usage.note_session(session, self.shared.time.now());
    }

    /// A request was let through by this kiosk link.
    pub fn kiosk_used(&self, link: &KioskLink) {
        self.shared.usage.note_kiosk(link, self.shared.time.now());
    }

    /// The session of a token, as far as the cache knows.
    pub fn cached_session(&self, token: &TokenHash) -> TokenLookup<Session> {
        self.shared.sessions.get(token).checked(|session| self.shared.admit_session(session))
    }

    /// The kiosk link of a token, as far as the cache knows.
    pub fn cached_kiosk(&self, token: &TokenHash) -> TokenLookup<KioskLink> {
        self.shared.kiosks.get(token).checked(|link| self.shared.admit_kiosk(link))
    }

    /// The session of a token, as the database says within `timeout`.
    ///
    /// # Errors
    /// [`AccountsError`].
    pub async fn session(&self, token: &TokenHash, timeout: Duration) -> Result<Arc<Session>, AccountsError> {
        let shared = &self.shared;
        let find = account_session::find(&shared.store, token);
        let session = shared.look_up(&shared.sessions, token, find, timeout).await?;
        shared.admit_session(&session).map(|()| session)
    }

    /// The kiosk link of a token, as the database says within `timeout`.
    ///
    /// # Errors
    /// [`AccountsError`].
    pub async fn kiosk(&self, token: &TokenHash, timeout: Duration) -> Result<Arc<KioskLink>, AccountsError> {
        let shared = &self.shared;
        let find = kiosk_link::find(&shared.store, token);
        let link = shared.look_up(&shared.kiosks, token, find, timeout).await?;
        shared.admit_kiosk(&link).map(|()| link)
    }
}

impl Shared {
    /// Asks the database, unless another request has done so meanwhile.
    async fn look_up<T: Send + Sync + 'static>(
        &self,
        cache: &TokenCache<T>,
        token: &TokenHash,
        find: impl Future<Output = Result<Option<T>, StoreError>>,
        timeout: Duration,
    ) -> Result<Arc<T>, AccountsError> {
        let lookup = async {
            let _permit = self.lookups.acquire().await.map_err(|_| AccountsError::Unavailable)?;
            match cache.get(token) {
                TokenLookup::Answer(answer) => answer,
                TokenLookup::Stale | TokenLookup::Unknown => {
                    cache.fill(*token, find).await.map_err(|error| {
                        log_lookup_error(&error);
                        AccountsError::Unavailable
                    })?
                }
            }
        };
        tokio::time::timeout(timeout, lookup).await.unwrap_or(Err(AccountsError::Unavailable))
    }

    fn admit_session(&self, session: &Session) -> Result<(), AccountsError> {
        let is_in_use = is_in_use(session, self.time.now(), self.settings.idle());
        is_in_use.then_some(()).ok_or(AccountsError::Refused)
    }

    fn admit_kiosk(&self, link: &KioskLink) -> Result<(), AccountsError> {
        link.is_valid(self.time.now()).then_some(()).ok_or(AccountsError::Refused)
    }

    fn invalidate_all(&self) {
        self.sessions.invalidate_all();
        self.kiosks.invalidate_all();
    }
}

/// Whether a session is neither over nor abandoned.
fn is_in_use(session: &Session, now: Timestamp, idle: Duration) -> bool {
    let idle = SignedDuration::try_from(idle).unwrap_or(SignedDuration::MAX);
    now < session.ends_at && now.duration_since(session.seen_at) < idle
}

/// At each change, and at each new connection (notifications before it are lost), invalidates everything that is cached. Runs until `stop`.
async fn follow(shared: Arc<Shared>, mut wake: Wake, stop: CancellationToken) {
    while !stop.is_cancelled() {
        wake.arm();
        shared.invalidate_all();
        tokio::select! {
            () = wake.woken() => {}
            () = stop.cancelled() => {}
        }
    }
}

fn log_lookup_error(error: &StoreError) {
    match error.kind() {
        Kind::Down | Kind::Retry => tracing::debug!(%error, "a session cannot be looked up"),
        Kind::Conflict | Kind::Refused | Kind::Bug => tracing::error!(%error, "sessions not read"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Grant, Id64, Role};

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("a time")
    }

    #[test]
    fn a_session_ends_when_nobody_uses_it_and_at_its_end_whoever_does() {
        let grant = Grant {
            grant_id: Id64(1),
            role: Role::Viewer,
            customer_id: None,
            org_id: None,
            tenant_name: None,
            unit_name: None,
        };
        let session = Session {
            session_id: 1,
            account_id: 1,
            login: "li".to_owned(),
            name: "Li".to_owned(),
            language: None,
            grant: grant.clone(),
            grants: vec![grant],
            seen_at: at(1000),
            ends_at: at(5000),
        };
        let idle = Duration::from_secs(600);
        assert!(is_in_use(&session, at(1000), idle) && is_in_use(&session, at(1599), idle));
        assert!(!is_in_use(&session, at(1600), idle), "idle");
        let used = Session { seen_at: at(4990), ..session };
        assert!(is_in_use(&used, at(4999), idle));
        assert!(!is_in_use(&used, at(5000), idle), "over");
    }
}
