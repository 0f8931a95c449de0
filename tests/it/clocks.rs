//! Clocks of watches: a watch that is slow or ahead alerts like any other, old samples notify nobody, an outage of the service makes no
//! device silent.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tokio_postgres::Client;
use vitals::model::event::URGENT_EVENT_TYPES;

use crate::harness::{Database, Service, eventually, vitals};

/// Three days, and a little more.
const SLOW: i64 = 3 * 86_400 + 600;

async fn run(database: &Database, sql: &str) {
    database.client().await.batch_execute(sql).await.expect("runs");
}

async fn texts(database: &Database, sql: &str) -> Vec<String> {
    let rows = database.client().await.query(sql, &[]).await.expect("rows");
    rows.iter().map(|row| row.get(0)).collect()
}

fn shanghai(at: Timestamp) -> String {
    at.in_tz("Asia/Shanghai").expect("a zone").strftime("%Y-%m-%d %H:%M:%S").to_string()
}

fn ago(seconds: i64) -> String {
    shanghai(Timestamp::now() - SignedDuration::from_secs(seconds))
}

/// Uploads one sample, and waits for the reaction.
async fn sample(service: &Service, device_sn: &str, timestamp: &str, heart_rate: i64) {
    let item = json!({ "deviceSn": device_sn, "timestamp": timestamp, "heart_rate": heart_rate });
    service.upload(&json!({ "data": item })).await;
    service.drained().await;
}

/// Two samples that a watch whose clock is `behind` seconds slow takes and sends one second after the other.
async fn live(service: &Service, device_sn: &str, behind: i64, heart_rate: i64) {
    let began = Timestamp::now() - SignedDuration::from_secs(behind);
    for second in 0..2 {
        let taken = shanghai(began + SignedDuration::from_secs(second));
        sample(service, device_sn, &taken, heart_rate).await;
    }
}

/// Everybody is notified of everything.
async fn with_route(database: &Database) {
    run(
        database,
        "insert into contact (name) values ('On duty');
         insert into contact_address (contact_id, channel, address) select contact_id, 'wecom', 'duty' from contact;
         insert into notification_route (channel, audience, contact_id, min_severity) select 'wecom', 'contact', contact_id, 'info' from contact",
    )
    .await;
}

/// Per alert of a device: whether it is historical, and how many notifications there are.
async fn heard(database: &Database, device_sn: &str) -> Vec<String> {
    texts(
        database,
        &format!(
            "select concat_ws(' ', case when a.historical then 'historical' else 'live' end,
                 (select count(*) from notification n where n.alert_id = a.alert_id))
             from alert a where a.device_sn = '{device_sn}' order by a.alert_id"
        ),
    )
    .await
}

async fn offset(database: &Database, device_sn: &str) -> Option<i32> {
    let sql = "select clock_offset_seconds from device where device_sn = $1";
    database.client().await.query_one(sql, &[&device_sn]).await.expect("a device").get(0)
}

#[tokio::test]
async fn a_watch_that_is_three_days_slow_alerts_like_any_other_and_its_clock_is_shown() {
    let database = Database::new().await;
    with_route(&database).await;
    let service = Service::start(&database).await;
    live(&service, "SLOW-1", SLOW, 130).await;
    assert_eq!(heard(&database, "SLOW-1").await, ["live 1"]);
    let measured = offset(&database, "SLOW-1").await.expect("it is off");
    assert!((i64::from(measured) - SLOW).abs() < 5, "{measured}");

    live(&service, "RIGHT-1", 0, 130).await;
    assert_eq!(heard(&database, "RIGHT-1").await, ["live 1"]);
    assert_eq!(offset(&database, "RIGHT-1").await, None);

    let listed = vitals(&database, &["clocks", "--json"]).await;
    let clock: Value = serde_json::from_str(listed.out.trim()).expect("one device");
    assert_eq!(clock["device_sn"], "SLOW-1");
    let listed = service.get("/api/device_clocks").await.body["clocks"].clone();
    assert_eq!(listed, json!([clock]), "the same by HTTP");
    assert_eq!(service.get("/api/device_clocks?over=999999").await.body["clocks"], json!([]));
    assert_eq!(service.get("/api/device_clocks?customer_id=7").await.body["clocks"], json!([]));
    assert_eq!(service.get("/api/device_clocks?over=soon").await.status, 400);
    let of_tenant = vitals(&database, &["clocks", "--customer", "7", "--json"]).await;
    assert_eq!(of_tenant.out, "");
    let table = vitals(&database, &["clocks"]).await.out;
    assert!(table.contains("SLOW-1") && table.contains("3 d slow"), "{table}");
    let check = vitals(&database, &["check"]).await.out;
    assert!(check.contains("warn  clocks of devices: 1 ") && check.contains("SLOW-1"), "{check}");
    eventually("it is measured", || async {
        let metrics = service.get("/metrics").await.body.to_string();
        metrics.contains("vitals_devices_clock_off 1").then_some(())
    })
    .await;
    let shown =
        texts(&database, "select device_sn from dashboard.device where clock_offset_seconds > 250000").await;
    assert_eq!(shown, ["SLOW-1"]);

    // Somebody has set it right.
    run(&database, "update device set clock_measured_at = now() - interval '11 minutes'").await;
    sample(&service, "SLOW-1", &ago(0), 80).await;
    assert_eq!(offset(&database, "SLOW-1").await, None);
    service.finish().await;
}

#[tokio::test]
async fn samples_that_catch_up_with_an_outage_of_the_watch_notify_nobody() {
    let database = Database::new().await;
    with_route(&database).await;
    let service = Service::start(&database).await;
    // Cached samples, in one upload, and one by one; the watch was never heard before.
    let cached: Vec<Value> = (0..5)
        .map(
            |place| json!({ "deviceSn": "CACHED-1", "timestamp": ago(7200 - place * 60), "heart_rate": 130 }),
        )
        .collect();
    service.upload(&json!({ "data": cached })).await;
    service.drained().await;
    assert_eq!(heard(&database, "CACHED-1").await, ["historical 0"]);
    for place in 0..5 {
        sample(&service, "CACHED-2", &ago(7200 - place * 60), 130).await;
    }
    assert_eq!(heard(&database, "CACHED-2").await, ["historical 0"]);
    // A watch that is right, and sends samples of two hours ago at the pace of a clock.
    live(&service, "RIGHT-2", 0, 80).await;
    live(&service, "RIGHT-2", 7200, 130).await;
    assert_eq!(heard(&database, "RIGHT-2").await, ["historical 0"]);
    assert_eq!(offset(&database, "RIGHT-2").await, None);
    service.finish().await;
}

#[tokio::test]
async fn old_samples_of_a_watch_that_is_ahead_are_late_and_one_sample_dated_ahead_changes_nothing() {
    let database = Database::new().await;
    with_route(&database).await;
    let service = Service::start(&database).await;
    live(&service, "AHEAD-1", -7200, 80).await;
    // Taken two hours ago.
    sample(&service, "AHEAD-1", &ago(0), 130).await;
    assert_eq!(heard(&database, "AHEAD-1").await, ["historical 0"]);
    live(&service, "AHEAD-1", -7210, 150).await;
    assert!(heard(&database, "AHEAD-1").await.iter().any(|alert| alert == "live 1"));

    sample(&service, "GLITCH-1", &ago(-7200), 80).await;
    sample(&service, "GLITCH-1", &ago(0), 130).await;
    assert_eq!(heard(&database, "GLITCH-1").await, ["live 1"]);
    service.finish().await;
}

#[tokio::test]
async fn an_urgent_event_is_notified_by_its_receipt_with_the_time_of_the_watch_beside_it() {
    let database = Database::new().await;
    with_route(&database).await;
    let service = Service::start(&database).await;
    let by_watch = ago(SLOW);
    for event_type in ["SOS_EVENT", "WEAR_STATUS_CHANGED"] {
        let body =
            json!({ "eventType": event_type, "eventValue": "0", "deviceSn": "SOS-1", "timestamp": by_watch });
        assert_eq!(service.post("/upload_common_event", body.to_string()).await.status, 200);
    }
    service.drained().await;
    assert_eq!(heard(&database, "SOS-1").await.iter().filter(|alert| *alert == "live 1").count(), 1);
    let messages = texts(&database, "select message from alert where event_type = 'SOS_EVENT'").await;
    assert!(messages[0].contains(&format!("({by_watch} by the watch)")), "{messages:?}");
    assert!(messages[0].contains(&ago(0)[..13]), "{messages:?}");
    let chinese = texts(
        &database,
        "select translations -> 'zh' ->> 'message' from alert where event_type = 'SOS_EVENT'",
    )
    .await;
    assert!(chinese[0].contains(&format!("手表时间 {by_watch}")), "{chinese:?}");

    // History that somebody imports.
    run(
        &database,
        "insert into device_event (device_sn, event_type, ts, severity)
         select 'SOS-2', 'SOS_EVENT', now() - n * interval '10 days', 'critical' from generate_series(1, 3) n",
    )
    .await;
    service.drained().await;
    assert!(heard(&database, "SOS-2").await.iter().all(|alert| alert == "historical 0"));
    service.finish().await;
}

const SILENT: &str = "insert into alert_rule (name, kind, severity, silent_seconds) values ('Silent', 'silence', 'major', 600);";

/// Evaluates silence once; the devices with an open alert.
async fn silent_now(client: &Client) -> Vec<String> {
    client
        .batch_execute("select vitals.record_reception(); select vitals.evaluate_silence()")
        .await
        .expect("evaluated");
    let sql =
        "select device_sn from alert where kind = 'silence' and status <> 'resolved' order by device_sn";
    client.query(sql, &[]).await.expect("alerts").iter().map(|row| row.get(0)).collect()
}

#[tokio::test]
async fn an_outage_of_the_service_makes_no_device_silent() {
    let database = Database::new().await;
    let client = database.client().await;
    client
        .batch_execute(&format!(
            "{SILENT}
             insert into device (device_sn) values ('HEARD'), ('QUIET');
             insert into health_data (device_sn, ts, received_at, heart_rate)
             values ('QUIET', now() - interval '2 hours', now() - interval '2 hours', 70);
             -- Nobody could be heard for an hour, until five minutes ago.
             insert into vitals.reception_period values
                 ('-infinity', now() - interval '65 minutes'), (now() - interval '5 minutes', now())"
        ))
        .await
        .expect("prepared");
    assert_eq!(silent_now(&client).await, Vec::<String>::new());
    // The period goes on, and is long enough.
    client
        .batch_execute("update vitals.reception_period set began_at = now() - interval '11 minutes' where began_at > '-infinity'")
        .await
        .expect("moved");
    assert_eq!(silent_now(&client).await, ["QUIET"]);
    let periods = "select count(*) from vitals.reception_period";
    assert_eq!(client.query_one(periods, &[]).await.expect("counted").get::<_, i64>(0), 2);
    // Half a minute without a word of any instance ends it.
    client
        .batch_execute(
            "update alert set status = 'resolved', resolution = 'recovered', resolved_at = now() - interval '1 day', started_ts = '2020-01-01';
             update vitals.reception_period set last_at = now() - interval '31 seconds'",
        )
        .await
        .expect("ended");
    assert_eq!(silent_now(&client).await, Vec::<String>::new());
    assert_eq!(client.query_one(periods, &[]).await.expect("counted").get::<_, i64>(0), 3);
}

#[tokio::test]
async fn a_running_service_records_that_it_can_be_reached() {
    let database = Database::new().await;
    let service = Service::start(&database).await;
    eventually("a period", || async {
        let began = texts(&database, "select began_at::text from vitals.reception_period").await;
        (began == ["-infinity"]).then_some(())
    })
    .await;
    service.finish().await;
}

#[tokio::test]
async fn a_sample_dated_ahead_does_not_hide_that_a_device_is_silent_and_a_slow_watch_is_not_silent() {
    let database = Database::new().await;
    let client = database.client().await;
    client
        .batch_execute(&format!(
            "{SILENT}
             insert into device (device_sn, clock_offset_seconds, clock_measured_at)
             values ('AHEAD', null, null), ('SLOW', 259200, now()), ('SLOW-SILENT', 259200, now()), ('FAST', -7200, now());
             insert into health_data (device_sn, ts, received_at)
             values
                 ('AHEAD', now() + interval '20 hours', now() - interval '30 minutes'),
                 ('AHEAD', now() - interval '20 minutes', now() - interval '20 minutes'),
                 ('SLOW', now() - interval '3 days 1 minute', now() - interval '1 minute'),
                 ('SLOW-SILENT', now() - interval '3 days 20 minutes', now() - interval '20 minutes'),
                 ('FAST', now() + interval '100 minutes', now() - interval '20 minutes')"
        ))
        .await
        .expect("prepared");
    assert_eq!(silent_now(&client).await, ["AHEAD", "FAST", "SLOW-SILENT"]);
    let since = "select round(extract(epoch from now() - started_ts) / 60)::integer from alert where device_sn = 'AHEAD'";
    assert_eq!(client.query_one(since, &[]).await.expect("one").get::<_, i32>(0), 20);
    client
        .batch_execute(
            "insert into health_data (device_sn, ts, received_at) values
                 ('AHEAD', now(), now()), ('SLOW-SILENT', now() - interval '3 days', now()), ('FAST', now() + interval '2 hours', now())",
        )
        .await
        .expect("heard");
    assert_eq!(silent_now(&client).await, Vec::<String>::new());
}

/// Uploads of four devices, each received at its own time: one that is slow, one that catches up one by one, one that is right and catches up,
/// one that becomes slow. Seconds: by how much the row is older than the present by the watch, and when it was received.
fn uploads() -> Vec<(&'static str, i64, i64)> {
    let mut uploads = Vec::new();
    for place in 0..6 {
        let received = 600 - place * 20;
        uploads.push(("SLOW", SLOW + received, received));
        uploads.push(("DRAIN", 7200 - place * 20, 600 - place));
        uploads.push(("RIGHT", if place < 3 { received } else { 9000 - place * 20 }, received));
        // It was right until two hours before.
        let (by_watch, received) =
            if place < 3 { (received + 7200, received + 7200) } else { (SLOW + received, received) };
        uploads.push(("SLOWED", by_watch, received));
    }
    uploads
}

/// Whether the alerts are historical, if the uploads are evaluated in this order; all of them are committed before.
async fn evaluated_in_order(arrange: impl FnOnce(&mut Vec<i64>)) -> Vec<String> {
    let database = Database::new().await;
    let client = database.client().await;
    for (device_sn, by_watch, received) in uploads() {
        let sql = "insert into health_data (device_sn, ts, received_at, heart_rate)
                   values ($1, '2026-01-31'::timestamptz - make_interval(secs => $2), '2026-01-31'::timestamptz - make_interval(secs => $3), 130)";
        #[expect(clippy::cast_precision_loss, reason = "days of seconds")]
        client.execute(sql, &[&device_sn, &(by_watch as f64), &(received as f64)]).await.expect("written");
    }
    let rows = client.query("select batch_id from outbox order by batch_id", &[]).await.expect("batches");
    let mut batches: Vec<i64> = rows.iter().map(|row| row.get(0)).collect();
    arrange(&mut batches);
    for batch_id in batches {
        let finish = format!(
            "update outbox set lease_token = '00000000-0000-4000-8000-000000000000', leased_until = 'infinity' where batch_id = {batch_id};
             select vitals.finish_batches('00000000-0000-4000-8000-000000000000', array[{batch_id}]::bigint[], null, min(ts), max(ts))
             from health_data where batch_id = {batch_id}"
        );
        client.batch_execute(&finish).await.expect("finished");
    }
    texts(
        &database,
        "select device_sn || ' ' || historical from alert where resolution is distinct from 'retracted' order by device_sn, started_ts",
    )
    .await
}

#[tokio::test]
async fn whether_an_alert_came_late_does_not_depend_on_the_order_of_evaluation() {
    let in_order = evaluated_in_order(|_| ()).await;
    assert!(
        in_order.contains(&"SLOW false".to_owned()) && in_order.contains(&"DRAIN true".to_owned()),
        "{in_order:?}"
    );
    assert_eq!(evaluated_in_order(|batches| batches.reverse()).await, in_order);
    let shuffled = evaluated_in_order(|batches| {
        batches.sort_by_key(|batch_id| batch_id.wrapping_mul(0x5851_F42D) % 977)
    })
    .await;
    assert_eq!(shuffled, in_order);
}

#[tokio::test]
async fn the_service_and_the_database_name_the_same_urgent_events() {
    let database = Database::new().await;
    let client = database.client().await;
    let sql = "select vitals.is_urgent_event($1::text)";
    for (event_type, expected) in
        URGENT_EVENT_TYPES.map(|event_type| (event_type, true)).into_iter().chain([("CALL_STATE", false)])
    {
        let is_urgent: bool = client.query_one(sql, &[&event_type]).await.expect("answered").get(0);
        assert_eq!(is_urgent, expected, "{event_type}");
    }
    let critical = "select count(*) from event_type where severity = 'critical' and not vitals.is_urgent_event(event_type)";
    assert_eq!(client.query_one(critical, &[]).await.expect("counted").get::<_, i64>(0), 0);
}
