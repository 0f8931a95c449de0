//! What a key of one tenant, or of one device, may write, and what not.
//!
//! Before: `owners` and `ingest::replay` found out whose devices, units and wearers are. After: what is the tenant's is
//! stored, the rest is among the rejects.
//! Promise: nothing that names another tenant, or that comes from a device, a unit or a wearer of another, is kept as an item;
//! an item that names no tenant is the key's. A key of one device ([`OF_DIRECTORY`]) has the tenant that the directory gives the
//! device at the time of the item. Only the directory makes an owner: a device it does not know is nobody's, whatever it said.

use std::collections::{BTreeSet, HashSet};

use jiff::Timestamp;

use super::upload::Sent;
use super::{Owned, Owner, Refusal, Reject, RejectReason};

/// The tenant of a key of one device: whichever the directory says.
pub const OF_DIRECTORY: i64 = 0;

/// A question to the directory: whose is this device at this time?
#[derive(Debug, Clone)]
pub struct Probe {
    device_sn: Box<str>,
    ts: Timestamp,
    /// The answer.
    pub owner: Owner,
}

impl Probe {
    /// Of a device at a time.
    pub fn new(device_sn: &str, ts: Timestamp) -> Self {
        Self { device_sn: device_sn.into(), ts, owner: Owner::default() }
    }

    /// Of something that was sent, whatever that says of its owner.
    pub fn of(sent: &impl Owned) -> Self {
        Self::new(sent.device_sn(), sent.ts())
    }
}

impl Owned for Probe {
    fn device_sn(&self) -> &str {
        &self.device_sn
    }

    fn ts(&self) -> Timestamp {
        self.ts
    }

    fn owner(&self) -> &Owner {
        &self.owner
    }

    fn owner_mut(&mut self) -> &mut Owner {
        &mut self.owner
    }
}

/// What the directory does not give a device at its time: whether it is another tenant's has to be asked. Each with the tenant
/// it has to be of; 0: none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Doubts {
    /// Units that are named.
    pub org_ids: BTreeSet<(i64, i64)>,
    /// Wearers that are named.
    pub user_ids: BTreeSet<(i64, i64)>,
}

/// What of it is another tenant's.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Foreign {
    /// Units of another.
    pub org_ids: HashSet<(i64, i64)>,
    /// Wearers in units of another.
    pub user_ids: HashSet<(i64, i64)>,
}

impl Doubts {
    /// Nothing has to be asked.
    pub fn is_none(&self) -> bool {
        self.org_ids.is_empty() && self.user_ids.is_empty()
    }

    /// Adds what is in doubt of something that was sent with a key of `key_customer_id`, by what the directory says of its
    /// device at its time.
    pub fn add(&mut self, sent: &impl Owned, registered: &Owner, key_customer_id: i64) {
        let (named, tenant) = (sent.owner(), tenant_of(key_customer_id, registered));
        if names_other(named, tenant) || names_other(registered, tenant) {
            return;
        }
        let asked = |named: Option<i64>, known| named.filter(|id| known != Some(*id)).map(|id| (tenant, id));
        self.org_ids.extend(asked(named.org_id, registered.org_id));
        self.user_ids.extend(asked(named.user_id, registered.user_id));
    }
}

/// Keeps what is the tenant's, with its owner completed; the rest goes to `rejects`. `registered`: what the directory says, in
/// the order of `sent`.
pub fn keep_own<T: Sent>(
    sent: &mut Vec<T>,
    registered: impl IntoIterator<Item = Owner>,
    foreign: &Foreign,
    key_customer_id: i64,
    rejects: &mut Vec<Reject>,
) {
    let mut own = Vec::with_capacity(sent.len());
    for (mut one, registered) in std::mem::take(sent).into_iter().zip(registered) {
        let tenant = tenant_of(key_customer_id, &registered);
        match fault(&one, &registered, foreign, tenant) {
            None => {
                if key_customer_id == OF_DIRECTORY {
                    // Whoever has learned a serial speaks in nobody's name but its wearer's.
                    *one.owner_mut() = registered;
                } else {
                    one.owner_mut().complete_from(&registered);
                    one.owner_mut().customer_id = Some(tenant);
                }
                own.push(one);
            }
            Some(detail) => {
                let refusal = Refusal {
                    index: one.index(),
                    reason: RejectReason::OtherTenant,
                    detail: detail.to_owned(),
                };
                rejects.push(one.reject(refusal));
            }
        }
    }
    *sent = own;
}

/// The tenant that something sent with this key has to be of; 0: none.
fn tenant_of(key_customer_id: i64, registered: &Owner) -> i64 {
    if key_customer_id == OF_DIRECTORY { registered.customer_id.unwrap_or_default() } else { key_customer_id }
}

fn names_other(owner: &Owner, tenant: i64) -> bool {
    owner.customer_id.is_some_and(|id| id != tenant)
}

/// Whose it is instead is not told.
fn fault(sent: &impl Owned, registered: &Owner, foreign: &Foreign, tenant: i64) -> Option<&'static str> {
    let named = sent.owner();
    let is_other =
        |ids: &HashSet<(i64, i64)>, id: Option<i64>| id.is_some_and(|id| ids.contains(&(tenant, id)));
    if names_other(named, tenant) {
        Some("it names another customer than that of the key")
    } else if names_other(registered, tenant) {
        Some("the device is of another customer than the key")
    } else if is_other(&foreign.org_ids, named.org_id) || is_other(&foreign.user_ids, named.user_id) {
        Some("it names an organisation unit or a user of another customer than that of the key")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Event, EventItem};

    const OURS: i64 = 1;

    fn owner(customer_id: Option<i64>, org_id: Option<i64>, user_id: Option<i64>) -> Owner {
        Owner { customer_id, org_id, user_id }
    }

    fn sent(owner: Owner) -> EventItem {
        let event = Event {
            device_sn: "D".to_owned(),
            event_type: "SOS_EVENT".to_owned(),
            ts: Timestamp::UNIX_EPOCH,
            sent_ts: None,
            action: None,
            value: None,
            owner,
            latitude: None,
            longitude: None,
            altitude: None,
        };
        EventItem {
            index: 3,
            event,
            text: bytes::Bytes::new(),
            inherited: None,
            received_at: Timestamp::UNIX_EPOCH,
            key_customer_id: Some(OURS),
        }
    }

    /// The owner it is kept with, if it is kept.
    fn kept(named: Owner, registered: Owner, foreign: &Foreign) -> Option<Owner> {
        kept_with(OURS, named, registered, foreign)
    }

    fn kept_with(key: i64, named: Owner, registered: Owner, foreign: &Foreign) -> Option<Owner> {
        let (mut all, mut rejects) = (vec![sent(named)], Vec::new());
        keep_own(&mut all, [registered], foreign, key, &mut rejects);
        assert_eq!(all.len() + rejects.len(), 1);
        assert!(
            rejects.iter().all(|reject| reject.refusal.index == 3 && reject.key_customer_id == Some(OURS))
        );
        all.first().map(|one| *one.owner())
    }

    #[test]
    fn what_is_ours_or_nobodys_is_ours() {
        let none = Foreign::default();
        let ours = owner(Some(OURS), Some(2), Some(3));
        assert_eq!(kept(Owner::default(), Owner::default(), &none), Some(owner(Some(OURS), None, None)));
        assert_eq!(kept(Owner::default(), ours, &none), Some(ours));
        assert_eq!(kept(owner(Some(OURS), None, None), ours, &none), Some(ours));
        let other_wearer = owner(None, None, Some(4));
        assert_eq!(kept(other_wearer, ours, &none), Some(owner(Some(OURS), None, Some(4))), "never mixed");
    }

    #[test]
    fn what_is_anothers_is_refused_whatever_it_says() {
        let none = Foreign::default();
        let theirs = owner(Some(9), Some(8), Some(7));
        for named in [Owner::default(), owner(Some(OURS), Some(2), Some(3)), owner(Some(9), None, None)] {
            assert_eq!(kept(named, theirs, &none), None, "{named:?}");
        }
        assert_eq!(kept(owner(Some(9), None, None), owner(Some(OURS), None, None), &none), None);
        let foreign = Foreign { org_ids: [(OURS, 8)].into(), user_ids: [(OURS, 7)].into() };
        let ours = owner(Some(OURS), None, None);
        assert_eq!(kept(owner(None, Some(8), None), ours, &foreign), None);
        assert_eq!(kept(owner(None, None, Some(7)), ours, &foreign), None);
    }

    #[test]
    fn only_what_the_directory_does_not_say_is_asked() {
        let mut doubts = Doubts::default();
        let ours = owner(Some(OURS), Some(2), Some(3));
        doubts.add(&sent(ours), &ours, OURS);
        doubts.add(&sent(Owner::default()), &ours, OURS);
        doubts.add(&sent(owner(Some(9), Some(8), None)), &ours, OURS);
        assert!(doubts.is_none(), "{doubts:?}");
        doubts.add(&sent(owner(None, Some(4), None)), &ours, OURS);
        doubts.add(&sent(owner(None, None, Some(5))), &Owner::default(), OURS);
        let expected = Doubts { org_ids: [(OURS, 4)].into(), user_ids: [(OURS, 5)].into() };
        assert_eq!(doubts, expected);
    }

    #[test]
    fn a_key_of_a_device_has_the_tenant_of_the_directory_and_none_besides() {
        let (none, nobody) = (Foreign::default(), Owner::default());
        let kept = |named, registered| kept_with(OF_DIRECTORY, named, registered, &none);
        let theirs = owner(Some(9), Some(8), Some(7));
        assert_eq!(kept(nobody, theirs), Some(theirs));
        assert_eq!(kept(owner(Some(9), None, None), theirs), Some(theirs));
        assert_eq!(kept(owner(None, None, Some(6)), theirs), Some(theirs), "another wearer of the tenant");
        assert_eq!(kept(owner(Some(OURS), None, None), theirs), None, "it is not of the tenant it names");
        assert_eq!(kept(nobody, nobody), Some(nobody));
        assert_eq!(kept(owner(None, Some(4), Some(5)), nobody), Some(nobody), "nobody wears it");
        assert_eq!(kept(owner(Some(OURS), None, None), nobody), None, "nobody bound it");
        let mut doubts = Doubts::default();
        doubts.add(&sent(owner(None, Some(4), None)), &nobody, OF_DIRECTORY);
        doubts.add(&sent(owner(None, None, Some(5))), &theirs, OF_DIRECTORY);
        let expected = Doubts { org_ids: [(0, 4)].into(), user_ids: [(9, 5)].into() };
        assert_eq!(doubts, expected);
    }
}
