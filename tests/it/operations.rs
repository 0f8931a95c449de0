//! What operators ask: how every part is, and how much came in today.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::harness::{Database, Proxy, Service, eventually};

fn sample(device: &str, seconds_ago: i64) -> Value {
    let at = Timestamp::from_second(Timestamp::now().as_second() - seconds_ago).expect("a time");
    json!({ "deviceSn": device, "heart_rate": 70, "timestamp": at.to_string() })
}

#[tokio::test]
async fn today_is_counted_and_the_count_is_given_again_for_some_seconds() {
    let database = Database::new().await;
    let client = database.client().await;
    client
        .batch_execute(
            "insert into org_unit (org_id) values (41); insert into app_user (user_id, org_id) values (1, 41);
             select bind_device('WORN', 1), bind_device('SPARE', 1);",
        )
        .await
        .expect("a directory");
    let service = Service::start(&database).await;
    let none = json!({ "records_today": 0, "active_devices": 0, "active_users": 0 });
    let figures = |body: &Value| {
        json!({ "records_today": body["records_today"], "active_devices": body["active_devices"],
            "active_users": body["active_users"] })
    };
    service.upload(&json!({ "data": [sample("WORN", 2), sample("WORN", 1), sample("SPARE", 1)] })).await;
    service
        .upload(&json!({ "data": [sample("WORN", 2), sample("ALONE", 3), sample("OLD", 3 * 86_400)] }))
        .await;
    service.drained().await;
    let first = service.get("/api/stats").await;
    assert_eq!(first.status, 200);
    // Three seconds after midnight some of them are of yesterday.
    let wanted =
        "select (select sum(stored)::bigint from vitals.ingest_batch, day where committed_at >= today),
            (select count(distinct device_sn) from health_data, day where ts >= today),
            (select count(distinct user_id) from health_data, day where ts >= today)
        from (select 1) as one, lateral (select 1) as two";
    let day = "with day as (select date_trunc('day', now(), 'Asia/Shanghai') as today)";
    let row = client.query_one(&format!("{day} {wanted}"), &[]).await.expect("counts");
    let counted = json!({ "records_today": row.get::<_, i64>(0), "active_devices": row.get::<_, i64>(1),
        "active_users": row.get::<_, i64>(2) });
    assert_eq!(figures(&first.body), counted);
    assert_ne!(counted, none);
    let start: Timestamp = first.body["day_start"].as_str().expect("a time").parse().expect("a time");
    assert!(start <= Timestamp::now());

    service.upload(&json!({ "data": sample("LATER", 1) })).await;
    assert_eq!(figures(&service.get("/api/stats").await.body), counted);
    let one_more = eventually("the count is made anew", async || {
        let answer = service.get("/api/stats").await;
        (figures(&answer.body) != counted).then_some(answer.body)
    })
    .await;
    assert_eq!(one_more["records_today"], json!(row.get::<_, i64>(0) + 1));
    service.finish().await;
}

#[tokio::test]
async fn records_counted_once_are_not_counted_again() {
    use vitals::store::{Store, stats};

    let database = Database::new().await;
    let client = database.client().await;
    let add = async |stored: i32, ago: &str| {
        let sql = format!(
            "insert into vitals.ingest_batch (committed_at, instance, shard, received, stored, duplicate, rejected)
             values (greatest(date_trunc('day', now(), 'Asia/Shanghai'), now() - interval '{ago}'), 'a', 0, {stored}, {stored}, 0, 0)"
        );
        client.batch_execute(&sql).await.expect("an account");
    };
    let store = Store::new(&database.settings()).expect("settings");
    add(100, "2 minutes").await;
    add(10, "0").await;
    let (today, counted) = stats::today(&store, None).await.expect("counts");
    assert_eq!(today.records, 110);
    add(1, "0").await;
    for _ in 0..3 {
        let (today, _) = stats::today(&store, Some(counted)).await.expect("counts");
        assert_eq!(today.records, 111);
    }
}

#[tokio::test]
async fn health_tells_every_part_and_what_is_late() {
    let database = Database::new().await;
    let service = Service::start(&database).await;
    let answer = eventually("all parts are up", async || {
        let answer = service.get("/api/health").await;
        (answer.status == 200).then_some(answer.body)
    })
    .await;
    assert_eq!(answer["status"], "ok");
    for part in ["postgres", "redis", "relay", "notify"] {
        let part = &answer["components"][part];
        assert_eq!(part["status"], "up");
        assert!(part["latency_ms"].as_f64().expect("a number") >= 0.0);
    }
    assert_eq!(answer["components"]["relay"]["waiting"], 0);

    // Leased by a relay that is not there: it waits.
    let client = database.client().await;
    client
        .batch_execute(
            "insert into outbox (batch_id, first_ts, last_ts, created_at, lease_token, leased_until)
             values (1, now(), now(), now() - interval '301 seconds', gen_random_uuid(), now() + interval '10 minutes')",
        )
        .await
        .expect("a row");
    let components = eventually("what waits is late, and nothing is down", async || {
        let answer = service.get("/api/health").await;
        assert_eq!((answer.status, &answer.body["status"]), (503, &json!("degraded")));
        let components = answer.body["components"].clone();
        (components["relay"]["status"] == "late").then_some(components)
    })
    .await;
    assert_eq!(components["relay"]["waiting"], 1);
    assert!(components["relay"]["lag_seconds"].as_f64().expect("a number") > 300.0);
    assert_eq!(components["postgres"]["status"], "up");

    let metrics = reqwest::get(format!("{}/metrics", service.url())).await.expect("an answer");
    let metrics = metrics.text().await.expect("text");
    for figure in
        ["vitals_component_up{component=\"postgres\"} 1", "vitals_component_up{component=\"redis\"} 1"]
    {
        assert!(metrics.contains(figure), "{metrics}");
    }
    let lag = metrics.lines().find_map(|line| line.strip_prefix("vitals_relay_oldest_outbox_seconds "));
    assert!(lag.expect("a figure").parse::<f64>().expect("a number") > 300.0);
    client.batch_execute("delete from outbox").await.expect("deleted");
    service.finish().await;
}

#[tokio::test]
async fn health_tells_what_is_away() {
    let database = Database::new().await;
    let (postgres, database_url) = Proxy::before(&database.url()).await;
    let (redis, redis_url) = Proxy::before(&database.redis_url()).await;
    let service = Service::start_with(&database, |settings| {
        settings.database_url = database_url;
        settings.redis_url = redis_url;
    })
    .await;
    let tells = async |status: u16, parts: [(&str, &str); 4]| {
        eventually("health tells it", async || {
            let answer = service.get("/api/health").await;
            let is_so = |(part, said): &(&str, &str)| answer.body["components"][*part]["status"] == *said;
            (answer.status == status && parts.iter().all(is_so)).then_some(())
        })
        .await;
    };
    tells(200, [("postgres", "up"), ("redis", "up"), ("relay", "up"), ("notify", "up")]).await;
    redis.cut();
    tells(503, [("postgres", "up"), ("redis", "down"), ("relay", "up"), ("notify", "up")]).await;
    postgres.cut();
    tells(503, [("postgres", "down"), ("redis", "down"), ("relay", "down"), ("notify", "down")]).await;
    assert_eq!(service.get("/livez").await.status, 200);
    redis.restore();
    postgres.restore();
    tells(200, [("postgres", "up"), ("redis", "up"), ("relay", "up"), ("notify", "up")]).await;
    service.finish().await;
}
