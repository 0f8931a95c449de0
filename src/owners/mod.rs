//! Whom a device belongs to: from memory, then Redis, then PostgreSQL.
//!
//! Before: `http` has parsed what a device sent. After: `ingest` writes it with the ids it lacked.
//! Promise: [`Owners::fill`] costs one look into memory per device when the device is remembered, and nothing when the
//! upload names all ids; many misses at once are one query. What is remembered is dropped in every instance as soon as
//! the notification of a change arrives; what was looked up before the change is not remembered after it. While changes
//! cannot be heard, nothing is taken from memory or Redis. Redis completes what uploads leave open and decides nothing: whatever a
//! key is held against comes from PostgreSQL, or from what memory has from there ([`Witness`]).
//!
//! A sample belongs to the binding in force at its own time, so one that comes late goes to whoever wore the device
//! then (`sql/functions/device/device_owner_at.sql`).

mod follow;
mod lookup;
#[cfg(test)]
mod speed;
mod tenant;

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::mpsc;

use crate::cache::Cache;
use crate::config::Settings;
use crate::lookup_cache::LookupCache;
use crate::model::tenant::Probe;
use crate::model::{Owned, Tenure};
use crate::store::notifier::Notifier;
use crate::store::owners::{self, Version};
use crate::store::{Kind, Store, StoreError};
use crate::tasks::Stage;
use crate::telemetry::names;
use lookup::Question;

/// Why owners could not be found out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OwnersError {
    /// The service is about to end.
    #[error("the service is stopping")]
    Stopping,
    /// The database is away.
    #[error("the database does not answer")]
    Unavailable,
    /// The database refuses the question, as it will the next time.
    #[error("the database refuses to tell owners")]
    Refused,
}

type ByDevice = HashMap<Box<str>, Tenure>;

/// Who may say whom a device belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Witness {
    /// Redis too: to complete what an upload leaves open.
    Any,
    /// PostgreSQL alone: a key is held against it.
    Database,
}

/// What is remembered of a device.
#[derive(Debug, Clone, Copy)]
struct Remembered {
    tenure: Tenure,
    /// Who said so.
    said_by: Witness,
}

/// The door. Clones share the memory.
#[derive(Debug, Clone)]
pub struct Owners {
    shared: Arc<Shared>,
    questions: mpsc::Sender<Question>,
}

/// What the tasks share.
#[derive(Debug)]
struct Shared {
    store: Store,
    cache: Cache,
    memory: LookupCache<Box<str>, Remembered>,
    /// What keys of one tenant may name.
    fine: tenant::FineThings,
    /// The last version heard of; `None`: changes are not heard at present.
    version: Mutex<Option<Version>>,
}

impl Shared {
    /// What memory has from `witness`.
    fn recall(&self, device_sn: &str, witness: Witness) -> Option<Tenure> {
        self.memory.get(device_sn).filter(|found| found.said_by >= witness).map(|found| found.tenure)
    }

    fn version(&self) -> Option<Version> {
        // The lock is held for an assignment only; one that panicked left a whole value.
        self.version.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Owners {
    /// Starts the lookup in `stage`, which must outlive whoever asks; `notifier` gives it the changes.
    pub fn start(
        store: &Store,
        cache: &Cache,
        notifier: &mut Notifier,
        settings: &Settings,
        stage: &Stage,
    ) -> Self {
        let shared = Arc::new(Shared {
            store: store.clone(),
            cache: cache.clone(),
            memory: LookupCache::new(
                settings.owner_cache_devices,
                Duration::from_secs(settings.owner_cache_seconds.into()),
            ),
            fine: tenant::FineThings::default(),
            version: Mutex::new(None),
        });
        let (questions, asked) = mpsc::channel(lookup::QUESTIONS);
        let (news, told) = mpsc::channel(follow::NEWS);
        let lookup = lookup::run(Arc::clone(&shared), news.clone(), asked, stage.stop_token());
        stage.spawn_loop("owners.lookup", lookup);
        stage.spawn_loop("owners.keep", follow::keep(Arc::clone(&shared), told, stage.stop_token()));
        let following = Arc::clone(&shared);
        notifier.on_directory_change(move |change| follow::hear(&following, &news, change));
        Self { shared, questions }
    }

    /// Completes the owners of what devices sent. What names all ids, or ids that contradict those of the directory, is
    /// left as it is; so is what nobody's device sent. Where the database refuses to tell, all is left as it is: what
    /// devices sent is worth more than whose it is.
    ///
    /// # Errors
    /// [`OwnersError`], never `Refused`. Waits for a database that is away: the caller has the deadline.
    pub async fn fill<T: Owned + Send + Sync>(&self, sent: &mut [T]) -> Result<(), OwnersError> {
        match self.find_out(sent, Witness::Any).await {
            Err(OwnersError::Refused) => Ok(()),
            done => done,
        }
    }

    /// [`Self::fill`] for whoever has to know: from PostgreSQL, or what memory has from there.
    ///
    /// # Errors
    /// [`OwnersError`]. Waits for a database that is away: the caller has the deadline.
    pub async fn fill_verified<T: Owned + Send + Sync>(&self, sent: &mut [T]) -> Result<(), OwnersError> {
        self.find_out(sent, Witness::Database).await
    }

    /// The tenant a device is of now, as [`Self::fill_verified`] has it; `None`: of none.
    ///
    /// # Errors
    /// [`OwnersError`]. Waits for a database that is away: the caller has the deadline.
    pub async fn tenant_now(&self, device_sn: &str) -> Result<Option<i64>, OwnersError> {
        let mut probe = [Probe::new(device_sn, Timestamp::now())];
        self.fill_verified(&mut probe).await?;
        Ok(probe[0].owner.customer_id)
    }

    async fn find_out<T: Owned + Send + Sync>(
        &self,
        sent: &mut [T],
        witness: Witness,
    ) -> Result<(), OwnersError> {
        let open = self.fill_remembered(sent, witness);
        if open.is_empty() {
            return Ok(());
        }
        let found = self.look_up(sent, &open, witness).await?;
        let mut earlier = Vec::new();
        for index in open {
            let one = &mut sent[index];
            match found.get(one.device_sn()) {
                Some(tenure) if tenure.covers(one.ts()) => one.owner_mut().complete_from(&tenure.owner),
                _ => earlier.push(index),
            }
        }
        if earlier.is_empty() {
            return Ok(());
        }
        // What was measured in another tenure than that of today. Rare, so nothing of it is remembered.
        let earlier = sent.iter_mut().enumerate().filter(|(place, _)| earlier.binary_search(place).is_ok());
        owners::fill(&self.shared.store, earlier.map(|(_, one)| one)).await.map_err(|error| trouble(&error))
    }

    /// Fills what memory can; gives the places of the rest.
    fn fill_remembered<T: Owned>(&self, sent: &mut [T], witness: Witness) -> Vec<usize> {
        let mut open = Vec::new();
        let mut last: Option<(usize, Option<Tenure>)> = None;
        let mut remembered = 0;
        for index in 0..sent.len() {
            if sent[index].owner().is_complete() {
                continue;
            }
            let device_sn = sent[index].device_sn();
            let tenure = match last {
                Some((of, tenure)) if sent[of].device_sn() == device_sn => tenure,
                _ => {
                    let tenure = self.shared.recall(device_sn, witness);
                    remembered += u64::from(tenure.is_some());
                    tenure
                }
            };
            last = Some((index, tenure));
            match tenure {
                Some(tenure) if tenure.covers(sent[index].ts()) => {
                    sent[index].owner_mut().complete_from(&tenure.owner);
                }
                _ => open.push(index),
            }
        }
        if remembered > 0 {
            metrics::counter!(names::OWNERS_FOUND, "in" => "memory").increment(remembered);
        }
        open
    }

    /// Whom the devices at these places belong to now.
    async fn look_up<T: Owned + Sync>(
        &self,
        sent: &[T],
        places: &[usize],
        witness: Witness,
    ) -> Result<ByDevice, OwnersError> {
        let now = Timestamp::now();
        let mut found = ByDevice::new();
        let mut unknown = Vec::new();
        for device_sn in places.iter().map(|place| sent[*place].device_sn()).collect::<BTreeSet<_>>() {
            match self.shared.recall(device_sn, witness) {
                Some(tenure) if tenure.until.is_none_or(|until| now < until) => {
                    found.insert(device_sn.into(), tenure);
                }
                _ => unknown.push(Box::from(device_sn)),
            }
        }
        // In pieces: an upload of very many devices lets others ask in between.
        for device_sns in unknown.chunks(lookup::MAX_DEVICES) {
            let answer = lookup::ask(&self.questions, device_sns.to_vec(), witness).await?;
            for device_sn in device_sns {
                if let Some((device_sn, tenure)) = answer.get_key_value(device_sn) {
                    found.insert(device_sn.clone(), *tenure);
                }
            }
        }
        Ok(found)
    }
}

/// Why the database did not tell owners.
fn trouble(error: &StoreError) -> OwnersError {
    match error.kind() {
        Kind::Down | Kind::Retry => OwnersError::Unavailable,
        Kind::Conflict | Kind::Refused | Kind::Bug => {
            tracing::error!(%error, "owners not read; uploads are stored without them, or refused where the key is of one tenant");
            OwnersError::Refused
        }
    }
}
