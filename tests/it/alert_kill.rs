//! Relays and senders that die at any moment: no alert is lost, none is made twice, and everybody is told.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use rand::Rng;
use tokio_postgres::Client;

use crate::harness::{Database, Process, Receiver, Reply, eventually, notify_of_all, only_rule};

const DEVICES: usize = 40;
const READINGS: usize = 80;
const KILLS: usize = 8;

/// Every device breaches three readings long, once in twenty, each at another time.
fn breaches(device: usize, reading: usize) -> bool {
    (reading + device) % 20 >= 17
}

/// Number of the readings at which alerts of a device fire: the second breach in a row.
fn expected(device: usize) -> BTreeSet<usize> {
    (1..READINGS)
        .filter(|&reading| {
            breaches(device, reading)
                && breaches(device, reading - 1)
                && (reading == 1 || !breaches(device, reading - 2))
        })
        .collect()
}

/// One transaction with a reading of every device.
async fn write(client: &Client, first: Timestamp, reading: usize) {
    let ts = first + SignedDuration::from_secs(10 * i64::try_from(reading).expect("few"));
    let devices: Vec<String> = (0..DEVICES).map(|device| format!("KILL-{device}")).collect();
    let rates: Vec<i16> =
        (0..DEVICES).map(|device| if breaches(device, reading) { 150 } else { 80 }).collect();
    client
        .execute(
            "insert into health_data (device_sn, ts, heart_rate) select d, $2, r from unnest($1::text[], $3::int2[]) u (d, r)",
            &[&devices, &ts, &rates],
        )
        .await
        .expect("written");
}

async fn start(database: &Database) -> Process {
    let variables = [
        ("VITALS_LEASE_SECONDS", "1"),
        ("VITALS_POLL_INTERVAL_MS", "100"),
        ("VITALS_NOTIFY_WEBHOOK_ALLOW_PRIVATE", "true"),
    ];
    Process::serve(database, &variables).await
}

async fn count(client: &Client, sql: &str) -> i64 {
    client.query_one(sql, &[]).await.expect("a count").get(0)
}

#[tokio::test]
async fn relays_killed_at_any_moment_lose_no_alert_make_none_twice_and_everybody_is_told() {
    let database = Database::new().await;
    let receiver = Receiver::start(|_| Reply::Status(204)).await;
    let (client, writer) = (database.client().await, database.client().await);
    only_rule(&client, 120, 2).await;
    notify_of_all(&client, &receiver).await;
    let mut relays = [start(&database).await, start(&database).await];

    let first = Timestamp::from_second(Timestamp::now().as_second() - 3_600).expect("a second");
    let every = READINGS / KILLS;
    for reading in 0..READINGS {
        write(&writer, first, reading).await;
        if reading % every == every - 1 {
            // They are at it: something new was judged since the last one died.
            let before = count(&client, "select count(*) from alert").await;
            eventually("alerts are raised", || async {
                (count(&client, "select count(*) from alert").await > before
                    || count(&client, "select count(*) from outbox").await == 0)
                    .then_some(())
            })
            .await;
            let victim = rand::rng().random_range(0..relays.len());
            relays[victim].signal("KILL");
            let dead = std::mem::replace(&mut relays[victim], start(&database).await);
            dead.ended().await;
        }
    }
    let mut left = i64::MAX;
    while left > 0 {
        left = eventually("more is evaluated and sent", || async {
            let now = count(
                &client,
                "select (select count(*) from outbox) + (select count(*) from notification where status = 'pending')",
            )
            .await;
            (now < left).then_some(now)
        })
        .await;
    }

    let rows = client
        .query("select device_sn, fired_ts, alert_id from alert order by device_sn, fired_ts", &[])
        .await
        .expect("alerts");
    let mut found: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for row in &rows {
        let seconds = row.get::<_, Timestamp>(1).duration_since(first).as_secs();
        found.entry(row.get(0)).or_default().push(usize::try_from(seconds / 10).expect("later"));
    }
    let stored = client
        .query(
            "select concat_ws(' ', device_sn, alert_id, started_ts, fired_ts, last_ts, judged_ts, ended_ts, resolution, (
                 select string_agg(concat_ws(' ', action, acted_at, note), ', ' order by acted_at)
                 from alert_action c where c.alert_id = a.alert_id
             ))
             from alert a order by device_sn, started_ts, alert_id",
            &[],
        )
        .await
        .expect("alerts");
    let stored: Vec<&str> = stored.iter().map(|row| row.get(0)).collect();
    for device in 0..DEVICES {
        let fired = found.remove(&format!("KILL-{device}")).unwrap_or_default();
        assert_eq!(fired, Vec::from_iter(expected(device)), "device {device} of {stored:#?}");
    }

    let mut messages: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for seen in receiver.requests() {
        for alert in seen.body["data"]["alerts"].as_array().expect("alerts") {
            let alert_id = alert["alert_id"].as_str().expect("text").to_owned();
            messages.entry(alert_id).or_default().insert(seen.header("webhook-id").to_owned());
        }
    }
    for row in &rows {
        let ids = messages.remove(&row.get::<_, i64>(2).to_string()).unwrap_or_default();
        let notifications = client
            .query(
                "select concat_ws(' ', kind, sequence, status, message_id, attempts, error) from notification where alert_id = $1",
                &[&row.get::<_, i64>(2)],
            )
            .await
            .expect("notifications");
        let notifications: Vec<String> = notifications.iter().map(|row| row.get(0)).collect();
        assert_eq!(ids.len(), 1, "one id, however often it was sent: {ids:?} of {notifications:?}");
    }
    assert!(messages.is_empty(), "nobody was told of what is no alert: {messages:?}");
    for relay in relays {
        relay.signal("TERM");
        assert!(relay.ended().await.success());
    }
}
