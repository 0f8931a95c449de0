//! What tokens stand for, by their hashes: sessions, or kiosk links.
//!
//! Before: `accounts` found a token in the database, or did not. After: requests with the same token.
//! Promise: memory is bounded. Tokens that do not exist are cached apart, so that trying many cannot evict a session.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::AccountsError;
use crate::lookup_cache::LookupCache;
use crate::model::session::TokenHash;
use crate::store::StoreError;

/// Most cached sessions; each takes about a kilobyte.
const MAX_CACHED: u64 = 20_000;

/// Most cached tokens that do not exist.
const MAX_MISSING: u64 = 10_000;

/// For how long it is known that a token existed, so that its lookup does not wait behind those that are tried.
const KNOWN_FOR: Duration = Duration::from_secs(600);

/// What the cache knows about a token.
#[derive(Debug)]
pub enum TokenLookup<T> {
    /// It stands for this, or for nothing.
    Answer(Result<Arc<T>, AccountsError>),
    /// It was valid some seconds ago, or before something changed, and has to be looked up again.
    Stale,
    /// It has to be looked up.
    Unknown,
}

impl<T> TokenLookup<T> {
    /// An answer that `check` does not refuse.
    pub(super) fn checked(self, check: impl FnOnce(&T) -> Result<(), AccountsError>) -> Self {
        match self {
            Self::Answer(Ok(found)) => Self::Answer(check(&found).map(|()| found)),
            other => other,
        }
    }
}

#[derive(Debug)]
pub(super) struct TokenCache<T: Send + Sync + 'static> {
    known: LookupCache<TokenHash, Entry<T>>,
    missing: LookupCache<TokenHash, ()>,
    renew_after: Duration,
}

#[derive(Debug)]
struct Entry<T> {
    found: Arc<T>,
    renew_at: Instant,
}

impl<T> Clone for Entry<T> {
    fn clone(&self) -> Self {
        Self { found: Arc::clone(&self.found), renew_at: self.renew_at }
    }
}

impl<T: Send + Sync + 'static> TokenCache<T> {
    pub(super) fn new(renew_after: Duration) -> Self {
        let known = LookupCache::new(MAX_CACHED, KNOWN_FOR);
        Self { known, missing: LookupCache::new(MAX_MISSING, renew_after), renew_after }
    }

    pub(super) fn get(&self, token: &TokenHash) -> TokenLookup<T> {
        match self.known.get(token) {
            Some(entry) if Instant::now() < entry.renew_at => TokenLookup::Answer(Ok(entry.found)),
            Some(_) => TokenLookup::Stale,
            None if self.missing.get(token).is_some() => TokenLookup::Answer(Err(AccountsError::Refused)),
            None if self.known.get_stale(token).is_some() => TokenLookup::Stale,
            None => TokenLookup::Unknown,
        }
    }

    /// Looks a token up with `find`, and caches the result.
    pub(super) async fn fill(
        &self,
        token: TokenHash,
        find: impl Future<Output = Result<Option<T>, StoreError>>,
    ) -> Result<Result<Arc<T>, AccountsError>, StoreError> {
        let (known, missing) = (self.known.generation(), self.missing.generation());
        if let Some(found) = find.await? {
            let found = Arc::new(found);
            let entry = Entry { found: Arc::clone(&found), renew_at: Instant::now() + self.renew_after };
            self.known.insert(token, entry, known);
            return Ok(Ok(found));
        }
        self.missing.insert(token, (), missing);
        self.remove(&token);
        Ok(Err(AccountsError::Refused))
    }

    /// Drops a token that has ended.
    pub(super) fn remove(&self, token: &TokenHash) {
        self.known.invalidate(std::iter::once(token));
    }

    pub(super) fn invalidate_all(&self) {
        self.known.invalidate_all();
        self.missing.invalidate_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: TokenHash = [1; 32];

    async fn filled(found: Option<u8>) -> TokenCache<u8> {
        let cache = TokenCache::new(Duration::from_secs(10));
        cache.invalidate_all();
        cache.fill(TOKEN, async { Ok(found) }).await.expect("no error").ok();
        cache
    }

    #[tokio::test]
    async fn a_token_is_answered_from_memory_until_something_changes() {
        let cache = filled(Some(7)).await;
        assert!(matches!(cache.get(&TOKEN), TokenLookup::Answer(Ok(found)) if *found == 7));
        assert!(matches!(cache.get(&[2; 32]), TokenLookup::Unknown));
        cache.invalidate_all();
        assert!(matches!(cache.get(&TOKEN), TokenLookup::Stale), "looked up before tokens that are tried");
        cache.fill(TOKEN, async { Ok(None) }).await.expect("no error").expect_err("gone");
        assert!(matches!(cache.get(&TOKEN), TokenLookup::Answer(Err(AccountsError::Refused))));
    }

    #[tokio::test]
    async fn a_token_that_does_not_exist_is_looked_up_once() {
        let cache = filled(None).await;
        assert!(matches!(cache.get(&TOKEN), TokenLookup::Answer(Err(AccountsError::Refused))));
    }

    #[tokio::test]
    async fn an_answer_from_before_a_change_is_not_kept() {
        let cache = filled(None).await;
        let during = async {
            cache.invalidate_all();
            Ok(Some(7))
        };
        assert!(cache.fill([2; 32], during).await.expect("no error").is_ok());
        assert!(!matches!(cache.get(&[2; 32]), TokenLookup::Answer(_)));
    }
}
