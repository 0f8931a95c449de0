//! Upload bodies as a watch writes them, written into one buffer that is used again and again.
//!
//! Before: `source` says which device and which instants. After: `load` sends the bytes.
//! Promise: a body is valid JSON of the wire contract, section 1; writing it costs well under a microsecond a record and, once
//! the buffer has grown, allocates nothing but what the bytes themselves take.

use bytes::{Bytes, BytesMut};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;
use serde::Deserialize;

use crate::device::Device;
use crate::person::{Night, Position, Sample, local_day};

/// Where the fleet lives.
const ZONE: Offset = Offset::constant(8);

/// A buffer, and the date that was written last.
#[derive(Debug)]
pub(super) struct Body {
    text: BytesMut,
    day: i64,
    date: String,
}

impl Body {
    pub(super) fn new() -> Self {
        Self { text: BytesMut::new(), day: i64::MIN, date: String::new() }
    }

    /// The upload of these samples, each of a device at an instant (epoch seconds): one as a watch sends one, several as it sends its
    /// cache, or as a gateway sends those of many watches. `spacing_seconds` lie between two samples of a device.
    pub(super) fn write<'a>(
        &mut self,
        samples: impl ExactSizeIterator<Item = (&'a Device, i64)>,
        spacing_seconds: i64,
    ) -> Bytes {
        let is_single = samples.len() == 1;
        self.text.reserve(64 + samples.len() * 512);
        self.put(if is_single { r#"{"data":"# } else { r#"{"data":["# });
        for (number, (device, at)) in samples.enumerate() {
            if number > 0 {
                self.put(",");
            }
            self.item(device, at, spacing_seconds, number == 0);
        }
        self.put(if is_single { "}" } else { "]}" });
        self.text.split().freeze()
    }

    fn item(&mut self, device: &Device, at: i64, spacing_seconds: i64, first: bool) {
        let sample = device.person.sample(at);
        self.put(&device.head);
        self.vitals(&sample);
        self.totals(&sample);
        self.position(sample.position);
        self.put(r#","timestamp":""#);
        self.local_time(at);
        self.put("\"");
        // Once a day, with the first sample after half past seven, the watch sends the night.
        let (_, second) = local_day(at);
        if (0..spacing_seconds).contains(&(i64::from(second) - 27_000)) {
            self.night(device.person.night(at));
        } else if first {
            self.put(r#","sleepData":"null","exerciseDailyData":"null","exerciseWeekData":"null","workoutData":"null""#);
        }
        self.put("}");
    }

    fn vitals(&mut self, sample: &Sample) {
        self.put(r#","heart_rate":"#);
        self.number(sample.heart_rate);
        self.put(r#","blood_oxygen":"#);
        self.number(sample.blood_oxygen);
        self.put(r#","body_temperature":""#);
        self.tenths(sample.temperature_tenths);
        self.put(r#"","blood_pressure_systolic":"#);
        self.number(sample.pressure_high);
        self.put(r#","blood_pressure_diastolic":"#);
        self.number(sample.pressure_low);
        if let Some(stress) = sample.stress {
            self.put(r#","stress":"#);
            self.number(stress);
        }
    }

    fn totals(&mut self, sample: &Sample) {
        self.put(r#","step":"#);
        self.number(sample.step);
        self.put(r#","distance":""#);
        self.tenths(sample.distance_tenths);
        self.put(r#"","calorie":""#);
        self.tenths(sample.calorie_tenths);
        self.put("\"");
    }

    fn position(&mut self, position: Option<Position>) {
        let Some(position) = position else {
            self.put(r#","latitude":"0","longitude":"0""#);
            return;
        };
        self.put(r#","latitude":""#);
        self.millionths(position.latitude_e6);
        self.put(r#"","longitude":""#);
        self.millionths(position.longitude_e6);
        self.put("\"");
        if let Some(altitude) = position.altitude_tenths {
            self.put(r#","altitude":""#);
            self.tenths(altitude);
            self.put("\"");
        }
    }

    fn night(&mut self, night: Night) {
        self.put(r#","sleepData":"{\"code\":0,\"data\":[{\"startTimeStamp\":"#);
        self.number(night.from_ms);
        self.put(r#",\"endTimeStamp\":"#);
        self.number(night.deep_until_ms);
        self.put(r#",\"type\":2},{\"startTimeStamp\":"#);
        self.number(night.deep_until_ms);
        self.put(r#",\"endTimeStamp\":"#);
        self.number(night.until_ms);
        self.put(r#",\"type\":1}],\"name\":\"sleep\",\"type\":\"history\"}""#);
    }

    /// `yyyy-MM-dd HH:mm:ss` in the fleet's zone.
    fn local_time(&mut self, at: i64) {
        let (day, second) = local_day(at);
        if day != self.day {
            self.day = day;
            self.date = date_of(at);
        }
        self.text.extend_from_slice(self.date.as_bytes());
        let two = |n: u32| [b'0' + (n / 10) as u8, b'0' + (n % 10) as u8];
        let ([a, b], [c, d], [e, f]) = (two(second / 3600), two(second / 60 % 60), two(second % 60));
        self.text.extend_from_slice(&[b' ', a, b, b':', c, d, b':', e, f]);
    }

    fn put(&mut self, text: &str) {
        self.text.extend_from_slice(text.as_bytes());
    }

    fn number(&mut self, value: impl itoa::Integer) {
        self.put(itoa::Buffer::new().format(value));
    }

    fn tenths(&mut self, value: u32) {
        self.number(value / 10);
        self.text.extend_from_slice(&[b'.', b'0' + (value % 10) as u8]);
    }

    fn millionths(&mut self, value: i32) {
        self.number(value / 1_000_000);
        let mut rest = (value % 1_000_000).unsigned_abs();
        let mut decimals = [b'.', 0, 0, 0, 0, 0, 0];
        for decimal in decimals[1..].iter_mut().rev() {
            *decimal = b'0' + (rest % 10) as u8;
            rest /= 10;
        }
        self.text.extend_from_slice(&decimals);
    }
}

/// The records of a body of [`Body::write`]: serial, and time of the sample.
pub(super) fn records(body: &Bytes) -> Vec<(String, Timestamp)> {
    #[derive(Deserialize)]
    struct Upload {
        data: Items,
    }
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Items {
        One(Item),
        Many(Vec<Item>),
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Item {
        device_sn: String,
        timestamp: String,
    }
    let upload: Upload = serde_json::from_slice(body).expect("what `write` wrote");
    let items = match upload.data {
        Items::One(item) => vec![item],
        Items::Many(items) => items,
    };
    let at = |text: &str| {
        let local = DateTime::strptime("%Y-%m-%d %H:%M:%S", text).expect("what `local_time` wrote");
        ZONE.to_timestamp(local).expect("the fleet lives within the years that have a calendar")
    };
    items.into_iter().map(|item| (item.device_sn, at(&item.timestamp))).collect()
}

fn date_of(at: i64) -> String {
    Timestamp::from_second(at)
        .map(|at| ZONE.to_datetime(at).date().to_string())
        .expect("the fleet lives within the years that have a calendar")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Options;
    use crate::device::Calendar;

    #[test]
    fn the_records_of_a_body_are_those_that_were_written() {
        let options = Options { devices: 2, ..Options::default() };
        let now = Timestamp::from_second(1_760_000_000).expect("a time");
        let calendar = Calendar::new(&options, now);
        let devices = [0, 1].map(|number| Device::new(&options, 7, &calendar, number));
        for samples in [vec![(0, 0)], vec![(0, 0), (1, 1), (0, 86_399)]] {
            let at = |second: i64| now.as_second() + second;
            let written =
                samples.iter().map(|&(device, second): &(usize, i64)| (&devices[device], at(second)));
            let body = Body::new().write(written, 1);
            let expected: Vec<(String, Timestamp)> = samples
                .iter()
                .map(|&(device, second)| {
                    let serial = crate::serial(7 + device as u64);
                    (serial, Timestamp::from_second(at(second)).expect("a time"))
                })
                .collect();
            assert_eq!(records(&body), expected);
        }
    }
}
