//! What the fleet's own software sends and reads besides: phone filler, torn queues, clocks that run ahead, names of old.

use futures_util::StreamExt;
use redis::AsyncCommands;
use serde_json::{Value, json};
use vitals::config::Authentication;

use crate::harness::{Answer, Database, Service, TIMEOUT, authorization, eventually, vitals};

async fn count(database: &Database, query: &str) -> i64 {
    database.client().await.query_one(query, &[]).await.expect(query).get(0)
}

async fn run(database: &Database, sql: &str) {
    database.client().await.batch_execute(sql).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
}

/// Waits until a field of a hash in Redis is this.
async fn wait_for_field(database: &Database, key: &str, field: &str, value: &str) {
    let redis = database.redis().await;
    eventually(&format!("{field} of {key} is {value}"), || {
        let mut redis = redis.clone();
        async move {
            let held: Option<String> = redis.hget(key, field).await.expect("a field");
            (held.as_deref() == Some(value)).then_some(())
        }
    })
    .await;
}

async fn event(service: &Service, body: impl Into<String>) -> Answer {
    let answer = service.post("/upload_common_event", body.into()).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer
}

#[tokio::test]
async fn three_events_with_one_cached_sample_and_no_time_are_three_events() {
    let database = Database::new().await;
    let service = Service::start(&database).await;
    for value in ["0", "1", "0"] {
        let body = json!({
            "eventType": "com.x.WEAR_STATUS_CHANGED", "eventValue": value, "deviceSn": "WORN-1",
            "healthData": { "data": { "deviceSn": "WORN-1", "heart_rate": 70, "timestamp": "2026-01-02 03:04:05" } }
        });
        event(&service, body.to_string()).await;
    }
    assert_eq!(count(&database, "select count(*) from device_event").await, 3);
    assert_eq!(count(&database, "select count(*) from health_data").await, 1);
    let late = "select count(*) from device_event where abs(extract(epoch from ts - received_at)) > 1";
    assert_eq!(count(&database, late).await, 0, "they have the time of their receipt");
    service.finish().await;
}

#[tokio::test]
async fn a_torn_queue_of_events_blocks_nothing_and_loses_nothing() {
    let database = Database::new().await;
    let service = Service::start(&database).await;
    let whole = |sn: &str| {
        json!({ "eventType": "com.x.SOS_EVENT", "deviceSn": sn, "timestamp": "2026-01-02 03:04:05" })
            .to_string()
    };
    let torn = event(&service, &whole("TORN-1")[..40]).await.body;
    assert_eq!(torn["status"], "error");
    assert_eq!(torn["errors"][0]["reason"], "not_json");
    let joined = format!(r#"alue":"x"}}|{}|{}|{{"eventType":"com"#, whole("TORN-2"), whole("TORN-3"));
    let joined = event(&service, joined).await.body;
    assert_eq!(joined["device_sn"], "TORN-2");
    assert_eq!(joined["errors"].as_array().expect("errors").len(), 2);
    assert_eq!(count(&database, "select count(*) from device_event where event_type = 'SOS_EVENT'").await, 2);
    assert_eq!(count(&database, "select count(*) from rejected_upload where reason = 'not_json'").await, 3);
    let replayed = vitals(&database, &["rejected", "replay", "--json"]).await;
    let account: Value = serde_json::from_str(&replayed.out).expect("JSON");
    assert_eq!(account["refused"], json!({ "not_json": 3 }));
    service.finish().await;
}

#[tokio::test]
async fn a_sample_dated_ahead_does_not_silence_those_after_it() {
    let database = Database::new().await;
    let service = Service::start_with(&database, |settings| settings.view_check_interval_ms = 100).await;
    let now = jiff::Timestamp::now();
    let sample = |heart_rate: u16, minutes: i64| {
        let at = now + jiff::SignedDuration::from_mins(minutes);
        json!({ "deviceSn": "AHEAD-1", "heart_rate": heart_rate, "timestamp": at.to_string() })
    };
    service.upload(&json!({ "data": [sample(60, 600), sample(61, 601)] })).await;
    wait_for_field(&database, "health_data:AHEAD-1", "heartRate", "61").await;
    service.upload(&sample(70, 0)).await;
    service.upload(&sample(71, 1)).await;
    wait_for_field(&database, "health_data:AHEAD-1", "heartRate", "71").await;
    // What comes late is older than what was dated ahead, and stays so when the view is made anew.
    service.upload(&sample(50, -60)).await;
    service.drained().await;
    let mut redis = database.redis().await;
    let _: () = redis::cmd("FLUSHDB").query_async(&mut redis).await.expect("flushed");
    wait_for_field(&database, "health_data:AHEAD-1", "heartRate", "71").await;
    // However many are dated ahead: a second of each of almost an hour, received all before the last sample that is right.
    database
        .client()
        .await
        .batch_execute(
            "insert into device (device_sn) values ('AHEAD-2');
             insert into health_data (device_sn, ts, heart_rate, received_at)
             select 'AHEAD-2', now() + interval '1 hour' + make_interval(secs => n), 90, now() - interval '1 hour'
             from generate_series(1, 3000) as n;
             insert into health_data (device_sn, ts, heart_rate, received_at)
             values ('AHEAD-2', now() - interval '1 minute', 72, now()), ('AHEAD-2', now() - interval '2 days', 50, now())",
        )
        .await
        .expect("written");
    service.drained().await;
    wait_for_field(&database, "health_data:AHEAD-2", "heartRate", "72").await;
    let _: () = redis::cmd("FLUSHDB").query_async(&mut redis).await.expect("flushed");
    wait_for_field(&database, "health_data:AHEAD-1", "heartRate", "71").await;
    eventually("it is there again", || async {
        redis::AsyncCommands::hget::<_, _, Option<String>>(
            &mut database.redis().await,
            "health_data:AHEAD-2",
            "heartRate",
        )
        .await
        .expect("an answer")
    })
    .await;
    wait_for_field(&database, "health_data:AHEAD-2", "heartRate", "72").await;
    service.finish().await;
}

#[tokio::test]
async fn what_the_phone_puts_around_a_sample_makes_no_row_and_blanks_nothing() {
    let database = Database::new().await;
    let service = Service::start(&database).await;
    let body = json!({ "type": "health", "data": {
        "data": { "deviceSn": "PHONE-1", "heart_rate": 84, "step": 100, "timestamp": "2026-01-02 03:04:05" },
        "id": "PHONE-1", "heart_rate": "0", "blood_oxygen": "0", "body_temperature": "0.0", "step": "0",
        "distance": "0.0", "latitude": "0", "longitude": "0", "upload_method": "bluetooth",
        "timestamp": "2026-01-02 03:04:09"
    }});
    assert_eq!(service.upload(&body).await, (1, 0, 0));
    wait_for_field(&database, "health_data:PHONE-1", "heartRate", "84").await;
    assert_eq!(count(&database, "select count(*) from health_data").await, 1);
    service.finish().await;
}

#[tokio::test]
async fn what_the_phone_does_not_know_of_a_device_replaces_nothing() {
    let database = Database::new().await;
    let service = Service::start(&database).await;
    let known = json!({
        "SerialNumber": "INFO-1", "System Software Version": "ARC-AL00CN 4.0.0.900", "Device Name": "WATCH 4",
        "batteryLevel": 52, "voltage": 3995, "IP Address": "2001:db8::17\\n192.0.2.17", "wearState": 1,
        "timestamp": "2026-01-02 03:04:05"
    });
    let unknown = json!({ "type": "device", "data": {
        "serial_number": "INFO-1", "system_version": "未知版本", "device_name": "未知设备", "ip_address": "未知",
        "battery_level": 0, "voltage": "0", "wear_state": 0, "timestamp": "2026-01-02 03:05:05"
    }});
    for body in [known, unknown] {
        let answer = service.post("/upload_device_info", body.to_string()).await;
        assert_eq!((answer.status, &answer.body["status"]), (200, &json!("success")));
    }
    let row = database
        .client()
        .await
        .query_one(
            "select system_version, device_name, battery_level::int, voltage, ip_address, wear_state from device",
            &[],
        )
        .await
        .expect("a device");
    let texts = [0, 1, 4, 5].map(|column| row.get::<_, &str>(column));
    assert_eq!(texts, ["ARC-AL00CN 4.0.0.900", "WATCH 4", "192.0.2.17", "0"]);
    assert_eq!((row.get::<_, i32>(2), row.get::<_, i32>(3)), (52, 3995));
    service.finish().await;
}

#[tokio::test]
async fn dashboards_find_a_device_under_the_names_of_old_and_ours_beside_them() {
    let database = Database::new().await;
    let service = Service::start(&database).await;
    let info = json!({
        "SerialNumber": "OLD-1", "System Software Version": "ARC-AL00CN", "batteryLevel": 52, "wearState": 1,
        "chargingStatus": "NONE", "customerId": "7", "timestamp": "2026-01-02 03:04:05"
    });
    assert_eq!(service.post("/upload_device_info", info.to_string()).await.status, 200);
    for (field, value) in [
        ("battery_level", "52"),
        ("wearable_status", "WORN"),
        ("charging_status", "NOT_CHARGING"),
        ("system_version", "ARC-AL00CN"),
        ("serial_number", "OLD-1"),
        ("customer_id", "7"),
        ("batteryLevel", "52"),
        ("wearState", "1"),
    ] {
        wait_for_field(&database, "device_info:OLD-1", field, value).await;
    }
    service.finish().await;
}

#[tokio::test]
async fn an_alert_has_the_names_of_old_and_its_channels_carry_it() {
    let database = Database::new().await;
    let device = format!("ALERT-{}", database.url().rsplit('/').next().expect("a name"));
    run(
        &database,
        &format!(
            "insert into org_unit (org_id, ancestors) values (7, '{{}}');
             insert into app_user (user_id, org_id, name) values (9, 7, 'Li Wei');
             select bind_device('{device}', 9, now() - interval '1 day')"
        ),
    )
    .await;
    let service = Service::start(&database).await;
    let client = redis::Client::open(database.redis_url()).expect("a URL");
    let mut channels = client.get_async_pubsub().await.expect("Redis answers");
    channels.subscribe("alert_info_channel").await.expect("subscribed");
    channels.subscribe(format!("alert_info_channel:{device}")).await.expect("subscribed");
    // Channels are those of the server: other tests have other serials.
    let mut messages = channels.into_on_message().filter_map(|message| {
        let text = message.get_payload::<String>().expect("text");
        std::future::ready(text.contains(&device).then_some(text))
    });
    let mut next =
        async || tokio::time::timeout(TIMEOUT, messages.next()).await.expect("in time").expect("open");
    let sos = json!({ "eventType": "com.x.SOS_EVENT", "deviceSn": device });
    event(&service, sos.to_string()).await;
    let told = [next().await, next().await];
    let alert: Value = serde_json::from_str(&told[0]).expect("JSON");
    assert_eq!(told[0], told[1]);
    let old = ["alertType", "severityLevel", "alertStatus", "userName"].map(|name| alert[name].clone());
    assert_eq!(old, ["SOS_EVENT", "critical", "firing", "Li Wei"].map(Value::from));
    let id = alert["id"].as_str().expect("an id");
    assert_eq!(alert["alertId"], id);
    let shown: String =
        database.redis().await.hget(format!("alert_info:{device}"), id).await.expect("a field");
    assert_eq!(shown, told[0]);

    run(
        &database,
        &format!(
            "update alert set status = 'resolved', resolved_at = now(), resolution = 'recovered', updated_at = clock_timestamp()
             where alert_id = {id};
             select vitals.show_alerts(array[{id}::bigint]);
             notify vitals_notification"
        ),
    )
    .await;
    let ended: Value = serde_json::from_str(&next().await).expect("JSON");
    assert_eq!((&ended["id"], &ended["alertStatus"]), (&json!(id), &json!("resolved")));
    service.finish().await;
}

#[tokio::test]
async fn health_answers_as_livez_without_a_key() {
    let database = Database::new().await;
    let service =
        Service::start_with(&database, |settings| settings.authentication = Authentication::Keys).await;
    let (health, livez) = (service.get("/health").await, service.get("/livez").await);
    assert_eq!((health.status, health.body), (200, livez.body));
    service.finish().await;
}

#[tokio::test]
async fn a_watch_log_is_kept_once_bounded_and_for_a_week() {
    let database = Database::new().await;
    let service = Service::start(&database).await;
    let line = json!({ "type": "watch_log", "data": {
        "deviceSn": "LOG-1", "timestamp": "2026-01-02 03:04:05", "level": "warn", "content": "upload: no answer"
    }});
    for _ in 0..2 {
        let answer = service.post("/upload_watch_log", line.to_string()).await;
        assert_eq!((answer.status, &answer.body["status"]), (200, &json!("success")), "{answer:?}");
    }
    let long = json!({ "data": [
        { "deviceSn": "LOG-1", "level": "info", "content": "x".repeat(20_000) },
        { "deviceSn": "LOG-1", "level": "info" }
    ]});
    let answer = service.post("/upload_watch_log", long.to_string()).await;
    assert_eq!((answer.status, &answer.body["lines"], &answer.body["left_out"]), (200, &json!(1), &json!(1)));
    assert_eq!(count(&database, "select count(*) from watch_log").await, 2);
    assert_eq!(count(&database, "select max(octet_length(content))::bigint from watch_log").await, 16_384);
    assert_eq!(service.post("/upload_watch_log", "torn").await.status, 400);

    let kept = "select count(*) from policy where relation = 'watch_log' and keep_for = '7 days'";
    assert_eq!(count(&database, kept).await, 1);
    run(&database, "update watch_log set received_at = now() - interval '8 days' where level = 'warn'").await;
    run(&database, "call apply_policies()").await;
    assert_eq!(count(&database, "select count(*) from watch_log").await, 1);
    service.finish().await;
}

#[tokio::test]
async fn a_key_of_one_tenant_keeps_logs_of_its_own_devices_only() {
    let database = Database::new().await;
    run(
        &database,
        "insert into org_unit (org_id, ancestors) values (41, '{}'), (42, '{}');
         insert into app_user (user_id, org_id) values (1, 41), (2, 42);
         select bind_device('OWN', 1, now() - interval '1 day'), bind_device('OTHERS', 2, now() - interval '1 day')",
    )
    .await;
    let service =
        Service::start_with(&database, |settings| settings.authentication = Authentication::Keys).await;
    let key = authorization(&database, &["upload"], 41).await;
    let body = json!([
        { "deviceSn": "OWN", "content": "mine" }, { "deviceSn": "OTHERS", "content": "theirs" },
        { "deviceSn": "UNBOUND", "content": "new" }
    ]);
    let answer = service.send_as(&key, "POST", "/upload_watch_log", Some(&body)).await;
    assert_eq!((answer.status, &answer.body["lines"], &answer.body["left_out"]), (200, &json!(2), &json!(1)));
    let own = "select count(*) from watch_log where customer_id = 41 and device_sn <> 'OTHERS'";
    assert_eq!(count(&database, own).await, 2);
    assert_eq!(count(&database, "select count(*) from watch_log").await, 2);
    assert_eq!(service.post("/upload_watch_log", body.to_string()).await.status, 401);
    let read = authorization(&database, &["read"], 0).await;
    assert_eq!(service.send_as(&read, "POST", "/upload_watch_log", Some(&body)).await.status, 403);
    service.finish().await;
}

#[tokio::test]
async fn an_erased_device_or_user_leaves_no_log_and_no_name() {
    let database = Database::new().await;
    run(
        &database,
        "insert into org_unit (org_id, ancestors) values (7, '{}');
         insert into app_user (user_id, org_id) values (9, 7);
         select bind_device('ERASE-2', 9, now() - interval '2 days')",
    )
    .await;
    let service = Service::start(&database).await;
    for sn in ["ERASE-1", "ERASE-2", "STAYS"] {
        let line = json!({ "deviceSn": sn, "content": format!("log of {sn}") });
        assert_eq!(service.post("/upload_watch_log", line.to_string()).await.status, 200);
        let item = json!({ "deviceSn": sn, "step": 1, (format!("name of {sn}")): 1 });
        service.upload(&item).await;
    }
    service.finish().await;
    assert_eq!(count(&database, "select count(*) from unknown_name").await, 3, "written down at the stop");
    for what in [["erase", "device", "ERASE-1"], ["erase", "user", "9"]] {
        let said = vitals(&database, &[&what[..], &["--yes"]].concat()).await;
        assert_eq!(said.code, 0, "{said:?}");
    }
    assert_eq!(count(&database, "select count(*) from watch_log where device_sn <> 'STAYS'").await, 0);
    assert_eq!(count(&database, "select count(*) from unknown_name where device_sn <> 'STAYS'").await, 0);
    assert_eq!(count(&database, "select count(*) from watch_log").await, 1);
}
