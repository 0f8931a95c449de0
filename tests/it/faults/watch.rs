//! Whether `/readyz` tells the truth: asked all the time, with an upload behind each yes.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::crew::CONNECT_TIMEOUT;
use super::fault::Fault;
use super::ledger::{Kind, Ledger, Record, Upload};
use super::load::WATCH_WAITS;

/// How long after a fault's end what it broke may still be found broken.
const AFTERMATH: Duration = Duration::from_secs(6);

/// `/readyz` has to answer within the time to reach the database, and what an overrun machine takes.
const ANSWERS_WITHIN: Duration = Duration::from_secs(8);

/// What went wrong when: written by whoever makes it so.
#[derive(Debug, Clone, Copy)]
pub struct Span {
    pub fault: Fault,
    /// The fault begins, is there, is being healed, is healed.
    pub at: [Option<Instant>; 4],
}

/// An answer to "are you ready?", and where it was yes, what became of an upload.
#[derive(Debug, Clone, Copy)]
struct Look {
    number: usize,
    asked: Instant,
    answered: Instant,
    /// `None`: nobody answered.
    ready: Option<bool>,
    /// An upload sent after a yes: when it was answered, and with what.
    upload: Option<(Instant, Option<u16>)>,
}

/// Asks one service after the other until it is told to stop.
pub struct Watch {
    on: watch::Sender<bool>,
    watching: JoinHandle<(Vec<Look>, Ledger)>,
}

/// Where each service listens now, if it runs.
pub type Addresses = Arc<Mutex<Vec<Option<String>>>>;

impl Watch {
    pub fn begin(addresses: &Addresses, prefix: &str, second: i64) -> Self {
        let on = watch::Sender::new(true);
        let watching =
            tokio::spawn(watch(Arc::clone(addresses), format!("{prefix}-ready"), second, on.subscribe()));
        Self { on, watching }
    }

    /// What it sent, and the lies it was told, held against what went wrong.
    pub async fn end(self, spans: &[Span]) -> (Ledger, Vec<String>) {
        self.on.send_replace(false);
        let (looks, ledger) = self.watching.await.expect("no panic");
        (ledger, lies(&looks, spans))
    }
}

async fn watch(
    addresses: Addresses,
    device: String,
    first: i64,
    on: watch::Receiver<bool>,
) -> (Vec<Look>, Ledger) {
    let http = reqwest::Client::builder().timeout(WATCH_WAITS).build().expect("a client");
    let (mut looks, mut ledger) = (Vec::new(), Ledger::default());
    for second in first.. {
        let listening = addresses.lock().expect("whole").clone();
        for (number, address) in listening.into_iter().enumerate() {
            let Some(address) = address else { continue };
            let mut look = look(&http, number, &address).await;
            if look.ready == Some(true) {
                let key = (Kind::Reading, format!("{device}-{number}"), second, "");
                let upload = Upload::readings(vec![Record { key, values: [Some(70), Some(97)] }]);
                ledger.sends(&upload);
                let answer = http
                    .post(format!("{address}{}", upload.path))
                    .body(upload.body.clone())
                    .send()
                    .await
                    .ok();
                let status = answer.as_ref().map(|answer| answer.status().as_u16());
                if let (Some(200), Some(answer)) = (status, answer) {
                    ledger.is_answered(&upload, &answer.json().await.unwrap_or_default());
                }
                look.upload = Some((Instant::now(), status));
            }
            looks.push(look);
        }
        if !*on.borrow() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    (looks, ledger)
}

async fn look(http: &reqwest::Client, number: usize, address: &str) -> Look {
    let asked = Instant::now();
    let answer = http.get(format!("{address}/readyz")).send().await;
    let ready = answer.ok().map(|answer| answer.status() == 200);
    Look { number, asked, answered: Instant::now(), ready, upload: None }
}

fn lies(looks: &[Look], spans: &[Span]) -> Vec<String> {
    let mut lies = Vec::new();
    for (place, look) in looks.iter().enumerate() {
        let mut lie = |what: &str| lies.push(format!("{what}: {look:?} amid {spans:?}"));
        if look.answered - look.asked > ANSWERS_WITHIN {
            lie("slow to say whether it is ready");
        }
        let away = spans.iter().any(|span| span.keeps_database_from(look));
        if look.ready == Some(true) && away {
            lie("ready without a database");
        }
        let excused = spans.iter().any(|span| span.may_explain(look.number, look.asked, look.answered));
        // Where the machine is overrun, a database that does not answer in time is the truth.
        let timed_out = look.answered - look.asked >= CONNECT_TIMEOUT;
        if look.ready == Some(false) && !excused && !timed_out {
            lie("not ready though nothing is wrong");
        }
        let Some((at, status)) = look.upload.filter(|(_, status)| *status != Some(200)) else { continue };
        let excused = spans.iter().any(|span| span.may_explain(look.number, look.asked, at));
        if !excused {
            lie(&format!("an upload is answered {status:?} though nothing is wrong"));
        }
        // A yes, a no to an upload, and a yes again, while nothing changed.
        let next = looks[place + 1..].iter().find(|next| next.number == look.number);
        let steady = |next: &Look| !spans.iter().any(|span| span.changes_between(look.asked, next.answered));
        if next.is_some_and(|next| next.ready == Some(true) && steady(next)) {
            lie("ready before and after an upload that it refused");
        }
    }
    lies
}

impl Span {
    fn keeps_database_from(&self, look: &Look) -> bool {
        let [_, there, healing, _] = self.at;
        let within = there.is_some_and(|there| look.asked >= there)
            && healing.is_none_or(|healing| look.answered <= healing);
        within && self.fault.keeps_database_from(look.number)
    }

    fn may_explain(&self, number: usize, asked: Instant, answered: Instant) -> bool {
        let [begin, _, _, end] = self.at;
        let touches =
            begin.is_some_and(|begin| answered >= begin) && end.is_none_or(|end| asked <= end + AFTERMATH);
        touches && self.fault.may_keep_from_ready(number)
    }

    fn changes_between(&self, from: Instant, to: Instant) -> bool {
        let [begin, there, healing, healed] = self.at;
        let overlaps = |a: Option<Instant>, b: Option<Instant>, after: Duration| {
            a.is_some_and(|a| a <= to) && b.is_none_or(|b| b + after >= from)
        };
        overlaps(begin, there, Duration::ZERO) || overlaps(healing, healed, AFTERMATH)
    }
}
