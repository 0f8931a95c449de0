//! Uploads with a key of one tenant, or of one device: records of the tenant are kept, the others are rejected.
//!
//! Before: `http` has parsed an upload with such a key. After: `ingest` writes the records and the rejects.
//! Promise: that of [`crate::model::tenant`], with owners from PostgreSQL and never from Redis. Units and wearers that an upload names are
//! checked against the database as it was at most [`VERIFIED_FOR`] ago. If the check is not possible, the whole upload is refused.

use std::time::Duration;

use moka::sync::Cache;

use super::{Owners, OwnersError};
use crate::model::tenant::{self, Directory, ForeignIds, UnverifiedIds};
use crate::model::{OwnerSlot, Upload};
use crate::store::owners;

/// How long an id that is no other tenant's is not asked about again.
const VERIFIED_FOR: Duration = Duration::from_secs(60);

/// Most verified ids that are cached; each takes about 200 bytes.
const MAX_VERIFIED: u64 = 100_000;

/// An id that is no other tenant's than this.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum VerifiedId {
    Org { tenant: i64, org_id: i64 },
    User { tenant: i64, user_id: i64 },
}

/// Ids that were looked up and are no other tenant's.
#[derive(Debug)]
pub(super) struct VerifiedIds(Cache<VerifiedId, ()>);

impl Default for VerifiedIds {
    fn default() -> Self {
        Self(Cache::builder().max_capacity(MAX_VERIFIED).time_to_live(VERIFIED_FOR).build())
    }
}

impl VerifiedIds {
    /// Removes the ids that are verified.
    fn remove_from(&self, UnverifiedIds { org_ids, user_ids }: &mut UnverifiedIds) {
        let Self(verified) = self;
        org_ids.retain(|&(tenant, org_id)| !verified.contains_key(&VerifiedId::Org { tenant, org_id }));
        user_ids.retain(|&(tenant, user_id)| !verified.contains_key(&VerifiedId::User { tenant, user_id }));
    }

    /// These ids were looked up, and `foreign` are another tenant's.
    fn add(&self, looked_up: UnverifiedIds, foreign: &ForeignIds) {
        let orgs = looked_up.org_ids.into_iter().filter(|id| !foreign.org_ids.contains(id));
        let users = looked_up.user_ids.into_iter().filter(|id| !foreign.user_ids.contains(id));
        let orgs = orgs.map(|(tenant, org_id)| VerifiedId::Org { tenant, org_id });
        for id in orgs.chain(users.map(|(tenant, user_id)| VerifiedId::User { tenant, user_id })) {
            self.0.insert(id, ());
        }
    }
}

/// From PostgreSQL, or from what is cached from there.
impl Directory for Owners {
    type Error = OwnersError;

    async fn fill(&self, slots: Vec<OwnerSlot<'_>>) -> Result<(), OwnersError> {
        self.fill_verified(slots.into_iter()).await
    }

    async fn foreign(&self, mut unverified: UnverifiedIds) -> Result<ForeignIds, OwnersError> {
        let verified_ids = &self.shared.verified_ids;
        verified_ids.remove_from(&mut unverified);
        if unverified.is_empty() {
            return Ok(ForeignIds::default());
        }
        match owners::foreign(&self.shared.store, &unverified).await {
            Ok(foreign) => {
                verified_ids.add(unverified, &foreign);
                Ok(foreign)
            }
            Err(error) => Err(super::owners_error(&error)),
        }
    }
}

impl Owners {
    /// Keeps the records that a key of this tenant may write (0: of the tenant that the directory gives the device, for a key of
    /// one device), with their owners completed. The others are among the rejects afterwards.
    ///
    /// # Errors
    /// [`OwnersError`]. Waits for a database that is away: the caller has the deadline.
    pub async fn keep_own(&self, upload: &mut Upload, customer_id: i64) -> Result<(), OwnersError> {
        tenant::keep_own(self, upload, customer_id).await
    }
}
