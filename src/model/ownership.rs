//! Who owns a device, for how long, and what that means for the records it sends.
//!
//! Before: `store::owners` and `cache::owner` read it. After: `owners` completes the ids that uploads do not name.
//! Promise: an id that an upload names is never changed, and ids of two owners are never mixed.

use jiff::Timestamp;

use super::{DeviceInfoItem, EventItem, Item, Owner};

/// An owner and the period in which it owns the device. A device that nobody wears has one too: the owner without ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tenure {
    /// Who owns the device in that period.
    pub owner: Owner,
    /// First instant; `None`: unbounded.
    pub since: Option<Timestamp>,
    /// First instant after the period; `None`: unbounded, as far as is known.
    pub until: Option<Timestamp>,
}

impl Tenure {
    /// Of a device that nobody ever wore.
    pub const UNBOUND: Self =
        Self { owner: Owner { customer_id: None, org_id: None, user_id: None }, since: None, until: None };

    /// Whether `ts` is in the period.
    pub fn covers(&self, ts: Timestamp) -> bool {
        self.since.is_none_or(|since| since <= ts) && self.until.is_none_or(|until| ts < until)
    }
}

impl Owner {
    /// Every id is known.
    pub const fn is_complete(&self) -> bool {
        self.customer_id.is_some() && self.org_id.is_some() && self.user_id.is_some()
    }

    /// Takes missing ids from `registered`, unless an id that is there contradicts it: then the record is of somebody else, and
    /// ids of two owners must not be mixed.
    pub fn complete_from(&mut self, registered: &Self) {
        let agree =
            |named: Option<i64>, known: Option<i64>| named.is_none() || known.is_none() || named == known;
        if agree(self.customer_id, registered.customer_id)
            && agree(self.org_id, registered.org_id)
            && agree(self.user_id, registered.user_id)
        {
            self.customer_id = self.customer_id.or(registered.customer_id);
            self.org_id = self.org_id.or(registered.org_id);
            self.user_id = self.user_id.or(registered.user_id);
        }
    }
}

/// A place for the owner of a device at a time, to be completed from the directory.
#[derive(Debug)]
pub struct OwnerSlot<'a> {
    /// Serial of the device.
    pub device_sn: &'a str,
    /// Event time: the owner at this time is wanted.
    pub ts: Timestamp,
    /// The ids that are known so far.
    pub owner: &'a mut Owner,
}

/// A record of a device, with the owner that it names.
pub trait DeviceRecord {
    /// Serial of the device.
    fn device_sn(&self) -> &str;
    /// Event time.
    fn ts(&self) -> Timestamp;
    /// When its upload was received.
    fn received_at(&self) -> Timestamp;
    /// The ids that it names.
    fn owner(&self) -> &Owner;
    /// The same, to be changed.
    fn owner_mut(&mut self) -> &mut Owner;
    /// The same, to be completed from the directory.
    fn owner_slot(&mut self) -> OwnerSlot<'_>;
}

/// An item has the device, the time and the owner of what it holds.
macro_rules! device_record {
    ($item:ty, $content:ident) => {
        impl DeviceRecord for $item {
            fn device_sn(&self) -> &str {
                &self.$content.device_sn
            }

            fn ts(&self) -> Timestamp {
                self.$content.ts
            }

            fn received_at(&self) -> Timestamp {
                self.received_at
            }

            fn owner(&self) -> &Owner {
                &self.$content.owner
            }

            fn owner_mut(&mut self) -> &mut Owner {
                &mut self.$content.owner
            }

            fn owner_slot(&mut self) -> OwnerSlot<'_> {
                let held = &mut self.$content;
                OwnerSlot { device_sn: &held.device_sn, ts: held.ts, owner: &mut held.owner }
            }
        }
    };
}

device_record!(Item, reading);
device_record!(EventItem, event);
device_record!(DeviceInfoItem, info);

#[cfg(test)]
mod tests {
    use super::*;

    const REGISTERED: Owner = Owner { customer_id: Some(1), org_id: Some(2), user_id: Some(3) };

    fn completed(mut owner: Owner) -> Owner {
        owner.complete_from(&REGISTERED);
        owner
    }

    #[test]
    fn what_is_missing_is_filled() {
        assert_eq!(completed(Owner::default()), REGISTERED);
        assert_eq!(completed(Owner { customer_id: Some(1), ..Owner::default() }), REGISTERED);
    }

    #[test]
    fn an_upload_that_names_somebody_else_is_left_alone() {
        for other in [
            Owner { customer_id: Some(9), ..Owner::default() },
            Owner { user_id: Some(9), ..Owner::default() },
            Owner { customer_id: Some(1), org_id: Some(9), user_id: None },
        ] {
            assert_eq!(completed(other), other);
        }
    }

    #[test]
    fn a_tenure_ends_before_its_last_instant() {
        let [one, two, three] = [1, 2, 3].map(|second| Timestamp::from_second(second).expect("a time"));
        let tenure = Tenure { since: Some(two), until: Some(three), ..Tenure::UNBOUND };
        assert_eq!([one, two, three].map(|ts| tenure.covers(ts)), [false, true, false]);
        assert!(Tenure::UNBOUND.covers(one));
    }
}
