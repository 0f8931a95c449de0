//! Alerts wait for nothing but a device of their own: not for an import, not for a backlog, not for a transaction that somebody left open.

use jiff::Timestamp;
use serde_json::json;
use tokio_postgres::Client;

use crate::harness::{Database, Process, Service, eventually};

async fn count(client: &Client, query: &str) -> i64 {
    client.query_one(query, &[]).await.expect("a count").get(0)
}

/// A wearer of this device presses the button, now.
async fn press_sos(service: &Service, device_sn: &str) {
    let body = json!({
        "eventType": "com.tdtech.ohos.action.SOS_EVENT", "eventValue": "1", "deviceSn": device_sn, "timestamp": Timestamp::now().to_string()
    });
    assert_eq!(service.post("/upload_common_event", body.to_string()).await.status, 200);
}

async fn has_alert(client: &Client, device_sn: &str) -> Option<()> {
    let alerts = format!("select count(*) from alert where device_sn = '{device_sn}'");
    (count(client, &alerts).await > 0).then_some(())
}

async fn sos_alert_of(client: &Client, device_sn: &str) {
    eventually(&format!("an alert of {device_sn}"), || has_alert(client, device_sn)).await;
}

#[tokio::test]
async fn an_sos_waits_for_no_import_whose_alerts_are_being_evaluated() {
    const DEVICES: i64 = 400;
    let database = Database::new().await;
    let service = Service::start(&database).await;
    let client = database.client().await;
    // Breaches of yesterday, by hand, of which each costs an evaluation of the rows around it.
    let import = format!(
        "insert into health_data (device_sn, ts, heart_rate)
         select 'IMPORT-' || d, now() - interval '1 day' + n * interval '1 minute', 180
         from generate_series(1, {DEVICES}) d, generate_series(1, 4) n;
         notify vitals_outbox"
    );
    client.batch_execute(&import).await.expect("imported");
    let left = "select count(*) from vitals.outbox_device";
    eventually("the first slices are evaluated", || async {
        let left = count(&client, left).await;
        (0 < left && left < DEVICES).then_some(())
    })
    .await;
    press_sos(&service, "ALONE").await;
    sos_alert_of(&client, "ALONE").await;
    assert!(count(&client, left).await > 0, "the import was still being evaluated");
    service.drained().await;
    let alerts = "select count(distinct device_sn) from alert where device_sn like 'IMPORT-%'";
    assert_eq!(count(&client, alerts).await, DEVICES);
    service.finish().await;
}

#[tokio::test]
async fn an_sos_waits_for_no_backlog() {
    const BATCHES: i64 = 800;
    let database = Database::new().await;
    let client = database.client().await;
    // What services committed while no relay ran: batches with a breach, and an SOS, the last of all.
    let backlog = format!(
        "do $$ begin
             for n in 1..{BATCHES} loop
                 insert into outbox (batch_id, first_ts, last_ts, rows) values (n, now(), now() + interval '1 min', 1);
                 insert into health_data (batch_id, device_sn, ts, heart_rate)
                 values (n, 'BACKLOG-' || n % 100, now() + n * interval '1 ms', 180);
             end loop;
         end $$"
    );
    client.batch_execute(&backlog).await.expect("a backlog");
    let sos = "begin;
               insert into outbox (first_ts, last_ts, rows, events, urgent) values (now(), now(), 0, 1, true);
               insert into device_event (device_sn, ts, event_type) values ('WAITING', now(), 'SOS_EVENT');
               commit";
    client.batch_execute(sos).await.expect("an SOS");
    let service = Service::start_with(&database, |settings| settings.claim_batches = 8).await;
    sos_alert_of(&client, "WAITING").await;
    let left = count(&client, "select count(*) from outbox").await;
    assert!(left > BATCHES / 2, "{left} of {BATCHES} waited when the alert was there");
    service.drained().await;
    service.finish().await;
}

#[tokio::test]
async fn an_sos_waits_for_no_evaluation_of_readings_of_its_own_device() {
    let database = Database::new().await;
    let service = Service::start(&database).await;
    let client = database.client().await;
    // As a transaction does that evaluates many readings, and takes long.
    let evaluation = database.client().await;
    let locks = "begin; select vitals.lock_alerts(array['BUSY'], -1)";
    evaluation.batch_execute(locks).await.expect("the locks of every partition");
    press_sos(&service, "BUSY").await;
    sos_alert_of(&client, "BUSY").await;
    let reading = json!({ "deviceSn": "BUSY", "heart_rate": 180, "timestamp": Timestamp::now().to_string() });
    service.upload(&json!({ "data": reading })).await;
    evaluation.batch_execute("commit").await.expect("released");
    service.drained().await;
    let alerts = "select count(*) from alert where device_sn = 'BUSY' and kind = 'threshold'";
    assert!(count(&client, alerts).await > 0, "the reading is evaluated afterwards");
    service.finish().await;
}

#[tokio::test]
async fn an_evaluation_locks_the_partitions_of_its_devices_and_no_others() {
    let database = Database::new().await;
    let client = database.client().await;
    let partition_of_busy = count(&client, "select vitals.alert_partition('BUSY')::bigint").await;
    let others = [0, 5, 63, partition_of_busy];
    let bits = others.iter().fold(0_u64, |bits, partition| bits | 1 << partition).cast_signed();
    let evaluation = format!("begin; select vitals.lock_alerts(array['BUSY', 'BUSY'], {bits})");
    client.batch_execute(&evaluation).await.expect("locked");
    let held = "select objid::bigint, mode = 'ExclusiveLock' from pg_locks
                where locktype = 'advisory' and classid::bigint = vitals.alert_lock() and pid = pg_backend_pid() order by objid::bigint";
    let held = client.query(held, &[]).await.expect("the locks");
    let held: Vec<(i64, bool)> = held.iter().map(|row| (row.get(0), row.get(1))).collect();
    let mut expected = others.map(|partition| (partition, partition == partition_of_busy));
    expected.sort_unstable();
    assert_eq!(held, expected);
    client.batch_execute("commit").await.expect("released");
}

#[tokio::test]
async fn a_rule_that_somebody_is_changing_is_evaluated_by_its_committed_text() {
    let database = Database::new().await;
    let service = Service::start(&database).await;
    let client = database.client().await;
    let sample = async |heart_rate: i64| {
        let item = json!({ "deviceSn": "OPEN", "heart_rate": heart_rate, "timestamp": Timestamp::now().to_string() });
        service.upload(&json!({ "data": item })).await;
    };
    let becomes = async |expected: &str| {
        eventually(&format!("the alert becomes {expected}"), || async {
            let query = "select string_agg(status || ' ' || breach_count, ',') from alert where device_sn = 'OPEN' and rule_id = 1";
            let found: Option<String> = client.query_one(query, &[]).await.expect("alerts").get(0);
            (found.as_deref() == Some(expected)).then_some(())
        })
        .await;
    };
    sample(125).await;
    becomes("firing 1").await;
    let editor = database.client().await;
    let disable = "begin; update alert_rule set enabled = false";
    editor.batch_execute(disable).await.expect("rules are being changed");
    sample(126).await;
    becomes("firing 2").await;
    press_sos(&service, "OTHER").await;
    sos_alert_of(&client, "OTHER").await;
    editor.batch_execute("commit").await.expect("rules are changed");
    becomes("resolved 2").await;
    let by =
        "select resolved_by is not null and resolution = 'rule_disabled' from alert where device_sn = 'OPEN'";
    assert!(client.query_one(by, &[]).await.expect("an alert").get::<_, bool>(0));
    service.finish().await;
}

#[tokio::test]
async fn devices_of_different_partitions_are_evaluated_at_the_same_time() {
    let database = Database::new().await;
    let service = Service::start(&database).await;
    let client = database.client().await;
    // Somebody evaluates devices of the partition of HELD, and does not come to an end.
    let other = database.client().await;
    let hold = "begin; select pg_advisory_xact_lock(vitals.alert_lock(), vitals.alert_partition('HELD'))";
    other.batch_execute(hold).await.expect("a lock");
    let free = "select 'FREE-' || n from generate_series(1, 100) n
                where vitals.alert_partition('FREE-' || n) <> vitals.alert_partition('HELD') limit 1";
    let free: String = client.query_one(free, &[]).await.expect("a device").get(0);
    let now = Timestamp::now().to_string();
    let items = ["HELD", &free]
        .map(|device_sn| json!({ "deviceSn": device_sn, "heart_rate": 180, "timestamp": now }));
    for item in items {
        service.upload(&json!({ "data": item })).await;
    }
    sos_alert_of(&client, &free).await;
    assert!(has_alert(&client, "HELD").await.is_none());
    other.batch_execute("commit").await.expect("it ends");
    sos_alert_of(&client, "HELD").await;
    service.finish().await;
}

#[tokio::test]
async fn a_lock_or_a_time_out_is_no_failure_of_a_batch() {
    let database = Database::new().await;
    let service = Service::start_with(&database, |settings| settings.poll_interval_ms = 100).await;
    let client = database.client().await;
    let obstacle = database.client().await;
    obstacle.batch_execute("begin; lock table alert in access exclusive mode").await.expect("locked");
    let now = Timestamp::now().to_string();
    let item = json!({ "deviceSn": "LOCKED", "heart_rate": 180, "timestamp": now });
    service.upload(&json!({ "data": item })).await;
    eventually("its reaction was begun several times", || async {
        (count(&client, "select coalesce(max(attempts), 0)::bigint from outbox").await >= 4).then_some(())
    })
    .await;
    let parked = "select count(*) from outbox where leased_until > now() + interval '15 s'";
    assert_eq!(count(&client, parked).await, 0, "it is not taken for the cause");
    obstacle.batch_execute("commit").await.expect("unlocked");
    sos_alert_of(&client, "LOCKED").await;
    service.finish().await;
}

#[tokio::test]
async fn a_statement_ends_when_its_client_is_gone() {
    let database = Database::new().await;
    let client = database.client().await;
    client
        .batch_execute(
            "create function public.linger() returns trigger language plpgsql as $$ begin
                 perform pg_sleep(60);
                 return new;
             end $$;
             create trigger linger before insert on alert for each row execute function public.linger()",
        )
        .await
        .expect("a trigger");
    let doomed = Process::serve(&database, &[("VITALS_INSTANCE", "doomed")]).await;
    let breach = "insert into health_data (device_sn, ts, heart_rate) values ('GONE', now(), 180); notify vitals_outbox";
    client.batch_execute(breach).await.expect("written");
    let busy = "select count(*) from pg_stat_activity where wait_event = 'PgSleep'
                and application_name = 'vitals doomed' and datname = current_database()";
    eventually("its alert is being written", || async { (count(&client, busy).await > 0).then_some(()) })
        .await;
    doomed.signal("KILL");
    doomed.ended().await;
    eventually("the server gives up", || async { (count(&client, busy).await == 0).then_some(()) }).await;
}
