//! Several senders, and senders that die.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio_postgres::types::ToSql;
use uuid::Uuid;

use super::house::{House, alert_ids};
use crate::harness::{Process, Receiver, Reply, eventually};

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
async fn what_a_sender_takes_while_its_lease_runs_out_keeps_its_number() {
    let house = House::new().await;
    house.subscribe("webhook", "https://example.org/").await;
    house.fire(&["SN-1"], "major").await;
    let take = include_str!("../../../sql/queries/notification/take.sql");
    let lease = "insert into vitals.notification_target as t (channel, address, lease_token, leased_until)
                 select channel, address, $1, now() + interval '1 minute' from notification
                 on conflict (channel, address) do update set lease_token = excluded.lease_token";
    let (first, second) = (Uuid::from_u128(1), Uuid::from_u128(2));
    let (slow, quick) = (house.database.client().await, house.database.client().await);

    quick.execute(lease, &[&first]).await.expect("leased");
    slow.batch_execute("begin").await.expect("begun");
    let taken = slow.query(take, &[&"webhook", &first, &100_i64]).await.expect("taken");
    assert_eq!(taken.len(), 1);
    quick.execute(lease, &[&second]).await.expect("leased");
    let parameters: [&(dyn ToSql + Sync); 3] = [&"webhook", &second, &100_i64];
    let take_again = quick.query(take, &parameters);
    let commit = async {
        let waits = "select pid from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
        let waiting = || async { (!slow.query(waits, &[]).await.expect("rows").is_empty()).then_some(()) };
        eventually("the second waits for the first", waiting).await;
        slow.batch_execute("commit").await.expect("committed");
    };
    let (taken_again, ()) = tokio::join!(take_again, commit);
    assert_eq!(taken_again.expect("taken").len(), 0, "the first sends it");
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
