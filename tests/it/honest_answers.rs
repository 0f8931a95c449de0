//! What nobody knows is no success in silence, and what an answer says is true.

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::harness::{Answer, Database, Service, eventually, vitals};

const TIME: &str = "2026-01-02 03:04:05";

async fn count(database: &Database, query: &str) -> i64 {
    database.client().await.query_one(query, &[]).await.expect(query).get(0)
}

async fn health(service: &Service, body: &Value) -> Answer {
    let answer = service.post("/upload_health_data", body.to_string()).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer
}

/// Reason and body of all rejects, the oldest first.
async fn rejects(database: &Database) -> Vec<(String, String)> {
    let query = "select reason, body from rejected_upload order by rejected_upload_id";
    let rows = database.client().await.query(query, &[]).await.expect("rejects");
    rows.iter().map(|row| (row.get(0), row.get(1))).collect()
}

/// What `vitals rejected names` or `events` lists, once it is written down: name, count, first device.
async fn listed(database: &Database, what: &str, names: usize) -> Vec<(String, u64, Value)> {
    let said = eventually(&format!("{what} are written down"), || async {
        let said = vitals(database, &["rejected", what, "--json"]).await;
        assert_eq!(said.code, 0, "{said:?}");
        (said.out.lines().count() >= names).then_some(said)
    })
    .await;
    let lines = said.out.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    lines
        .map(|line| {
            let name = line["name"].as_str().expect("a name").to_owned();
            (name, line["count"].as_u64().expect("a count"), line["device_sn"].clone())
        })
        .collect()
}

#[tokio::test]
async fn an_item_without_a_known_name_is_kept_as_rejected_and_said() {
    let database = Database::new().await;
    let service = Service::start(&database).await;
    let item = json!({ "deviceSn": "A1", "pulse": 80, "timestamp": TIME });
    let answer = health(&service, &item).await.body;
    assert_eq!(answer["details"], json!({ "success": 0, "duplicate": 0, "error": 1 }));
    assert_eq!(answer["errors"][0]["reason"], "nothing_known");
    assert_eq!(answer["errors"][0]["message"], "no field with a known name, only pulse");
    assert_eq!(answer["ignored"], json!(["pulse"]));
    assert_eq!(count(&database, "select count(*) from health_data").await, 0);
    assert_eq!(rejects(&database).await, [("nothing_known".to_owned(), item.to_string())]);
    service.finish().await;
}

#[tokio::test]
async fn what_was_not_measured_and_what_is_only_nested_is_stored() {
    let database = Database::new().await;
    let service = Service::start(&database).await;
    let sleep = json!({ "code": 0, "data": [
        { "startTimeStamp": 1_747_418_280_000_i64, "endTimeStamp": 1_747_440_420_000_i64, "type": 2 }
    ]});
    let items = json!([
        { "deviceSn": "OFF-WRIST", "heart_rate": "0", "timestamp": TIME },
        { "deviceSn": "ASLEEP", "sleepData": sleep.to_string(), "timestamp": TIME },
        { "deviceSn": "SILENT", "heart_rate": null, "timestamp": TIME },
    ]);
    let answer = health(&service, &items).await.body;
    assert_eq!(answer["details"], json!({ "success": 3, "duplicate": 0, "error": 0 }));
    assert_eq!(answer.get("ignored"), None);
    assert_eq!(count(&database, "select count(*) from sleep_segment").await, 1);
    service.finish().await;
}

#[tokio::test]
async fn unknown_names_are_counted_by_name_with_their_first_device_and_no_more_than_can_be_read() {
    let database = Database::new().await;
    let service = Service::start(&database).await;
    let item = |sn: &str| json!({ "deviceSn": sn, "ecg_raw": [1], "heart_rate": 70, "pulse": 80, "timestamp": TIME });
    let answer = health(&service, &json!({ "data": [item("N-1"), item("N-2")] })).await.body;
    assert_eq!(answer["ignored"], json!(["ecg_raw", "pulse"]));
    let mut odd = json!({ "SerialNumber": "N-3", "batteryLevel": 50, "batery": 50, "timestamp": TIME });
    for number in 0..12 {
        odd[format!("field{number}")] = json!(number);
    }
    let answer = service.post("/upload_device_info", odd.to_string()).await.body;
    assert_eq!(answer["ignored"].as_array().expect("names").len(), 10);
    let names = listed(&database, "names", 15).await;
    assert_eq!(names[..2], [("ecg_raw".into(), 2, json!("N-1")), ("pulse".into(), 2, json!("N-1"))]);
    assert!(names.contains(&("batery".into(), 1, json!("N-3"))), "{names:?}");

    let text = vitals(&database, &["rejected", "names", "--limit", "2"]).await;
    assert!(text.out.contains("ecg_raw") && text.out.contains("N-1"), "{text:?}");
    let metrics = service.get("/metrics").await.body;
    let metrics = metrics.as_str().expect("text");
    assert!(metrics.contains("vitals_ingest_unknown_names_total{kind=\"sample\"}"), "{metrics}");
    assert!(!metrics.contains("ecg_raw"), "no name is a label");
    service.finish().await;
}

#[tokio::test]
async fn the_table_of_names_is_bounded_and_what_comes_often_stays() {
    let database = Database::new().await;
    database
        .client()
        .await
        .batch_execute(
            "insert into unknown_name (kind, name, count, first_seen_at, last_seen_at)
             select 'sample', 'noise' || n, case when n = 7 then 50 else 1 end, now() - interval '1 day', now() - interval '1 day'
             from generate_series(1, 1500) n",
        )
        .await
        .expect("inserted");
    let service = Service::start(&database).await;
    health(&service, &json!({ "deviceSn": "B-1", "step": 1, "stpes": 1, "timestamp": TIME })).await;
    eventually("the surplus is gone", || async {
        let names = count(&database, "select count(*) from unknown_name").await;
        (names <= 1001).then_some(())
    })
    .await;
    let kept = "select count(*) from unknown_name where name in ('noise7', 'stpes')";
    assert_eq!(count(&database, kept).await, 2);
    service.finish().await;
}

#[tokio::test]
async fn an_event_of_a_type_no_rule_knows_is_kept_said_and_listed() {
    let database = Database::new().await;
    let service = Service::start(&database).await;
    let event =
        |name: &str| json!({ "eventType": format!("com.x.{name}"), "deviceSn": "E-1", "timestamp": TIME });
    let known = service.post("/upload_common_event", event("SOS_EVENT").to_string()).await;
    assert_eq!((known.status, &known.body["message"]), (200, &json!("事件处理成功")));
    assert_eq!(known.body.get("ignored"), None);
    let unknown = service.post("/upload_common_event", event("SOS_EVNT").to_string()).await;
    assert_eq!((unknown.status, &unknown.body["status"]), (200, &json!("success")), "it is kept");
    assert_ne!(unknown.body["message"], "事件处理成功");
    assert_eq!(unknown.body["ignored"], json!(["SOS_EVNT"]));
    assert_eq!(count(&database, "select count(*) from device_event").await, 2);
    assert_eq!(listed(&database, "events", 1).await, [("SOS_EVNT".into(), 1, json!("E-1"))]);
    // Once somebody says what it is, it is known.
    let client = database.client().await;
    let said = "insert into event_type (event_type, severity, value) values ('SOS_EVNT', 'critical', 'a misspelled SOS')";
    client.batch_execute(said).await.expect("inserted");
    assert_eq!(count(&database, "select count(*) from unknown_event_type").await, 0);
    service.finish().await;
}

#[tokio::test]
async fn an_answer_does_not_read_as_success_where_nothing_was_stored() {
    let database = Database::new().await;
    let service = Service::start(&database).await;
    let bad = json!({ "deviceSn": "T-1", "heart_rate": 999, "timestamp": TIME });
    let good = json!({ "deviceSn": "T-1", "heart_rate": 70, "timestamp": TIME });
    for (body, status) in [
        (json!({ "data": [bad] }), "error"),
        (json!({ "data": [bad, good] }), "success"),
        (json!({ "data": [good] }), "success"),
        (json!({ "data": [] }), "empty"),
    ] {
        let answer = health(&service, &body).await.body;
        assert_eq!(answer["status"], status, "{body}");
        assert_eq!(answer["message"] == "数据已接收并处理", status == "success", "{body}");
    }
    let info = json!({ "SerialNumber": "T-1", "batteryLevel": 500 });
    let answer = service.post("/upload_device_info", info.to_string()).await;
    assert_eq!((answer.status, &answer.body["status"]), (200, &json!("error")));
    assert_ne!(answer.body["message"], "设备信息已接收，正在批量处理");
    let event = service
        .post("/upload_common_event", json!({ "eventValue": "1", "deviceSn": "T-1" }).to_string())
        .await;
    assert_eq!((event.status, &event.body["status"]), (200, &json!("error")));
    assert_ne!(event.body["message"], "事件处理成功");
    service.finish().await;
}

#[tokio::test]
async fn an_error_names_the_field_as_it_was_sent_and_the_limit() {
    let database = Database::new().await;
    let service = Service::start(&database).await;
    let long = "9".repeat(70);
    for (item, reason, message) in [
        (
            json!({ "deviceSn": "L", "heart_rate": 999 }),
            "out_of_range",
            "heart_rate 999 is over 300".to_owned(),
        ),
        (json!({ "deviceSn": "L", "gxy": "-5" }), "out_of_range", "gxy -5 is under 1".into()),
        (json!({ "deviceSn": "L", "xlv": "72.5" }), "bad_value", "xlv 72.5 is not a whole number".into()),
        (json!({ "deviceSn": "L", "bs": "many" }), "bad_value", "bs is not a number".into()),
        (
            json!({ "device_sn": long, "bs": 1 }),
            "bad_serial",
            "device_sn has 70 bytes, and may have 64".into(),
        ),
        (json!({ "bs": 1 }), "no_serial", "deviceSn is missing".into()),
        (json!({ "id": "L", "bs": 1, "cjsj": "soon" }), "bad_time", "cjsj is none of: ".into()),
    ] {
        let error = &health(&service, &item).await.body["errors"][0];
        assert_eq!(error["reason"], reason, "{item}");
        assert!(error["message"].as_str().expect("text").starts_with(&message), "{error}");
    }
    service.finish().await;
}

#[tokio::test]
async fn the_repeated_hour_is_read_by_the_time_of_receipt() {
    let database = Database::in_zone("Asia/Shanghai").await;
    let service =
        Service::start_with(&database, |settings| settings.device_time_zone = "Europe/Berlin".into()).await;
    // Long past: the second of the two hours is the one nearest to the receipt.
    health(&service, &json!({ "deviceSn": "FOLD", "step": 1, "timestamp": "2026-10-25 02:30:00" })).await;
    let second = "select count(*) from health_data where ts = '2026-10-25 01:30:00+00'";
    assert_eq!(count(&database, second).await, 1);
    service.finish().await;
}

/// A file that goes with the value.
struct File(PathBuf);

impl File {
    fn new(name: &str, text: &str) -> Self {
        let path = std::env::temp_dir().join(format!("vitals_test_{}_{name}", std::process::id()));
        std::fs::write(&path, text).expect("written");
        Self(path)
    }

    fn name(&self) -> &str {
        self.0.to_str().expect("text")
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

#[tokio::test]
async fn a_column_nobody_knows_is_told_and_lines_without_another_are_rejected() {
    let database = Database::new().await;
    let file =
        File::new("puls.csv", "device_sn,ts,puls\nC-1,2026-01-02 03:04:05,80\nC-2,2026-01-02 03:04:05,81\n");
    let said = vitals(&database, &["backfill", file.name(), "--json"]).await;
    assert_eq!(said.code, 3, "{said:?}");
    let account: Value = serde_json::from_str(&said.out).expect("JSON");
    assert_eq!((&account["stored"], &account["rejected"]), (&json!(0), &json!(2)));
    assert_eq!(account["ignored"], json!(["puls"]));
    assert_eq!(rejects(&database).await[0].0, "nothing_known");
    assert_eq!(listed(&database, "names", 1).await, [("puls".into(), 2, json!("C-1"))]);

    let file = File::new("both.csv", "device_sn,ts,heart_rate,puls\nC-3,2026-01-02 03:04:05,80,80\n");
    let said = vitals(&database, &["backfill", file.name()]).await;
    assert_eq!(said.code, 0, "{said:?}");
    assert!(said.out.contains("unknown names, ignored: puls"), "{said:?}");

    let file = File::new("users.csv", "user_id,name,org_id,e_mial\n1,Li,,li@example.org\n");
    let said = vitals(&database, &["directory", "import", "--users", file.name()]).await;
    assert_eq!(said.code, 0, "{said:?}");
    assert!(said.err.contains("unknown columns, ignored: e_mial"), "{said:?}");
}
