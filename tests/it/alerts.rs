//! What raises an alert, what does not, and how it ends: through uploads and SQL, the relay judging.

use jiff::{SignedDuration, Timestamp};
use redis::AsyncCommands;
use serde_json::{Value, json};

use crate::harness::{Database, Service, add_alert, eventually};

/// What watches send to a service. All times of a test count from one moment, so that a second more or less between two
/// uploads changes nothing.
struct Watches<'a> {
    service: &'a Service,
    now: Timestamp,
}

impl<'a> Watches<'a> {
    fn of(service: &'a Service) -> Self {
        Self { service, now: Timestamp::now() }
    }

    /// The moment `seconds` ago, as a watch in Asia/Shanghai writes it.
    fn ago(&self, seconds: i64) -> String {
        let at = self.now - SignedDuration::from_secs(seconds);
        at.in_tz("Asia/Shanghai").expect("a zone").strftime("%Y-%m-%d %H:%M:%S").to_string()
    }

    /// Uploads one sample with these fields and waits for the reaction.
    async fn sample(&self, device_sn: &str, seconds_ago: i64, fields: Value) {
        let mut item = json!({ "deviceSn": device_sn, "timestamp": self.ago(seconds_ago) });
        for (name, value) in fields.as_object().expect("fields") {
            item[name] = value.clone();
        }
        self.service.upload(&json!({ "data": item })).await;
        self.service.drained().await;
    }

    /// Uploads heart rates of a device, `spacing` seconds apart, the last one `last_seconds_ago`.
    async fn heart_rates(&self, device_sn: &str, last_seconds_ago: i64, spacing: i64, rates: &[i64]) {
        let count = i64::try_from(rates.len()).expect("few");
        let items: Vec<Value> = (1..)
            .zip(rates)
            .map(|(number, rate)| {
                let time = self.ago(last_seconds_ago + (count - number) * spacing);
                json!({ "deviceSn": device_sn, "heart_rate": rate, "timestamp": time })
            })
            .collect();
        self.service.upload(&json!({ "data": items })).await;
        self.service.drained().await;
    }

    async fn event(&self, device_sn: &str, event_type: &str, value: &str, seconds_ago: i64) {
        let time = self.ago(seconds_ago);
        let body =
            json!({ "eventType": event_type, "eventValue": value, "deviceSn": device_sn, "timestamp": time });
        assert_eq!(self.service.post("/upload_common_event", body.to_string()).await.status, 200);
        self.service.drained().await;
    }
}

/// Alerts of a device: rule, severity, status, breaches.
async fn alerts(database: &Database, device_sn: &str) -> Vec<String> {
    let rows = database
        .client()
        .await
        .query(
            "select concat_ws('|', r.name, a.severity, a.status, a.breach_count)
             from alert a join alert_rule r using (rule_id) where a.device_sn = $1 order by a.fired_ts, a.rule_id, a.alert_id",
            &[&device_sn],
        )
        .await
        .expect("alerts");
    rows.iter().map(|row| row.get(0)).collect()
}

/// What happened to the alerts of a device, in order.
async fn actions(database: &Database, device_sn: &str) -> Vec<String> {
    let rows = database
        .client()
        .await
        .query(
            "select concat_ws('|', c.action, c.actor, c.note) from alert_action c join alert a using (alert_id)
             where a.device_sn = $1 order by c.alert_action_id",
            &[&device_sn],
        )
        .await
        .expect("actions");
    rows.iter().map(|row| row.get(0)).collect()
}

async fn run(database: &Database, sql: &str) {
    database.client().await.batch_execute(sql).await.expect("runs");
}

#[tokio::test]
async fn a_bound_itself_is_normal_and_one_step_beyond_it_is_not() {
    let database = Database::new().await;
    let service = Service::start(&database).await;
    let watches = Watches::of(&service);
    let (minor, major) = ("Heart rate out of range|minor|firing|1", "Heart rate out of range|major|firing|1");
    let (low, very_low) = ("Oxygen saturation low|major|firing|1", "Oxygen saturation low|critical|firing|1");
    let warm = "Body temperature out of range|minor|firing|1";
    for (number, (field, value, expected)) in [
        ("heart_rate", json!(119), vec![]),
        ("heart_rate", json!(120), vec![]),
        ("heart_rate", json!(121), vec![minor]),
        ("heart_rate", json!(140), vec![minor]),
        ("heart_rate", json!(141), vec![major]),
        ("heart_rate", json!(51), vec![]),
        ("heart_rate", json!(50), vec![]),
        ("heart_rate", json!(49), vec![minor]),
        ("heart_rate", json!(40), vec![minor]),
        ("heart_rate", json!(39), vec![major]),
        ("blood_oxygen", json!(91), vec![]),
        ("blood_oxygen", json!(90), vec![]),
        ("blood_oxygen", json!(89), vec![low]),
        ("blood_oxygen", json!(85), vec![low]),
        ("blood_oxygen", json!(84), vec![very_low]),
        ("body_temperature", json!("37.4"), vec![]),
        ("body_temperature", json!("37.5"), vec![]),
        ("body_temperature", json!("37.6"), vec![warm]),
        ("body_temperature", json!("35.1"), vec![]),
        ("body_temperature", json!("35.0"), vec![]),
        ("body_temperature", json!("34.9"), vec![warm]),
    ]
    .into_iter()
    .enumerate()
    {
        let device_sn = format!("BOUND-{number}");
        watches.sample(&device_sn, 5, json!({ field: value })).await;
        assert_eq!(alerts(&database, &device_sn).await, expected, "{field} {value}");
    }
    service.finish().await;
}

#[tokio::test]
async fn what_was_not_measured_is_never_judged() {
    let database = Database::new().await;
    let service = Service::start(&database).await;
    let watches = Watches::of(&service);
    let nothing = json!({ "heart_rate": 0, "blood_oxygen": "0", "body_temperature": "0.0", "step": 0 });
    watches.sample("ZERO-1", 5, nothing).await;
    assert_eq!(alerts(&database, "ZERO-1").await, Vec::<String>::new());
    service.finish().await;
}

const THREE_IN_A_ROW: &str = "
    update alert_rule set enabled = false;
    insert into alert_rule (name, kind, severity, metric, max_value, consecutive, window_seconds, recovery_count, cooldown_seconds)
    values ('Three', 'threshold', 'major', 'heart_rate', 100, 3, 60, 2, 0)";

#[tokio::test]
async fn an_alert_takes_as_many_readings_in_a_row_as_its_rule_says_and_within_its_window() {
    let database = Database::new().await;
    let service = Service::start(&database).await;
    let watches = Watches::of(&service);
    run(&database, THREE_IN_A_ROW).await;
    watches.heart_rates("ROW-TWO", 5, 20, &[120, 120]).await;
    assert_eq!(alerts(&database, "ROW-TWO").await, Vec::<String>::new(), "one too few");
    watches.heart_rates("ROW-THREE", 5, 20, &[120, 120, 120]).await;
    assert_eq!(alerts(&database, "ROW-THREE").await, ["Three|major|firing|3"]);
    watches.heart_rates("ROW-BROKEN", 5, 20, &[120, 120, 100, 120, 120]).await;
    assert_eq!(
        alerts(&database, "ROW-BROKEN").await,
        Vec::<String>::new(),
        "the bound itself breaks the row"
    );
    watches.heart_rates("ROW-EDGE", 5, 30, &[120, 120, 120]).await;
    assert_eq!(alerts(&database, "ROW-EDGE").await, ["Three|major|firing|3"], "exactly the window");
    watches.heart_rates("ROW-GAP", 5, 31, &[120, 120, 120]).await;
    assert_eq!(alerts(&database, "ROW-GAP").await, Vec::<String>::new(), "longer than the window");
    service.finish().await;
}

#[tokio::test]
async fn readings_in_a_row_are_counted_across_uploads_with_what_was_not_measured_between_them() {
    let database = Database::new().await;
    let service = Service::start(&database).await;
    let watches = Watches::of(&service);
    run(&database, THREE_IN_A_ROW).await;
    for (seconds_ago, rate) in [(50, 120), (40, 0), (30, 121), (20, 0), (10, 130)] {
        watches.sample("ACROSS-1", seconds_ago, json!({ "heart_rate": rate })).await;
    }
    assert_eq!(alerts(&database, "ACROSS-1").await, ["Three|major|firing|3"]);
    service.finish().await;
}

#[tokio::test]
async fn more_breaches_update_the_open_alert_and_recovery_resolves_it() {
    let database = Database::new().await;
    let service = Service::start(&database).await;
    let watches = Watches::of(&service);
    watches.sample("CYCLE-1", 100, json!({ "blood_oxygen": 88 })).await;
    watches.sample("CYCLE-1", 80, json!({ "blood_oxygen": 86 })).await;
    watches.sample("CYCLE-1", 60, json!({ "blood_oxygen": 95 })).await;
    watches.sample("CYCLE-1", 50, json!({ "blood_oxygen": 96 })).await;
    assert_eq!(
        alerts(&database, "CYCLE-1").await,
        ["Oxygen saturation low|major|firing|2"],
        "not yet recovered"
    );
    watches.sample("CYCLE-1", 40, json!({ "blood_oxygen": 97 })).await;
    assert_eq!(alerts(&database, "CYCLE-1").await, ["Oxygen saturation low|major|resolved|2"]);
    let row = database
        .client()
        .await
        .query_one("select last_value::text, peak_value::text, message, resolution from alert where device_sn = 'CYCLE-1'", &[])
        .await
        .expect("one alert");
    assert_eq!(
        (row.get::<_, &str>(0), row.get::<_, &str>(1), row.get::<_, &str>(3)),
        ("86", "86", "recovered")
    );
    let message: &str = row.get(2);
    assert!(message.starts_with("CYCLE-1: oxygen saturation 88 % (below 90 %) at 20"), "{message}");
    // Within the cool-down it is the same alert.
    watches.sample("CYCLE-1", 20, json!({ "blood_oxygen": 87 })).await;
    assert_eq!(alerts(&database, "CYCLE-1").await, ["Oxygen saturation low|major|firing|3"]);
    assert_eq!(actions(&database, "CYCLE-1").await, ["fired", "resolved|recovered", "reopened"]);
    service.finish().await;
}

#[tokio::test]
async fn after_the_cool_down_a_breach_is_another_alert() {
    let database = Database::new().await;
    let service = Service::start(&database).await;
    let watches = Watches::of(&service);
    run(
        &database,
        "update alert_rule set cooldown_seconds = 30, recovery_count = 1 where metric = 'blood_oxygen'",
    )
    .await;
    for (seconds_ago, value) in [(200, 88), (190, 95), (160, 88), (150, 95), (119, 88)] {
        watches.sample("COOL-1", seconds_ago, json!({ "blood_oxygen": value })).await;
    }
    assert_eq!(
        alerts(&database, "COOL-1").await,
        ["Oxygen saturation low|major|resolved|2", "Oxygen saturation low|major|firing|1"],
        "thirty seconds after the end it is the same, after thirty-one another"
    );
    service.finish().await;
}

#[tokio::test]
async fn an_event_raises_the_alert_of_its_type_and_more_of_them_update_it() {
    let database = Database::new().await;
    let service = Service::start(&database).await;
    let watches = Watches::of(&service);
    watches.event("EVENT-1", "SOS_EVENT", "EVENT-1", 40).await;
    watches.event("EVENT-1", "SOS_EVENT", "EVENT-1", 20).await;
    watches.event("EVENT-1", "SOS_EVENT", "EVENT-1", 20).await;
    watches.event("EVENT-1", "com.tdtech.ohos.action.FALLDOWN_EVENT", "EVENT-1", 10).await;
    assert_eq!(alerts(&database, "EVENT-1").await, ["SOS|critical|firing|2", "Fall|critical|firing|1"]);
    service.finish().await;
}

#[tokio::test]
async fn a_watch_that_is_taken_off_alerts_until_it_is_put_on() {
    let database = Database::new().await;
    let service = Service::start(&database).await;
    let watches = Watches::of(&service);
    watches.event("WEAR-1", "WEAR_STATUS_CHANGED", "1", 60).await;
    assert_eq!(alerts(&database, "WEAR-1").await, Vec::<String>::new());
    watches.event("WEAR-1", "WEAR_STATUS_CHANGED", "0", 50).await;
    assert_eq!(alerts(&database, "WEAR-1").await, ["Watch taken off|major|firing|1"]);
    watches.event("WEAR-1", "WEAR_STATUS_CHANGED", "1", 40).await;
    assert_eq!(alerts(&database, "WEAR-1").await, ["Watch taken off|major|resolved|1"]);
    service.finish().await;
}

#[tokio::test]
async fn the_sample_of_an_event_is_judged_like_any_other() {
    let database = Database::new().await;
    let service = Service::start(&database).await;
    let watches = Watches::of(&service);
    let time = watches.ago(5);
    let body = json!({
        "eventType": "SOS_EVENT", "eventValue": "x", "deviceSn": "EMBED-1", "timestamp": time,
        "healthData": { "data": { "deviceSn": "EMBED-1", "heart_rate": 155, "timestamp": time } },
    });
    assert_eq!(service.post("/upload_common_event", body.to_string()).await.status, 200);
    service.drained().await;
    assert_eq!(
        alerts(&database, "EMBED-1").await,
        ["Heart rate out of range|major|firing|1", "SOS|critical|firing|1"]
    );
    service.finish().await;
}

#[tokio::test]
async fn a_rule_of_a_tenant_judges_its_own_and_takes_the_place_of_the_general_one() {
    let database = Database::new().await;
    let service = Service::start(&database).await;
    let watches = Watches::of(&service);
    run(
        &database,
        "insert into alert_rule (name, kind, severity, metric, max_value, customer_id, replaces_rule_id)
         values ('Ours', 'threshold', 'info', 'heart_rate', 110, 77, 1)",
    )
    .await;
    watches.sample("TENANT-77", 5, json!({ "heart_rate": 125, "customerId": "77" })).await;
    watches.sample("TENANT-78", 5, json!({ "heart_rate": 125, "customerId": "78" })).await;
    watches.sample("TENANT-NONE", 5, json!({ "heart_rate": 115 })).await;
    assert_eq!(alerts(&database, "TENANT-77").await, ["Ours|info|firing|1"]);
    assert_eq!(alerts(&database, "TENANT-78").await, ["Heart rate out of range|minor|firing|1"]);
    assert_eq!(alerts(&database, "TENANT-NONE").await, Vec::<String>::new());
    service.finish().await;
}

#[tokio::test]
async fn data_that_come_late_are_judged_and_marked_historical_until_a_live_breach_joins() {
    let database = Database::new().await;
    let service = Service::start(&database).await;
    let watches = Watches::of(&service);
    let historical = || async {
        let client = database.client().await;
        let rows = client
            .query("select historical from alert where device_sn = 'LATE-1'", &[])
            .await
            .expect("alerts");
        rows.iter().map(|row| row.get(0)).collect::<Vec<bool>>()
    };
    watches.sample("LATE-1", 3_600, json!({ "blood_oxygen": 88 })).await;
    assert_eq!(historical().await, [true]);
    watches.sample("LATE-1", 5, json!({ "blood_oxygen": 88 })).await;
    assert_eq!(historical().await, [false]);
    assert_eq!(alerts(&database, "LATE-1").await, ["Oxygen saturation low|major|firing|2"]);
    service.finish().await;
}

#[tokio::test]
async fn an_alert_that_late_readings_do_not_bear_out_is_kept_and_marked_retracted() {
    let database = Database::new().await;
    let service = Service::start(&database).await;
    let watches = Watches::of(&service);
    run(&database, THREE_IN_A_ROW).await;
    watches.heart_rates("RETRACT-1", 10, 20, &[120, 120, 120]).await;
    assert_eq!(alerts(&database, "RETRACT-1").await, ["Three|major|firing|3"]);
    watches.sample("RETRACT-1", 40, json!({ "heart_rate": 80 })).await;
    let client = database.client().await;
    let row = client
        .query_one("select resolution from alert where device_sn = 'RETRACT-1'", &[])
        .await
        .expect("one");
    assert_eq!(row.get::<_, &str>(0), "retracted");
    service.finish().await;
}

#[tokio::test]
async fn after_a_person_resolved_it_breaches_are_not_judged_while_the_cool_down_lasts() {
    let database = Database::new().await;
    let service = Service::start(&database).await;
    let watches = Watches::of(&service);
    watches.sample("MUTE-1", 40, json!({ "blood_oxygen": 88 })).await;
    run(
        &database,
        "select vitals.resolve_alert(alert_id, 'nurse', 'loose strap') from alert where device_sn = 'MUTE-1'",
    )
    .await;
    watches.sample("MUTE-1", 30, json!({ "blood_oxygen": 87 })).await;
    watches.sample("MUTE-1", 1, json!({ "blood_oxygen": 87 })).await;
    assert_eq!(alerts(&database, "MUTE-1").await, ["Oxygen saturation low|major|resolved|1"]);
    // The cool-down is over when its time has passed: as if it had been resolved earlier.
    run(&database, "update alert set muted_until = now() - interval '10 seconds' where device_sn = 'MUTE-1'")
        .await;
    watches.sample("MUTE-1", 0, json!({ "blood_oxygen": 86 })).await;
    assert_eq!(
        alerts(&database, "MUTE-1").await,
        ["Oxygen saturation low|major|resolved|1", "Oxygen saturation low|major|firing|1"]
    );
    service.finish().await;
}

#[tokio::test]
async fn a_changed_rule_holds_from_the_next_batch_on_in_every_instance() {
    let database = Database::new().await;
    let (one, two) = (Service::start(&database).await, Service::start(&database).await);
    run(&database, "update alert_rule set max_value = 110 where rule_id = 1").await;
    Watches::of(&one).sample("CHANGED-1", 5, json!({ "heart_rate": 115 })).await;
    Watches::of(&two).sample("CHANGED-2", 5, json!({ "heart_rate": 115 })).await;
    for device_sn in ["CHANGED-1", "CHANGED-2"] {
        assert_eq!(alerts(&database, device_sn).await, ["Heart rate out of range|minor|firing|1"]);
    }
    let client = database.client().await;
    let row = client
        .query_one(
            "select max(a.rule_version), (select count(*) from alert_rule_version where rule_id = 1) from alert a",
            &[],
        )
        .await
        .expect("a row");
    assert_eq!((row.get::<_, i32>(0), row.get::<_, i64>(1)), (2, 2));
    one.finish().await;
    two.finish().await;
}

#[tokio::test]
async fn a_rule_that_is_switched_off_leaves_no_alert_open() {
    let database = Database::new().await;
    let service = Service::start(&database).await;
    let watches = Watches::of(&service);
    watches.sample("OFF-1", 20, json!({ "heart_rate": 125 })).await;
    run(&database, "update alert_rule set enabled = false where rule_id = 1").await;
    eventually("the sweep resolves it", || async {
        (alerts(&database, "OFF-1").await == ["Heart rate out of range|minor|resolved|1"]).then_some(())
    })
    .await;
    watches.sample("OFF-1", 10, json!({ "heart_rate": 126 })).await;
    assert_eq!(alerts(&database, "OFF-1").await, ["Heart rate out of range|minor|resolved|1"]);
    service.finish().await;
}

#[tokio::test]
async fn conditions_are_joined_by_all_or_any_and_must_last() {
    let database = Database::new().await;
    let service = Service::start(&database).await;
    let watches = Watches::of(&service);
    run(
        &database,
        r#"update alert_rule set enabled = false;
           insert into alert_rule (name, kind, severity, combine, conditions, recovery_count, window_seconds) values
               ('Both', 'composite', 'critical', 'all',
                '[{"metric": "heart_rate", "max": 100, "duration_seconds": 60}, {"metric": "temperature", "max": 37.5}]', 1, 120),
               ('Either', 'composite', 'major', 'any',
                '[{"metric": "heart_rate", "max": 150}, {"metric": "blood_oxygen", "min": 88}]', 1, 120)"#,
    )
    .await;
    watches.sample("BOTH-1", 100, json!({ "heart_rate": 110 })).await;
    watches.sample("BOTH-1", 70, json!({ "heart_rate": 112, "body_temperature": "38.0" })).await;
    assert_eq!(alerts(&database, "BOTH-1").await, Vec::<String>::new(), "it has not lasted");
    watches.sample("BOTH-1", 40, json!({ "heart_rate": 111 })).await;
    assert_eq!(
        alerts(&database, "BOTH-1").await,
        ["Both|critical|firing|1"],
        "the temperature is of a moment ago"
    );
    watches.sample("BOTH-1", 20, json!({ "body_temperature": "36.5" })).await;
    assert_eq!(alerts(&database, "BOTH-1").await, ["Both|critical|resolved|1"]);
    watches.sample("BOTH-2", 20, json!({ "heart_rate": 111 })).await;
    assert_eq!(alerts(&database, "BOTH-2").await, Vec::<String>::new(), "one of two");
    watches.sample("EITHER-1", 20, json!({ "blood_oxygen": 87, "heart_rate": 90 })).await;
    assert_eq!(alerts(&database, "EITHER-1").await, ["Either|major|firing|1"]);
    service.finish().await;
}

#[tokio::test]
async fn breaches_outside_the_effective_hours_and_days_do_not_count() {
    let database = Database::new().await;
    let client = database.client().await;
    // 2026-01-05 is a Monday; 22:00 to 06:00 in Shanghai is 14:00 to 22:00 UTC.
    for (at, expected) in [
        ("2026-01-05 14:00Z", true),
        ("2026-01-05 13:59Z", false),
        ("2026-01-05 21:59Z", true),
        ("2026-01-05 22:00Z", false),
        ("2026-01-04 20:00Z", false),
        ("2026-01-06 15:00Z", false),
    ] {
        let row = client
            .query_one(
                "select vitals.in_effect($1::text::timestamptz, '22:00', '06:00', '{1}', 'Asia/Shanghai')",
                &[&at],
            )
            .await
            .expect("an answer");
        assert_eq!(row.get::<_, bool>(0), expected, "{at}");
    }
    let service = Service::start(&database).await;
    let watches = Watches::of(&service);
    run(
        &database,
        "update alert_rule set
             effective_from = (now() at time zone 'Asia/Shanghai' + interval '1 hour')::time,
             effective_until = (now() at time zone 'Asia/Shanghai' + interval '2 hours')::time
         where rule_id = 1;
         update alert_rule set
             effective_from = (now() at time zone 'Asia/Shanghai' - interval '1 hour')::time,
             effective_until = (now() at time zone 'Asia/Shanghai' + interval '1 hour')::time
         where rule_id = 3",
    )
    .await;
    watches.sample("HOURS-1", 5, json!({ "heart_rate": 150, "blood_oxygen": 88 })).await;
    assert_eq!(alerts(&database, "HOURS-1").await, ["Oxygen saturation low|major|firing|1"]);
    service.finish().await;
}

#[tokio::test]
async fn a_device_that_falls_silent_alerts_and_being_heard_again_resolves_it() {
    let database = Database::new().await;
    let service = Service::start_with(&database, |settings| settings.alert_sweep_interval_ms = 50).await;
    let watches = Watches::of(&service);
    run(
        &database,
        "insert into alert_rule (name, kind, severity, silent_seconds, message)
         values ('Silent', 'silence', 'major', 600, '{device_sn} silent for {value} since {time}')",
    )
    .await;
    watches.sample("SILENT-1", 700, json!({ "heart_rate": 80 })).await;
    watches.sample("SILENT-2", 500, json!({ "heart_rate": 80 })).await;
    watches.sample("SILENT-3", 8 * 86_400, json!({ "heart_rate": 80 })).await;
    eventually("the silence is noticed", || async {
        (alerts(&database, "SILENT-1").await == ["Silent|major|firing|1"]).then_some(())
    })
    .await;
    watches.sample("SILENT-1", 1, json!({ "heart_rate": 80 })).await;
    eventually("it is heard again", || async {
        (alerts(&database, "SILENT-1").await == ["Silent|major|resolved|1"]).then_some(())
    })
    .await;
    assert_eq!(alerts(&database, "SILENT-2").await, Vec::<String>::new(), "not long enough");
    assert_eq!(alerts(&database, "SILENT-3").await, Vec::<String>::new(), "not of this week");
    service.finish().await;
}

#[tokio::test]
async fn an_alert_of_which_nothing_more_is_heard_expires_where_its_rule_says_so() {
    let database = Database::new().await;
    let service = Service::start_with(&database, |settings| settings.alert_sweep_interval_ms = 50).await;
    let watches = Watches::of(&service);
    run(&database, "update alert_rule set expire_seconds = 30 where rule_id = 1").await;
    watches.sample("EXPIRE-1", 40, json!({ "heart_rate": 125 })).await;
    watches.sample("EXPIRE-2", 1, json!({ "heart_rate": 150 })).await;
    eventually("it expires", || async {
        (alerts(&database, "EXPIRE-1").await == ["Heart rate out of range|minor|resolved|1"]).then_some(())
    })
    .await;
    assert!(alerts(&database, "EXPIRE-2").await.iter().all(|alert| alert.contains("firing")));
    service.finish().await;
}

#[tokio::test]
async fn rows_that_psql_writes_are_judged_too() {
    let database = Database::new().await;
    let service = Service::start(&database).await;
    run(
        &database,
        "insert into health_data (device_sn, ts, heart_rate)
         select 'PSQL-' || n, now() - interval '1 minute', 60 + n * 30 from generate_series(1, 3) n",
    )
    .await;
    service.drained().await;
    assert_eq!(alerts(&database, "PSQL-1").await, Vec::<String>::new());
    assert_eq!(alerts(&database, "PSQL-2").await, Vec::<String>::new(), "120 is the bound");
    assert_eq!(alerts(&database, "PSQL-3").await, ["Heart rate out of range|major|firing|1"]);
    service.finish().await;
}

#[tokio::test]
async fn what_is_no_number_breaches_nothing_and_holds_up_no_other_alert() {
    let database = Database::new().await;
    let service = Service::start(&database).await;
    run(
        &database,
        "insert into health_data (device_sn, ts, temperature, blood_glucose)
         values ('NAN', now() - interval '1 min', 'NaN', 'Infinity'), ('NAN', now(), 41, 5); notify vitals_outbox",
    )
    .await;
    eventually("the number is evaluated, and its alert is published", || async {
        let mut redis = database.redis().await;
        let open: Vec<String> = redis.hvals("alert_info:NAN").await.expect("a hash");
        (!open.is_empty()).then_some(())
    })
    .await;
    service.drained().await;
    let odd = "select count(*) from alert where not (last_value < 'Infinity') or breach_count <> 1";
    let odd: i64 = database.client().await.query_one(odd, &[]).await.expect("a count").get(0);
    assert_eq!(odd, 0);
    service.finish().await;
}

#[tokio::test]
async fn a_repeat_that_fills_in_what_was_missing_is_judged() {
    let database = Database::new().await;
    let service = Service::start(&database).await;
    let watches = Watches::of(&service);
    let time = watches.ago(10);
    service.upload(&json!({ "data": { "deviceSn": "FILL-1", "timestamp": time, "step": 5 } })).await;
    service.upload(&json!({ "data": { "deviceSn": "FILL-1", "timestamp": time, "heart_rate": 130 } })).await;
    service.drained().await;
    assert_eq!(alerts(&database, "FILL-1").await, ["Heart rate out of range|minor|firing|1"]);
    service.finish().await;
}

#[tokio::test]
async fn a_rule_that_came_with_the_program_names_the_wearer_and_the_unit_where_they_are_known() {
    let database = Database::new().await;
    run(
        &database,
        "insert into org_unit (org_id, name, ancestors) values (300, 'Ward 3', '{}'), (301, null, '{}');
         insert into app_user (user_id, org_id, name) values (42, 300, 'Mr Li'), (43, 301, null), (44, 300, ' ');
         select bind_device('WORN', 42); select bind_device('NAMELESS', 43); select bind_device('UNIT', 44)",
    )
    .await;
    let service = Service::start(&database).await;
    for device in ["WORN", "NAMELESS", "UNIT", "UNBOUND"] {
        let event = json!({ "eventType": "SOS_EVENT", "eventValue": device, "deviceSn": device });
        assert_eq!(service.post("/upload_common_event", event.to_string()).await.status, 200);
    }
    service.drained().await;
    let client = database.client().await;
    for (device, wearer) in [
        ("WORN", "Mr Li, Ward 3 (WORN): SOS at "),
        ("NAMELESS", "NAMELESS: SOS at "),
        ("UNIT", "Ward 3 (UNIT): SOS at "),
        ("UNBOUND", "UNBOUND: SOS at "),
    ] {
        let message = "select message from alert where device_sn = $1";
        let message: String = client.query_one(message, &[&device]).await.expect("an alert").get(0);
        assert!(message.starts_with(wearer), "{message}");
    }
    service.finish().await;
}

#[tokio::test]
async fn a_migration_names_the_wearer_only_in_rules_whose_text_nobody_changed() {
    let database = Database::new().await;
    let client = database.client().await;
    let rules = async || {
        let rules = "select r.rule_id, r.message, r.version, r.changed_by, v.rule ->> 'message'
                     from alert_rule r join alert_rule_version v using (rule_id, version) order by r.rule_id";
        let rules = client.query(rules, &[]).await.expect("rules, each with its version");
        let rule = |row: &tokio_postgres::Row| {
            let (message, kept): (String, String) = (row.get(1), row.get(4));
            assert_eq!(message, kept, "every version is kept");
            (row.get::<_, i64>(0), message, row.get::<_, i32>(2), row.get::<_, String>(3))
        };
        rules.iter().map(rule).collect::<Vec<_>>()
    };
    let fresh = rules().await;
    assert!(fresh.len() >= 19, "{fresh:?}");
    for (_, message, version, _) in &fresh {
        assert!(message.starts_with("{wearer}: ") && *version == 1, "{message} {version}");
    }
    client
        .batch_execute(
            "alter table alert_rule disable trigger user;
             update alert_rule
             set message = regexp_replace(replace(message, '{wearer}', '{device_sn}'), '[(][{]value[}][^)]*[)]', '({value})');
             update alert_rule_version v set rule = to_jsonb(r) from alert_rule r where r.rule_id = v.rule_id;
             alter table alert_rule enable trigger user;
             update alert_rule set message = '{device_sn}: too fast' where rule_id = 1;
             update alert_rule set max_value = 38 where rule_id = 5",
        )
        .await
        .expect("as before");
    add_alert(&client, 1, "USED", 5, &json!({})).await;
    client
        .batch_execute(include_str!("../../migrations/V34__alert_rule_wearer.sql"))
        .await
        .expect("migrates");
    for (id, message, version, by) in rules().await {
        match id {
            1 => assert_eq!((message.as_str(), version), ("{device_sn}: too fast", 2)),
            5 => assert!(
                message.starts_with("{wearer}: body temperature") && version == 3,
                "{message} {version}"
            ),
            _ => assert!(message.starts_with("{wearer}: ") && version == 2, "{message} {version}"),
        }
        assert!(id == 1 || by == "vitals migrate", "{id} {by}");
    }
    // The check is in force again.
    client
        .batch_execute("update alert_rule set message = '{nobody}' where rule_id = 1")
        .await
        .expect_err("refused");
}
