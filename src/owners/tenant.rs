//! Uploads with a key of one tenant, or of one device: what is the tenant's goes on, the rest is rejected.
//!
//! Before: `http` has parsed what came with such a key. After: `ingest` writes items and rejects alike.
//! Promise: what `model::tenant` promises, by the directory as it is, which PostgreSQL tells and never Redis; what that does not
//! say (units and wearers an upload names) by the database as it was [`FINE_FOR`] ago at most. What cannot be found out is
//! refused whole.

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
    fn dispel(&self, doubts: &mut Doubts) {
        let Self(fine) = self;
        doubts.org_ids.retain(|(tenant, id)| !fine.contains_key(&Fine::Org(*tenant, *id)));
        doubts.user_ids.retain(|(tenant, id)| !fine.contains_key(&Fine::User(*tenant, *id)));
    }

    fn remember(&self, doubts: Doubts, foreign: &Foreign) {
        let orgs = doubts.org_ids.into_iter().filter(|one| !foreign.org_ids.contains(one));
        let users = doubts.user_ids.into_iter().filter(|one| !foreign.user_ids.contains(one));
        let fine = orgs.map(|(tenant, id)| Fine::Org(tenant, id));
        for fine in fine.chain(users.map(|(tenant, id)| Fine::User(tenant, id))) {
            self.0.insert(fine, ());
        }
    }
}

impl Owners {
    /// Keeps what is the tenant's (0: of whom the directory says, for a key of one device), with its owners completed; the rest
    /// is among the rejects afterwards.
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
        self.fill_verified(&mut probes).await?;
        let mut doubts = Doubts::default();
        for (one, probe) in sent.iter().zip(&probes) {
            doubts.add(one, &probe.owner, customer_id);
        }
        let foreign = self.foreign(doubts).await?;
        tenant::keep_own(sent, probes.into_iter().map(|probe| probe.owner), &foreign, customer_id, rejects);
        Ok(())
    }

    async fn foreign(&self, mut doubts: Doubts) -> Result<Foreign, OwnersError> {
        let fine = &self.shared.fine;
        fine.dispel(&mut doubts);
        if doubts.is_none() {
            return Ok(Foreign::default());
        }
        match owners::foreign(&self.shared.store, &doubts).await {
            Ok(foreign) => {
                fine.remember(doubts, &foreign);
                Ok(foreign)
            }
            Err(error) => Err(super::trouble(&error)),
        }
    }
}
