//! What is erased by SQL while uploads of it wait in the buffer does not come back when they are drained.

use serde_json::{Value, json};

use super::{Buffered, now, sample};
use crate::harness::Process;

const WEARER: i64 = 1_939_964_806_110_937_092;
const NEXT_WEARER: i64 = 1_939_964_806_110_937_093;

fn samples(data: Value) -> (&'static str, Value) {
    ("/upload_health_data", json!({ "data": data }))
}

fn event(device: &str, timestamp: i64) -> (&'static str, Value) {
    (
        "/upload_common_event",
        json!({ "eventType": "a.b.SOS_EVENT", "deviceSn": device, "timestamp": timestamp }),
    )
}

impl Buffered {
    /// Runs statements on the database.
    async fn sql(&self, statements: &str) {
        self.database.client().await.batch_execute(statements).await.expect("run");
    }

    /// Drains with a service of its own process; gives what it counts as erased.
    async fn drained_by_a_process(&self) -> String {
        let variables = self.variables();
        let variables: Vec<(&str, &str)> =
            variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let process = Process::serve(&self.database, &variables).await;
        self.drained().await;
        let metrics = reqwest::get(format!("{}/metrics", process.url)).await.expect("an answer");
        let metrics = metrics.text().await.expect("text");
        let counted = metrics.lines().find_map(|line| {
            line.strip_prefix("vitals_buffer_drained_records_total{outcome=\"erased\"} ").map(str::to_owned)
        });
        process.signal("TERM");
        assert!(process.ended().await.success());
        counted.unwrap_or_else(|| panic!("{metrics}"))
    }

    /// Rows of a device, anywhere.
    async fn rows_of(&self, device: &str) -> [i64; 4] {
        let mut rows = [0; 4];
        for (rows, table) in
            rows.iter_mut().zip(["health_data", "device_event", "device_info", "rejected_upload"])
        {
            *rows = self
                .count(&format!("select count(*) from {table} as t where t::text like '%{device}%'"))
                .await;
        }
        rows
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn uploads_that_waited_when_their_device_was_erased_by_sql_are_not_stored_and_are_counted() {
    let Some(buffered) = Buffered::new().await else { return };
    let now = now();
    let uploads = [
        samples(json!([sample("ERASED", 70, now), sample("KEPT", 71, now)])),
        samples(json!([sample("ERASED", 72, now - 60), { "deviceSn": "ERASED", "heart_rate": 1e9 }])),
        ("/upload_device_info", json!({ "SerialNumber": "ERASED", "voltage": 81, "timestamp": now })),
        event("ERASED", now),
        event("KEPT", now),
    ];
    buffered.with_uploads(uploads.into_iter()).await;
    buffered
        .sql("insert into device (device_sn) values ('ERASED'), ('KEPT'); select erase_device('ERASED')")
        .await;
    assert_eq!(
        buffered.drained_by_a_process().await,
        "5",
        "three readings and rejects, an event, device information"
    );
    assert_eq!(buffered.rows_of("ERASED").await, [0; 4]);
    assert_eq!(buffered.rows_of("KEPT").await, [1, 1, 0, 0]);

    buffered.with_uploads([samples(json!([sample("ERASED", 73, now)]))].into_iter()).await;
    assert_eq!(buffered.drained_by_a_process().await, "0", "it came after the erasure");
    assert_eq!(buffered.rows_of("ERASED").await, [1, 0, 0, 0]);
    let finished = buffered.run(&["erase", "finish"]).await;
    assert_eq!((finished.code, finished.out.as_str()), (0, "1 erasures finished in Redis\n"), "{finished:?}");
    assert_eq!(
        buffered.count("select count(*) from vitals.erased_span").await,
        0,
        "nothing of before is left"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_person_who_was_erased_by_sql_only_what_waited_of_that_person_is_not_stored() {
    let Some(buffered) = Buffered::new().await else { return };
    let (now, hour) = (now(), 3_600);
    buffered
        .sql(&format!(
            "insert into org_unit (org_id, ancestors) values (7, '{{}}');
             insert into app_user (user_id, org_id, name) values ({WEARER}, 7, 'Wang'), ({NEXT_WEARER}, 7, 'Li');
             select bind_device('WORN', {WEARER}, now() - interval '15 days');
             select bind_device('WORN', {NEXT_WEARER}, now() - interval '2 hours')"
        ))
        .await;
    let named =
        json!({ "deviceSn": "LENT", "heart_rate": 74, "timestamp": now, "userId": WEARER.to_string() });
    let uploads = [
        samples(json!([sample("WORN", 70, now - 5 * hour), sample("WORN", 71, now), named])),
        event("WORN", now - 5 * hour),
        event("WORN", now),
    ];
    buffered.with_uploads(uploads.into_iter()).await;
    buffered.sql(&format!("select erase_user({WEARER})")).await;
    assert_eq!(buffered.drained_by_a_process().await, "3");
    assert_eq!(buffered.rows_of("WORN").await, [1, 1, 0, 0]);
    assert_eq!(buffered.rows_of("LENT").await, [0; 4]);
    let of_the_next =
        format!("select count(*) from health_data where heart_rate = 71 and user_id = {NEXT_WEARER}");
    assert_eq!(buffered.count(&of_the_next).await, 1);
}
