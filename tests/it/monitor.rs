//! How the service looks after itself: the writers' figures, what operators are told, the line in the log.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::harness::{Database, Process, Proxy, ReceivedRequest, Receiver, Reply, Service, eventually};

fn samples(device: &str, count: i64) -> Value {
    let at = |back: i64| (Timestamp::now() - SignedDuration::from_secs(60 + back)).to_string();
    let sample = |back| json!({ "deviceSn": device, "heart_rate": 70, "timestamp": at(back) });
    json!({ "data": (0..count).map(sample).collect::<Vec<_>>() })
}

/// What each message told: name and kind.
fn reported(seen: &[ReceivedRequest]) -> Vec<(String, String)> {
    let all =
        seen.iter().flat_map(|seen| seen.body["data"]["system_alerts"].as_array().expect("alerts").clone());
    let word = |alert: &Value, key: &str| alert[key].as_str().expect("text").to_owned();
    all.map(|alert| (word(&alert, "name"), word(&alert, "type"))).collect()
}

async fn tells(operators: &Receiver, name: &str, kind: &str) {
    let wanted = (name.to_owned(), kind.to_owned());
    eventually(&format!("{name} {kind}"), async || {
        reported(&operators.requests()).contains(&wanted).then_some(())
    })
    .await;
}

#[tokio::test]
async fn operators_are_told_that_postgres_or_redis_is_away_and_back_though_it_is_away() {
    let database = Database::new().await;
    let operators = Receiver::start(|_| Reply::Status(204)).await;
    let (postgres, database_url) = Proxy::before(&database.url()).await;
    let (redis, redis_url) = Proxy::before(&database.redis_url()).await;
    let service = Service::start_with(&database, |settings| {
        settings.database_url = database_url;
        settings.redis_url = redis_url;
        settings.monitor.interval_ms = 50;
        settings.monitor.alert_after_seconds = 0;
        settings.monitor.operators = format!("webhook:{}/operators", operators.url());
        settings.monitor.operators_webhook_secret = "whsec_c2VjcmV0IG9mIHRoZSBvcGVyYXRvcnM=".into();
    })
    .await;
    assert_eq!(service.get("/api/system_alerts").await.body, json!({ "alerts": [], "firing": 0 }));

    postgres.cut();
    tells(&operators, "postgres_away", "system_alert.fired").await;
    let now = service.get("/api/system_alerts").await;
    assert_eq!((now.status, &now.body["firing"]), (200, &json!(1)));
    let alert = &now.body["alerts"][0];
    assert_eq!((&alert["name"], &alert["status"]), (&json!("postgres_away"), &json!("firing")));
    assert_eq!((&alert["severity"], &alert["ended_at"]), (&json!("critical"), &Value::Null));
    redis.cut();
    tells(&operators, "redis_away", "system_alert.fired").await;
    redis.restore();
    postgres.restore();
    tells(&operators, "redis_away", "system_alert.resolved").await;
    tells(&operators, "postgres_away", "system_alert.resolved").await;

    let past = service.get("/api/system_alerts").await.body;
    assert_eq!(past["firing"], 0);
    let alerts = past["alerts"].as_array().expect("alerts");
    assert!(alerts.len() >= 2, "{past}");
    for alert in alerts {
        assert_eq!(alert["status"], "resolved");
        let time = |key: &str| alert[key].as_str().expect("a time").parse::<Timestamp>().expect("a time");
        assert!(time("started_at") <= time("fired_at") && time("fired_at") <= time("ended_at"));
    }
    let first = operators.received("/operators", 1).await.remove(0);
    assert!(first.header("webhook-signature").starts_with("v1,"), "{:?}", first.headers);
    assert!(!first.header("webhook-id").is_empty());
    service.finish().await;
}

#[tokio::test]
async fn what_no_operator_takes_is_told_again_under_its_number() {
    let database = Database::new().await;
    let operators = Receiver::start({
        let asked = std::sync::atomic::AtomicU32::new(0);
        move |_| match asked.fetch_add(1, std::sync::atomic::Ordering::Relaxed) {
            0 => Reply::Status(500),
            _ => Reply::Status(204),
        }
    })
    .await;
    let (redis, redis_url) = Proxy::before(&database.redis_url()).await;
    let service = Service::start_with(&database, |settings| {
        settings.redis_url = redis_url;
        settings.monitor.interval_ms = 50;
        settings.monitor.alert_after_seconds = 0;
        settings.monitor.operators = format!("webhook:{}/", operators.url());
    })
    .await;
    redis.cut();
    let seen = operators.received("/", 2).await;
    assert_eq!(seen[0].header("webhook-id"), seen[1].header("webhook-id"));
    assert_eq!(seen[0].body["data"], seen[1].body["data"]);
    redis.restore();
    tells(&operators, "redis_away", "system_alert.resolved").await;
    service.finish().await;
}

#[tokio::test]
async fn an_address_that_is_none_is_refused_at_start() {
    let database = Database::new().await;
    let mut settings = database.settings();
    settings.monitor.operators = "pigeon:loft".into();
    let refusal = settings.check().expect_err("refused").to_string();
    assert!(refusal.contains("pigeon") && refusal.contains("webhook"), "{refusal}");
}

#[tokio::test]
async fn writers_tell_what_they_did_each_and_together() {
    let database = Database::new().await;
    let service = Service::start_with(&database, |settings| {
        settings.shards = 2;
        settings.monitor.interval_ms = 20;
    })
    .await;
    let body = samples("TELLS", 20);
    service.upload(&body).await;
    service.upload(&body).await;
    service.upload(&json!({ "data": { "deviceSn": "TELLS", "heart_rate": 70_000 } })).await;

    let answer = service.get("/api/batch_processor/metrics?details=true").await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let all = &answer.body;
    for (name, value) in [
        ("shard_count", 5),
        ("processed", 41),
        ("stored", 20),
        ("duplicates", 20),
        ("rejected", 1),
        ("errors", 0),
        ("queue_size", 0),
        ("queue_capacity", 250_000),
    ] {
        assert_eq!(all[name], json!(value), "{name}");
    }
    let shards = all["shards"].as_array().expect("shards");
    let names: Vec<&Value> = shards.iter().map(|shard| &shard["shard_id"]).collect();
    assert_eq!(names, ["0", "1", "event", "urgent", "far"]);
    let sum: u64 = shards.iter().map(|shard| shard["processed"].as_u64().expect("a count")).sum();
    assert_eq!(sum, 41);
    let busy = shards.iter().find(|shard| shard["stored"] == 20).expect("the shard of the device");
    assert!(busy["last_commit_seconds_ago"].as_f64().expect("seconds") < 60.0);
    eventually("a rate", async || {
        let rate = service.get("/api/batch_processor/metrics").await.body["throughput_per_second"].as_f64();
        rate.filter(|rate| *rate > 0.0)
    })
    .await;

    let path = format!("/api/batch_processor/metrics?shard_id={}", busy["shard_id"].as_str().expect("text"));
    let one = service.get(&path).await.body;
    assert_eq!((&one["stored"], &one["shards"][0]["stored"]), (&json!(20), &json!(20)));
    assert_eq!(one["shards"].as_array().expect("one").len(), 1);
    assert!(service.get("/api/batch_processor/metrics").await.body.get("shards").is_none());
    assert_eq!(service.get("/api/batch_processor/metrics?shard_id=7").await.status, 404);
    for garbage in ["details=perhaps", "detail=true", "shard_id=0&shard_id=1"] {
        assert_eq!(
            service.get(&format!("/api/batch_processor/metrics?{garbage}")).await.status,
            400,
            "{garbage}"
        );
    }
    service.finish().await;
}

#[tokio::test]
async fn a_queue_that_fills_up_makes_the_writers_unhealthy_until_it_is_drained() {
    let database = Database::new().await;
    let service = Service::start_with(&database, |settings| {
        settings.shards = 1;
        settings.queue_rows = 100;
        settings.max_batch_rows = 100;
        // What the processor does meanwhile is not the question here.
        settings.monitor.interval_ms = 3_600_000;
    })
    .await;
    let health = async || service.get("/api/batch_processor/health").await;
    let well = health().await;
    assert_eq!(
        (well.status, &well.body["status"], &well.body["reasons"]),
        (200, &json!("healthy"), &json!([]))
    );

    let mut locker = database.client().await;
    let lock = locker.transaction().await.expect("begun");
    lock.batch_execute("lock table health_data in access exclusive mode").await.expect("locked");
    let body = samples("FULL", 90);
    let waiting = async {
        assert_eq!(service.upload(&body).await, (90, 0, 0));
    };
    let looking = async {
        let full = eventually("the queue is full", async || {
            let answer = health().await;
            (answer.body["queue_use"] == 0.9).then_some(answer)
        })
        .await;
        assert_eq!((full.status, &full.body["status"]), (503, &json!("unhealthy")));
        assert!(full.body["reasons"][0].as_str().expect("text").contains("90 %"), "{}", full.body);
        let refused = service.post("/upload_health_data", samples("MORE", 20).to_string()).await;
        assert_eq!((refused.status, refused.retry_after.as_deref()), (503, Some("2")));
        lock.rollback().await.expect("let go");
    };
    tokio::join!(waiting, looking);
    let metrics = service.get("/api/batch_processor/metrics").await.body;
    assert_eq!((&metrics["queue_size"], &metrics["errors"]), (&json!(0), &json!(20)));
    // 20 of 110 is more than a tenth.
    let after = health().await;
    assert_eq!((after.status, &after.body["queue_use"]), (503, &json!(0.0)));
    assert!(after.body["reasons"][0].as_str().expect("text").contains("error rate"), "{}", after.body);
    service.finish().await;
}

#[tokio::test]
async fn the_log_sums_up_what_came_in() {
    let database = Database::new().await;
    let variables = [("VITALS_MONITOR_SUMMARY_INTERVAL_SECONDS", "1"), ("VITALS_MONITOR_INTERVAL_MS", "50")];
    let process = Process::serve(&database, &variables).await;
    let body = samples("SUMMED", 30).to_string();
    let posted =
        reqwest::Client::new().post(format!("{}/upload_health_data", process.url)).body(body).send().await;
    assert_eq!(posted.expect("an answer").status(), 200);
    let said = eventually("a summary of what came", async || {
        let fields = |line: &String| Some(serde_json::from_str::<Value>(line).ok()?["fields"].clone());
        let said = process.log_lines();
        let mut summaries = said.iter().filter_map(fields).filter(|fields| fields["message"] == "summary");
        summaries.find(|fields| fields["stored"] == 30)
    })
    .await;
    assert!(said["records_per_second"].as_f64().expect("a rate") > 0.0, "{said}");
    assert!(said["memory_mib"].as_u64().expect("MiB") > 0, "{said}");
    for count in ["duplicate", "rejected", "failed"] {
        assert_eq!(said[count], 0, "{said}");
    }
    process.signal("TERM");
    assert!(process.ended().await.success());
}
