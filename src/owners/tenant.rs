//! Uploads with a key of one tenant: what is the tenant's goes on, the rest is rejected.
//!
//! Before: `http` has parsed what came with such a key. After: `ingest` writes items and rejects alike.
//! Promise: what `model::tenant` promises, by the directory as it is; what that does not say (units and wearers an upload names,
//! devices that were never bound) by the database as it was [`FINE_FOR`] ago at most. What cannot be found out is refused whole.

use std::collections::HashSet;
use std::time::Duration;

use moka::sync::Cache;

use super::{Owners, OwnersError};
use crate::model::tenant::{self, Doubts, Foreign, Probe};
use crate::model::upload::Sent;
use crate::model::{Reject, Upload};
use crate::store::owners;

/// How long what was no other tenant's is taken for that still.
const FINE_FOR: Duration = Duration::from_secs(60);

/// Things that are remembered to be fine; each takes about 200 bytes.
const FINE_THINGS: u64 = 100_000;

/// Something that is no other tenant's than this.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Fine {
    Device(i64, Box<str>),
    Org(i64, i64),
    User(i64, i64),
}

/// What was asked and is no other tenant's.
#[derive(Debug)]
pub(super) struct FineThings(Cache<Fine, ()>);

impl Default for FineThings {
    fn default() -> Self {
        Self(Cache::builder().max_capacity(FINE_THINGS).time_to_live(FINE_FOR).build())
    }
}

impl FineThings {
    /// Takes what is known to be fine out of the doubts.
    fn dispel(&self, doubts: &mut Doubts, tenant: i64) {
        let Self(fine) = self;
        doubts.device_sns.retain(|device_sn| !fine.contains_key(&Fine::Device(tenant, device_sn.clone())));
        doubts.org_ids.retain(|org_id| !fine.contains_key(&Fine::Org(tenant, *org_id)));
        doubts.user_ids.retain(|user_id| !fine.contains_key(&Fine::User(tenant, *user_id)));
    }

    fn remember(&self, doubts: Doubts, foreign: &Foreign, tenant: i64) {
        fn own<T: std::hash::Hash + Eq>(asked: impl IntoIterator<Item = T>, foreign: &HashSet<T>) -> Vec<T> {
            asked.into_iter().filter(|one| !foreign.contains(one)).collect()
        }
        let devices = own(doubts.device_sns, &foreign.device_sns).into_iter();
        let orgs = own(doubts.org_ids, &foreign.org_ids).into_iter();
        let users = own(doubts.user_ids, &foreign.user_ids).into_iter();
        let fine = devices.map(|device_sn| Fine::Device(tenant, device_sn));
        let fine = fine.chain(orgs.map(|id| Fine::Org(tenant, id)));
        for fine in fine.chain(users.map(|id| Fine::User(tenant, id))) {
            self.0.insert(fine, ());
        }
    }
}

impl Owners {
    /// Keeps what is the tenant's, with its owners completed; the rest is among the rejects afterwards.
    ///
    /// # Errors
    /// [`OwnersError`]. Waits for a database that is away: the caller has the deadline.
    pub async fn keep_own(&self, upload: &mut Upload, customer_id: i64) -> Result<(), OwnersError> {
        self.keep(&mut upload.items, &mut upload.rejects, customer_id).await?;
        self.keep(&mut upload.events, &mut upload.rejects, customer_id).await?;
        self.keep(&mut upload.device_infos, &mut upload.rejects, customer_id).await
    }

    async fn keep<T: Sent + Send + Sync>(
        &self,
        sent: &mut Vec<T>,
        rejects: &mut Vec<Reject>,
        customer_id: i64,
    ) -> Result<(), OwnersError> {
        if sent.is_empty() {
            return Ok(());
        }
        // Also of what names all its ids: whose the device is has to be known all the same.
        let mut probes: Vec<Probe> = sent.iter().map(Probe::of).collect();
        self.find_out(&mut probes).await?;
        let mut doubts = Doubts::default();
        for (one, probe) in sent.iter().zip(&probes) {
            doubts.add(one, &probe.owner, customer_id);
        }
        let foreign = self.foreign(doubts, customer_id).await?;
        tenant::keep_own(sent, probes.into_iter().map(|probe| probe.owner), &foreign, customer_id, rejects);
        Ok(())
    }

    async fn foreign(&self, mut doubts: Doubts, customer_id: i64) -> Result<Foreign, OwnersError> {
        let fine = &self.shared.fine;
        fine.dispel(&mut doubts, customer_id);
        if doubts.is_none() {
            return Ok(Foreign::default());
        }
        match owners::foreign(&self.shared.store, customer_id, &doubts).await {
            Ok(foreign) => {
                fine.remember(doubts, &foreign, customer_id);
                Ok(foreign)
            }
            Err(error) => Err(super::trouble(&error)),
        }
    }
}
