//! A database that went back (a restore, a promotion that lost transactions) under a Redis that did not.

use redis::AsyncCommands;
use serde_json::{Value, json};

use crate::harness::{Database, Service, add_alert, eventually};

const ANNA: i64 = 11;
const BERND: i64 = 12;
const SECOND: i64 = 1_767_294_245;

async fn sql(database: &Database, statement: &str) {
    database.client().await.batch_execute(statement).await.unwrap_or_else(|e| panic!("{statement}: {e:?}"));
}

async fn watchful(database: &Database) -> Service {
    Service::start_with(database, |settings| settings.view_check_interval_ms = 100).await
}

async fn field(database: &Database, key: &str, name: &str) -> Option<String> {
    database.redis().await.hget(key, name).await.expect("an answer")
}

async fn wait_for_field(database: &Database, key: &str, name: &str, expected: Option<&str>) {
    eventually(&format!("{name} of {key} is {expected:?}"), async || {
        (field(database, key, name).await.as_deref() == expected).then_some(())
    })
    .await;
}

fn sample(device_sn: &str, heart_rate: u16, second: i64) -> Value {
    json!({ "data": { "deviceSn": device_sn, "heart_rate": heart_rate, "timestamp": SECOND + second } })
}

async fn info(service: &Service, device_sn: &str, battery: u8, second: i64) {
    let body = json!({ "SerialNumber": device_sn, "batteryLevel": battery, "timestamp": SECOND + second });
    assert_eq!(service.post("/upload_device_info", body.to_string()).await.status, 200);
}

async fn raise(database: &Database, device_sn: &str) -> i64 {
    let client = database.client().await;
    let alert_id = add_alert(&client, 1, device_sn, 5, &json!({})).await;
    client.execute("select vitals.show_alerts(array[$1::bigint])", &[&alert_id]).await.expect("noted");
    client.batch_execute("notify vitals_notification").await.expect("told");
    alert_id
}

async fn is_shown(database: &Database, device_sn: &str, alert_id: i64, expected: bool) {
    let key = format!("alert_info:{device_sn}");
    eventually(&format!("{key} shows {alert_id}: {expected}"), async || {
        let is_shown: bool =
            database.redis().await.hexists(&key, alert_id.to_string()).await.expect("an answer");
        (is_shown == expected).then_some(())
    })
    .await;
}

#[tokio::test]
async fn after_a_database_went_back_redis_shows_what_it_has_and_nothing_that_never_was() {
    let database = Database::new().await;
    sql(
        &database,
        &format!(
            "insert into org_unit (org_id, ancestors) values (1, '{{}}');
             insert into app_user (user_id, org_id) values ({ANNA}, 1), ({BERND}, 1);
             select bind_device('BACK-1', {ANNA}, '2026-01-01Z')"
        ),
    )
    .await;
    let service = watchful(&database).await;
    service.upload(&sample("BACK-1", 61, 0)).await;
    info(&service, "BACK-1", 81, 0).await;
    wait_for_field(&database, "health_data:BACK-1", "heartRate", Some("61")).await;
    service.finish().await;
    database.take_snapshot().await;

    // What will never have been.
    let service = watchful(&database).await;
    for device_sn in ["BACK-1", "NEVER-1"] {
        sql(&database, &format!("select bind_device('{device_sn}', {BERND}, '2026-01-01Z')")).await;
        service.upload(&sample(device_sn, 99, 60)).await;
        info(&service, device_sn, 9, 60).await;
        wait_for_field(&database, &format!("health_data:{device_sn}"), "heartRate", Some("99")).await;
        wait_for_field(
            &database,
            &format!("device_info:{device_sn}"),
            "timestamp",
            Some("2026-01-02 03:05:05"),
        )
        .await;
    }
    let lost = raise(&database, "NEVER-1").await;
    is_shown(&database, "NEVER-1", lost, true).await;
    eventually("Redis remembers whom the device belonged to", async || {
        let owner: Option<String> =
            database.redis().await.get("device_user:BACK-1").await.expect("an answer");
        owner.filter(|owner| owner.contains(&format!("\"{BERND}\"")))
    })
    .await;
    service.finish().await;
    database.restore_snapshot().await;

    let service = watchful(&database).await;
    service.upload(&sample("BACK-1", 62, 30)).await;
    wait_for_field(&database, "health_data:BACK-1", "heartRate", Some("62")).await;
    wait_for_field(&database, "device_info:BACK-1", "timestamp", Some("2026-01-02 03:04:05")).await;
    for key in ["health_data:NEVER-1", "device_info:NEVER-1"] {
        wait_for_field(&database, key, "timestamp", None).await;
    }
    is_shown(&database, "NEVER-1", lost, false).await;
    // The directory is as it was, whatever Redis remembers; its next versions are numbers Redis knew already.
    let owner = "select user_id from health_data where device_sn = 'BACK-1' order by ts desc limit 1";
    let client = database.client().await;
    assert_eq!(client.query_one(owner, &[]).await.expect("a row").get::<_, Option<i64>>(0), Some(ANNA));
    // Numbers of alerts come again.
    let again = raise(&database, "NEVER-1").await;
    assert_eq!(again, lost, "the sequence went back too");
    is_shown(&database, "NEVER-1", again, true).await;
    service.finish().await;
}

/// A snapshot of the disks that is put back has the same name, number and timeline, but fewer transactions.
#[tokio::test]
async fn a_database_with_fewer_transactions_than_redis_saw_went_back() {
    let database = Database::new().await;
    let service = watchful(&database).await;
    service.upload(&sample("FEWER-1", 61, 0)).await;
    wait_for_field(&database, "health_data:FEWER-1", "heartRate", Some("61")).await;
    let before: i64 = eventually("the timeline is known", async || {
        field(&database, "vitals:timeline", "number").await.and_then(|number| number.parse().ok())
    })
    .await;
    let mut redis = database.redis().await;
    let phantom =
        [("eventTimeUs", "4102444800000000"), ("heartRate", "99"), ("timeline", &before.to_string())];
    for device_sn in ["FEWER-1", "NEVER-1"] {
        let _: () = redis.hset_multiple(format!("health_data:{device_sn}"), &phantom).await.expect("written");
    }
    let _: () = redis.hset("vitals:timeline", "position", 1_i64 << 40).await.expect("written");
    wait_for_field(&database, "health_data:FEWER-1", "heartRate", Some("61")).await;
    wait_for_field(&database, "health_data:NEVER-1", "heartRate", None).await;
    let after =
        field(&database, "vitals:timeline", "number").await.and_then(|number| number.parse::<i64>().ok());
    assert!(after > Some(before), "{after:?}");
    service.finish().await;
}
