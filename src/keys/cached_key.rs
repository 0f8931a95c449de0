//! A key as it is cached.
//!
//! Before: `store::api_key` found it. After: requests that present it.

use std::sync::atomic::AtomicBool;

use jiff::Timestamp;
use subtle::ConstantTimeEq;

use crate::model::api_key::{KeyId, PresentedKey, Scope};
use crate::store::api_key::StoredKey;

/// A key that exists.
#[derive(Debug)]
pub struct CachedKey {
    /// Its public part.
    pub key_id: KeyId,
    kept: StoredKey,
    /// It was used, and this is still to be written.
    pub(super) is_used: AtomicBool,
}

impl CachedKey {
    /// From its row.
    pub const fn of(key_id: KeyId, kept: StoredKey) -> Self {
        Self { key_id, kept, is_used: AtomicBool::new(false) }
    }

    /// Its tenant; `None`: every tenant.
    pub fn customer_id(&self) -> Option<i64> {
        self.kept.customer_id
    }

    /// Its organisation unit; `None`: it is not limited to one.
    pub fn org_id(&self) -> Option<i64> {
        self.kept.org_id
    }

    /// The person to whom it belongs.
    pub fn actor(&self) -> Option<&str> {
        self.kept.actor.as_deref()
    }

    /// Whether a request with it may name another person. A key with scope `admin` that belongs to nobody is that of a program.
    pub fn may_vouch(&self) -> bool {
        self.kept.may_vouch || self.kept.actor.is_none() && self.has_scope(Scope::Admin)
    }

    /// Whether it has this scope.
    pub fn has_scope(&self, scope: Scope) -> bool {
        self.kept.scopes.contains(&scope)
    }

    /// Whether the presented key is this one, and valid at `now`.
    pub fn admits(&self, key: &PresentedKey, now: Timestamp) -> bool {
        let given = key.secret_hash();
        let is_current = bool::from(self.kept.secret_hash.ct_eq(&given));
        let is_previous =
            self.kept.previous.is_some_and(|(hash, until)| bool::from(hash.ct_eq(&given)) && now < until);
        let is_invalid = self.kept.is_revoked || self.kept.expires_at.is_some_and(|at| at <= now);
        (is_current || is_previous) && !is_invalid
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn later() -> Timestamp {
        Timestamp::from_second(1).expect("a time")
    }

    fn key(secret: u8) -> PresentedKey {
        PresentedKey::of(KeyId::of([1; 6]), [secret; 32])
    }

    fn known(change: impl FnOnce(&mut StoredKey)) -> CachedKey {
        let mut kept = StoredKey {
            customer_id: None,
            org_id: None,
            actor: None,
            may_vouch: false,
            scopes: vec![Scope::Read],
            secret_hash: key(1).secret_hash(),
            previous: None,
            expires_at: None,
            is_revoked: false,
        };
        change(&mut kept);
        CachedKey::of(KeyId::of([1; 6]), kept)
    }

    #[test]
    fn only_its_own_secret_is_accepted() {
        assert!(known(|_| ()).admits(&key(1), NOW));
        assert!(!known(|_| ()).admits(&key(2), NOW));
    }

    #[test]
    fn the_secret_before_does_until_its_time_is_over() {
        let rotated = known(|kept| kept.previous = Some((key(2).secret_hash(), later())));
        assert!(rotated.admits(&key(2), NOW) && rotated.admits(&key(1), NOW));
        assert!(!rotated.admits(&key(2), later()) && rotated.admits(&key(1), later()));
    }

    #[test]
    fn what_is_over_does_no_longer() {
        let expiring = known(|kept| kept.expires_at = Some(later()));
        assert!(expiring.admits(&key(1), NOW) && !expiring.admits(&key(1), later()));
        assert!(!known(|kept| kept.is_revoked = true).admits(&key(1), NOW));
    }

    #[test]
    fn a_key_names_others_only_if_it_may_or_is_that_of_an_administrating_program() {
        assert!(!known(|_| ()).may_vouch());
        assert!(known(|kept| kept.may_vouch = true).may_vouch());
        assert!(known(|kept| kept.scopes.push(Scope::Admin)).may_vouch());
        let of_a_person = known(|kept| {
            kept.scopes.push(Scope::Admin);
            kept.actor = Some("nurse Li".to_owned());
        });
        assert!(!of_a_person.may_vouch());
    }

    #[test]
    fn a_scope_it_does_not_have_is_not_there() {
        assert!(known(|_| ()).has_scope(Scope::Read));
        assert!(!known(|_| ()).has_scope(Scope::Upload) && !known(|_| ()).has_scope(Scope::Admin));
    }
}
