//! What was sent, and what of it was answered 200: the claims a verdict holds the database to.

use std::collections::BTreeMap;

use serde_json::{Value, json};

/// Kinds of records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    Reading,
    Event,
    DeviceInfo,
}

impl Kind {
    pub const ALL: [Self; 3] = [Self::Reading, Self::Event, Self::DeviceInfo];

    /// As the accounts name it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Reading => "reading",
            Self::Event => "event",
            Self::DeviceInfo => "device_info",
        }
    }
}

/// What tells a record from all others: kind, device, second, type of an event.
pub type Key = (Kind, String, i64, &'static str);

/// A record as it is sent, and as it must be found.
#[derive(Debug, Clone)]
pub struct Record {
    pub key: Key,
    /// Heart rate and oxygen saturation; the value of an event; the battery.
    pub values: [Option<i64>; 2],
}

impl Record {
    /// The item of a body.
    pub fn item(&self) -> Value {
        let (kind, device, second, event_type) = &self.key;
        let [first, second_value] = self.values;
        match kind {
            Kind::Reading => json!({ "deviceSn": device, "timestamp": second, "heart_rate": first,
                                     "blood_oxygen": second_value }),
            Kind::Event => json!({ "deviceSn": device, "timestamp": second, "eventType": event_type,
                                   "eventValue": first.expect("a value").to_string() }),
            Kind::DeviceInfo => {
                json!({ "SerialNumber": device, "timestamp": second, "batteryLevel": first })
            }
        }
    }
}

/// An upload, sent until it is answered 200 or given up.
#[derive(Debug, Clone)]
pub struct Upload {
    pub path: &'static str,
    pub body: String,
    pub records: Vec<Record>,
}

impl Upload {
    /// Readings, as a watch sends one or several.
    pub fn readings(records: Vec<Record>) -> Self {
        let items: Vec<Value> = records.iter().map(Record::item).collect();
        Self { path: "/upload_health_data", body: json!({ "data": items }).to_string(), records }
    }

    /// An event; its sample travels with it.
    pub fn event(event: Record, sample: Record) -> Self {
        let mut body = event.item();
        body["healthData"] = json!({ "data": sample.item() });
        Self { path: "/upload_common_event", body: body.to_string(), records: vec![event, sample] }
    }

    /// What a device says of itself.
    pub fn device_info(info: Record) -> Self {
        Self { path: "/upload_device_info", body: info.item().to_string(), records: vec![info] }
    }
}

/// Everything one client sent.
#[derive(Debug, Default)]
pub struct Ledger {
    /// Each record that was sent, and whether an upload that held it was answered 200.
    pub sent: BTreeMap<Key, (Record, bool)>,
    /// Records in answers of 200, repeats included.
    pub acknowledged: BTreeMap<Kind, i64>,
    /// Readings that answers of 200 called new.
    pub acknowledged_new: i64,
    /// Answers other than 200, and connections that broke.
    pub refused: u64,
    /// What should not be: no answer within the time a watch waits, a status that says the sender is at fault or that
    /// nobody thought of it.
    pub wrongs: Vec<String>,
}

impl Ledger {
    pub fn sends(&mut self, upload: &Upload) {
        for record in &upload.records {
            self.sent.entry(record.key.clone()).or_insert_with(|| (record.clone(), false));
        }
    }

    pub fn is_answered(&mut self, upload: &Upload, answer: &Value) {
        for record in &upload.records {
            self.sent.get_mut(&record.key).expect("it was sent").1 = true;
            *self.acknowledged.entry(record.key.0).or_default() += 1;
        }
        self.acknowledged_new += answer["details"]["success"].as_i64().unwrap_or_default();
    }

    pub fn add(&mut self, other: Self) {
        self.sent.extend(other.sent);
        for (kind, records) in other.acknowledged {
            *self.acknowledged.entry(kind).or_default() += records;
        }
        self.acknowledged_new += other.acknowledged_new;
        self.refused += other.refused;
        self.wrongs.extend(other.wrongs);
    }
}
