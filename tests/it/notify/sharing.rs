//! Several senders, and senders that die.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::house::{House, alert_ids};
use crate::harness::{Process, Receiver, Reply};

const SENDER: &[(&str, &str)] = &[
    ("VITALS_NOTIFY_WEBHOOK_ALLOW_PRIVATE", "true"),
    ("VITALS_NOTIFY_TIMEOUT_MS", "2000"),
    ("VITALS_LEASE_SECONDS", "1"),
    ("VITALS_POLL_INTERVAL_MS", "50"),
];

#[tokio::test]
async fn a_sender_that_is_killed_before_it_can_say_so_is_followed_by_one_that_sends_the_same_message_again() {
    let house = House::new().await;
    let alive = Arc::new(AtomicBool::new(false));
    let state = Arc::clone(&alive);
    let receiver = Receiver::start(move |_| match state.load(Ordering::SeqCst) {
        // It has the message, and the sender never hears of it.
        false => Reply::Silence,
        true => Reply::Status(200),
    })
    .await;
    house.subscribe("webhook", &receiver.url()).await;
    let process = Process::serve(&house.database, SENDER).await;
    let alerts = house.fire(&["SN-1", "SN-2"], "major").await;
    receiver.received("/", 1).await;
    process.signal("KILL");
    process.ended().await;
    alive.store(true, Ordering::SeqCst);
    // Comes later, and must not slip into the message that may have been delivered.
    let later = house.fire(&["SN-3"], "critical").await;

    let process = Process::serve(&house.database, SENDER).await;
    house.until("sent", 3).await;
    let seen = receiver.received("/", 3).await;
    assert_eq!(seen[1].header("webhook-id"), seen[0].header("webhook-id"));
    assert_eq!(alert_ids(&seen[0].body), alerts);
    assert_eq!(alert_ids(&seen[1].body), alerts);
    assert_eq!(alert_ids(&seen[2].body), later);
    assert_ne!(seen[2].header("webhook-id"), seen[0].header("webhook-id"));
    process.signal("TERM");
    assert!(process.ended().await.success());
}

#[tokio::test]
async fn two_instances_share_the_work_and_each_alert_arrives_under_one_number() {
    let house = House::new().await;
    let receiver = Receiver::start(|_| Reply::Status(200)).await;
    for n in 0..8 {
        house.subscribe("webhook", &format!("{}/{n}", receiver.url())).await;
    }
    let one = house.serve(|_| ()).await;
    let other = house.serve(|_| ()).await;
    let mut raised = HashSet::new();
    for n in 0..50 {
        raised.extend(house.fire(&[&format!("SN-{n}")], "major").await);
    }
    house.until("sent", 400).await;
    let mut numbers: HashMap<(String, i64), HashSet<String>> = HashMap::new();
    for seen in receiver.requests() {
        for alert_id in alert_ids(&seen.body) {
            let id = seen.header("webhook-id").to_owned();
            numbers.entry((seen.path.clone(), alert_id)).or_default().insert(id);
        }
    }
    assert_eq!(numbers.len(), 8 * raised.len());
    assert!(numbers.values().all(|ids| ids.len() == 1));
    assert_eq!(
        receiver.requests().iter().map(|seen| alert_ids(&seen.body).len()).sum::<usize>(),
        400,
        "once"
    );
    one.finish().await;
    other.finish().await;
}

#[tokio::test]
async fn sigterm_waits_for_what_is_being_sent_and_records_it() {
    let house = House::new().await;
    let receiver = Receiver::start(|_| Reply::Endless(200)).await;
    house.subscribe("webhook", &receiver.url()).await;
    let process = Process::serve(&house.database, SENDER).await;
    house.fire(&["SN-1"], "major").await;
    receiver.received("/", 1).await;
    process.signal("TERM");
    assert!(process.ended().await.success());
    assert_eq!(house.rows().await, [format!("fired webhook {} sent", receiver.url())]);
}
