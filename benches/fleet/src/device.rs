//! The simulated devices: who wears them, and which instants each has used.
//!
//! Before: the options. After: `source` asks a device for the instants of its next upload.
//! Promise: serials differ; within a run no device uses an instant twice, be it for history, live or late samples.

use jiff::Timestamp;

use crate::Options;
use crate::person::{DAY_SECONDS, Person, mix};

/// Late samples lie between an hour and this long ago.
const LATE_SECONDS: i64 = 7 * DAY_SECONDS;
const LATE_AT_LEAST_SECONDS: i64 = 3_600;
/// How far a device's clock may run ahead of ours; the service refuses what is a day ahead.
const AHEAD_SECONDS: i64 = 12 * 3_600;
/// Records a second that are provided for when no rate is given: beyond what a service on this machine can take.
const PROVIDED_RATE: f64 = 300_000.0;
/// Seconds that are provided for when no bound is given.
const PROVIDED_SECONDS: f64 = 3_600.0;

/// One watch, who wears it, and the instants it has used.
#[derive(Debug)]
pub(super) struct Device {
    /// The beginning of each of its items: serial, owners, channel.
    pub(super) head: String,
    pub(super) person: Person,
    /// Seconds by which its history is shifted, so that not all devices measure in the same second.
    phase_seconds: i64,
    /// Next live instant.
    clock: i64,
    /// Instants from here on are used, when the clock could not go on.
    floor: i64,
    /// Blocks of late samples taken.
    late_blocks: i64,
}

/// Which instants are for history, which for late and which for live samples. Epoch seconds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Calendar {
    pub(super) history_spacing_seconds: i64,
    pub(super) history_records: u32,
    pub(super) live_spacing_seconds: i64,
    history_from: i64,
    late_from: i64,
    live_from: i64,
    live_until: i64,
    batch: i64,
    /// Live samples of a device in one upload.
    live_count: i64,
    devices: i64,
}

impl Calendar {
    pub(super) fn new(options: &Options, now: Timestamp) -> Self {
        let now = now.as_second();
        let live_spacing_seconds = live_spacing_seconds(options);
        let live_from = now - looking_back_seconds(options, live_spacing_seconds);
        let history_seconds = i64::from(options.history_days) * DAY_SECONDS;
        let history_spacing_seconds = i64::from(options.history_interval_seconds);
        Self {
            history_spacing_seconds,
            history_records: u32::try_from(history_seconds / history_spacing_seconds).unwrap_or(u32::MAX),
            live_spacing_seconds,
            history_from: live_from - history_seconds,
            late_from: live_from - LATE_SECONDS,
            live_from,
            live_until: now + AHEAD_SECONDS,
            batch: i64::from(options.batch),
            live_count: live_count(options),
            devices: i64::from(options.devices),
        }
    }

    /// First live instant of a device. The devices upload one after the other, and each has just taken the last sample of its upload.
    fn live_from(&self, number: u32) -> i64 {
        self.live_from + self.live_spacing_seconds * self.live_count * i64::from(number) / self.devices
    }
}

fn live_count(options: &Options) -> i64 {
    if options.gateway { 1 } else { i64::from(options.batch) }
}

/// A device with a sample a second at most: as real time goes, when the rate allows it.
fn live_spacing_seconds(options: &Options) -> i64 {
    options.rate.map_or(1, |rate| (f64::from(options.devices) / rate) as i64).clamp(1, DAY_SECONDS)
}

/// How far back the live samples must begin, so that the clocks of the devices end near ours.
fn looking_back_seconds(options: &Options, spacing_seconds: i64) -> i64 {
    let seconds = options.seconds.map_or(PROVIDED_SECONDS, |seconds| seconds as f64);
    let by_rate = options.rate.unwrap_or(PROVIDED_RATE) * seconds;
    let records = options.records.map_or(by_rate, |records| by_rate.min(records as f64));
    let passes = match options.rate {
        Some(rate) => records / rate,
        None => 0.0,
    };
    let needed = records / f64::from(options.devices) * spacing_seconds as f64;
    // The last sample of the first upload is a second old.
    (needed - passes).max(0.0) as i64 + (live_count(options) - 1) * spacing_seconds + 1
}

impl Device {
    /// Device `number` of the fleet, from 0.
    pub(super) fn new(options: &Options, first_serial: u64, calendar: &Calendar, number: u32) -> Self {
        let serial = first_serial + u64::from(number);
        let seed = mix(options.seed, serial);
        Self {
            head: head(serial, number),
            person: Person::new(seed).living_at(number % UNITS).racing(options.breaches),
            phase_seconds: (mix(seed, 2) % calendar.history_spacing_seconds as u64) as i64,
            clock: calendar.live_from(number),
            floor: calendar.late_from.min(calendar.history_from) - calendar.history_spacing_seconds,
            late_blocks: 0,
        }
    }

    /// Instant of its history sample with this number.
    pub(super) fn history_instant(&self, calendar: &Calendar, number: u32) -> i64 {
        calendar.history_from + self.phase_seconds + i64::from(number) * calendar.history_spacing_seconds
    }

    /// First of its next `count` live instants. A clock that is half a day ahead goes no further; the device then
    /// fills the time before everything else, backwards.
    pub(super) fn take_live(&mut self, calendar: &Calendar, count: u32) -> i64 {
        let length = i64::from(count) * calendar.live_spacing_seconds;
        if self.clock + length > calendar.live_until {
            self.floor -= length;
            return self.floor;
        }
        self.clock += length;
        self.clock - length
    }

    /// Its next block of late instants, as numbers for [`Device::late_instant`]; `None` when all are used.
    pub(super) fn take_late(&mut self, calendar: &Calendar) -> Option<i64> {
        let spacing = calendar.history_spacing_seconds;
        let usable = (LATE_SECONDS - LATE_AT_LEAST_SECONDS) / spacing * (spacing - 1);
        let blocks = usable / calendar.batch;
        if self.late_blocks >= blocks {
            return None;
        }
        let block = scattered(self.late_blocks, blocks);
        self.late_blocks += 1;
        Some(block * calendar.batch)
    }

    /// The late instant with this number: every second between the history samples, none on them.
    pub(super) fn late_instant(&self, calendar: &Calendar, number: i64) -> i64 {
        let spacing = calendar.history_spacing_seconds;
        let first = calendar.history_from + self.phase_seconds;
        let from = calendar.late_from + (first - calendar.late_from).rem_euclid(spacing);
        from + number / (spacing - 1) * spacing + 1 + number % (spacing - 1)
    }
}

/// The fleet's serials: the prefix and 13 digits, 16 characters as those of real watches.
pub(super) fn serial(number: u64) -> String {
    format!("SIM{number:013}")
}

/// Tenants and organisation units of a fleet; a unit belongs to the tenant whose number is that of the unit modulo the tenants.
pub const TENANTS: u32 = 3;
/// Organisation units of all tenants of a fleet.
pub const UNITS: u32 = 24;

/// Who owns a device: ids of 19 digits, beyond what a double can hold, as in the field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owners {
    /// Tenant.
    pub tenant: i64,
    /// Organisation unit.
    pub org: i64,
    /// Wearer.
    pub user: i64,
}

/// The owners of device `number` of a fleet, from 0, with this serial number.
pub fn owners(serial_number: u64, number: u32) -> Owners {
    Owners {
        tenant: 1_939_964_806_110_937_090 + i64::from(number % TENANTS),
        org: 1_939_964_806_110_938_000 + i64::from(number % UNITS),
        user: 1_940_000_000_000_000_000 + serial_number.cast_signed(),
    }
}

fn head(serial_number: u64, number: u32) -> String {
    let Owners { tenant, org, user } = owners(serial_number, number);
    let channel = ["wifi", "bluetooth", "4g"][number as usize % 3];
    format!(
        r#"{{"deviceSn":"{}","customerId":"{tenant}","orgId":"{org}","userId":"{user}","upload_method":"{channel}""#,
        serial(serial_number)
    )
}

/// Number `index` of a fixed shuffle of `0..count`.
fn scattered(index: i64, count: i64) -> i64 {
    let mut stride = count * 5 / 8 + 1;
    while greatest_common_divisor(stride, count) != 1 {
        stride += 1;
    }
    (index * stride) % count
}

fn greatest_common_divisor(a: i64, b: i64) -> i64 {
    if b == 0 { a } else { greatest_common_divisor(b, a % b) }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn serials_are_sixteen_characters_and_differ() {
        let serials: HashSet<String> = (0..10_000).map(|number| serial(9_999_000_000 + number)).collect();
        assert_eq!(serials.len(), 10_000);
        assert!(serials.iter().all(|serial| serial.len() == 16));
    }

    proptest! {
        #[test]
        fn a_device_never_uses_an_instant_twice(
            batch in 1_u32..150, days in 0_u32..4, interval in 2_u32..700, seconds in 1_u64..100, serial in 0_u64..1_000_000,
        ) {
            let options = Options {
                devices: 3, batch, history_days: days, history_interval_seconds: interval, seconds: Some(seconds),
                ..Options::default()
            };
            let calendar = Calendar::new(&options, Timestamp::from_second(1_760_000_000).expect("a time"));
            let mut device = Device::new(&options, serial, &calendar, 1);
            let mut used = HashSet::new();
            for number in 0..calendar.history_records {
                prop_assert!(used.insert(device.history_instant(&calendar, number)));
            }
            for _ in 0..200 {
                let from = device.take_live(&calendar, batch);
                for number in 0..i64::from(batch) {
                    prop_assert!(used.insert(from + number * calendar.live_spacing_seconds));
                }
                if let Some(block) = device.take_late(&calendar) {
                    for number in 0..i64::from(batch) {
                        let at = device.late_instant(&calendar, block + number);
                        prop_assert!(used.insert(at));
                        prop_assert!(at < calendar.live_from - LATE_AT_LEAST_SECONDS + i64::from(interval));
                    }
                }
            }
        }
    }

    #[test]
    fn live_samples_end_near_the_clock() {
        let now = Timestamp::from_second(1_760_000_000).expect("a time");
        let options =
            Options { devices: 100, rate: Some(100.0), seconds: Some(600), batch: 1, ..Options::default() };
        let calendar = Calendar::new(&options, now);
        assert!((now.as_second() - calendar.live_from) <= 3, "one sample a second is real time");
        let options = Options {
            devices: 100,
            rate: Some(1_000.0),
            seconds: Some(600),
            batch: 10,
            ..Options::default()
        };
        let calendar = Calendar::new(&options, now);
        let end = calendar.live_from + 1_000 * 600 / 100;
        assert!((end - now.as_second() - 600).abs() < 30, "ten times as many begin earlier");
    }

    #[test]
    fn watches_with_a_sample_a_minute_have_just_taken_what_they_upload() {
        let now = Timestamp::from_second(1_760_000_000).expect("a time");
        for (batch, gateway) in [(1, false), (5, false), (5, true)] {
            let options = Options {
                devices: 600,
                rate: Some(10.0),
                seconds: Some(600),
                batch,
                gateway,
                ..Options::default()
            };
            let calendar = Calendar::new(&options, now);
            assert_eq!(calendar.live_spacing_seconds, 60);
            let count = u32::try_from(calendar.live_count).expect("a few");
            for number in 0..600 {
                let mut device = Device::new(&options, 1, &calendar, number);
                for upload in 0..10 {
                    let last = device.take_live(&calendar, count) + (calendar.live_count - 1) * 60;
                    let due = now.as_second() + (upload * 600 + i64::from(number)) * calendar.live_count / 10;
                    assert!((0..=2).contains(&(due - last)), "device {number}: {} s", due - last);
                }
            }
        }
    }

    #[test]
    fn a_clock_far_ahead_goes_no_further() {
        let options = Options { devices: 1, seconds: Some(1), ..Options::default() };
        let now = Timestamp::from_second(1_760_000_000).expect("a time");
        let calendar = Calendar::new(&options, now);
        let mut device = Device::new(&options, 1, &calendar, 0);
        for _ in 0..10_000 {
            assert!(device.take_live(&calendar, 100) <= now.as_second() + AHEAD_SECONDS);
        }
    }
}
