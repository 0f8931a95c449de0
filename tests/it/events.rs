//! `POST /upload_common_event`: what a device noticed is kept, once, with its sample, and waits for nothing bulky.

use serde_json::{Value, json};

use crate::harness::{Answer, Database, Proxy, Service, eventually, readings, small_queues};

const ROUTE: &str = "/upload_common_event";
const TIME: &str = "2026-01-02 03:04:05";

/// Rows of `device_event` of a device, `-` for NULL.
async fn events(database: &Database, device_sn: &str) -> Vec<String> {
    rows(
        database,
        "select concat_ws('|', event_type, to_char(ts at time zone 'Asia/Shanghai', 'YYYY-MM-DD HH24:MI:SS'), severity,
             coalesce(value, '-'), coalesce(customer_id::text, '-'), coalesce(org_id::text, '-'),
             coalesce(user_id::text, '-'), coalesce(latitude::text, '-'), coalesce(longitude::text, '-'),
             coalesce(altitude::text, '-'), coalesce(action, '-'))
         from device_event where device_sn = $1 order by ts, event_type",
        device_sn,
    )
    .await
}

/// Rows of `health_data` of a device.
async fn samples(database: &Database, device_sn: &str) -> Vec<String> {
    rows(
        database,
        "select concat_ws('|', to_char(ts at time zone 'Asia/Shanghai', 'YYYY-MM-DD HH24:MI:SS'),
             coalesce(customer_id::text, '-'), heart_rate, coalesce(blood_oxygen::text, '-'), upload_method)
         from health_data where device_sn = $1 order by ts",
        device_sn,
    )
    .await
}

async fn rows(database: &Database, sql: &str, device_sn: &str) -> Vec<String> {
    let rows = database.client().await.query(sql, &[&device_sn]).await.expect("rows");
    rows.iter().map(|row| row.get(0)).collect()
}

async fn count(database: &Database, sql: &str) -> i64 {
    database.client().await.query_one(sql, &[]).await.expect("a count").get(0)
}

async fn send(service: &Service, body: &Value) -> Answer {
    service.post(ROUTE, body.to_string()).await
}

/// Sends what must be taken whole.
async fn send_accepted(service: &Service, body: &Value) -> Value {
    let answer = send(service, body).await;
    assert_eq!(answer.status, 200, "{answer:?} to {body}");
    assert_eq!(answer.body.get("errors"), None, "{body}");
    answer.body
}

fn event(device_sn: &str, event_type: &str, value: &str) -> Value {
    json!({ "eventType": event_type, "eventValue": value, "deviceSn": device_sn, "timestamp": TIME })
}

#[tokio::test]
async fn every_type_of_the_fleet_is_kept_with_its_severity_under_its_long_and_its_short_name() {
    let database = Database::new().await;
    let service = Service::start(&database).await;
    for (event_type, value, severity) in [
        ("SOS_EVENT", "TYPES-1", "critical"),
        ("ONE_KEY_ALARM", "TYPES-1", "critical"),
        ("FALLDOWN_EVENT", "TYPES-1", "critical"),
        ("WEAR_STATUS_CHANGED", "0", "major"),
        ("HEARTRATE_HIGH_ALERT", "131", "major"),
        ("HEARTRATE_LOW_ALERT", "45", "major"),
        ("SPO2_LOW_ALERT", "86", "major"),
        ("STRESS_HIGH_ALERT", "91", "major"),
        ("TEMPERATURE_HIGH_ALERT", "38.4", "major"),
        ("TEMPERATURE_LOW_ALERT", "34.9", "major"),
        ("PRESSURE_HIGH_ALERT", "151", "major"),
        ("PRESSURE_LOW_ALERT", "51", "major"),
        ("CALL_STATE", "TYPES-1", "minor"),
        ("BOOT_COMPLETED", "TYPES-1", "minor"),
        ("UI_SETTINGS_CHANGED", "theme", "info"),
        ("FUN_DOUBLE_CLICK", "double", "info"),
        ("SOMETHING_NEW", "x", "info"),
    ] {
        let action = format!("com.tdtech.ohos.action.{event_type}");
        for (device_sn, name, kept) in
            [("LONG", action.as_str(), action.as_str()), ("SHORT", event_type, "-")]
        {
            let device_sn = &format!("{device_sn}-{event_type}");
            let answer = send_accepted(&service, &event(device_sn, name, value)).await;
            let mut expected = json!({
                "status": "success", "message": "事件处理成功", "alert_id": null, "event_type": event_type,
                "device_sn": device_sn, "health_id": null
            });
            if event_type == "SOMETHING_NEW" {
                expected["message"] = json!("事件已保存，但没有规则认识这种类型");
                expected["ignored"] = json!([event_type]);
            }
            assert_eq!(answer, expected);
            let row = format!("{event_type}|{TIME}|{severity}|{value}|-|-|-|-|-|-|{kept}");
            assert_eq!(events(&database, device_sn).await, [row]);
        }
    }
    service.finish().await;
}

#[tokio::test]
async fn an_event_is_read_in_every_generation_of_ids_and_in_the_envelopes_of_the_phone() {
    let database = Database::new().await;
    let service = Service::start(&database).await;
    let named = |names: [&str; 4], device_sn: &str| {
        json!({
            "eventType": "CALL_STATE", "eventValue": device_sn, (names[0]): device_sn,
            (names[1]): "1939964806110937090", (names[2]): 1_939_964_806_110_937_091_u64,
            (names[3]): "1939964806110937092", "latitude": 22.540_363, "longitude": 114.015_182, "altitude": 0,
            "timestamp": TIME
        })
    };
    let owners = "1939964806110937090|1939964806110937091|1939964806110937092";
    for (number, names) in [
        ["deviceSn", "customerId", "orgId", "userId"],
        ["device_sn", "customer_id", "org_id", "user_id"],
        ["id", "customerId", "org_id", "userId"],
    ]
    .into_iter()
    .enumerate()
    {
        let device_sn = &format!("NAMES-{number}");
        send_accepted(&service, &named(names, device_sn)).await;
        let row = format!("CALL_STATE|{TIME}|minor|{device_sn}|{owners}|22.540363|114.015182|0|-");
        assert_eq!(events(&database, device_sn).await, [row]);
    }

    let phone = json!({
        "action": "com.tdtech.ohos.action.WEAR_STATUS_CHANGED", "value": "1", "device_sn": "PHONE",
        "timestamp": 1_767_294_245_000_i64
    });
    let row = [format!(
        "WEAR_STATUS_CHANGED|{TIME}|major|1|-|-|-|-|-|-|com.tdtech.ohos.action.WEAR_STATUS_CHANGED"
    )];
    for (number, body) in [
        json!({ "type": "commonEvent", "data": phone }),
        json!({ "type": "commonEvent", "data": phone.to_string() }),
        json!({ "data": phone }),
        json!({ "type": "commonEvent", "data": [phone] }),
        json!([phone]),
        phone.clone(),
    ]
    .into_iter()
    .enumerate()
    {
        let answer = send_accepted(&service, &body).await;
        assert_eq!(
            (&answer["event_type"], &answer["device_sn"]),
            (&json!("WEAR_STATUS_CHANGED"), &json!("PHONE"))
        );
        assert_eq!(events(&database, "PHONE").await, row, "envelope {number}");
    }
    service.finish().await;
}

#[tokio::test]
async fn the_sample_of_an_event_comes_in_both_spellings_as_object_or_text_and_goes_the_way_of_every_sample() {
    let database = Database::new().await;
    let service = Service::start(&database).await;
    for (spelling, name) in ["healthData", "heatlhData"].into_iter().enumerate() {
        for form in 0..4 {
            let device_sn = &format!("CARRIES-{spelling}-{form}");
            let item = json!({
                "deviceSn": device_sn, "customerId": "1939964806110937090", "heart_rate": 128, "blood_oxygen": "94",
                "timestamp": "2026-01-02 03:04:01"
            });
            let mut body = event(device_sn, "com.tdtech.ohos.action.HEARTRATE_HIGH_ALERT", "128");
            body[name] = match form {
                0 => json!({ "data": item }),
                1 => item,
                2 => json!({ "data": item }).to_string().into(),
                _ => item.to_string().into(),
            };
            send_accepted(&service, &body).await;
            let row = "2026-01-02 03:04:01|1939964806110937090|128|94|common_event";
            assert_eq!(samples(&database, device_sn).await, [row], "{body}");
            let together = count(
                &database,
                &format!(
                    "select count(*) from device_event join health_data using (batch_id)
                     where device_event.device_sn = '{device_sn}'"
                ),
            )
            .await;
            assert_eq!(together, 1, "one transaction: {body}");
        }
    }
    service.finish().await;
}

#[tokio::test]
async fn a_sample_takes_from_its_event_what_it_does_not_say_itself() {
    let database = Database::new().await;
    let service = Service::start(&database).await;
    let mut body = event("LENDS", "SOS_EVENT", "LENDS");
    body["customerId"] = json!("7");
    body["healthData"] = json!({ "data": { "heart_rate": 99, "upload_method": "wifi" } });
    send_accepted(&service, &body).await;
    assert_eq!(samples(&database, "LENDS").await, [format!("{TIME}|7|99|-|wifi")]);

    // And the other way round: the event does not say whose it is. When it was is the time of its receipt.
    let item = json!({ "deviceSn": "BORROWS", "heart_rate": 98, "timestamp": TIME });
    let answer =
        send_accepted(&service, &json!({ "eventType": "x.SOS_EVENT", "healthData": { "data": item } })).await;
    assert_eq!(answer["device_sn"], "BORROWS");
    let borrows = events(&database, "BORROWS").await;
    assert!(borrows[0].ends_with("|critical|-|-|-|-|-|-|-|x.SOS_EVENT"), "{borrows:?}");
    assert!(!borrows[0].contains(TIME), "{borrows:?}");

    for nothing in [json!({}), json!({ "data": {} }), json!([]), json!(""), json!("null"), Value::Null] {
        let mut body = event("BARE", "SOS_EVENT", "BARE");
        body["healthData"] = nothing;
        send_accepted(&service, &body).await;
    }
    assert_eq!(samples(&database, "BARE").await, Vec::<String>::new());
    assert_eq!(count(&database, "select count(*) from rejected_upload").await, 0);
    service.finish().await;
}

#[tokio::test]
async fn an_event_sent_again_is_one_row_and_so_is_its_sample() {
    let database = Database::new().await;
    let service = Service::start(&database).await;
    let mut body = event("AGAIN", "com.x.SOS_EVENT", "AGAIN");
    body["healthData"] = json!({ "data": { "deviceSn": "AGAIN", "heart_rate": 99, "timestamp": TIME } });
    let first = send_accepted(&service, &body).await;
    let batch_of = "select batch_id from device_event where device_sn = 'AGAIN'";
    let batch_id = count(&database, batch_of).await;
    for _ in 0..3 {
        assert_eq!(send_accepted(&service, &body).await, first);
    }
    // The phone relays the same event: it knows less of some things and more of others.
    let relayed = json!({ "type": "commonEvent", "data": {
        "action": "com.x.SOS_EVENT", "value": "other", "device_sn": "AGAIN", "timestamp": TIME, "latitude": 22.5,
        "longitude": 114.5
    } });
    send_accepted(&service, &relayed).await;
    let row = format!("SOS_EVENT|{TIME}|critical|AGAIN|-|-|-|22.5|114.5|-|com.x.SOS_EVENT");
    assert_eq!(events(&database, "AGAIN").await, [row]);
    assert_eq!(count(&database, batch_of).await, batch_id, "it is judged once");
    assert_eq!(samples(&database, "AGAIN").await.len(), 1);
    // Many at once, in one transaction or in several.
    futures_util::future::join_all((0..20).map(|_| send_accepted(&service, &body))).await;
    assert_eq!(events(&database, "AGAIN").await.len(), 1);
    let account = count(
        &database,
        "select count(*) from (select sum(received), sum(stored), sum(duplicate) from vitals.ingest_batch
         where kind = 'event' having (sum(received), sum(stored), sum(duplicate)) = (25, 1, 24)) as right_sums",
    )
    .await;
    assert_eq!(account, 1);
    service.finish().await;
}

#[tokio::test]
async fn a_sample_that_cannot_be_stored_costs_no_event_and_is_found_with_the_whole_text() {
    let database = Database::new().await;
    let service = Service::start(&database).await;
    let bad = [
        (json!({ "data": { "deviceSn": "SPOILT", "heart_rate": 999, "timestamp": TIME } }), "out_of_range"),
        (json!({ "data": { "heart_rate": 70, "timestamp": "yesterday" } }), "bad_time"),
        (json!("no sample"), "bad_value"),
        (json!(5), "bad_value"),
        (json!(["no sample"]), "not_an_object"),
    ];
    for (number, (sample, reason)) in bad.iter().enumerate() {
        let device_sn = format!("SPOILT-{number}");
        let mut body = event(&device_sn, "FALLDOWN_EVENT", "x");
        body["healthData"] = sample.clone();
        let answer = send(&service, &body).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(answer.body["errors"][0]["reason"], *reason, "{answer:?}");
        assert_eq!(events(&database, &device_sn).await.len(), 1);
        let kept = rows(
            &database,
            "select source || ' ' || reason || ' ' || body from rejected_upload
             where (body::jsonb ->> 'deviceSn') = $1",
            &device_sn,
        )
        .await;
        assert_eq!(kept, [format!("event {reason} {body}")]);
    }
    service.finish().await;
}

#[tokio::test]
async fn a_wrong_clock_or_position_costs_no_alarm() {
    let database = Database::new().await;
    let service = Service::start(&database).await;
    let times = [
        json!("yesterday"),
        json!("1970-01-01 08:00:03"),
        json!("2070-01-01 00:00:00"),
        json!(0),
        json!([1]),
    ];
    for (number, time) in times.iter().enumerate() {
        let device_sn = format!("CLOCK-{number}");
        let mut body = event(&device_sn, "SOS_EVENT", "x");
        body["timestamp"] = time.clone();
        body["latitude"] = json!(999);
        body["longitude"] = json!(114.5);
        body["customerId"] = json!("no number");
        body["healthData"] = json!({ "heart_rate": 70 });
        send_accepted(&service, &body).await;
        let kept = rows(
            &database,
            "select concat_ws(' ', sent_ts, abs(extract(epoch from ts - now())) < 60, latitude is null) from device_event
             where device_sn = $1",
            &device_sn,
        )
        .await;
        let sent = time.as_str().map_or_else(|| time.to_string(), str::to_owned);
        assert_eq!(kept, [format!("{sent} t t")]);
        assert_eq!(samples(&database, &device_sn).await.len(), 1, "the sample has the time of the event");
    }
    let mut body = event("NOWHERE", "SOS_EVENT", "x");
    body["latitude"] = json!(0);
    body["longitude"] = json!(0.0);
    body["altitude"] = json!(0);
    send_accepted(&service, &body).await;
    assert!(events(&database, "NOWHERE").await[0].contains("|-|-|-|-"));
    let mut body = event("UNTIMED", "SOS_EVENT", "x");
    body["timestamp"] = Value::Null;
    send_accepted(&service, &body).await;
    assert_eq!(
        count(&database, "select count(*) from device_event where device_sn = 'UNTIMED' and sent_ts is null")
            .await,
        1
    );
    service.finish().await;
}

#[tokio::test]
async fn values_are_kept_as_sent() {
    let database = Database::new().await;
    let service = Service::start(&database).await;
    for (number, (sent, kept)) in [
        (json!("0"), "0"),
        (json!(0), "0"),
        (json!(36.60), "36.6"),
        (json!(true), "true"),
        (json!(" 文本\n\"q\" "), " 文本\n\"q\" "),
        (json!("a\u{0}b"), r#""a\u0000b""#),
        (json!({ "a": [1, null] }), r#"{"a":[1,null]}"#),
        (json!("null"), "-"),
        (Value::Null, "-"),
    ]
    .into_iter()
    .enumerate()
    {
        let device_sn = format!("VALUE-{number}");
        let mut body = event(&device_sn, "UI_SETTINGS_CHANGED", "");
        body["eventValue"] = sent;
        send_accepted(&service, &body).await;
        let value =
            rows(&database, "select coalesce(value, '-') from device_event where device_sn = $1", &device_sn);
        assert_eq!(value.await, [kept]);
    }
    service.finish().await;
}

#[tokio::test]
async fn an_event_that_names_no_device_or_no_type_blocks_no_queue_and_is_found() {
    let database = Database::new().await;
    let service = Service::start(&database).await;
    for (body, event_type, reason) in [
        (
            json!({ "eventType": "x.SOS_EVENT", "eventValue": "1", "timestamp": TIME }),
            json!("SOS_EVENT"),
            "no_serial",
        ),
        (json!({ "deviceSn": "NAMELESS", "eventValue": "1", "timestamp": TIME }), Value::Null, "bad_value"),
        (json!({ "deviceSn": "NAMELESS", "eventType": "x.", "timestamp": TIME }), Value::Null, "bad_value"),
        (json!({ "deviceSn": "NAMELESS", "eventType": "A".repeat(65) }), Value::Null, "bad_value"),
        (json!({ "deviceSn": "S".repeat(65), "eventType": "SOS_EVENT" }), json!("SOS_EVENT"), "bad_serial"),
        (json!(["no event"]), Value::Null, "not_an_object"),
    ] {
        let answer = send(&service, &body).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(answer.body["event_type"], event_type, "{body}");
        assert_eq!(answer.body["errors"][0]["reason"], reason, "{body}");
    }
    assert_eq!(count(&database, "select count(*) from rejected_upload where source = 'event'").await, 6);
    assert_eq!(count(&database, "select count(*) from device_event").await, 0);
    assert_eq!(send_accepted(&service, &json!([])).await["event_type"], Value::Null);
    service.finish().await;
}

#[tokio::test]
async fn a_body_with_nothing_in_it_is_answered_400_and_one_that_is_no_event_blocks_no_queue() {
    let database = Database::new().await;
    let service = Service::start(&database).await;
    for body in ["", "  ", "null"] {
        let answer = service.post(ROUTE, body).await;
        assert_eq!(answer.status, 400, "{body}: {answer:?}");
        assert_eq!(answer.body["status"], "error");
    }
    let no_events = ["5", "\"SOS_EVENT\"", "{", "{}", r#"{"hello":1}"#, "eventType=SOS_EVENT"];
    for body in no_events {
        let answer = service.post(ROUTE, body).await;
        assert_eq!(answer.status, 200, "{body}: {answer:?}");
        assert_eq!(answer.body["status"], "error");
    }
    let kept = count(&database, "select count(*) from rejected_upload where source = 'event'").await;
    assert_eq!(kept, no_events.len() as i64);
    send_accepted(&service, &event("ALIVE", "SOS_EVENT", "x")).await;
    service.finish().await;
}

#[tokio::test]
async fn an_event_makes_its_device_known_whoever_writes_it() {
    let database = Database::new().await;
    let service = Service::start(&database).await;
    send_accepted(&service, &event("KNOWN-BY-EVENT", "BOOT_COMPLETED", "x")).await;
    let client = database.client().await;
    client
        .execute("insert into device_event (device_sn, event_type, ts) values ('KNOWN-BY-HAND', 'CALL_STATE', now())", &[])
        .await
        .expect("inserted");
    service.drained().await;
    let known = "select count(*) from device where device_sn in ('KNOWN-BY-EVENT', 'KNOWN-BY-HAND')";
    assert_eq!(count(&database, known).await, 2);
    service.finish().await;
}

#[tokio::test]
async fn a_severity_changed_in_the_database_counts_from_then_on() {
    let database = Database::new().await;
    let service = Service::start(&database).await;
    send_accepted(&service, &event("GRAVE-1", "DOOR_OPENED", "x")).await;
    database
        .client()
        .await
        .batch_execute("insert into event_type values ('DOOR_OPENED', 'major', 'none')")
        .await
        .expect("inserted");
    send_accepted(&service, &event("GRAVE-2", "DOOR_OPENED", "x")).await;
    assert!(events(&database, "GRAVE-1").await[0].contains("|info|"));
    assert!(events(&database, "GRAVE-2").await[0].contains("|major|"));
    service.finish().await;
}

#[tokio::test]
async fn an_event_the_database_refuses_costs_its_neighbours_nothing() {
    let database = Database::new().await;
    database
        .client()
        .await
        .batch_execute("alter table device_event add constraint tests_dislike check (value <> 'bad')")
        .await
        .expect("a constraint");
    let service = Service::start(&database).await;
    let list: Vec<Value> = (0..9)
        .map(|n| {
            let mut body = event(&format!("PICKY-{n}"), "SOS_EVENT", if n == 4 { "bad" } else { "good" });
            body["healthData"] = json!({ "heart_rate": 70 });
            body
        })
        .collect();
    let answer = send(&service, &json!(list)).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.body["errors"].as_array().expect("errors").len(), 1);
    assert_eq!(
        (&answer.body["errors"][0]["index"], &answer.body["errors"][0]["reason"]),
        (&json!(4), &json!("refused_by_database"))
    );
    assert_eq!(count(&database, "select count(*) from device_event").await, 8);
    assert_eq!(count(&database, "select count(*) from health_data").await, 9);
    let kept = "select count(*) from rejected_upload where source = 'event' and device_sn = 'PICKY-4'";
    assert_eq!(count(&database, kept).await, 1);
    service.finish().await;
}

#[tokio::test]
async fn an_event_is_answered_503_while_the_database_is_away() {
    let database = Database::new().await;
    let (proxy, through) = Proxy::before(&database.url()).await;
    let service = Service::start_with(&database, |settings| {
        settings.database_url = through;
        settings.commit_deadline_ms = 1_000;
    })
    .await;
    proxy.cut();
    for event_type in ["SOS_EVENT", "BOOT_COMPLETED"] {
        let answer = send(&service, &event("AWAY", event_type, "x")).await;
        assert_eq!(answer.status, 503, "{answer:?}");
        assert!(answer.retry_after.is_some());
    }
    proxy.restore();
    eventually("an alarm is taken again", || async {
        (send(&service, &event("AWAY", "SOS_EVENT", "x")).await.status == 200).then_some(())
    })
    .await;
    assert!(events(&database, "AWAY").await.iter().any(|row| row.starts_with("SOS_EVENT")));
    service.finish().await;
}

/// What is sent when a shard is to be held: its key is locked by somebody else.
fn bulk(n: usize) -> String {
    readings(&format!("BULK-{n}"), 10)
}

#[tokio::test]
async fn events_are_answered_while_the_bulk_queue_is_full_and_its_writer_is_held() {
    let database = Database::new().await;
    let service = Service::start_with(&database, small_queues).await;
    // The chunk is there before it is written to by somebody who does not commit.
    assert_eq!(service.post("/upload_health_data", bulk(0)).await.status, 200);
    // Somebody else is about to write a key of the first upload: the shard waits for the outcome.
    let mut other = database.client().await;
    let held = other.transaction().await.expect("a transaction");
    let first = bulk(1);
    let newest = &serde_json::from_str::<Value>(&first).expect("JSON")["data"][0]["timestamp"];
    held.batch_execute(&format!(
        "insert into health_data (device_sn, ts) values ('BULK-1', to_timestamp({newest}))"
    ))
    .await
    .expect("inserted");
    let first = service.post("/upload_health_data", first);
    let second = service.post("/upload_health_data", bulk(2));
    let meanwhile = async {
        let is_full =
            || async { (service.post("/upload_health_data", bulk(3)).await.status == 503).then_some(()) };
        eventually("the queue is full", is_full).await;
        for event_type in ["SOS_EVENT", "ONE_KEY_ALARM", "FALLDOWN_EVENT", "WEAR_STATUS_CHANGED"] {
            let device_sn = format!("HELPLESS-{event_type}");
            let mut body = event(&device_sn, event_type, "x");
            body["healthData"] = json!({ "data": { "heart_rate": 131 } });
            send_accepted(&service, &body).await;
            assert_eq!(events(&database, &device_sn).await.len(), 1);
            assert_eq!(samples(&database, &device_sn).await.len(), 1);
        }
        let info =
            json!({ "SerialNumber": "HELPLESS-INFO", "batteryLevel": 5, "timestamp": TIME }).to_string();
        assert_eq!(service.post("/upload_device_info", info).await.status, 200);
        is_full().await.expect("it is still full");
        held.rollback().await.expect("released");
    };
    let (first, second, ()) = futures_util::join!(first, second, meanwhile);
    for answer in [first, second].iter().filter(|answer| answer.status == 200) {
        assert_eq!(answer.body["details"]["success"], 10);
    }
    service.finish().await;
}

#[tokio::test]
async fn alarms_are_answered_while_other_events_are_held() {
    let database = Database::new().await;
    let service = Service::start_with(&database, |settings| {
        settings.max_batch_rows = 1;
        settings.queue_rows = 2;
    })
    .await;
    send_accepted(&service, &event("FIRST", "BOOT_COMPLETED", "x")).await;
    let mut other = database.client().await;
    let held = other.transaction().await.expect("a transaction");
    held.execute(
        "insert into device_event (device_sn, event_type, ts) values ('SLOW', 'BOOT_COMPLETED', to_timestamp(1767294245))",
        &[],
    )
    .await
    .expect("inserted");
    let slow = event("SLOW", "BOOT_COMPLETED", "x");
    let slow = service.post(ROUTE, slow.to_string());
    let meanwhile = async {
        let full = || async {
            let sends = (0..3)
                .map(|n| service.post(ROUTE, event(&format!("MORE-{n}"), "CALL_STATE", "x").to_string()));
            let mut sends = sends.collect::<futures_util::stream::FuturesUnordered<_>>();
            let first = futures_util::StreamExt::next(&mut sends).await.expect("an answer");
            (first.status == 503).then_some(())
        };
        eventually("the queue of events is full", full).await;
        for event_type in ["SOS_EVENT", "ONE_KEY_ALARM", "FALLDOWN_EVENT"] {
            send_accepted(&service, &event("QUICK", event_type, "x")).await;
        }
        assert_eq!(events(&database, "QUICK").await.len(), 3);
        held.rollback().await.expect("released");
    };
    let (slow, ()) = futures_util::join!(slow, meanwhile);
    assert_eq!(slow.status, 200, "{slow:?}");
    service.finish().await;
}
