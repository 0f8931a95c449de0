//! `POST /upload_health_data` and `/upload_health_data_batch`: what is sent is stored, to the value and the instant.

use std::io::Write;

use serde_json::{Value, json};
use tokio_postgres::Row;

use crate::harness::{Database, Service};

/// Columns as text, the way PostgreSQL shows them, `-` for NULL.
async fn stored(database: &Database, device_sn: &str) -> Vec<String> {
    let rows = database
        .client()
        .await
        .query(
            "select concat_ws('|',
                 to_char(ts at time zone 'Asia/Shanghai', 'YYYY-MM-DD HH24:MI:SS'),
                 coalesce(customer_id::text, '-'), coalesce(org_id::text, '-'), coalesce(user_id::text, '-'),
                 coalesce(heart_rate::text, '-'), coalesce(blood_oxygen::text, '-'), coalesce(temperature::text, '-'),
                 coalesce(pressure_high::text, '-'), coalesce(pressure_low::text, '-'), coalesce(stress::text, '-'),
                 coalesce(step::text, '-'), coalesce(distance::text, '-'), coalesce(calorie::text, '-'),
                 coalesce(latitude::text, '-'), coalesce(longitude::text, '-'), coalesce(altitude::text, '-'),
                 coalesce(upload_method, '-'))
             from health_data where device_sn = $1 order by ts",
            &[&device_sn],
        )
        .await
        .expect("rows");
    rows.iter().map(|row: &Row| row.get(0)).collect()
}

/// A sample in today's spelling.
fn sample(device_sn: &str, timestamp: &str) -> Value {
    json!({
        "deviceSn": device_sn, "customerId": "1939964806110937090", "orgId": "1939964806110937091",
        "userId": "1939964806110937092", "heart_rate": 84, "blood_oxygen": 96, "body_temperature": "36.6",
        "blood_pressure_systolic": 126, "blood_pressure_diastolic": 84, "stress": 51, "step": 1234,
        "distance": "905.0", "calorie": "51000.0", "latitude": "22.540363", "longitude": "114.015182",
        "altitude": "31.5", "upload_method": "wifi", "timestamp": timestamp
    })
}

const STORED: &str = "2026-01-02 03:04:05|1939964806110937090|1939964806110937091|1939964806110937092|84|96|36.6|126|84|\
                      51|1234|905.0|51000.0|22.540363|114.015182|31.5|wifi";

/// The same sample in the other generations of names.
fn generations(device_sn: &str) -> [Value; 3] {
    let timestamp = "2026-01-02 03:04:05";
    [
        sample(device_sn, timestamp),
        json!({
            "device_sn": device_sn, "customer_id": "1939964806110937090", "org_id": 1_939_964_806_110_937_091_u64,
            "user_id": "1939964806110937092", "heartRate": "84", "bloodOxygen": 96, "temperature": "36.6",
            "pressureHigh": 126, "pressureLow": "84", "stress": 51, "step": "1234", "distance": "905.0",
            "calorie": "51000.0", "latitude": "22.540363", "longitude": 114.015_182, "altitude": "31.5",
            "uploadMethod": "wifi", "timestamp": timestamp
        }),
        json!({
            "id": device_sn, "customerId": "1939964806110937090", "orgId": "1939964806110937091",
            "userId": "1939964806110937092", "xlv": 84, "xy": "96", "tw": "36.6", "gxy": 126, "dxy": 84, "yl": 51,
            "bs": 1234, "jl": "905.0", "rl": "51000.0", "wd": "22.540363", "jd": "114.015182", "hb": "31.5",
            "upload_method": "wifi", "cjsj": timestamp
        }),
    ]
}

#[tokio::test]
async fn every_shape_in_every_generation_of_names_is_stored_the_same() {
    let database = Database::new().await;
    let service = Service::start(&database).await;
    for generation in 0..3 {
        for shape in 0..8 {
            let device_sn = format!("SHAPE-{generation}-{shape}");
            let item = generations(&device_sn)[generation].clone();
            let body = match shape {
                0 => json!({ "data": item }),
                1 => json!({ "data": [item] }),
                2 => json!({ "data": { "data": item } }),
                3 => json!({ "data": { "data": [item] } }),
                4 => json!({ "type": "health", "data": item }),
                5 => item,
                6 => json!([item]),
                _ => with_ids_at_the_top(item),
            };
            assert_eq!(service.upload(&body).await, (1, 0, 0), "{body}");
            assert_eq!(stored(&database, &device_sn).await, [STORED], "{body}");
            assert_eq!(service.upload(&body).await, (0, 1, 0), "sent twice: {body}");
            assert_eq!(stored(&database, &device_sn).await, [STORED], "sent twice: {body}");
        }
    }
    service.finish().await;
}

fn with_ids_at_the_top(mut item: Value) -> Value {
    let fields = item.as_object_mut().expect("an object");
    for name in ["customerId", "customer_id", "orgId", "org_id", "userId", "user_id"] {
        fields.remove(name);
    }
    json!({
        "data": [item], "customer_id": "1939964806110937090", "orgId": "1939964806110937091",
        "user_id": "1939964806110937092"
    })
}

#[tokio::test]
async fn zero_is_not_measured_for_a_vital_sign_and_real_for_a_total() {
    let database = Database::new().await;
    let service = Service::start(&database).await;
    let item = json!({
        "deviceSn": "ZERO-1", "heart_rate": 0, "blood_oxygen": "0", "body_temperature": "0.0",
        "blood_pressure_systolic": "0", "blood_pressure_diastolic": 0, "stress": 0.0, "step": 0, "distance": "0.0",
        "calorie": "0", "latitude": "0", "longitude": "0", "altitude": "0", "customerId": "0", "orgId": "",
        "userId": " ", "upload_method": "4g", "timestamp": "2026-01-02 03:04:05"
    });
    assert_eq!(service.upload(&json!({ "data": item })).await, (1, 0, 0));
    let expected = "2026-01-02 03:04:05|-|-|-|-|-|-|-|-|-|0|0|0|-|-|-|esim";
    assert_eq!(stored(&database, "ZERO-1").await, [expected]);
    service.finish().await;
}

#[tokio::test]
async fn every_form_of_a_time_is_the_same_instant() {
    let database = Database::new().await;
    let service = Service::start(&database).await;
    let instant = 1_767_294_245_i64; // 2026-01-02 03:04:05 in Shanghai
    for (number, time) in [
        json!("2026-01-02 03:04:05"),
        json!(instant),
        json!(instant.to_string()),
        json!(instant * 1000),
        json!((instant * 1000).to_string()),
        json!("2026-01-01T19:04:05Z"),
        json!("2026-01-02T03:04:05+08:00"),
    ]
    .into_iter()
    .enumerate()
    {
        let device_sn = format!("TIME-{number}");
        let item = json!({ "deviceSn": device_sn, "heart_rate": 70, "timestamp": time });
        assert_eq!(service.upload(&json!({ "data": item })).await, (1, 0, 0), "{time}");
        let rows = stored(&database, &device_sn).await;
        assert!(rows[0].starts_with("2026-01-02 03:04:05|"), "{time}: {rows:?}");
    }
    service.finish().await;
}

#[tokio::test]
async fn a_bad_item_stops_no_neighbour_and_is_found_with_its_reason_and_text() {
    let database = Database::new().await;
    let service = Service::start(&database).await;
    let future = (jiff::Timestamp::now() + jiff::SignedDuration::from_hours(30)).as_second();
    let items = [
        (sample("BAD-1", "2026-01-02 03:04:05"), None),
        (json!({ "heart_rate": 70, "timestamp": "2026-01-02 03:04:05" }), Some("no_serial")),
        (json!({ "deviceSn": "BAD-1", "timestamp": "yesterday" }), Some("bad_time")),
        (json!({ "deviceSn": "BAD-1", "timestamp": future }), Some("future")),
        (json!({ "deviceSn": "BAD-1", "timestamp": "1999-01-02 03:04:05" }), Some("too_old")),
        (
            json!({ "deviceSn": "BAD-1", "heart_rate": 999, "timestamp": "2026-01-02 03:04:06" }),
            Some("out_of_range"),
        ),
        (
            json!({ "deviceSn": "BAD-1", "heart_rate": "fast", "timestamp": "2026-01-02 03:04:06" }),
            Some("bad_value"),
        ),
        (json!("not an object"), Some("not_an_object")),
        (sample("BAD-1", "2026-01-02 03:04:07"), None),
    ];
    let body = json!({ "data": items.iter().map(|(item, _)| item).collect::<Vec<_>>() });
    let answer = service.post("/upload_health_data", body.to_string()).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.body["details"], json!({ "success": 2, "duplicate": 0, "error": 7 }));
    let told: Vec<(u64, &str)> = answer.body["errors"]
        .as_array()
        .expect("errors")
        .iter()
        .map(|error| (error["index"].as_u64().expect("index"), error["reason"].as_str().expect("reason")))
        .collect();
    let expected: Vec<(u64, &str)> =
        (0..).zip(&items).filter_map(|(index, (_, reason))| Some((index, (*reason)?))).collect();
    assert_eq!(told, expected);
    assert_eq!(stored(&database, "BAD-1").await.len(), 2);

    let kept = database
        .client()
        .await
        .query("select reason, body::jsonb from rejected_upload order by rejected_upload_id", &[])
        .await
        .expect("rejects");
    let kept: Vec<(&str, Value)> = kept.iter().map(|row| (row.get(0), row.get(1))).collect();
    let sent: Vec<(&str, Value)> =
        items.iter().filter_map(|(item, reason)| Some(((*reason)?, item.clone()))).collect();
    assert_eq!(kept, sent);
    service.finish().await;
}

#[tokio::test]
async fn at_most_ten_errors_are_told_and_all_are_kept() {
    let database = Database::new().await;
    let service = Service::start(&database).await;
    let items: Vec<Value> = (0..15).map(|n| json!({ "heart_rate": n })).collect();
    let answer = service.post("/upload_health_data", json!({ "data": items }).to_string()).await;
    assert_eq!(answer.body["details"]["error"], 15);
    assert_eq!(answer.body["errors"].as_array().expect("errors").len(), 10);
    let row =
        database.client().await.query_one("select count(*) from rejected_upload", &[]).await.expect("row");
    assert_eq!(row.get::<_, i64>(0), 15);
    service.finish().await;
}

#[tokio::test]
async fn garbage_is_answered_400_and_leaves_the_service_running() {
    let database = Database::new().await;
    let service = Service::start(&database).await;
    let bodies: [&[u8]; 14] = [
        b"",
        b"   ",
        b"null",
        b"5",
        b"\"text\"",
        b"true",
        b"{",
        b"{\"data\":",
        b"{\"data\":[{]}",
        b"\xff\xfe\x00",
        b"<xml/>",
        b"{\"data\":[]} trailing",
        b"[[[[[[[[[[",
        b"heart_rate=70&deviceSn=1",
    ];
    for path in ["/upload_health_data", "/upload_health_data_batch"] {
        for body in bodies {
            let answer = service.post(path, body.to_vec()).await;
            assert_eq!(answer.status, 400, "{path} {}: {answer:?}", String::from_utf8_lossy(body));
            assert_eq!(answer.body["status"], "error");
            assert!(!answer.body["message"].as_str().expect("a message").is_empty());
        }
    }
    let deep = "[".repeat(100_000);
    assert_eq!(service.post("/upload_health_data", deep).await.status, 400);
    assert_eq!(service.upload(&json!({ "data": sample("ALIVE-1", "2026-01-02 03:04:05") })).await, (1, 0, 0));
    service.finish().await;
}

#[tokio::test]
async fn an_empty_list_is_taken_and_stores_nothing() {
    let database = Database::new().await;
    let service = Service::start(&database).await;
    assert_eq!(service.upload(&json!({ "data": [] })).await, (0, 0, 0));
    service.finish().await;
}

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packer.write_all(bytes).expect("packed");
    packer.finish().expect("packed")
}

#[tokio::test]
async fn a_batch_is_answered_as_the_design_documents_say() {
    let database = Database::new().await;
    let service = Service::start(&database).await;
    let record = |serial: &str, timestamp: i64| {
        json!({ "deviceSn": serial, "heartRate": 72, "bloodOxygen": 98, "temperature": 36.5, "pressureHigh": 120,
                "pressureLow": 80, "stress": 30, "step": 5000, "distance": 3500.5, "calorie": 200.5,
                "latitude": 39.9042, "longitude": 116.4074, "uploadMethod": "bluetooth", "timestamp": timestamp })
    };
    let body = json!({
        "batchId": "batch-7",
        "data": [record("BATCH-1", 1_767_294_245), record("B1", 1_767_294_245), record("BATCH-1", 0)]
    });
    let answer = service.post("/upload_health_data_batch", body.to_string()).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.body["status"], "accepted");
    assert_eq!(answer.body["batch_id"], "batch-7");
    assert_eq!(answer.body["total_records"], 3);
    assert_eq!(answer.body["valid_records"], 1);
    assert_eq!(answer.body["errors"], 2);
    assert!(answer.body["processing_time_ms"].is_u64());
    assert_eq!(answer.body["error_details"].as_array().expect("details").len(), 2);
    let expected =
        "2026-01-02 03:04:05|-|-|-|72|98|36.5|120|80|30|5000|3500.5|200.5|39.9042|116.4074|-|bluetooth";
    assert_eq!(stored(&database, "BATCH-1").await, [expected]);

    let none_valid = json!({ "data": [record("B1", 1_767_294_245)] }).to_string();
    let answer = service.post("/upload_health_data_batch", none_valid).await;
    assert_eq!(answer.status, 400, "{answer:?}");
    assert_eq!(answer.body["errors"], 1);
    service.finish().await;
}

#[tokio::test]
async fn an_unknown_path_and_a_wrong_method_are_told_in_json() {
    let database = Database::new().await;
    let service = Service::start(&database).await;
    let answer = service.get("/nothing_here").await;
    assert_eq!((answer.status, &answer.body["status"]), (404, &json!("error")));
    let answer = service.get("/upload_health_data").await;
    assert_eq!((answer.status, &answer.body["status"]), (405, &json!("error")));
    service.finish().await;
}
