//! `POST /upload_device_info`: what devices say of themselves is kept, and amounts to the row of the device and its view.

use std::collections::BTreeMap;

use futures_util::StreamExt;
use redis::AsyncCommands;
use serde_json::{Value, json};

use crate::harness::{Answer, Database, Proxy, Service, eventually};

const ROUTE: &str = "/upload_device_info";
const TIME: &str = "2026-01-02 03:04:05";

const COLUMNS: &str = "to_char({ts} at time zone 'Asia/Shanghai', 'YYYY-MM-DD HH24:MI:SS'), coalesce(customer_id::text, '-'),
    coalesce(org_id::text, '-'), coalesce(user_id::text, '-'), coalesce(system_version, '-'), coalesce(model, '-'),
    coalesce(wifi_address, '-'), coalesce(bluetooth_address, '-'), coalesce(ip_address, '-'), coalesce(network_mode, '-'),
    coalesce(device_name, '-'), coalesce(imei, '-'), coalesce(battery_level::text, '-'), coalesce(voltage::text, '-'),
    coalesce(charging_status, '-'), coalesce(wear_state, '-'), coalesce(status, '-')";

/// Rows of `device_info` of a device, `-` for NULL.
async fn history(database: &Database, device_sn: &str) -> Vec<String> {
    let columns = COLUMNS.replace("{ts}", "ts");
    rows(
        database,
        &format!("select concat_ws('|', {columns}) from device_info where device_sn = $1 order by ts"),
        device_sn,
    )
    .await
}

/// The row of a device, `-` for NULL.
async fn device(database: &Database, device_sn: &str) -> String {
    let columns = COLUMNS.replace("{ts}", "info_ts");
    let sql = format!("select concat_ws('|', {columns}) from device where device_sn = $1");
    rows(database, &sql, device_sn).await.join("\n")
}

async fn rows(database: &Database, sql: &str, device_sn: &str) -> Vec<String> {
    let rows = database.client().await.query(sql, &[&device_sn]).await.expect("rows");
    rows.iter().map(|row| row.get(0)).collect()
}

async fn send(service: &Service, body: &Value) -> Answer {
    service.post(ROUTE, body.to_string()).await
}

/// Sends what must be taken whole; gives the request id.
async fn send_accepted(service: &Service, body: &Value) -> String {
    let answer = send(service, body).await;
    assert_eq!(answer.status, 200, "{answer:?} to {body}");
    let request_id = answer.body["request_id"].as_str().expect("a request id").to_owned();
    let expected =
        json!({ "status": "success", "message": "设备信息已接收，正在批量处理", "request_id": request_id });
    assert_eq!(answer.body, expected, "{body}");
    request_id
}

/// A serial nobody used before: Redis outlives the tests.
fn serial(database: &Database, name: &str) -> String {
    let url = database.url();
    format!("{}-{name}", url.rsplit('/').next().expect("a database name"))
}

/// The hash of a device without the two fields that are the service's own.
async fn redis_hash(database: &Database, device_sn: &str) -> BTreeMap<String, String> {
    let key = format!("device_info:{device_sn}");
    let mut hash: BTreeMap<String, String> = database.redis().await.hgetall(key).await.expect("a hash");
    hash.remove("eventTimeUs");
    hash.remove("readVersion");
    hash.remove("timeline");
    hash
}

async fn wait_for_field(
    database: &Database,
    device_sn: &str,
    field: &str,
    text: &str,
) -> BTreeMap<String, String> {
    eventually(&format!("{field} of {device_sn} is {text}"), || async {
        let hash = redis_hash(database, device_sn).await;
        (hash.get(field)? == text).then_some(hash)
    })
    .await
}

/// What a watch sends.
fn full(device_sn: &str) -> Value {
    json!({
        "System Software Version": "CRF-AL00CN 4.0.0.900(C00E900R1P1)", "Wifi Address": "b0:fe:e5:8f:fd:d6",
        "Bluetooth Address": "B0:FE:E5:8F:FD:D7", "IP Address": "192.168.1.6\nfe80::b2fe:e5ff:fe8f:fdd6",
        "Network Access Mode": 1, "SerialNumber": device_sn, "Device Name": "HUAWEI WATCH 4-7D6",
        "IMEI": "862399050012345", "batteryLevel": "85%", "voltage": 4123, "chargingStatus": "NONE", "wearState": 1,
        "status": "ACTIVE", "timestamp": TIME, "customerId": "1939964806110937090", "orgId": "1939964806110937091",
        "userId": "1939964806110937092"
    })
}

const FULL: &str = "2026-01-02 03:04:05|1939964806110937090|1939964806110937091|1939964806110937092|\
    CRF-AL00CN 4.0.0.900(C00E900R1P1)|CRF-AL00|B0:FE:E5:8F:FD:D6|B0:FE:E5:8F:FD:D7|192.168.1.6|1|HUAWEI WATCH 4-7D6|\
    862399050012345|85|4123|NOT_CHARGING|1|ACTIVE";

/// The same in the other spelling.
fn snake(device_sn: &str) -> Value {
    json!({
        "system_version": "CRF-AL00CN 4.0.0.900(C00E900R1P1)", "wifi_address": "B0-FE-E5-8F-FD-D6",
        "bluetooth_address": "b0:fe:e5:8f:fd:d7", "ip_address": "192.168.1.6", "network_mode": "1",
        "serial_number": device_sn, "device_name": "HUAWEI WATCH 4-7D6", "imei": 862_399_050_012_345_u64,
        "battery_level": 85, "voltage": "4123", "charging_status": false, "wear_state": "1", "status": "ACTIVE",
        "timestamp": 1_767_294_245_000_i64, "customer_id": 1_939_964_806_110_937_090_u64,
        "org_id": "1939964806110937091", "user_id": "1939964806110937092"
    })
}

/// A name on the wire, a column, and what values of the one become in the other.
type Case<'v> = (&'v str, &'v str, &'v [(Value, Option<&'v str>)]);

#[tokio::test]
async fn every_shape_in_every_spelling_is_stored_the_same_and_once() {
    let database = Database::new().await;
    let service = Service::start(&database).await;
    let spellings: [fn(&str) -> Value; 3] = [full, snake, |device_sn| {
        let mut item = full(device_sn);
        let serial = item.as_object_mut().expect("an object").remove("SerialNumber").expect("a serial");
        item["deviceSn"] = serial;
        item
    }];
    for (spelling, item) in spellings.iter().enumerate() {
        for shape in 0..7 {
            let device_sn = &format!("SHAPE-{spelling}-{shape}");
            let item = item(device_sn);
            let body = match shape {
                0 => item,
                1 => json!([item]),
                2 => json!({ "data": item }),
                3 => json!({ "type": "device", "data": item }),
                4 => json!({ "type": "device", "data": [item] }),
                5 => json!({ "type": "device", "data": item.to_string() }),
                _ => json!({ "data": { "data": item } }),
            };
            let request_id = send_accepted(&service, &body).await;
            assert_eq!(history(&database, device_sn).await, [FULL], "{body}");
            assert_eq!(device(&database, device_sn).await, FULL, "{body}");
            send_accepted(&service, &body).await;
            assert_eq!(history(&database, device_sn).await, [FULL], "sent twice: {body}");
            let of_request =
                format!("select device_sn from device_info where batch_id = {request_id} and device_sn = $1");
            assert_eq!(rows(&database, &of_request, device_sn).await, [device_sn.as_str()]);
        }
    }
    service.finish().await;
}

#[tokio::test]
async fn every_form_of_a_value_is_normalised() {
    let database = Database::new().await;
    let service = Service::start(&database).await;
    let cases: &[Case<'_>] = &[
        (
            "batteryLevel",
            "battery_level::text",
            &[
                (json!(85), Some("85")),
                (json!("85"), Some("85")),
                (json!("85%"), Some("85")),
                (json!("85 %"), Some("85")),
                (json!("85.0"), Some("85")),
                (json!(0), None),
                (json!("0%"), None),
                (json!("100%"), Some("100")),
                (json!(""), None),
                (json!("null"), None),
            ],
        ),
        (
            "voltage",
            "voltage::text",
            &[(json!(4123), Some("4123")), (json!("4123"), Some("4123")), (json!("4123mV"), Some("4123"))],
        ),
        (
            "chargingStatus",
            "charging_status",
            &[
                (json!("CHARGING"), Some("CHARGING")),
                (json!("charging"), Some("CHARGING")),
                (json!("ENABLE"), Some("CHARGING")),
                (json!("1"), Some("CHARGING")),
                (json!(1), Some("CHARGING")),
                (json!("true"), Some("CHARGING")),
                (json!(true), Some("CHARGING")),
                (json!("NOT_CHARGING"), Some("NOT_CHARGING")),
                (json!("NONE"), Some("NOT_CHARGING")),
                (json!("0"), Some("NOT_CHARGING")),
                (json!(0), Some("NOT_CHARGING")),
                (json!("false"), Some("NOT_CHARGING")),
                (json!(false), Some("NOT_CHARGING")),
                (json!("DISCHARGING"), Some("UNKNOWN")),
                (json!(7), Some("UNKNOWN")),
                (Value::Null, None),
            ],
        ),
        (
            "wearState",
            "wear_state",
            &[
                (json!(0), Some("0")),
                (json!(1), Some("1")),
                (json!("0"), Some("0")),
                (json!("1"), Some("1")),
                (json!("true"), Some("1")),
                (json!(false), Some("0")),
                (json!("LOOSE"), Some("LOOSE")),
            ],
        ),
        (
            "IP Address",
            "ip_address",
            &[
                (json!("10.0.0.7"), Some("10.0.0.7")),
                (json!("10.0.0.7\nfe80::1"), Some("10.0.0.7")),
                (json!("fe80::1\n10.0.0.7\n10.0.0.8"), Some("10.0.0.7")),
                (json!("fe80::1"), Some("fe80::1")),
            ],
        ),
        (
            "Wifi Address",
            "wifi_address",
            &[
                (json!("b0:fe:e5:8f:fd:d6"), Some("B0:FE:E5:8F:FD:D6")),
                (json!("B0-FE-E5-8F-FD-D6"), Some("B0:FE:E5:8F:FD:D6")),
                (json!("unavailable"), Some("unavailable")),
            ],
        ),
        (
            "System Software Version",
            "model",
            &[(json!("ARC-AL10 2.1.0.1"), Some("ARC-AL10")), (json!("HarmonyOS 2"), None)],
        ),
        ("Network Access Mode", "network_mode", &[(json!(2), Some("2")), (json!("WIFI"), Some("WIFI"))]),
        (
            "timestamp",
            "to_char(ts at time zone 'Asia/Shanghai', 'YYYY-MM-DD HH24:MI:SS')",
            &[
                (json!(TIME), Some(TIME)),
                (json!(1_767_294_245_000_i64), Some(TIME)),
                (json!("1767294245000"), Some(TIME)),
                (json!(1_767_294_245), Some(TIME)),
                (json!("2026-01-01T19:04:05Z"), Some(TIME)),
            ],
        ),
    ];
    for (field, column, forms) in cases {
        for (number, (sent, kept)) in forms.iter().enumerate() {
            let device_sn = format!("FORM-{column}-{number}").chars().take(64).collect::<String>();
            let mut body = json!({ "SerialNumber": device_sn, "voltage": null, "timestamp": TIME });
            body[*field] = sent.clone();
            send_accepted(&service, &body).await;
            let found = database
                .client()
                .await
                .query_one(&format!("select {column} from device_info where device_sn = $1"), &[&device_sn])
                .await
                .expect("one row");
            assert_eq!(found.get::<_, Option<&str>>(0), *kept, "{body}");
        }
    }
    service.finish().await;
}

#[tokio::test]
async fn an_older_message_never_overwrites_a_newer_value_and_what_is_absent_leaves_what_is_there() {
    let database = Database::new().await;
    let service = Service::start(&database).await;
    let at = |second: u32, fields: Value| {
        let mut body = json!({ "SerialNumber": "ORDER", "voltage": null, "timestamp": format!("2026-01-02 03:04:{second:02}") });
        body.as_object_mut().expect("an object").extend(fields.as_object().expect("an object").clone());
        body
    };
    let known = "select concat_ws('|', to_char(info_ts at time zone 'Asia/Shanghai', 'SS'), coalesce(battery_level::text, '-'),
        coalesce(device_name, '-'), coalesce(system_version, '-'), coalesce(model, '-'), coalesce(status, '-'))
        from device where device_sn = $1";
    let steps = [
        (at(30, json!({ "batteryLevel": 50, "deviceName": "thirty" })), "30|50|thirty|-|-|-"),
        // Older: what the newer one did not say is news all the same.
        (
            at(20, json!({ "batteryLevel": 60, "system_version": "CRF-AL00CN 2" })),
            "30|50|thirty|CRF-AL00CN 2|CRF-AL00|-",
        ),
        (
            at(10, json!({ "system_version": "CRF-AL99CN 1", "status": "old" })),
            "30|50|thirty|CRF-AL00CN 2|CRF-AL00|old",
        ),
        (at(40, json!({ "batteryLevel": 40 })), "40|40|thirty|CRF-AL00CN 2|CRF-AL00|old"),
        // The same instant again: it fills what was open.
        (
            at(40, json!({ "batteryLevel": 1, "deviceName": "forty" })),
            "40|40|forty|CRF-AL00CN 2|CRF-AL00|old",
        ),
        (
            at(35, json!({ "deviceName": "thirty-five", "status": "new" })),
            "40|40|forty|CRF-AL00CN 2|CRF-AL00|new",
        ),
    ];
    for (body, expected) in &steps {
        send_accepted(&service, body).await;
        assert_eq!(rows(&database, known, "ORDER").await, [*expected], "{body}");
    }
    assert_eq!(history(&database, "ORDER").await.len(), 5);

    // All of them in one body, and in any order: the same.
    let mut bodies: Vec<Value> = steps.iter().map(|(body, _)| body.clone()).collect();
    for name in ["ORDER-ALL", "ORDER-TURNED"] {
        for body in &mut bodies {
            body["SerialNumber"] = json!(name);
        }
        send_accepted(&service, &json!(bodies)).await;
        // The one thing order decides is which of two messages of one instant is the first.
        bodies.reverse();
    }
    assert_eq!(rows(&database, known, "ORDER-ALL").await, [steps[5].1]);
    assert_eq!(rows(&database, known, "ORDER-TURNED").await, ["40|1|forty|CRF-AL00CN 2|CRF-AL00|new"]);
    service.finish().await;
}

#[tokio::test]
async fn a_message_dated_ahead_does_not_silence_those_after_it() {
    let database = Database::new().await;
    let service = Service::start(&database).await;
    let now = jiff::Timestamp::now();
    let sn = serial(&database, "AHEAD");
    let message = |battery: u16, minutes: i64, name: Option<&str>| {
        let at = now + jiff::SignedDuration::from_mins(minutes);
        let mut body = json!({ "SerialNumber": sn, "batteryLevel": battery, "timestamp": at.to_string() });
        body.as_object_mut()
            .expect("an object")
            .extend(name.map(|name| ("Device Name".to_owned(), json!(name))));
        body
    };
    send_accepted(&service, &json!({ "data": [message(60, 600, Some("WATCH 4")), message(61, 601, None)] }))
        .await;
    wait_for_field(&database, &sn, "batteryLevel", "61").await;
    send_accepted(&service, &message(70, 1, None)).await;
    let shown = wait_for_field(&database, &sn, "batteryLevel", "70").await;
    assert_eq!(shown["deviceName"], "WATCH 4", "what was said ahead of time was said");
    // What comes late is older than what was dated ahead.
    send_accepted(&service, &message(50, -60, Some("WATCH 3"))).await;
    service.drained().await;
    let shown = wait_for_field(&database, &sn, "batteryLevel", "70").await;
    assert_eq!(shown["deviceName"], "WATCH 4");
    service.finish().await;
}

#[tokio::test]
async fn a_record_that_cannot_be_stored_stops_no_neighbour_and_is_found_with_its_source() {
    let database = Database::new().await;
    let service = Service::start(&database).await;
    let future = (jiff::Timestamp::now() + jiff::SignedDuration::from_hours(30)).as_millisecond();
    let bad = [
        (json!({ "batteryLevel": 50, "timestamp": TIME }), "no_serial"),
        (json!({ "SerialNumber": "BAD", "timestamp": "yesterday" }), "bad_time"),
        (json!({ "SerialNumber": "BAD", "timestamp": future }), "future"),
        (json!({ "SerialNumber": "BAD", "timestamp": "1999-01-02 03:04:05" }), "too_old"),
        (json!({ "SerialNumber": "BAD", "batteryLevel": 101 }), "out_of_range"),
        (json!({ "SerialNumber": "BAD", "batteryLevel": "-1%" }), "out_of_range"),
        (json!({ "SerialNumber": "BAD", "batteryLevel": "full" }), "bad_value"),
        (json!({ "SerialNumber": "BAD", "voltage": "4.1" }), "bad_value"),
        (json!({ "SerialNumber": "BAD", "deviceName": ["a"] }), "bad_value"),
        (json!({ "SerialNumber": "BAD", "customerId": "x" }), "bad_value"),
        (json!({ "SerialNumber": "BAD", "status": "s".repeat(257) }), "out_of_range"),
        (json!("no object"), "not_an_object"),
    ];
    let mut list: Vec<Value> = bad.iter().map(|(item, _)| item.clone()).collect();
    list.insert(0, full("GOOD-1"));
    list.push(full("GOOD-2"));
    let answer = send(&service, &json!(list)).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.body["errors"].as_array().expect("errors").len(), 10, "at most ten are told");
    assert_eq!(
        (&answer.body["errors"][0]["index"], &answer.body["errors"][0]["reason"]),
        (&json!(1), &json!("no_serial"))
    );
    for device_sn in ["GOOD-1", "GOOD-2"] {
        assert_eq!(device(&database, device_sn).await, FULL);
    }
    let kept = database
        .client()
        .await
        .query("select reason, body::jsonb from rejected_upload where source = 'device_info' order by rejected_upload_id", &[])
        .await
        .expect("rejects");
    let kept: Vec<(&str, Value)> = kept.iter().map(|row| (row.get(0), row.get(1))).collect();
    let sent: Vec<(&str, Value)> = bad.iter().map(|(item, reason)| (*reason, item.clone())).collect();
    assert_eq!(kept, sent);
    let account = "select concat_ws(' ', kind, received, stored, duplicate, rejected) from vitals.ingest_batch where kind = $1";
    assert_eq!(rows(&database, account, "device_info").await, ["device_info 14 2 0 12"]);
    service.finish().await;
}

#[tokio::test]
async fn a_body_without_device_information_is_answered_400() {
    let database = Database::new().await;
    let service = Service::start(&database).await;
    for body in ["", " ", "null", "5", "{", "{}", r#"{"hello":1}"#, "SerialNumber=1", r#"{"data":[{]}"#] {
        let answer = service.post(ROUTE, body).await;
        assert_eq!(answer.status, 400, "{body}: {answer:?}");
        assert_eq!(answer.body["status"], "error");
    }
    let nothing = send(&service, &json!([])).await;
    assert_eq!((nothing.status, &nothing.body["status"]), (200, &json!("empty")));
    send_accepted(&service, &full("ALIVE")).await;
    service.finish().await;
}

#[tokio::test]
async fn dashboards_see_what_is_known_of_a_device_and_hear_of_it() {
    let database = Database::new().await;
    let service = Service::start(&database).await;
    let device_sn = &serial(&database, "SEEN");
    let client = redis::Client::open(database.redis_url()).expect("a URL");
    let mut channel = client.get_async_pubsub().await.expect("Redis answers");
    channel.subscribe(format!("device_info_channel:{device_sn}")).await.expect("subscribed");
    send_accepted(&service, &full(device_sn)).await;
    let mut messages = channel.on_message();
    let heard = tokio::time::timeout(crate::harness::TIMEOUT, messages.next()).await.expect("in time");
    assert_eq!(heard.expect("a message").get_payload::<String>().expect("text"), *device_sn);
    let expected = [
        ("deviceSn", device_sn.as_str()),
        ("systemVersion", "CRF-AL00CN 4.0.0.900(C00E900R1P1)"),
        ("model", "CRF-AL00"),
        ("wifiAddress", "B0:FE:E5:8F:FD:D6"),
        ("bluetoothAddress", "B0:FE:E5:8F:FD:D7"),
        ("ipAddress", "192.168.1.6"),
        ("networkMode", "1"),
        ("deviceName", "HUAWEI WATCH 4-7D6"),
        ("imei", "862399050012345"),
        ("batteryLevel", "85"),
        ("voltage", "4123"),
        ("chargingStatus", "NOT_CHARGING"),
        ("wearState", "1"),
        ("status", "ACTIVE"),
        ("timestamp", TIME),
        ("customerId", "1939964806110937090"),
        ("orgId", "1939964806110937091"),
        ("userId", "1939964806110937092"),
        // The names of old.
        ("device_sn", device_sn.as_str()),
        ("serial_number", device_sn.as_str()),
        ("system_version", "CRF-AL00CN 4.0.0.900(C00E900R1P1)"),
        ("system_software_version", "CRF-AL00CN 4.0.0.900(C00E900R1P1)"),
        ("wifi_address", "B0:FE:E5:8F:FD:D6"),
        ("bluetooth_address", "B0:FE:E5:8F:FD:D7"),
        ("ip_address", "192.168.1.6"),
        ("network_mode", "1"),
        ("network_access_mode", "1"),
        ("device_name", "HUAWEI WATCH 4-7D6"),
        ("battery_level", "85"),
        ("charging_status", "NOT_CHARGING"),
        ("wearable_status", "WORN"),
        ("customer_id", "1939964806110937090"),
        ("org_id", "1939964806110937091"),
        ("user_id", "1939964806110937092"),
    ];
    let expected: BTreeMap<String, String> =
        expected.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
    assert_eq!(redis_hash(&database, device_sn).await, expected);

    // What a later message does not say stays; what an older one says is no news, but for what was never said.
    send_accepted(
        &service,
        &json!({ "SerialNumber": device_sn, "batteryLevel": 84, "timestamp": "2026-01-02 03:05:00" }),
    )
    .await;
    let now = wait_for_field(&database, device_sn, "batteryLevel", "84").await;
    assert_eq!(
        (now["timestamp"].as_str(), now["deviceName"].as_str()),
        ("2026-01-02 03:05:00", "HUAWEI WATCH 4-7D6")
    );
    let other = &serial(&database, "SEEN-LATE");
    for (battery, time) in [(50, "2026-01-02 03:04:30"), (60, "2026-01-02 03:04:00")] {
        let late =
            json!({ "SerialNumber": other, "batteryLevel": battery, "timestamp": time, "status": time });
        send_accepted(&service, &late).await;
    }
    send_accepted(
        &service,
        &json!({ "SerialNumber": other, "imei": "1", "timestamp": "2026-01-02 03:03:00" }),
    )
    .await;
    let now = wait_for_field(&database, other, "imei", "1").await;
    assert_eq!((now["batteryLevel"].as_str(), now["timestamp"].as_str()), ("50", "2026-01-02 03:04:30"));
    service.finish().await;
}

#[tokio::test]
async fn a_message_written_by_hand_has_the_same_effects() {
    let database = Database::new().await;
    let service = Service::start(&database).await;
    let device_sn = &serial(&database, "HAND");
    database
        .client()
        .await
        .execute(
            "insert into device_info (device_sn, ts, battery_level) values ($1, now(), 33)",
            &[device_sn],
        )
        .await
        .expect("inserted");
    wait_for_field(&database, device_sn, "batteryLevel", "33").await;
    let level =
        rows(&database, "select battery_level::text from device where device_sn = $1", device_sn).await;
    assert_eq!(level, ["33"]);
    service.finish().await;
}

#[tokio::test]
async fn the_view_of_devices_is_made_whole_after_redis_was_away_or_flushed() {
    let database = Database::new().await;
    let (cable, through) = Proxy::before(&database.redis_url()).await;
    let service = Service::start_with(&database, |settings| {
        settings.redis_url = through;
        settings.view_check_interval_ms = 100;
    })
    .await;
    let serials: Vec<String> = (0..10).map(|n| serial(&database, &format!("GONE-{n}"))).collect();
    send_accepted(&service, &full(&serials[0])).await;
    wait_for_field(&database, &serials[0], "batteryLevel", "85").await;
    cable.cut();
    for device_sn in &serials[1..] {
        send_accepted(&service, &full(device_sn)).await;
    }
    // The reactions are finished without Redis.
    service.drained().await;
    assert!(redis_hash(&database, &serials[9]).await.is_empty());
    cable.restore();
    for device_sn in &serials {
        wait_for_field(&database, device_sn, "batteryLevel", "85").await;
    }
    let _: () = redis::cmd("FLUSHDB").query_async(&mut database.redis().await).await.expect("flushed");
    for device_sn in &serials {
        wait_for_field(&database, device_sn, "batteryLevel", "85").await;
    }
    service.finish().await;
}

#[tokio::test]
async fn taking_a_watch_off_is_an_event_and_then_a_message_with_the_wear_state_as_text() {
    let database = Database::new().await;
    let service = Service::start(&database).await;
    let device_sn = &serial(&database, "WORN");
    send_accepted(&service, &full(device_sn)).await;
    for (state, second) in [("0", 10), ("1", 20)] {
        let time = format!("2026-01-02 03:04:{second}");
        let event = json!({
            "eventType": "com.tdtech.ohos.action.WEAR_STATUS_CHANGED", "eventValue": state, "deviceSn": device_sn,
            "customerId": "1939964806110937090", "orgId": "1939964806110937091", "userId": "1939964806110937092",
            "latitude": 22.540_363, "longitude": 114.015_182, "altitude": 0.0, "timestamp": time
        });
        assert_eq!(service.post("/upload_common_event", event.to_string()).await.status, 200);
        let mut info = full(device_sn);
        info["wearState"] = json!(state);
        info["timestamp"] = json!(time);
        send_accepted(&service, &info).await;
        let now = wait_for_field(&database, device_sn, "timestamp", &time).await;
        assert_eq!(now["wearState"], state);
    }
    let told =
        "select string_agg(concat_ws(' ', event_type, severity, value), ', ' order by ts) from device_event
        where device_sn = $1";
    let expected = ["WEAR_STATUS_CHANGED major 0, WEAR_STATUS_CHANGED major 1"];
    assert_eq!(rows(&database, told, device_sn).await, expected);
    service.finish().await;
}

#[tokio::test]
async fn many_instances_leave_the_newest_of_every_value() {
    let database = Database::new().await;
    let (one, other) = futures_util::join!(Service::start(&database), Service::start(&database));
    let device_sn = &serial(&database, "RACE");
    let sends = (0..60).map(|n| {
        let second = n * 37 % 60;
        let mut body =
            json!({ "SerialNumber": device_sn, "voltage": null, "timestamp": format!("2026-01-02 03:04:{second:02}") });
        body[["batteryLevel", "voltage", "status"][second % 3]] = json!(second);
        let service = if n % 2 == 0 { &one } else { &other };
        async move { send_accepted(service, &body).await }
    });
    futures_util::future::join_all(sends).await;
    let known = "select concat_ws(' ', battery_level, voltage, status) from device where device_sn = $1";
    assert_eq!(rows(&database, known, device_sn).await, ["57 58 59"]);
    // Each message has a reaction of its own, and none may undo another's.
    for (field, value) in [("batteryLevel", "57"), ("voltage", "58"), ("status", "59")] {
        wait_for_field(&database, device_sn, field, value).await;
    }
    one.drained().await;
    let now = wait_for_field(&database, device_sn, "status", "59").await;
    assert_eq!((now["batteryLevel"].as_str(), now["voltage"].as_str()), ("57", "58"));
    one.finish().await;
    other.finish().await;
}
