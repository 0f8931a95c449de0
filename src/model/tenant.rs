//! What a key of one tenant, or of one device, may write.
//!
//! Before: `http` has an upload with such a key, or `ingest::replay` a reject of one. After: the records of the tenant are stored, and the
//! others are rejects.
//! Promise: a record that names another tenant, or that comes from a device, a unit or a wearer of another tenant, is rejected. A
//! record that names no tenant belongs to the tenant of the key. A key of one device ([`OF_DIRECTORY`]) has the tenant that the
//! directory gives the device at the time of the record. Only the directory decides who owns a device: a device that it does not know
//! has no owner, whatever the device sent.

use std::collections::{BTreeSet, HashSet};

use super::upload::UploadedRecord;
use super::{Owner, OwnerSlot, Refusal, Reject, RejectReason, Upload};

/// In place of the tenant, for a key of one device: the tenant that the directory gives the device.
pub const OF_DIRECTORY: i64 = 0;

/// Where owners, units and wearers are looked up.
pub trait Directory {
    /// The directory cannot be read.
    type Error;

    /// Completes owners by what the directory says of each device at its time.
    fn fill(&self, slots: Vec<OwnerSlot<'_>>) -> impl Future<Output = Result<(), Self::Error>> + Send;

    /// The units and wearers among these that belong to another tenant.
    fn foreign(
        &self,
        unverified: UnverifiedIds,
    ) -> impl Future<Output = Result<ForeignIds, Self::Error>> + Send;
}

/// Keeps the records that the tenant of the key may write, with their owners completed; the others are among the rejects
/// afterwards.
///
/// # Errors
/// The directory cannot be read; nothing was changed.
pub async fn keep_own<D: Directory>(
    directory: &D,
    upload: &mut Upload,
    key_customer_id: i64,
) -> Result<(), D::Error> {
    // Also for records that name all ids: the device must belong to the tenant.
    let mut registered = vec![Owner::default(); upload.records().count()];
    if registered.is_empty() {
        return Ok(());
    }
    let slots = upload.records().zip(&mut registered).map(|(record, owner)| OwnerSlot {
        device_sn: record.device_sn(),
        ts: record.ts(),
        owner,
    });
    directory.fill(slots.collect()).await?;
    let mut unverified = UnverifiedIds::default();
    for (record, registered) in upload.records().zip(&registered) {
        unverified.add(record.owner(), registered, key_customer_id);
    }
    let foreign = directory.foreign(unverified).await?;
    let mut check = Check { registered: registered.into_iter(), foreign, key_customer_id };
    check.keep_own(&mut upload.items, &mut upload.rejects);
    check.keep_own(&mut upload.events, &mut upload.rejects);
    check.keep_own(&mut upload.device_infos, &mut upload.rejects);
    Ok(())
}

/// Units and wearers that records name and that the directory does not give their devices: they may belong to another tenant. Each with
/// the tenant it must belong to; 0: none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UnverifiedIds {
    /// Units.
    pub org_ids: BTreeSet<(i64, i64)>,
    /// Wearers.
    pub user_ids: BTreeSet<(i64, i64)>,
}

/// Those of them that belong to another tenant.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ForeignIds {
    /// Units of another tenant.
    pub org_ids: HashSet<(i64, i64)>,
    /// Wearers in units of another tenant.
    pub user_ids: HashSet<(i64, i64)>,
}

impl UnverifiedIds {
    /// Nothing has to be verified.
    pub fn is_empty(&self) -> bool {
        self.org_ids.is_empty() && self.user_ids.is_empty()
    }

    /// Adds the ids to be verified of a record that names the owner `named`, and whose device has the owner `registered`.
    fn add(&mut self, named: &Owner, registered: &Owner, key_customer_id: i64) {
        let tenant = tenant_of(key_customer_id, registered);
        if names_other(named, tenant) || names_other(registered, tenant) {
            return;
        }
        let unverified =
            |named: Option<i64>, known| named.filter(|id| known != Some(*id)).map(|id| (tenant, id));
        self.org_ids.extend(unverified(named.org_id, registered.org_id));
        self.user_ids.extend(unverified(named.user_id, registered.user_id));
    }
}

/// Checks the records of one upload against the directory.
struct Check<R> {
    /// The owners that the directory gives, in the order of the records.
    registered: R,
    foreign: ForeignIds,
    key_customer_id: i64,
}

impl<R: Iterator<Item = Owner>> Check<R> {
    /// Keeps the records of the tenant, with their owners completed; the others go to `rejects`.
    fn keep_own<T: UploadedRecord>(&mut self, records: &mut Vec<T>, rejects: &mut Vec<Reject>) {
        let mut own = Vec::with_capacity(records.len());
        for (mut record, registered) in std::mem::take(records).into_iter().zip(&mut self.registered) {
            let tenant = tenant_of(self.key_customer_id, &registered);
            match refusal(record.owner(), &registered, &self.foreign, tenant) {
                None => {
                    if self.key_customer_id == OF_DIRECTORY {
                        // Somebody may have copied the serial: the owner in the directory counts, not the one that was sent.
                        *record.owner_mut() = registered;
                    } else {
                        record.owner_mut().complete_from(&registered);
                        record.owner_mut().customer_id = Some(tenant);
                    }
                    own.push(record);
                }
                Some(detail) => {
                    let (index, detail) = (record.index(), detail.to_owned());
                    rejects.push(record.reject(Refusal { index, reason: RejectReason::OtherTenant, detail }));
                }
            }
        }
        *records = own;
    }
}

/// The tenant to which a record with this key must belong; 0: none.
fn tenant_of(key_customer_id: i64, registered: &Owner) -> i64 {
    if key_customer_id == OF_DIRECTORY { registered.customer_id.unwrap_or_default() } else { key_customer_id }
}

fn names_other(owner: &Owner, tenant: i64) -> bool {
    owner.customer_id.is_some_and(|id| id != tenant)
}

/// Why the tenant of the key may not write the record. The text does not name the owner.
fn refusal(named: &Owner, registered: &Owner, foreign: &ForeignIds, tenant: i64) -> Option<&'static str> {
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
    use jiff::Timestamp;

    use crate::model::{DeviceRecord, Event, EventItem};

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
    fn kept(named: Owner, registered: Owner, foreign: &ForeignIds) -> Option<Owner> {
        kept_with(OURS, named, registered, foreign)
    }

    fn kept_with(key: i64, named: Owner, registered: Owner, foreign: &ForeignIds) -> Option<Owner> {
        let (mut all, mut rejects) = (vec![sent(named)], Vec::new());
        let registered = [registered].into_iter();
        let mut check = Check { registered, foreign: foreign.clone(), key_customer_id: key };
        check.keep_own(&mut all, &mut rejects);
        assert_eq!(all.len() + rejects.len(), 1);
        assert!(
            rejects.iter().all(|reject| reject.refusal.index == 3 && reject.key_customer_id == Some(OURS))
        );
        all.first().map(|one| *one.owner())
    }

    #[test]
    fn records_of_the_tenant_or_of_nobody_are_the_tenants() {
        let none = ForeignIds::default();
        let ours = owner(Some(OURS), Some(2), Some(3));
        assert_eq!(kept(Owner::default(), Owner::default(), &none), Some(owner(Some(OURS), None, None)));
        assert_eq!(kept(Owner::default(), ours, &none), Some(ours));
        assert_eq!(kept(owner(Some(OURS), None, None), ours, &none), Some(ours));
        let other_wearer = owner(None, None, Some(4));
        assert_eq!(kept(other_wearer, ours, &none), Some(owner(Some(OURS), None, Some(4))), "never mixed");
    }

    #[test]
    fn a_record_of_another_tenant_is_refused_whatever_it_says() {
        let none = ForeignIds::default();
        let theirs = owner(Some(9), Some(8), Some(7));
        for named in [Owner::default(), owner(Some(OURS), Some(2), Some(3)), owner(Some(9), None, None)] {
            assert_eq!(kept(named, theirs, &none), None, "{named:?}");
        }
        assert_eq!(kept(owner(Some(9), None, None), owner(Some(OURS), None, None), &none), None);
        let foreign = ForeignIds { org_ids: [(OURS, 8)].into(), user_ids: [(OURS, 7)].into() };
        let ours = owner(Some(OURS), None, None);
        assert_eq!(kept(owner(None, Some(8), None), ours, &foreign), None);
        assert_eq!(kept(owner(None, None, Some(7)), ours, &foreign), None);
    }

    #[test]
    fn only_ids_that_the_directory_does_not_give_are_asked_about() {
        let mut unverified = UnverifiedIds::default();
        let ours = owner(Some(OURS), Some(2), Some(3));
        unverified.add(&ours, &ours, OURS);
        unverified.add(&Owner::default(), &ours, OURS);
        unverified.add(&owner(Some(9), Some(8), None), &ours, OURS);
        assert!(unverified.is_empty(), "{unverified:?}");
        unverified.add(&owner(None, Some(4), None), &ours, OURS);
        unverified.add(&owner(None, None, Some(5)), &Owner::default(), OURS);
        let expected = UnverifiedIds { org_ids: [(OURS, 4)].into(), user_ids: [(OURS, 5)].into() };
        assert_eq!(unverified, expected);
    }

    #[test]
    fn a_key_of_a_device_has_the_tenant_of_the_directory_and_no_other() {
        let (none, nobody) = (ForeignIds::default(), Owner::default());
        let kept = |named, registered| kept_with(OF_DIRECTORY, named, registered, &none);
        let theirs = owner(Some(9), Some(8), Some(7));
        assert_eq!(kept(nobody, theirs), Some(theirs));
        assert_eq!(kept(owner(Some(9), None, None), theirs), Some(theirs));
        assert_eq!(kept(owner(None, None, Some(6)), theirs), Some(theirs), "another wearer of the tenant");
        assert_eq!(kept(owner(Some(OURS), None, None), theirs), None, "it is not of the tenant it names");
        assert_eq!(kept(nobody, nobody), Some(nobody));
        assert_eq!(kept(owner(None, Some(4), Some(5)), nobody), Some(nobody), "nobody wears it");
        assert_eq!(kept(owner(Some(OURS), None, None), nobody), None, "nobody bound it");
        let mut unverified = UnverifiedIds::default();
        unverified.add(&owner(None, Some(4), None), &nobody, OF_DIRECTORY);
        unverified.add(&owner(None, None, Some(5)), &theirs, OF_DIRECTORY);
        let expected = UnverifiedIds { org_ids: [(0, 4)].into(), user_ids: [(9, 5)].into() };
        assert_eq!(unverified, expected);
    }
}
