//! Keys of single devices: derived from a secret of the database, so that nothing is kept of one until it is revoked.
//!
//! Before: `store::device_key` reads the secrets and what was revoked; `http` finds a key in a header. After: `http` hands keys out
//! with the configuration of a watch, and lets uploads of that watch alone in.
//! Promise: a key cannot be made without the secret; what was revoked never works again, also after the device was readmitted; a
//! comparison takes as long for a right key as for a wrong one. A watch that came from another tenant goes on with the key it has, until
//! the keys of the tenant it came to are revoked.
//!
//! ```text
//!  vd_1.1939964806110937041.3.Q1JGVFEyMzQwOTAwMTg5MA.2xNq…  (43 characters)
//!  │  │ │                   │ │                      └ HMAC-SHA-256 over all the others and how often device and tenant were revoked
//!  │  │ │                   │ └ the serial, base64url
//!  │  │ │                   └ the last revocation of any tenant when it was handed out; left out with its dot where there was none
//!  │  │ └ the tenant the device was of when the key was handed out; 0: none
//!  │  └ which secret it was made with
//!  └ a fixed prefix, by which secret scanners find leaked keys
//! ```

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use sha2::Sha256;

use super::api_key::InvalidKey;

/// What every key of a device begins with.
const PREFIX: &str = "vd_";

/// Longest serial, bytes, as everywhere.
const MAX_SERIAL_BYTES: usize = 64;

/// Prefix of the signed text, so that the signature is valid for nothing else.
const PURPOSE: &[u8] = b"vitals device key\n";

/// Prefix of the signed text of a key made after a tenant was revoked, which has one part more.
const PURPOSE_SINCE: &[u8] = b"vitals device key since\n";

/// A key of one device, as the device has it.
#[derive(Clone, PartialEq, Eq)]
pub struct DeviceKey {
    generation: i32,
    customer_id: i64,
    /// Number of the last revocation of a tenant before it was made; 0: none.
    made_after: i64,
    device_sn: Box<str>,
    mac: [u8; 32],
}

impl DeviceKey {
    /// The device it is of.
    pub fn device_sn(&self) -> &str {
        &self.device_sn
    }

    /// The tenant the device was of when the key was handed out; 0: none.
    pub fn customer_id(&self) -> i64 {
        self.customer_id
    }

    /// Value of an `Authorization` header.
    pub fn header(&self) -> String {
        format!("Bearer {}", self.text())
    }

    fn text(&self) -> String {
        let Self { generation, customer_id, made_after, device_sn, mac } = self;
        let coded = |bytes: &[u8]| BASE64_URL_SAFE_NO_PAD.encode(bytes);
        let after = if *made_after == 0 { String::new() } else { format!("{made_after}.") };
        format!("{PREFIX}{generation}.{customer_id}.{after}{}.{}", coded(device_sn.as_bytes()), coded(mac))
    }
}

impl fmt::Debug for DeviceKey {
    /// Without what makes it a key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeviceKey").field("device_sn", &self.device_sn).finish_non_exhaustive()
    }
}

impl FromStr for DeviceKey {
    type Err = InvalidKey;

    fn from_str(text: &str) -> Result<Self, InvalidKey> {
        let parts: Vec<&str> = text.strip_prefix(PREFIX).ok_or(InvalidKey)?.splitn(6, '.').collect();
        let (generation, customer_id, made_after, device_sn, mac) = match parts[..] {
            [generation, customer_id, device_sn, mac] => (generation, customer_id, None, device_sn, mac),
            [generation, customer_id, after, device_sn, mac] => {
                (generation, customer_id, Some(after), device_sn, mac)
            }
            _ => return Err(InvalidKey),
        };
        let number = |part: &str, least| part.parse().ok().filter(|id: &i64| *id >= least).ok_or(InvalidKey);
        let decoded = |part: &str| BASE64_URL_SAFE_NO_PAD.decode(part).map_err(|_| InvalidKey);
        let generation = generation.parse().map_err(|_| InvalidKey)?;
        let customer_id = number(customer_id, 0)?;
        let made_after = made_after.map_or(Ok(0), |after| number(after, 1))?;
        let device_sn =
            String::from_utf8(decoded(device_sn)?).ok().filter(|sn| is_serial(sn)).ok_or(InvalidKey)?;
        let mac = decoded(mac)?.try_into().map_err(|_| InvalidKey)?;
        Ok(Self { generation, customer_id, made_after, device_sn: device_sn.into(), mac })
    }
}

fn is_serial(text: &str) -> bool {
    (1..=MAX_SERIAL_BYTES).contains(&text.len()) && !text.contains(char::is_control) && text.trim() == text
}

/// A secret that keys are derived from.
#[derive(Clone)]
pub struct DeviceSecret {
    /// Its number, which stands in the keys.
    pub generation: i32,
    /// The secret.
    pub secret: [u8; 32],
    /// From then on keys made with it are refused.
    pub ends_at: Option<Timestamp>,
    /// Made in this database; else in another cell, whose keys are accepted, and none are made with it here.
    pub is_own: bool,
}

/// How often something was revoked, and whether it is at present.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Revocation {
    /// Times.
    pub times: i64,
    /// Number of the last time, counted over all that was revoked; 0: never.
    pub newest: i64,
    /// No new keys are handed out.
    pub is_in_force: bool,
}

/// All that keys of devices are made of and held against.
#[derive(Clone, Default)]
pub struct DeviceKeys {
    /// The secrets, in the order of their numbers.
    pub secrets: Vec<DeviceSecret>,
    /// Devices that were revoked.
    pub devices: HashMap<Box<str>, Revocation>,
    /// Tenants that were.
    pub tenants: HashMap<i64, Revocation>,
}

impl fmt::Debug for DeviceKeys {
    /// Without the secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeviceKeys").field("secrets", &self.secrets.len()).finish_non_exhaustive()
    }
}

impl DeviceKeys {
    /// The key of a device of this tenant (0: none), the same each time until the secret is rotated or a tenant is revoked. `None`:
    /// device or tenant is revoked, this is no serial, or there is no secret.
    pub fn derive(&self, device_sn: &str, customer_id: i64) -> Option<DeviceKey> {
        let newest = self.secrets.iter().rfind(|secret| secret.is_own)?;
        if !is_serial(device_sn) || self.is_revoked(device_sn, customer_id) {
            return None;
        }
        let made_after = self.tenants.values().map(|revocation| revocation.newest).max().unwrap_or_default();
        let generation = newest.generation;
        let mut key =
            DeviceKey { generation, customer_id, made_after, device_sn: device_sn.into(), mac: [0; 32] };
        key.mac = self.signed(newest, &key).finalize().into_bytes().into();
        Some(key)
    }

    /// Whether it is in force at `now`, whosever the device is by then.
    pub fn admits(&self, key: &DeviceKey, now: Timestamp) -> bool {
        self.made_with(key).is_some_and(|secret| secret.ends_at.is_none_or(|at| now < at))
            && !self.is_revoked(&key.device_sn, key.customer_id)
    }

    /// The secret it was made with. Secrets of several cells may have the same number.
    fn made_with(&self, key: &DeviceKey) -> Option<&DeviceSecret> {
        let mut candidates = self.secrets.iter().filter(|secret| secret.generation == key.generation);
        candidates.find(|secret| self.signed(secret, key).verify_slice(&key.mac).is_ok())
    }

    /// Whether keys go by whose their devices are now, too: some tenant was revoked.
    pub fn depend_on_owners(&self) -> bool {
        !self.tenants.is_empty()
    }

    /// Whether a key that is in force does for a device that is this tenant's now (0: nobody's). One that was handed out while it
    /// was another's does not, if this tenant's keys are revoked, or were since; if it was handed out by another cell, which numbers
    /// its revocations by itself, also if they ever were.
    pub fn admits_of(&self, key: &DeviceKey, customer_id: i64) -> bool {
        let revoked = self.tenants.get(&customer_id).filter(|_| customer_id != key.customer_id);
        revoked.is_none_or(|revoked| {
            !revoked.is_in_force
                && revoked.newest <= key.made_after
                && self.made_with(key).is_some_and(|secret| secret.is_own)
        })
    }

    fn is_revoked(&self, device_sn: &str, customer_id: i64) -> bool {
        self.of(device_sn, customer_id).iter().any(|revocation| revocation.is_in_force)
    }

    /// Of the tenant, of the device.
    fn of(&self, device_sn: &str, customer_id: i64) -> [Revocation; 2] {
        [
            self.tenants.get(&customer_id).copied().unwrap_or_default(),
            self.devices.get(device_sn).copied().unwrap_or_default(),
        ]
    }

    fn signed(&self, secret: &DeviceSecret, key: &DeviceKey) -> Hmac<Sha256> {
        let [of_tenant, of_device] = self.of(&key.device_sn, key.customer_id);
        let mut mac = Hmac::<Sha256>::new_from_slice(&secret.secret).expect("any length is a key");
        mac.update(if key.made_after == 0 { PURPOSE } else { PURPOSE_SINCE });
        mac.update(&secret.generation.to_be_bytes());
        for number in [key.customer_id, of_tenant.times, of_device.times] {
            mac.update(&number.to_be_bytes());
        }
        if key.made_after != 0 {
            mac.update(&key.made_after.to_be_bytes());
        }
        // The only part without a fixed length is the last.
        mac.update(key.device_sn.as_bytes());
        mac
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn secret(generation: i32) -> DeviceSecret {
        DeviceSecret {
            generation,
            secret: [u8::try_from(generation).expect("small"); 32],
            ends_at: None,
            is_own: true,
        }
    }

    fn keys() -> DeviceKeys {
        DeviceKeys { secrets: vec![secret(1)], ..DeviceKeys::default() }
    }

    #[test]
    fn a_key_is_the_same_each_time_and_another_for_every_device_tenant_and_secret() {
        let keys = keys();
        let key = keys.derive("A-1", 7).expect("a key");
        assert_eq!(keys.derive("A-1", 7).as_ref(), Some(&key));
        assert!(keys.admits(&key, NOW));
        let mut others = vec![keys.derive("A-2", 7), keys.derive("A-1", 8), keys.derive("A-1", 0)];
        let rotated = DeviceKeys { secrets: vec![secret(1), secret(2)], ..DeviceKeys::default() };
        others.push(rotated.derive("A-1", 7));
        for other in others.into_iter().flatten() {
            assert_ne!(other.mac, key.mac);
            let stolen = DeviceKey { mac: other.mac, ..key.clone() };
            assert!(!keys.admits(&stolen, NOW), "{stolen:?}");
        }
        for no_serial in ["", " A", "A\n", &"A".repeat(65)] {
            assert_eq!(keys.derive(no_serial, 7), None);
        }
    }

    #[test]
    fn a_rotated_secret_works_until_it_ends() {
        let key = keys().derive("A-1", 7).expect("a key");
        let end = Timestamp::from_second(60).expect("a time");
        let ending = DeviceSecret { ends_at: Some(end), ..secret(1) };
        let rotated = DeviceKeys { secrets: vec![ending, secret(2)], ..DeviceKeys::default() };
        assert!(rotated.admits(&key, NOW) && !rotated.admits(&key, end));
        assert!(rotated.admits(&rotated.derive("A-1", 7).expect("a key"), end));
    }

    #[test]
    fn a_key_of_another_cell_is_accepted_and_none_is_made_with_its_secret() {
        let theirs = DeviceSecret { secret: [9; 32], is_own: false, ..secret(1) };
        let there = DeviceKeys {
            secrets: vec![DeviceSecret { is_own: true, ..theirs.clone() }],
            ..DeviceKeys::default()
        };
        let key = there.derive("A-1", 7).expect("a key");
        assert!(!keys().admits(&key, NOW));
        let mut here = DeviceKeys { secrets: vec![secret(1), theirs], ..DeviceKeys::default() };
        assert!(here.admits(&key, NOW), "two secrets have the number 1");
        assert_eq!(here.derive("A-1", 7), keys().derive("A-1", 7));
        here.tenants.insert(8, Revocation { times: 1, newest: 0, is_in_force: false });
        assert!(here.admits_of(&key, 7) && !here.admits_of(&key, 8), "numbers of two cells are not compared");
    }

    #[test]
    fn what_was_revoked_never_works_again_and_its_neighbours_do() {
        let mut keys = keys();
        let [one, other, of_other_tenant] =
            [("A-1", 7), ("A-2", 7), ("B-1", 8)].map(|(sn, tenant)| keys.derive(sn, tenant).expect("a key"));
        keys.devices.insert("A-1".into(), Revocation { times: 1, newest: 1, is_in_force: true });
        assert_eq!(keys.derive("A-1", 7), None);
        assert!(!keys.admits(&one, NOW) && keys.admits(&other, NOW));
        keys.devices.insert("A-1".into(), Revocation { times: 1, newest: 1, is_in_force: false });
        assert!(!keys.admits(&one, NOW), "readmitted, with another key");
        assert!(keys.admits(&keys.derive("A-1", 7).expect("another"), NOW));
        keys.tenants.insert(7, Revocation { times: 1, newest: 2, is_in_force: true });
        assert!(!keys.admits(&other, NOW) && keys.admits(&of_other_tenant, NOW));
        assert_eq!(keys.derive("A-2", 7), None);
    }

    #[test]
    fn a_device_that_came_from_elsewhere_loses_its_key_with_its_new_tenant() {
        let mut keys = keys();
        let before = keys.derive("A-1", 7).expect("a key");
        assert!(!keys.depend_on_owners() && keys.admits_of(&before, 8));
        keys.tenants.insert(8, Revocation { times: 1, newest: 4, is_in_force: true });
        assert!(keys.depend_on_owners() && keys.admits(&before, NOW));
        assert!(!keys.admits_of(&before, 8) && keys.admits_of(&before, 7) && keys.admits_of(&before, 0));
        let after = keys.derive("A-1", 7).expect("a key");
        assert!(keys.admits(&after, NOW) && !keys.admits_of(&after, 8), "none of the tenant's does");
        keys.tenants.insert(8, Revocation { times: 1, newest: 4, is_in_force: false });
        assert!(!keys.admits_of(&before, 8), "what was revoked stays so");
        assert!(keys.admits_of(&after, 8), "it was handed out since");
        let disguised = DeviceKey { made_after: 4, ..before.clone() };
        assert!(!keys.admits(&disguised, NOW), "when a key was made cannot be changed");
        assert!(keys.admits(&before, NOW), "a key of before goes on for its own");
    }

    proptest! {
        #[test]
        fn a_key_is_read_as_it_was_written(
            device_sn in "[ -~&&[^ ]]{1,64}|[设备]{1,20}", customer_id in 0..=i64::MAX, newest in 0..=i64::MAX
        ) {
            let mut keys = keys();
            let revoked = Revocation { times: 1, newest, is_in_force: false };
            keys.tenants.extend((newest > 0).then_some((5, revoked)));
            let key = keys.derive(&device_sn, customer_id).expect("a key");
            let read: DeviceKey = key.text().parse().expect("a key");
            prop_assert!(keys.admits(&read, NOW));
            prop_assert!(!key.header().contains(';'), "it ends a part of an interface");
            let shown = format!("{read:?}");
            prop_assert!(!shown.contains(key.text().rsplit('.').next().expect("a part")), "{}", shown);
        }

        #[test]
        fn whatever_is_presented_nothing_panics(text: String) {
            let _ = text.parse::<DeviceKey>();
            let _ = format!("vd_1.7.{text}").parse::<DeviceKey>();
        }
    }
}
