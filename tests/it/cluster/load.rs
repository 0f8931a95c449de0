//! Watches that upload through both balancers, send again what was not answered 200, and know when something was.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use serde_json::Value;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::faults::ledger::{Kind, Ledger, Record, Upload};

/// What serials of the devices begin with.
pub const PREFIX: &str = "CLUSTER";

const CLIENTS: u64 = 8;

/// A balancer that is cut off does not answer; then the other one is tried.
const WATCH_WAITS: Duration = Duration::from_secs(10);

/// Devices begin so many seconds ago, and each second of the test is about eight of theirs: a hundred rounds end before today does.
const TIME_TO_CATCH_UP: i64 = 12 * 3600;

/// All clients, and the moments in which an upload was accepted.
pub struct Load {
    on: watch::Sender<bool>,
    accepted: Arc<Mutex<Vec<Instant>>>,
    clients: Vec<JoinHandle<Ledger>>,
}

struct Client {
    http: reqwest::Client,
    doors: [String; 2],
    key: String,
    device: String,
    second: i64,
    random: StdRng,
    accepted: Arc<Mutex<Vec<Instant>>>,
    ledger: Ledger,
}

impl Load {
    pub fn begin(balancers: &[String; 2], key: &str, seed: u64) -> Self {
        let on = watch::Sender::new(true);
        let accepted: Arc<Mutex<Vec<Instant>>> = Arc::default();
        let second = Timestamp::now().as_second() - TIME_TO_CATCH_UP;
        let clients = (0..CLIENTS).map(|number| {
            let client = Client {
                http: reqwest::Client::builder().timeout(WATCH_WAITS).build().expect("a client"),
                doors: balancers.clone(),
                key: key.to_owned(),
                device: format!("{PREFIX}-{number}"),
                second,
                random: StdRng::seed_from_u64(seed ^ (number + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15)),
                accepted: Arc::clone(&accepted),
                ledger: Ledger::default(),
            };
            tokio::spawn(client.run(on.subscribe()))
        });
        Self { clients: clients.collect(), on, accepted }
    }

    /// Whether an upload is accepted after this moment, and within so long.
    pub async fn accepted_since(&self, from: Instant, within: Duration) -> bool {
        let newest = || self.accepted.lock().expect("whole").last().copied();
        while newest().is_none_or(|at| at <= from) {
            if from.elapsed() > within {
                return false;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        true
    }

    /// The longest time since then in which nothing was accepted.
    pub fn longest_gap_since(&self, from: Instant) -> Duration {
        let accepted = self.accepted.lock().expect("whole");
        let (mut last, mut longest) = (from, Duration::ZERO);
        for at in accepted.iter().filter(|at| **at > from) {
            longest = longest.max(*at - last);
            last = *at;
        }
        longest
    }

    /// Lets nobody begin anything new, and waits until everything is answered 200.
    pub async fn end(self) -> Ledger {
        self.on.send_replace(false);
        let mut ledger = Ledger::default();
        for client in self.clients {
            ledger.add(client.await.expect("no panic"));
        }
        ledger
    }
}

impl Client {
    async fn run(mut self, on: watch::Receiver<bool>) -> Ledger {
        while *on.borrow() {
            let records = (0..self.random.random_range(1..4)).map(|_| self.reading()).collect();
            let upload = Upload::readings(records);
            self.ledger.sends(&upload);
            while !self.send(&upload).await {
                self.ledger.refused += 1;
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            tokio::time::sleep(Duration::from_millis(self.random.random_range(100..300))).await;
        }
        self.ledger
    }

    fn reading(&mut self) -> Record {
        self.second += 1;
        let races = self.random.random_bool(0.1);
        let heart_rate =
            if races { self.random.random_range(121..190) } else { self.random.random_range(60..110) };
        Record {
            key: (Kind::Reading, self.device.clone(), self.second, ""),
            values: [Some(heart_rate), Some(97)],
        }
    }

    /// Whether it was answered 200.
    async fn send(&mut self, upload: &Upload) -> bool {
        let door = self.doors.choose(&mut self.random).expect("two");
        let url = format!("{door}{}", upload.path);
        let sending = self.http.post(url).bearer_auth(&self.key).body(upload.body.clone()).send().await;
        let Some(answer) = sending.ok().filter(|answer| answer.status() == 200) else { return false };
        self.accepted.lock().expect("whole").push(Instant::now());
        let answer: Value = answer.json().await.unwrap_or_default();
        self.ledger.is_answered(upload, &answer);
        true
    }
}
