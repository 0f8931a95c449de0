//! What one connection sends next: history, new samples, late ones, or an earlier upload once more.
//!
//! Before: `mod` deals the devices out to the connections. After: `load` sends each [`Batch`].
//! Promise: only what was acknowledged is repeated, byte for byte; the shares of repeats and late uploads are those of
//! the options; a bound in records is met exactly.

use std::collections::VecDeque;

use bytes::Bytes;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use crate::Options;
use crate::body::Body;
use crate::device::{Calendar, Device};

/// Most memory that all connections together keep of earlier uploads, bytes.
const KEPT_UPLOADS_BYTES: usize = 64 << 20;
/// Most uploads that one connection keeps.
const MAX_KEPT_UPLOADS: usize = 16;
/// A record's share of a body, bytes; roughly.
const RECORD_BYTES: usize = 450;

/// Why an upload is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Samples of now, or of the history.
    New,
    /// Samples from hours to days ago, as a watch sends them that was out of reach.
    Late,
    /// An acknowledged upload once more.
    Repeat,
}

/// One upload.
#[derive(Debug, Clone)]
pub(super) struct Batch {
    pub(super) body: Bytes,
    pub(super) records: u32,
    pub(super) kind: Kind,
}

/// Which samples a source has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// The days before, from the oldest sample on, and then no more.
    History,
    /// New samples as long as somebody asks, mixed with late ones and repeats.
    Live,
}

/// The uploads of the devices of one connection.
#[derive(Debug)]
pub(super) struct Source {
    part: Part,
    devices: Vec<Device>,
    calendar: Calendar,
    body: Body,
    batch: u32,
    /// The samples of an upload are of different devices.
    gateway: bool,
    /// Device whose device_index it is.
    device_index: usize,
    /// History samples that every device has sent.
    history_sent: u32,
    /// Records still to be handed out; `None`: no bound.
    left: Option<u64>,
    repeats: f64,
    late: f64,
    dice: StdRng,
    acknowledged: VecDeque<Batch>,
    kept_uploads: usize,
}

impl Source {
    /// The source of connection `number`, for these devices; `records` is its part of a bound.
    pub(super) fn new(
        options: &Options,
        part: Part,
        number: u32,
        devices: Vec<Device>,
        calendar: Calendar,
        records: Option<u64>,
    ) -> Self {
        let live = part == Part::Live;
        let share = |percent: f64| if live { percent / 100.0 } else { 0.0 };
        let of_all = RECORD_BYTES * options.batch as usize * options.connections as usize;
        Self {
            part,
            devices,
            calendar,
            body: Body::new(),
            batch: options.batch,
            gateway: options.gateway,
            device_index: 0,
            history_sent: 0,
            left: records,
            repeats: share(options.duplicates),
            late: share(options.late),
            dice: StdRng::seed_from_u64(options.seed ^ u64::from(number)),
            acknowledged: VecDeque::new(),
            kept_uploads: (KEPT_UPLOADS_BYTES / of_all).clamp(1, MAX_KEPT_UPLOADS),
        }
    }

    /// The next upload; `None` when all is sent.
    pub(super) fn next(&mut self) -> Option<Batch> {
        match self.part {
            Part::History => self.next_history(),
            Part::Live => self.next_live(),
        }
    }

    fn next_history(&mut self) -> Option<Batch> {
        let left = self.calendar.history_records - self.history_sent;
        if left == 0 {
            return None;
        }
        let (calendar, from) = (self.calendar, self.history_sent);
        let (devices, each) = if self.gateway {
            ((self.batch as usize).min(self.devices.len() - self.device_index), 1)
        } else {
            (1, self.batch.min(left))
        };
        let senders = &self.devices[self.device_index..][..devices];
        let records = devices as u32 * each;
        let samples = (0..records).map(|number| {
            let device = &senders[(number / each) as usize];
            (device, device.history_instant(&calendar, from + number % each))
        });
        let body = self.body.write(samples, calendar.history_spacing_seconds);
        self.device_index = (self.device_index + devices) % self.devices.len();
        if self.device_index == 0 {
            self.history_sent += each;
        }
        Some(Batch { body, records, kind: Kind::New })
    }

    fn next_live(&mut self) -> Option<Batch> {
        let left = self.left.unwrap_or(u64::MAX);
        let records = self.batch.min(u32::try_from(left).unwrap_or(u32::MAX));
        if records == 0 {
            return None;
        }
        let draw: f64 = self.dice.random();
        let batch = if draw < self.repeats {
            self.repeat(records)
        } else if draw < self.repeats + self.late {
            self.late(records)
        } else {
            None
        };
        let batch = batch.unwrap_or_else(|| self.fresh(records));
        self.left = self.left.map(|left| left - u64::from(batch.records));
        Some(batch)
    }

    fn repeat(&mut self, most_records: u32) -> Option<Batch> {
        if self.acknowledged.is_empty() {
            return None;
        }
        let pick = self.dice.random_range(0..self.acknowledged.len());
        let earlier = &self.acknowledged[pick];
        (earlier.records <= most_records).then(|| Batch { kind: Kind::Repeat, ..earlier.clone() })
    }

    fn late(&mut self, records: u32) -> Option<Batch> {
        let device_index = self.next_device();
        let from = self.devices[device_index].take_late(&self.calendar)?;
        let (device, calendar) = (&self.devices[device_index], &self.calendar);
        let samples = (0..records).map(|n| (device, device.late_instant(calendar, from + i64::from(n))));
        let body = self.body.write(samples, 1);
        Some(Batch { body, records, kind: Kind::Late })
    }

    fn fresh(&mut self, records: u32) -> Batch {
        let spacing_seconds = self.calendar.live_spacing_seconds;
        let body = if self.gateway {
            let taken: Vec<(usize, i64)> = (0..records)
                .map(|_| {
                    let device_index = self.next_device();
                    (device_index, self.devices[device_index].take_live(&self.calendar, 1))
                })
                .collect();
            let samples = taken.into_iter().map(|(device_index, at)| (&self.devices[device_index], at));
            self.body.write(samples, spacing_seconds)
        } else {
            let device_index = self.next_device();
            let from = self.devices[device_index].take_live(&self.calendar, records);
            let device = &self.devices[device_index];
            let samples = (0..records).map(|number| (device, from + i64::from(number) * spacing_seconds));
            self.body.write(samples, spacing_seconds)
        };
        Batch { body, records, kind: Kind::New }
    }

    fn next_device(&mut self) -> usize {
        let device_index = self.device_index;
        self.device_index = (device_index + 1) % self.devices.len();
        device_index
    }

    /// Tells that this upload was acknowledged, so that it may be repeated.
    pub(super) fn acknowledged(&mut self, batch: Batch) {
        if self.repeats == 0.0 || batch.kind == Kind::Repeat {
            return;
        }
        if self.acknowledged.len() == self.kept_uploads {
            self.acknowledged.pop_front();
        }
        self.acknowledged.push_back(batch);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{HashMap, HashSet};

    use jiff::Timestamp;
    use serde_json::Value;

    use super::*;

    const NOW: i64 = 1_760_000_000;

    fn source(options: &Options, part: Part, records: Option<u64>) -> Source {
        let calendar = Calendar::new(options, Timestamp::from_second(NOW).expect("a time"));
        let devices =
            (0..options.devices).map(|number| Device::new(options, 1_000, &calendar, number)).collect();
        Source::new(options, part, 0, devices, calendar, records)
    }

    fn items(batch: &Batch) -> Vec<Value> {
        let body: Value = serde_json::from_slice(&batch.body).expect("valid JSON");
        match body["data"].clone() {
            Value::Array(items) => items,
            item => vec![item],
        }
    }

    /// Serial and timestamp of an item.
    fn key(item: &Value) -> (String, String) {
        let text = |name: &str| item[name].as_str().expect("text").to_owned();
        (text("deviceSn"), text("timestamp"))
    }

    #[test]
    fn an_item_has_the_fields_and_forms_of_a_watch() {
        let options = Options { devices: 5, batch: 100, ..Options::default() };
        let mut source = source(&options, Part::Live, None);
        for _ in 0..20 {
            let batch = source.next().expect("endless");
            let items = items(&batch);
            assert_eq!(items.len(), 100);
            for item in items {
                assert!(
                    item["heart_rate"].is_u64() && item["blood_oxygen"].is_u64() && item["step"].is_u64()
                );
                for (name, decimals) in [("body_temperature", 1), ("distance", 1), ("calorie", 1)] {
                    let text = item[name].as_str().expect("a string");
                    assert_eq!(text.split_once('.').expect("decimals").1.len(), decimals, "{name} {text}");
                }
                let latitude = item["latitude"].as_str().expect("a string");
                assert!(latitude == "0" || latitude.starts_with("22."), "{latitude}");
                let (serial, time) = key(&item);
                assert!(serial.len() == 16 && time.len() == 19);
                jiff::civil::DateTime::strptime("%Y-%m-%d %H:%M:%S", &time).expect("a time of day");
                assert!(item["customerId"].as_str().expect("text").len() == 19);
            }
        }
    }

    #[test]
    fn a_single_sample_is_an_object_and_several_are_an_array() {
        for (batch, start) in [(1, r#"{"data":{"#), (2, r#"{"data":[{"#)] {
            let options = Options { batch, devices: 1, ..Options::default() };
            let upload = source(&options, Part::Live, None).next().expect("one");
            assert!(upload.body.starts_with(start.as_bytes()));
        }
    }

    #[test]
    fn history_is_complete_and_evenly_spaced_and_carries_each_night() {
        let options = Options {
            devices: 2,
            batch: 100,
            history_days: 2,
            history_interval_seconds: 300,
            ..Options::default()
        };
        let mut source = source(&options, Part::History, None);
        let mut times: HashMap<String, Vec<String>> = HashMap::new();
        let mut nights = 0;
        while let Some(batch) = source.next() {
            for item in items(&batch) {
                if item["sleepData"].as_str().is_some_and(|text| text != "null") {
                    let night: Value = serde_json::from_str(item["sleepData"].as_str().expect("text"))
                        .expect("JSON in JSON");
                    assert_eq!(night["data"].as_array().expect("segments").len(), 2);
                    nights += 1;
                }
                let (serial, time) = key(&item);
                times.entry(serial).or_default().push(time);
            }
        }
        assert_eq!(nights, 2 * 2);
        assert_eq!(times.len(), 2);
        for times in times.values() {
            assert_eq!(times.len(), 576);
            assert!(times.is_sorted());
        }
    }

    #[test]
    fn a_gateway_sends_one_sample_of_each_of_many_watches_and_no_instant_twice() {
        let options = Options {
            devices: 250,
            batch: 100,
            gateway: true,
            history_days: 1,
            history_interval_seconds: 43_200,
            ..Options::default()
        };
        let mut keys = HashSet::new();
        let mut history = source(&options, Part::History, None);
        let history: Vec<Batch> = std::iter::from_fn(|| history.next()).collect();
        assert_eq!(
            history.iter().map(|batch| batch.records).collect::<Vec<_>>(),
            [100, 100, 50, 100, 100, 50]
        );
        let mut live = source(&options, Part::Live, Some(1_000));
        for batch in history.into_iter().chain(std::iter::from_fn(|| live.next())) {
            let items = items(&batch);
            assert_eq!(items.len(), batch.records as usize);
            let serials: HashSet<String> = items.iter().map(|item| key(item).0).collect();
            assert_eq!(serials.len(), items.len(), "a watch twice in an upload");
            assert!(items.iter().all(|item| keys.insert(key(item))), "an instant used twice");
        }
        assert_eq!(keys.len(), 1_500);
    }

    #[test]
    fn a_bound_in_records_is_met_exactly() {
        let options = Options { devices: 3, batch: 100, ..Options::default() };
        let mut source = source(&options, Part::Live, Some(1_050));
        let sizes: Vec<u32> = std::iter::from_fn(|| source.next()).map(|batch| batch.records).collect();
        assert_eq!(sizes.iter().sum::<u32>(), 1_050);
        assert_eq!(sizes.last(), Some(&50));
    }

    #[test]
    fn repeats_are_acknowledged_uploads_byte_for_byte_in_the_share_asked_for() {
        let options = Options { devices: 50, batch: 4, duplicates: 30.0, late: 10.0, ..Options::default() };
        let mut source = source(&options, Part::Live, None);
        let (mut seen, mut keys) = (HashSet::new(), HashSet::new());
        let mut counts: HashMap<&str, u32> = HashMap::new();
        for _ in 0..5_000 {
            let batch = source.next().expect("endless");
            let name = match batch.kind {
                Kind::New => "new",
                Kind::Late => "late",
                Kind::Repeat => "repeat",
            };
            *counts.entry(name).or_default() += 1;
            if batch.kind == Kind::Repeat {
                assert!(seen.contains(&batch.body), "a repeat of what was never sent");
            } else {
                for item in items(&batch) {
                    assert!(keys.insert(key(&item)), "an instant used twice: {item}");
                }
                seen.insert(batch.body.clone());
                source.acknowledged(batch);
            }
        }
        assert!((1_350..1_650).contains(&counts["repeat"]), "{counts:?}");
        assert!((400..600).contains(&counts["late"]), "{counts:?}");
    }

    #[test]
    fn what_was_never_acknowledged_is_never_repeated() {
        let options = Options { devices: 5, duplicates: 90.0, ..Options::default() };
        let mut source = source(&options, Part::Live, None);
        assert!((0..100).all(|_| source.next().expect("endless").kind == Kind::New));
    }

    #[test]
    fn the_same_seed_gives_the_same_uploads() {
        let options = Options { devices: 5, late: 20.0, ..Options::default() };
        let (mut one, mut two) = (source(&options, Part::Live, None), source(&options, Part::Live, None));
        for _ in 0..50 {
            assert_eq!(one.next().expect("endless").body, two.next().expect("endless").body);
        }
    }
}
