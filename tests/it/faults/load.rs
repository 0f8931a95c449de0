//! Clients as watches are: they send samples one by one and in batches, events and what they say of themselves, send again
//! what was not answered, and sometimes what was.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use serde_json::Value;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use vitals_fleet::{AcceptedUpload, UploadLog};

use super::ledger::{Key, Kind, Ledger, Record, Upload};

/// How long a watch waits for an answer.
pub const WATCH_WAITS: Duration = Duration::from_secs(10);

const CLIENTS: u64 = 8;
const DEVICES: u64 = 3;

/// Where the services that run now listen; shared with whoever starts and kills them.
pub type Doors = Arc<Mutex<Vec<String>>>;

/// How clients upload.
#[derive(Debug, Clone)]
pub struct Terms {
    /// The key that they have.
    pub key: Option<String>,
    /// The longest pause between two uploads, and before one is sent again, milliseconds.
    pub pauses_ms: [u64; 2],
    /// Behind a balancer, which may not get an answer either, and may be away itself.
    pub behind_balancer: bool,
    /// Where accepted uploads are entered.
    pub upload_log: Arc<UploadLog>,
}

impl Default for Terms {
    /// As fast as answers come, to the services themselves.
    fn default() -> Self {
        Self { key: None, pauses_ms: [2, 60], behind_balancer: false, upload_log: Arc::default() }
    }
}

/// All clients of a round.
pub struct Load {
    on: watch::Sender<bool>,
    clients: Vec<JoinHandle<Ledger>>,
}

impl Load {
    /// Begins. `prefix` is what the serials of its devices begin with; times of records begin at `second`.
    pub fn begin(doors: &Doors, terms: Terms, prefix: &str, second: i64, seed: u64) -> Self {
        let on = watch::Sender::new(true);
        let clients = (0..CLIENTS).map(|number| {
            let devices =
                (0..DEVICES).map(|device| Device::new(format!("{prefix}-{number}-{device}"), second));
            let client = Client {
                http: reqwest::Client::builder().timeout(WATCH_WAITS).build().expect("a client"),
                doors: Arc::clone(doors),
                terms: terms.clone(),
                random: StdRng::seed_from_u64(seed ^ (number + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15)),
                devices: devices.collect(),
                delivered: Vec::new(),
                ledger: Ledger::default(),
            };
            tokio::spawn(client.run(on.subscribe()))
        });
        Self { clients: clients.collect(), on }
    }

    /// Lets nobody begin anything new, and waits until everything that was not given up is answered 200.
    pub async fn end(self) -> Ledger {
        self.on.send_replace(false);
        let mut ledger = Ledger::default();
        for client in self.clients {
            ledger.add(client.await.expect("no panic"));
        }
        ledger
    }
}

/// A device and what its wearer goes through: stretches of good and of bad readings.
struct Device {
    serial: String,
    second: i64,
    bad_for: u32,
}

impl Device {
    fn new(serial: String, second: i64) -> Self {
        Self { serial, second, bad_for: 0 }
    }

    fn key(&self, kind: Kind, event_type: &'static str) -> Key {
        (kind, self.serial.clone(), self.second, event_type)
    }

    fn reading(&mut self, random: &mut StdRng) -> Record {
        self.second += 1;
        self.bad_for = match self.bad_for {
            0 if random.random_bool(0.08) => random.random_range(1..8),
            left => left.saturating_sub(1),
        };
        let heart_rate =
            if self.bad_for > 0 { random.random_range(121..190) } else { random.random_range(60..110) };
        let blood_oxygen =
            if self.bad_for > 4 { random.random_range(80..90) } else { random.random_range(92..100) };
        Record { key: self.key(Kind::Reading, ""), values: [Some(heart_rate), Some(blood_oxygen)] }
    }

    fn event(&mut self, random: &mut StdRng) -> Upload {
        let sample = self.reading(random);
        let types = ["SOS_EVENT", "WEAR_STATUS_CHANGED", "HEARTRATE_HIGH_ALERT", "CALL_STATE"];
        let event_type = types.choose(random).expect("some");
        let value = random.random_range(0..2);
        Upload::event(Record { key: self.key(Kind::Event, event_type), values: [Some(value), None] }, sample)
    }

    fn info(&mut self, random: &mut StdRng) -> Upload {
        self.second += 1;
        let battery = random.random_range(1..=100);
        Upload::device_info(Record { key: self.key(Kind::DeviceInfo, ""), values: [Some(battery), None] })
    }
}

struct Client {
    http: reqwest::Client,
    doors: Doors,
    terms: Terms,
    random: StdRng,
    devices: Vec<Device>,
    delivered: Vec<Upload>,
    ledger: Ledger,
}

impl Client {
    async fn run(mut self, on: watch::Receiver<bool>) -> Ledger {
        while *on.borrow() {
            let upload = self.next();
            self.ledger.sends(&upload);
            // A watch whose cache is full gives up; what became of such an upload is anybody's guess.
            let patience =
                if self.random.random_bool(0.1) { self.random.random_range(1..4) } else { u32::MAX };
            self.deliver(upload, patience).await;
            self.pause(self.terms.pauses_ms[0]).await;
        }
        self.ledger
    }

    fn next(&mut self) -> Upload {
        let random = &mut self.random;
        if random.random_bool(0.05)
            && let Some(again) = self.delivered.choose(random)
        {
            return again.clone();
        }
        let place = random.random_range(0..self.devices.len());
        match random.random_range(0..10) {
            0 => self.devices[place].event(random),
            1 => self.devices[place].info(random),
            2..=5 => Upload::readings(vec![self.devices[place].reading(random)]),
            _ => {
                let mut records = Vec::new();
                for device in &mut self.devices {
                    for _ in 0..random.random_range(1..12) {
                        records.push(device.reading(random));
                    }
                }
                Upload::readings(records)
            }
        }
    }

    async fn deliver(&mut self, upload: Upload, patience: u32) {
        let due = Instant::now();
        for tried in 0_u32.. {
            match self.send(&upload).await {
                Some(answer) => {
                    let accepted =
                        AcceptedUpload { at: Instant::now(), attempts: tried + 1, delay: due.elapsed() };
                    self.terms.upload_log.accept(accepted, []);
                    self.ledger.is_answered(&upload, &answer);
                    self.delivered.push(upload);
                    return;
                }
                None => self.ledger.refused += 1,
            }
            if tried + 1 >= patience {
                return;
            }
            self.pause(self.terms.pauses_ms[1]).await;
        }
    }

    /// The answer, if it was 200.
    async fn send(&mut self, upload: &Upload) -> Option<Value> {
        let door = self.doors.lock().expect("whole").choose(&mut self.random).cloned()?;
        let mut request = self.http.post(format!("{door}{}", upload.path)).body(upload.body.clone());
        if let Some(key) = &self.terms.key {
            request = request.bearer_auth(key);
        }
        let answer = match request.send().await {
            Ok(answer) => answer,
            Err(error) => {
                if error.is_timeout() && !self.terms.behind_balancer {
                    self.ledger.wrongs.push(format!("no answer within {WATCH_WAITS:?}: {}", upload.path));
                }
                return None;
            }
        };
        match answer.status().as_u16() {
            // Its figures are those before it is stored: a repeat counts as new.
            200 if answer.headers().get("vitals-durability").is_some_and(|place| place == "buffered") => {
                Some(Value::Null)
            }
            // A process that dies may leave the body unsaid; a watch never reads it.
            200 => Some(answer.json().await.unwrap_or_default()),
            503 => None,
            502 | 504 if self.terms.behind_balancer => None,
            other => {
                let body = answer.text().await.unwrap_or_default();
                self.ledger.wrongs.push(format!("{other} {body}: {}", upload.path));
                None
            }
        }
    }

    async fn pause(&mut self, longest_ms: u64) {
        let pause = self.random.random_range(0..=longest_ms);
        tokio::time::sleep(Duration::from_millis(pause)).await;
    }
}
