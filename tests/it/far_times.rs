//! Samples of long ago: whatever days an upload names, nobody but its sender waits for them.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::harness::{Database, Service, eventually, vitals};

const DAY: i64 = 86_400;

fn now() -> i64 {
    jiff::Timestamp::now().as_second()
}

/// A sample a day for so many days, ending `until` days ago.
fn daily(device_sn: &str, days: i64, until: i64) -> String {
    let sample = |day: i64| json!({ "deviceSn": device_sn, "heart_rate": 70, "timestamp": now() - (until + day) * DAY });
    json!({ "data": (0..days).map(sample).collect::<Vec<Value>>() }).to_string()
}

/// Days of a device in the transaction with the most of them.
async fn most_days(database: &Database, table: &str, device_sn: &str) -> i64 {
    let sql = format!(
        "select coalesce(max(days), 0) from
         (select count(distinct ts at time zone 'UTC')::bigint as days from {table}
          where device_sn = '{device_sn}' group by batch_id) as batch"
    );
    database.client().await.query_one(&sql, &[]).await.expect("a count").get(0)
}

#[tokio::test]
async fn an_upload_of_many_days_is_stored_in_transactions_of_few() {
    let database = Database::new().await;
    let service = Service::start(&database).await;
    let answer = service.post("/upload_health_data", daily("YEARS-1", 100, 0)).await;
    assert_eq!(answer.body["details"], json!({ "success": 100, "duplicate": 0, "error": 0 }), "{answer:?}");
    assert!(most_days(&database, "health_data", "YEARS-1").await <= 16);
    let again = service.post("/upload_health_data", daily("YEARS-1", 100, 0)).await;
    assert_eq!(again.status, 200);
    // Nor by way of device information, or of an event with many samples.
    let infos: Vec<Value> = (0..60)
        .map(|week| json!({ "SerialNumber": "YEARS-1", "batteryLevel": 50, "timestamp": (now() - week * 7 * DAY) * 1000 }))
        .collect();
    let answer = service.post("/upload_device_info", json!({ "data": infos }).to_string()).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert!(most_days(&database, "device_info", "YEARS-1").await <= 16);
    let samples: Value = serde_json::from_str(&daily("YEARS-2", 60, 300)).expect("JSON");
    let event =
        json!({ "eventType": "SOS_EVENT", "deviceSn": "YEARS-2", "timestamp": now(), "healthData": samples });
    let answer = service.post("/upload_common_event", event.to_string()).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert!(most_days(&database, "health_data", "YEARS-2").await <= 16);
    let stored = "select (select count(distinct ts::date) from health_data where device_sn = 'YEARS-2'), (select count(*) from device_info)";
    let stored = database.client().await.query_one(stored, &[]).await.expect("counts");
    assert_eq!((stored.get::<_, i64>(0), stored.get::<_, i64>(1)), (60, 60));
    service.finish().await;
}

#[tokio::test]
async fn whatever_the_policy_says_nothing_is_taken_from_before_there_were_such_devices() {
    let database = Database::new().await;
    let for_ever = "update policy set keep_for = null where relation = 'health_data'";
    database.client().await.execute(for_ever, &[]).await.expect("kept for ever");
    let service = Service::start(&database).await;
    let sample = |timestamp: &str| json!({ "deviceSn": "UNSET-1", "heart_rate": 70, "timestamp": timestamp });
    let items = ["1970-01-01 08:00:01", "2000-01-01 00:00:00", "2009-12-31 23:59:59", "2010-01-01 08:00:00"]
        .map(sample);
    let answer = service.post("/upload_health_data", json!({ "data": items }).to_string()).await;
    assert_eq!(answer.body["details"], json!({ "success": 1, "duplicate": 0, "error": 3 }), "{answer:?}");
    let reasons: Vec<&Value> =
        answer.body["errors"].as_array().expect("errors").iter().map(|error| &error["reason"]).collect();
    assert_eq!(reasons, ["too_old"; 3]);
    service.finish().await;
}

/// Sends until it is answered 200, as a watch does.
async fn until_taken(service: &Service, body: String) -> u32 {
    for tries in 1..1000 {
        let answer = service.post("/upload_health_data", body.clone()).await;
        match answer.status {
            200 => return tries,
            503 => {
                assert!(answer.retry_after.is_some(), "{answer:?}");
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
            _ => panic!("{answer:?}"),
        }
    }
    panic!("never taken");
}

#[tokio::test]
async fn uploads_of_years_delay_no_ordinary_upload_and_no_reaction_to_one() {
    // benches/README.md, "Far times", has 64 and 1000.
    let number = |variable: &str, default: i64| {
        std::env::var(variable).map_or(default, |number| number.parse().expect("a number"))
    };
    let (uploads, days) = (number("FAR_UPLOADS", 8), number("FAR_DAYS", 200));
    let database = Database::new().await;
    // The ordinary deadline of a watch, so that what is too much at once is refused and comes again.
    let service = Service::start_with(&database, |settings| settings.commit_deadline_ms = 8_000).await;
    // The chunk of today is there, as it is but once a day.
    let first = json!({ "data": { "deviceSn": "FIRST", "heart_rate": 70, "timestamp": now() } });
    until_taken(&service, first.to_string()).await;
    service.drained().await;
    let far: Vec<String> =
        (0..uploads).map(|number| daily(&format!("FAR-{number}"), days, 20 + number)).collect();
    let bulk = futures_util::future::join_all(far.into_iter().map(|body| until_taken(&service, body)));
    let ended = std::sync::atomic::AtomicBool::new(false);
    let bulk = async {
        let (began, tries) = (Instant::now(), bulk.await);
        println!(
            "{uploads} uploads of {days} days in {:?}, tries {}",
            began.elapsed(),
            tries.iter().sum::<u32>()
        );
        ended.store(true, std::sync::atomic::Ordering::SeqCst);
    };
    let ordinary = async {
        let (mut slowest, mut slowest_reaction, mut sent) = (Duration::ZERO, Duration::ZERO, 0);
        let redis = database.redis().await;
        while sent < 20 || !ended.load(std::sync::atomic::Ordering::SeqCst) {
            let device_sn = format!("NEAR-{sent}");
            let began = Instant::now();
            let sample = json!({ "data": { "deviceSn": device_sn, "heart_rate": 70, "timestamp": now() } });
            assert_eq!(service.upload(&sample).await, (1, 0, 0), "an ordinary upload is taken");
            slowest = slowest.max(began.elapsed());
            eventually("it is in Redis", async || {
                let shown: Option<String> = redis::cmd("HGET")
                    .arg(format!("health_data:{device_sn}"))
                    .arg("heartRate")
                    .query_async(&mut redis.clone())
                    .await
                    .expect("Redis answers");
                shown
            })
            .await;
            slowest_reaction = slowest_reaction.max(began.elapsed());
            sent += 1;
        }
        (slowest, slowest_reaction, sent)
    };
    let (slowest, slowest_reaction, sent) = futures_util::join!(ordinary, bulk).0;
    println!("{sent} ordinary uploads, the slowest {slowest:?}, its reaction {slowest_reaction:?}");
    // Seconds were usual; a busy machine is given its share of them.
    assert!(slowest < Duration::from_secs(2), "{slowest:?}");
    assert!(slowest_reaction < Duration::from_secs(3), "{slowest_reaction:?}");
    let count = "select count(*) from health_data where device_sn like 'FAR-%'";
    let stored: i64 = database.client().await.query_one(count, &[]).await.expect("a count").get(0);
    assert_eq!(stored, uploads * days);
    service.finish().await;
}

#[tokio::test]
async fn check_says_whether_the_locks_are_enough_for_the_chunks_there_are() {
    let database = Database::new().await;
    let said = vitals(&database, &["check"]).await;
    let line = said.out.lines().find(|line| line.contains("max_locks_per_transaction"));
    assert!(line.is_some_and(|line| line.starts_with("ok ")), "{said:?}");
}
