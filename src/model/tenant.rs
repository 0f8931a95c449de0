//! What a key of one tenant may write, and what not.
//!
//! Before: `owners` and `ingest::replay` found out whose devices, units and wearers are. After: what is the tenant's is
//! stored, the rest is among the rejects.
//! Promise: nothing that names another tenant, or that comes from a device, a unit or a wearer of another, is kept as an item;
//! an item that names no tenant is the key's.

use std::collections::{BTreeSet, HashSet};

use jiff::Timestamp;

use super::upload::Sent;
use super::{Owned, Owner, Refusal, Reject, RejectReason};

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

/// What the directory says nothing of for a device at its time: whether it is another tenant's has to be asked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Doubts {
    /// Devices nobody wore at the time.
    pub device_sns: BTreeSet<Box<str>>,
    /// Units that are named.
    pub org_ids: BTreeSet<i64>,
    /// Wearers that are named.
    pub user_ids: BTreeSet<i64>,
}

/// What of it is another tenant's.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Foreign {
    /// Devices that were never bound and say they are another's.
    pub device_sns: HashSet<Box<str>>,
    /// Units of another.
    pub org_ids: HashSet<i64>,
    /// Wearers in units of another.
    pub user_ids: HashSet<i64>,
}

impl Doubts {
    /// Nothing has to be asked.
    pub fn is_none(&self) -> bool {
        self.device_sns.is_empty() && self.org_ids.is_empty() && self.user_ids.is_empty()
    }

    /// Adds what is in doubt of something that was sent, by what the directory says of its device at its time.
    pub fn add(&mut self, sent: &impl Owned, registered: &Owner, customer_id: i64) {
        let named = sent.owner();
        if names_other(named, customer_id) || names_other(registered, customer_id) {
            return;
        }
        if registered.customer_id.is_none() {
            self.device_sns.insert(sent.device_sn().into());
        }
        self.org_ids.extend(named.org_id.filter(|id| registered.org_id != Some(*id)));
        self.user_ids.extend(named.user_id.filter(|id| registered.user_id != Some(*id)));
    }
}

/// Keeps what is the tenant's, with its owner completed; the rest goes to `rejects`. `registered`: what the directory says, in
/// the order of `sent`.
pub fn keep_own<T: Sent>(
    sent: &mut Vec<T>,
    registered: impl IntoIterator<Item = Owner>,
    foreign: &Foreign,
    customer_id: i64,
    rejects: &mut Vec<Reject>,
) {
    let mut own = Vec::with_capacity(sent.len());
    for (mut one, registered) in std::mem::take(sent).into_iter().zip(registered) {
        match fault(&one, &registered, foreign, customer_id) {
            None => {
                one.owner_mut().complete_from(&registered);
                one.owner_mut().customer_id = Some(customer_id);
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

fn names_other(owner: &Owner, customer_id: i64) -> bool {
    owner.customer_id.is_some_and(|id| id != customer_id)
}

/// Whose it is instead is not told.
fn fault(sent: &impl Owned, registered: &Owner, foreign: &Foreign, customer_id: i64) -> Option<&'static str> {
    let named = sent.owner();
    let is_other = |ids: &HashSet<i64>, id: Option<i64>| id.is_some_and(|id| ids.contains(&id));
    if names_other(named, customer_id) {
        Some("it names another customer than that of the key")
    } else if names_other(registered, customer_id)
        || registered.customer_id.is_none() && foreign.device_sns.contains(sent.device_sn())
    {
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
        let (mut all, mut rejects) = (vec![sent(named)], Vec::new());
        keep_own(&mut all, [registered], foreign, OURS, &mut rejects);
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
        let foreign = Foreign { device_sns: ["D".into()].into(), org_ids: [8].into(), user_ids: [7].into() };
        assert_eq!(kept(Owner::default(), Owner::default(), &foreign), None, "it says it is theirs");
        let ours = owner(Some(OURS), None, None);
        assert_eq!(
            kept(Owner::default(), ours, &foreign),
            Some(ours),
            "what is bound is not asked what it says"
        );
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
        let expected = Doubts { device_sns: ["D".into()].into(), org_ids: [4].into(), user_ids: [5].into() };
        assert_eq!(doubts, expected);
    }
}
