//! The latest value of each device in Redis: right, whole, and made whole again.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use redis::AsyncCommands;
use redis::aio::MultiplexedConnection;
use serde_json::{Value, json};
use tokio_postgres::Client;

use crate::harness::{Database, Process, Proxy, Service, eventually};

/// A serial nobody used before: Redis outlives the tests.
fn serial(database: &Database, name: &str) -> String {
    let url = database.url();
    format!("{}-{name}", url.rsplit('/').next().expect("a database name"))
}

/// The hash of a device without the two fields that are the service's own; empty if there is none.
async fn redis_hash(database: &Database, device_sn: &str) -> BTreeMap<String, String> {
    fields(&mut database.redis().await, &serial(database, device_sn)).await
}

async fn fields(redis: &mut MultiplexedConnection, device_sn: &str) -> BTreeMap<String, String> {
    let mut hash: BTreeMap<String, String> =
        redis.hgetall(format!("health_data:{device_sn}")).await.expect("a hash");
    hash.remove("eventTimeUs");
    hash.remove("readVersion");
    hash.remove("timeline");
    hash
}

/// Waits until a field of a device's latest value has this text.
async fn wait_for_field(database: &Database, device_sn: &str, field: &str, text: &str) {
    let redis = database.redis().await;
    let device_sn = &serial(database, device_sn);
    eventually(&format!("{field} of {device_sn} is {text}"), || {
        let mut redis = redis.clone();
        async move { (fields(&mut redis, device_sn).await.get(field)? == text).then_some(()) }
    })
    .await;
}

/// Whether Redis is marked as holding the whole of the view the database knows of.
async fn whole(client: &Client, redis: &mut MultiplexedConnection) -> Option<()> {
    let row = client
        .query_one("select view_id || ' ' || generation || ' ' from vitals.latest_view", &[])
        .await
        .expect("a row");
    let mark: Option<String> = redis.get("vitals:view").await.expect("a text");
    mark?.starts_with(row.get::<_, &str>(0)).then_some(())
}

async fn wait_for_view(database: &Database) {
    let (client, redis) = (database.client().await, database.redis().await);
    eventually("the view is whole", || {
        let (client, mut redis) = (&client, redis.clone());
        async move { whole(client, &mut redis).await }
    })
    .await;
}

fn sample(database: &Database, device_sn: &str, heart_rate: u16, timestamp: &str) -> Value {
    let device_sn = serial(database, device_sn);
    json!({ "data": { "deviceSn": device_sn, "heart_rate": heart_rate, "timestamp": timestamp } })
}

/// A service that looks after its view ten times a second.
async fn watchful(database: &Database) -> Service {
    Service::start_with(database, |settings| settings.view_check_interval_ms = 100).await
}

#[tokio::test]
async fn an_upload_shows_as_dashboards_read_it_and_is_published() {
    let database = Database::new().await;
    let service = Service::start(&database).await;
    let client = redis::Client::open(database.redis_url()).expect("a URL");
    let mut channel = client.get_async_pubsub().await.expect("Redis answers");
    let device_sn = serial(&database, "SHOWN-FULL");
    channel.subscribe(format!("health_data_channel:{device_sn}")).await.expect("subscribed");
    let item = json!({
        "deviceSn": device_sn, "customerId": "1939964806110937090", "orgId": "1939964806110937091",
        "userId": "1939964806110937092", "heart_rate": 84, "blood_oxygen": 96, "body_temperature": "36.6",
        "blood_pressure_systolic": 126, "blood_pressure_diastolic": 84, "stress": 51, "step": 1234,
        "distance": "905.0", "calorie": "51000.0", "latitude": "22.540363", "longitude": "114.015182",
        "altitude": "31.5", "upload_method": "4g", "timestamp": "2026-01-02 03:04:05"
    });
    service.upload(&json!({ "data": item })).await;

    let message = tokio::time::timeout(crate::harness::TIMEOUT, channel.on_message().next()).await;
    let message = message.expect("published in time").expect("the channel is open");
    assert_eq!(message.get_payload::<String>().expect("text"), device_sn);
    let hash = redis_hash(&database, "SHOWN-FULL").await;
    let expected = [
        ("altitude", "31.5"),
        ("bloodOxygen", "96"),
        ("calorie", "51000.0"),
        ("customerId", "1939964806110937090"),
        ("deviceSn", device_sn.as_str()),
        ("distance", "905.0"),
        ("heartRate", "84"),
        ("latitude", "22.540363"),
        ("longitude", "114.015182"),
        ("orgId", "1939964806110937091"),
        ("pressureHigh", "126"),
        ("pressureLow", "84"),
        ("step", "1234"),
        ("stress", "51"),
        ("temperature", "36.6"),
        ("timestamp", "2026-01-02 03:04:05"),
        ("uploadMethod", "esim"),
        ("userId", "1939964806110937092"),
    ];
    assert_eq!(hash, expected.map(|(name, text)| (name.to_owned(), text.to_owned())).into());
    service.finish().await;
}

#[tokio::test]
async fn a_newer_value_replaces_the_whole_of_the_older_one() {
    let database = Database::new().await;
    let service = Service::start(&database).await;
    service.upload(&sample(&database, "SHOWN-WHOLE", 70, "2026-01-02 03:04:05")).await;
    wait_for_field(&database, "SHOWN-WHOLE", "heartRate", "70").await;
    let newer = json!({ "data": {
        "deviceSn": serial(&database, "SHOWN-WHOLE"), "blood_oxygen": 98, "timestamp": "2026-01-02 03:04:06"
    } });
    service.upload(&newer).await;
    wait_for_field(&database, "SHOWN-WHOLE", "bloodOxygen", "98").await;
    let hash = redis_hash(&database, "SHOWN-WHOLE").await;
    assert_eq!(hash.get("heartRate"), None, "what the newest row did not measure is absent: {hash:?}");
    assert_eq!(hash["customerId"], "0", "an unknown tenant");
    service.finish().await;
}

#[tokio::test]
async fn a_late_upload_never_overwrites_a_newer_value() {
    let database = Database::new().await;
    let service = Service::start(&database).await;
    service.upload(&sample(&database, "SHOWN-LATE", 70, "2026-01-02 03:04:05")).await;
    wait_for_field(&database, "SHOWN-LATE", "heartRate", "70").await;
    service.upload(&sample(&database, "SHOWN-LATE", 99, "2026-01-02 03:04:04")).await;
    service.drained().await;
    let hash = redis_hash(&database, "SHOWN-LATE").await;
    assert_eq!((hash["heartRate"].as_str(), hash["timestamp"].as_str()), ("70", "2026-01-02 03:04:05"));
    service.finish().await;
}

#[tokio::test]
async fn a_repeat_that_fills_what_was_missing_updates_the_value() {
    let database = Database::new().await;
    let service = Service::start(&database).await;
    service.upload(&sample(&database, "SHOWN-FILL", 70, "2026-01-02 03:04:05")).await;
    wait_for_field(&database, "SHOWN-FILL", "heartRate", "70").await;
    let repeat = json!({ "data": {
        "deviceSn": serial(&database, "SHOWN-FILL"), "heart_rate": 99, "blood_oxygen": 97, "timestamp": "2026-01-02 03:04:05"
    } });
    service.upload(&repeat).await;
    wait_for_field(&database, "SHOWN-FILL", "bloodOxygen", "97").await;
    let hash = redis_hash(&database, "SHOWN-FILL").await;
    assert_eq!(hash["heartRate"], "70", "a repeat only fills");
    service.finish().await;
}

#[tokio::test]
async fn an_older_reading_of_the_same_row_never_undoes_a_newer_one() {
    let database = Database::new().await;
    let service = Service::start(&database).await;
    service.upload(&sample(&database, "SHOWN-READ", 70, "2026-01-02 03:04:05")).await;
    wait_for_field(&database, "SHOWN-READ", "heartRate", "70").await;
    // Another instance has read the row later, when a repeat had added to it, and was faster.
    let later = [("readVersion", 1_i64 << 52), ("stress", 33)];
    let key = format!("health_data:{}", serial(&database, "SHOWN-READ"));
    let _: () = database.redis().await.hset_multiple(&key, &later).await.expect("set");
    service.upload(&sample(&database, "SHOWN-READ", 70, "2026-01-02 03:04:05")).await;
    database
        .client()
        .await
        .batch_execute("insert into outbox (batch_id) select batch_id from health_data")
        .await
        .expect("again");
    service.drained().await;
    assert_eq!(redis_hash(&database, "SHOWN-READ").await["stress"], "33");
    service.finish().await;
}

#[tokio::test]
async fn what_another_program_left_under_the_key_gives_way() {
    let database = Database::new().await;
    let mut redis = database.redis().await;
    let key = |device_sn| format!("health_data:{}", serial(&database, device_sn));
    let _: () = redis.set(key("SHOWN-TEXT"), "{}").await.expect("set");
    let _: () = redis.hset(key("SHOWN-HASH"), "heart_rate", "1").await.expect("set");
    let service = Service::start(&database).await;
    for device_sn in ["SHOWN-TEXT", "SHOWN-HASH"] {
        service.upload(&sample(&database, device_sn, 70, "2026-01-02 03:04:05")).await;
        service.drained().await;
        wait_for_field(&database, device_sn, "heartRate", "70").await;
        assert_eq!(redis_hash(&database, device_sn).await.get("heart_rate"), None);
    }
    service.finish().await;
}

#[tokio::test]
async fn rows_copied_by_hand_show_like_uploads() {
    let database = Database::new().await;
    let service = Service::start(&database).await;
    let client = database.client().await;
    let sink = client
        .copy_in("copy health_data (device_sn, ts, heart_rate, temperature, latitude) from stdin")
        .await
        .expect("copy");
    // Over half a year, so that the newest rows lie in many chunks; a value no number of ours can hold among them.
    let mut text = String::new();
    for day in 0..180 {
        let ts = format!("2026-0{}-{:02} 08:00:00+08", 1 + day / 30, 1 + day % 28);
        text.push_str(&format!(
            "{}\t{ts}\t{}\tNaN\t1e-7\n",
            serial(&database, &format!("COPIED-{day}")),
            60 + day % 60
        ));
    }
    let mut sink = std::pin::pin!(sink);
    futures_util::SinkExt::send(&mut sink, bytes::Bytes::from(text)).await.expect("sent");
    assert_eq!(sink.as_mut().finish().await.expect("copied"), 180);

    for day in [0, 100, 179] {
        wait_for_field(&database, &format!("COPIED-{day}"), "heartRate", &(60 + day % 60).to_string()).await;
    }
    service.drained().await;
    let hash = redis_hash(&database, "COPIED-0").await;
    assert_eq!(hash["timestamp"], "2026-01-01 08:00:00");
    assert_eq!(hash["latitude"], "0.0000001");
    assert_eq!(hash.get("temperature"), None);
    let devices = client.query_one("select count(*) from device", &[]).await.expect("a count");
    assert_eq!(devices.get::<_, i64>(0), 180, "every device is known now");
    service.finish().await;
}

#[tokio::test]
async fn without_redis_uploads_go_on_and_the_view_is_rebuilt_when_it_is_back() {
    let database = Database::new().await;
    let (cable, redis_url) = Proxy::before(&database.redis_url()).await;
    let service = Service::start_with(&database, |settings| {
        settings.redis_url = redis_url;
        settings.view_check_interval_ms = 100;
    })
    .await;
    service.upload(&sample(&database, "AWAY-BEFORE", 70, "2026-01-02 03:04:05")).await;
    wait_for_field(&database, "AWAY-BEFORE", "heartRate", "70").await;

    cable.cut();
    for n in 0..20 {
        service.upload(&sample(&database, &format!("AWAY-{n}"), 71, "2026-01-02 03:04:05")).await;
    }
    // The reactions are finished without Redis, so nothing piles up behind it.
    service.drained().await;
    assert!(redis_hash(&database, "AWAY-19").await.is_empty());

    cable.restore();
    for n in 0..20 {
        wait_for_field(&database, &format!("AWAY-{n}"), "heartRate", "71").await;
    }
    wait_for_view(&database).await;
    service.upload(&sample(&database, "AWAY-AFTER", 72, "2026-01-02 03:04:05")).await;
    wait_for_field(&database, "AWAY-AFTER", "heartRate", "72").await;
    service.finish().await;
}

#[tokio::test]
async fn a_service_starts_without_redis_and_shows_everything_when_it_comes() {
    let database = Database::new().await;
    let (cable, redis_url) = Proxy::before(&database.redis_url()).await;
    cable.cut();
    let service = Service::start_with(&database, |settings| {
        settings.redis_url = redis_url;
        settings.view_check_interval_ms = 100;
    })
    .await;
    service.upload(&sample(&database, "ABSENT", 70, "2026-01-02 03:04:05")).await;
    service.drained().await;
    cable.restore();
    wait_for_field(&database, "ABSENT", "heartRate", "70").await;
    service.finish().await;
}

#[tokio::test]
async fn a_flushed_redis_is_filled_again_while_live_values_go_on() {
    let database = Database::new().await;
    let service = watchful(&database).await;
    // More than two pages of a rebuild, without a value after the flush; and one device that goes on.
    database
        .client()
        .await
        .batch_execute(&format!(
            "insert into health_data (device_sn, ts, heart_rate)
             select '{}' || n, timestamptz '2026-01-02 03:04:05+08' - n * interval '1 hour', 70
             from generate_series(1, 1200) n",
            serial(&database, "FLUSHED-")
        ))
        .await
        .expect("inserted");
    wait_for_field(&database, "FLUSHED-1200", "heartRate", "70").await;
    service.drained().await;
    wait_for_view(&database).await;

    let mut redis = database.redis().await;
    let _: () = redis::cmd("FLUSHDB").query_async(&mut redis).await.expect("flushed");
    for second in 10..30 {
        service
            .upload(&sample(&database, "FLUSHED-LIVE", second, &format!("2026-01-02 03:04:{second}")))
            .await;
    }
    for n in [1, 500, 501, 1200] {
        wait_for_field(&database, &format!("FLUSHED-{n}"), "heartRate", "70").await;
    }
    wait_for_field(&database, "FLUSHED-LIVE", "heartRate", "29").await;
    wait_for_view(&database).await;
    service.finish().await;
}

#[tokio::test]
async fn a_rebuild_never_takes_a_newer_value_back() {
    let database = Database::new().await;
    let service = watchful(&database).await;
    service.upload(&sample(&database, "AHEAD", 70, "2026-01-02 03:04:05")).await;
    wait_for_field(&database, "AHEAD", "heartRate", "70").await;
    // Another instance is ahead of what the database of this one shows.
    let mut redis = database.redis().await;
    let ahead = 1_900_000_000_000_000_i64;
    let _: () = redis
        .hset_multiple(
            format!("health_data:{}", serial(&database, "AHEAD")),
            &[("eventTimeUs", ahead.to_string()), ("heartRate", "99".to_owned())],
        )
        .await
        .expect("set");
    let _: () = redis.del("vitals:view").await.expect("deleted");
    wait_for_view(&database).await;
    assert_eq!(redis_hash(&database, "AHEAD").await["heartRate"], "99");
    service.finish().await;
}

#[tokio::test]
async fn a_view_of_another_database_is_not_taken_for_ours() {
    let database = Database::new().await;
    let mut redis = database.redis().await;
    let stranger = "00000000-0000-4000-8000-000000000000 1 0000000000000000000000000000000000000000";
    let _: () = redis.set("vitals:view", stranger).await.expect("set");
    database
        .client()
        .await
        .batch_execute(&format!(
            "insert into health_data (device_sn, ts, heart_rate) values ('{0}', '2026-01-02 03:04:05+08', 70);
             insert into device (device_sn) values ('{0}'); delete from outbox",
            serial(&database, "OURS")
        ))
        .await
        .expect("inserted");
    let service = watchful(&database).await;
    wait_for_field(&database, "OURS", "heartRate", "70").await;
    wait_for_view(&database).await;
    service.finish().await;
}

#[tokio::test]
async fn a_builder_that_died_does_not_keep_others_from_rebuilding() {
    let database = Database::new().await;
    let mut redis = database.redis().await;
    let dead = Duration::from_millis(500).as_millis().to_string();
    let _: () = redis::cmd("SET")
        .arg(&["vitals:view:builder", "another", "PX", dead.as_str()])
        .query_async(&mut redis)
        .await
        .expect("set");
    let service = watchful(&database).await;
    wait_for_view(&database).await;
    service.finish().await;
}

#[tokio::test]
async fn what_a_device_without_a_wearer_said_last_is_not_shown_for_ever() {
    let database = Database::new().await;
    let service = Service::start_with(&database, |settings| settings.view_unbound_seconds = 1_000).await;
    for (device_sn, user_id) in [("NOBODY-1", 0), ("SOMEBODY-1", 7)] {
        let sample = json!({ "data": { "deviceSn": device_sn, "userId": user_id, "heart_rate": 70, "timestamp": 1_767_294_245 } });
        assert_eq!(service.upload(&sample).await, (1, 0, 0));
    }
    service.drained().await;
    let mut redis = database.redis().await;
    let mut ttl = async |device_sn: &str| -> i64 {
        redis::cmd("TTL")
            .arg(format!("health_data:{device_sn}"))
            .query_async(&mut redis)
            .await
            .expect("an answer")
    };
    assert!((1..=1_000).contains(&ttl("NOBODY-1").await));
    assert_eq!(ttl("SOMEBODY-1").await, -1, "it stays");

    // As a policy does with the rows of devices that nobody has heard of for long.
    let sql = database.client().await;
    sql.batch_execute("delete from health_data; delete from device").await.expect("deleted");
    let _: () = database.redis().await.del("vitals:view").await.expect("deleted");
    wait_for_view(&database).await;
    assert!((1..=1_000).contains(&ttl("SOMEBODY-1").await), "its device is gone");
    service.finish().await;
}

/// How often it says in its log that it has rebuilt the view.
fn rebuilds(process: &Process) -> usize {
    process.log_lines().iter().filter(|line| line.contains("Redis view rebuilt")).count()
}

#[tokio::test]
async fn an_instance_without_redis_does_not_make_another_rebuild_the_view_again_and_again() {
    let database = Database::new().await;
    let (cable, redis_url) = Proxy::before(&database.redis_url()).await;
    let often = ("VITALS_VIEW_CHECK_INTERVAL_MS", "100");
    let without = Process::serve(&database, &[("VITALS_REDIS_URL", &redis_url), often]).await;
    let with = Process::serve(&database, &[often]).await;
    wait_for_view(&database).await;
    cable.cut();
    let (before, http, began) = (rebuilds(&with), reqwest::Client::new(), Instant::now());
    let mut sent = 0;
    while began.elapsed() < Duration::from_secs(4) {
        let body = sample(&database, &format!("WITHOUT-{sent}"), 71, "2026-01-02 03:04:05").to_string();
        let url = format!("{}/upload_health_data", without.url);
        let answer = http.post(url).header("content-type", "application/json").body(body).send().await;
        assert!(answer.is_ok_and(|answer| answer.status() == 200));
        sent += 1;
    }
    for n in [0, sent / 2, sent - 1] {
        wait_for_field(&database, &format!("WITHOUT-{n}"), "heartRate", "71").await;
    }
    wait_for_view(&database).await;
    let rebuilt = rebuilds(&with) - before;
    assert!(rebuilt <= 8, "{rebuilt} rebuilds while {sent} uploads came");
}
