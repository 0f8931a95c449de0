//! A release replaces another one under load: two instances of real programs behind a balancer, replaced one after the other. Run by
//! `tests/upgrade`, which builds both programs; without them the test reports that it is skipped.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde_json::json;
use tokio::task::JoinHandle;

use super::texts;
use crate::harness::{
    Balancer, BalancerKind, Behind, Database, Process, Receiver, Reply, authority, command_of, eventually,
    free_port, notify_of_all, only_rule,
};

const WATCHES: usize = 8;

/// Every so many uploads of a watch, one is the first of another device, with a heart rate that raises an alert.
const BREACH_EVERY: i64 = 25;

/// Every so many uploads of a watch, one is sent twice.
const REPEAT_EVERY: i64 = 7;

/// How long the load runs between two steps of the upgrade.
const PAUSE_UPLOADS: u64 = 400;

/// A watch sends an upload again for so long.
const LONGEST: Duration = Duration::from_secs(10);

/// What clients saw.
#[derive(Default)]
struct Seen {
    acknowledged: AtomicU64,
    sent_again: AtomicU64,
    is_over: AtomicBool,
    /// Devices of which a breach was acknowledged.
    breaches: Mutex<BTreeSet<String>>,
    /// The longest time from the first attempt of an upload to its acknowledgement, and why attempts failed.
    longest_ms: AtomicU64,
    causes: Mutex<BTreeMap<String, u64>>,
}

/// Uploads records, each until it is acknowledged.
async fn upload(url: String, watch: usize, seen: Arc<Seen>) {
    let first = Timestamp::now().as_second() - 50_000;
    let http = reqwest::Client::builder().timeout(LONGEST).build().expect("a client");
    let mut number = 0_i64;
    while !seen.is_over.load(Ordering::SeqCst) {
        number += 1;
        let is_breach = number % BREACH_EVERY == 0;
        let device = if is_breach { format!("BREACH-{watch}-{number}") } else { format!("ROLLING-{watch}") };
        let rate = if is_breach { 190 } else { 60 + number % 60 };
        let body = json!({ "deviceSn": device, "heart_rate": rate, "timestamp": first + number });
        let send = || http.post(format!("{url}/upload_health_data")).body(body.to_string()).send();
        let began = Instant::now();
        loop {
            let answer = send().await;
            let cause = match answer {
                Ok(answer) if answer.status() == 200 => break,
                Ok(answer) => format!("{}: {}", answer.status(), answer.text().await.unwrap_or_default()),
                Err(error) => error.without_url().to_string(),
            };
            seen.sent_again.fetch_add(1, Ordering::SeqCst);
            *seen.causes.lock().expect("whole").entry(cause).or_default() += 1;
        }
        seen.acknowledged.fetch_add(1, Ordering::SeqCst);
        let took = u64::try_from(began.elapsed().as_millis()).expect("a short time");
        seen.longest_ms.fetch_max(took, Ordering::SeqCst);
        if number % REPEAT_EVERY == 0 {
            // A watch that missed the answer. Whatever becomes of it, the record is stored once.
            let _ = send().await;
        }
        if is_breach {
            seen.breaches.lock().expect("whole").insert(device);
        }
    }
}

async fn goes_on(seen: &Seen) {
    let before = seen.acknowledged.load(Ordering::SeqCst);
    eventually("uploads are acknowledged", async || {
        (seen.acknowledged.load(Ordering::SeqCst) > before + PAUSE_UPLOADS).then_some(())
    })
    .await;
}

/// The two programs, as `tests/upgrade` has built them.
struct Programs {
    old: String,
    new: String,
}

impl Programs {
    fn given() -> Option<Self> {
        let program = |name| std::env::var(name).ok();
        Some(Self { old: program("UPGRADE_OLD")?, new: program("UPGRADE_NEW")? })
    }
}

/// Runs a command of a program to its end.
async fn vitals(program: &str, database: &Database, arguments: &[&str]) -> (bool, String) {
    let output = command_of(program, database, arguments).output().await.expect("it can be run");
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8(text).expect("text");
    println!("vitals {}: {}", arguments.join(" "), text.trim_end());
    (output.status.success(), text)
}

async fn serve(program: &str, database: &Database, listen: &str) -> Process {
    let variables = [
        ("VITALS_LISTEN", listen),
        ("VITALS_INSTANCE", listen),
        ("VITALS_NOTIFY_WEBHOOK_ALLOW_PRIVATE", "true"),
    ];
    let started = Process::try_serve_of(program, database, &variables).await;
    started.unwrap_or_else(|log| panic!("{program} does not serve: {log}"))
}

async fn balancer(instances: [String; 2]) -> Option<Balancer> {
    let behind = Behind { instances, edits: Vec::new(), site: "vitals" };
    match Balancer::start(BalancerKind::Nginx, &behind).await {
        Some(balancer) => Some(balancer),
        None => Balancer::start(BalancerKind::Haproxy, &behind).await,
    }
}

#[tokio::test]
async fn a_release_that_replaces_another_under_load_costs_no_record_and_no_alert() {
    let Some(Programs { old, new }) = Programs::given() else {
        eprintln!("skipped: tests/upgrade builds the two programs, and runs this test");
        return;
    };
    let database = Database::empty("Asia/Shanghai").await;
    let client = database.client().await;
    assert!(vitals(&old, &database, &["migrate"]).await.0);
    let receiver = Receiver::start(|_| Reply::Status(204)).await;
    only_rule(&client, 180, 1).await;
    notify_of_all(&client, &receiver).await;

    let listen = [free_port(), free_port()].map(|port| format!("127.0.0.1:{port}"));
    let mut instances = Vec::new();
    for listen in &listen {
        instances.push(serve(&old, &database, listen).await);
    }
    let behind = [authority(&instances[0].url), authority(&instances[1].url)];
    let Some(balancer) = balancer(behind).await else { return };
    let seen = Arc::<Seen>::default();
    let watches: Vec<JoinHandle<()>> = (0..WATCHES)
        .map(|watch| tokio::spawn(upload(balancer.url.clone(), watch, Arc::clone(&seen))))
        .collect();
    goes_on(&seen).await;

    assert!(vitals(&new, &database, &["migrate", "--expand"]).await.0);
    goes_on(&seen).await;
    for (number, listen) in listen.iter().enumerate() {
        assert!(!vitals(&new, &database, &["migrate", "--contract"]).await.0, "an old instance runs");
        let old = instances.remove(0);
        old.signal("TERM");
        assert!(old.ended().await.success(), "ends in order");
        println!("instance {} of the old release has stopped", number + 1);
        instances.push(serve(&new, &database, listen).await);
        goes_on(&seen).await;
    }
    assert!(vitals(&new, &database, &["migrate", "--contract"]).await.0);
    goes_on(&seen).await;
    seen.is_over.store(true, Ordering::SeqCst);
    for watch in watches {
        watch.await.expect("ends");
    }

    let (acknowledged, again) =
        (seen.acknowledged.load(Ordering::SeqCst), seen.sent_again.load(Ordering::SeqCst));
    let longest = Duration::from_millis(seen.longest_ms.load(Ordering::SeqCst));
    let breaches = seen.breaches.lock().expect("whole").clone();
    println!(
        "{acknowledged} records acknowledged, {again} attempts sent again ({:?}), the longest upload took {} ms; {} alerts",
        seen.causes.lock().expect("whole"),
        longest.as_millis(),
        breaches.len()
    );
    assert!(longest < LONGEST, "{longest:?}");
    let stored = texts(&client, "select count(*)::text from health_data").await;
    assert_eq!(stored, [acknowledged.to_string()], "every acknowledged record is stored once, and no other");

    let left = "select ((select count(*) from outbox) + (select count(*) from notification where status = 'pending'))::text";
    eventually("all is evaluated and sent", async || (texts(&client, left).await == ["0"]).then_some(()))
        .await;
    let raised = texts(&client, "select device_sn from alert order by device_sn collate \"C\"").await;
    assert_eq!(raised, breaches.into_iter().collect::<Vec<_>>(), "one alert for each breach");
    let mut messages: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for request in receiver.requests() {
        for alert in request.body["data"]["alerts"].as_array().expect("alerts") {
            let alert_id = alert["alert_id"].as_str().expect("text").to_owned();
            messages.entry(alert_id).or_default().insert(request.header("webhook-id").to_owned());
        }
    }
    assert_eq!(messages.len(), raised.len(), "everybody is notified of each alert");
    assert!(messages.values().all(|ids| ids.len() == 1), "under one id: {messages:?}");
    for instance in instances {
        instance.signal("TERM");
        assert!(instance.ended().await.success());
    }
}
