//! Faults at one certain moment, which rounds of random ones may take long to hit.

use jiff::Timestamp;
use redis::AsyncCommands;
use serde_json::{Value, json};
use tokio_postgres::Client;

use super::crew::Clock;
use crate::harness::{
    Database, DisposableServers, Process, Proxy, Receiver, Reply, Service, eventually, notify_of_all,
};

fn reading(device: &str, second: i64) -> Value {
    json!({ "data": { "deviceSn": device, "heart_rate": 70, "timestamp": second } })
}

async fn count(client: &Client, sql: &str) -> i64 {
    client.query_one(sql, &[]).await.expect("a count").get(0)
}

/// Every statement that adds to `table` waits until the lock 4711 is free.
async fn delay_inserts(client: &Client, table: &str) {
    client
        .batch_execute(&format!(
            "create function public.tests_wait() returns trigger language plpgsql as $$
             begin perform pg_advisory_xact_lock_shared(4711); return new; end $$;
             create trigger tests_wait before insert on {table} for each row execute function public.tests_wait()"
        ))
        .await
        .expect("a trigger");
}

/// Waits until somebody waits for the lock 4711, and gives the number of its transaction.
async fn wait_for_delayed_insert(client: &Client) -> i64 {
    let waits = "select a.backend_xid::text::int8 from pg_locks l join pg_stat_activity a using (pid)
                 where l.locktype = 'advisory' and l.objid = 4711 and not l.granted and a.datname = current_database()";
    eventually("a statement waits", || async {
        client.query_opt(waits, &[]).await.expect("locks").map(|row| row.get(0))
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_that_a_crash_undid_is_not_taken_for_the_next_one_of_its_number() {
    let Some(disposable) = DisposableServers::bring_up().await else { return };
    let database = Database::on(&disposable).await;
    let (proxy, through) = Proxy::before(&database.url()).await;
    let service = Service::start_with(&database, |settings| {
        settings.database_url = through;
        settings.shards = 1;
    })
    .await;
    let client = database.client().await;
    delay_inserts(&client, "vitals.ingest_batch").await;
    let now = Timestamp::now().as_second();
    assert_eq!(service.upload(&reading("UNDONE-1", now)).await, (1, 0, 0));
    service.drained().await;
    client.batch_execute("select pg_advisory_lock(4711)").await.expect("locked");
    // On a fresh page, which is written out when it is full or when somebody commits: nobody does.
    client.batch_execute("select pg_switch_wal()").await.expect("switched");
    let uploading = async {
        let answer = service.post("/upload_health_data", reading("UNDONE-1", now + 1).to_string()).await;
        (answer.status, answer.body["details"]["success"].as_i64())
    };
    let crashing = async {
        let number = wait_for_delayed_insert(&client).await;
        proxy.stall();
        disposable.stop("postgres", "QUIT").await;
        disposable.start().await;
        let client = database.client().await;
        let mut next = count(&client, "select txid_snapshot_xmax(txid_current_snapshot())").await;
        assert!(next <= number, "the crash left {number} on the disk: {next} is next");
        while next < number {
            next = 1 + count(&client, "select txid_current()").await;
        }
        // Somebody else gets the number: a service of the same name, as it happens.
        let twin = "insert into vitals.ingest_batch (instance, shard, kind, received, stored, duplicate, rejected)
                    select instance, shard, kind, received, stored, duplicate, rejected from vitals.ingest_batch
                    returning batch_id";
        let taken = count(&client, twin).await;
        proxy.restore();
        assert_eq!(taken, number);
    };
    let (answer, ()) = futures_util::join!(uploading, crashing);
    assert_eq!(answer, (200, Some(1)));
    let client = database.client().await;
    assert_eq!(
        count(&client, "select count(*) from health_data").await,
        2,
        "both acknowledged readings are there"
    );
    service.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_told_by_readyz_and_got_over() {
    let Some(disposable) = DisposableServers::bring_up().await else { return };
    let database = Database::on(&disposable).await;
    let service = Service::start_with(&database, |settings| settings.commit_deadline_ms = 2_000).await;
    let now = Timestamp::now().as_second();
    let many = |round: i64| {
        let items: Vec<Value> = (0..3_000)
            .map(|n| json!({ "deviceSn": format!("FULL-{round}-{n}"), "heart_rate": 70, "timestamp": now }))
            .collect();
        json!({ "data": items })
    };
    assert_eq!(service.upload(&many(0)).await, (3_000, 0, 0));
    assert_eq!(service.get("/readyz").await.status, 200);
    disposable.fill().await;
    let refused = service.post("/upload_health_data", many(1).to_string()).await;
    assert_eq!(refused.status, 503, "{refused:?}");
    let ready = service.get("/readyz").await;
    // Without room for its log too, it is away.
    assert!(ready.status == 503 && ready.body["database"] != "up", "{ready:?}");
    assert_eq!(service.get("/api/health").await.status, 503);
    disposable.free().await;
    // It may have gone down for want of room for its log.
    disposable.start().await;
    let stored = eventually("uploads are taken again", || async {
        let answer = service.post("/upload_health_data", many(1).to_string()).await;
        (answer.status == 200).then_some(answer)
    })
    .await;
    assert_eq!(stored.body["details"]["error"], 0);
    assert_eq!(service.get("/readyz").await.status, 200);
    assert_eq!(count(&database.client().await, "select count(*) from health_data").await, 6_000);
    service.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_that_falls_silent_in_its_transaction_holds_up_no_other() {
    let database = Database::new().await;
    let (proxy, through) = Proxy::before(&database.url()).await;
    let silent = Service::start_with(&database, |settings| {
        settings.database_url = through;
        settings.statement_timeout_ms = 2_000;
        settings.commit_deadline_ms = 1_000;
    })
    .await;
    let other = Service::start(&database).await;
    let client = database.client().await;
    delay_inserts(&client, "health_data").await;
    let now = Timestamp::now().as_second();
    silent.upload(&reading("SILENT-0", now)).await;
    client.batch_execute("select pg_advisory_lock(4711)").await.expect("locked");
    let upload = reading("SILENT-1", now);
    let first = silent.post("/upload_health_data", upload.to_string());
    let meanwhile = async {
        wait_for_delayed_insert(&client).await;
        proxy.stall();
        client.batch_execute("select pg_advisory_unlock_all()").await.expect("unlocked");
        eventually("its transaction is open and idle", || async {
            let idle = "select count(*) from pg_stat_activity
                        where state = 'idle in transaction' and datname = current_database()";
            (count(&client, idle).await == 1).then_some(())
        })
        .await;
        other.upload(&upload).await
    };
    let (first, stored) = futures_util::join!(first, meanwhile);
    assert_eq!(first.status, 503, "{first:?}");
    assert_eq!(stored, (1, 0, 0), "the watch sends again, to another instance");
    proxy.restore();
    eventually("the silent one is heard again", || async {
        let answer = silent.post("/upload_health_data", upload.to_string()).await;
        (answer.status == 200).then_some(())
    })
    .await;
    other.finish().await;
    silent.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_only_database_is_told_by_readyz() {
    let database = Database::new().await;
    let service = Service::start(&database).await;
    let client = database.client().await;
    assert_eq!(service.get("/readyz").await.status, 200);
    let (name, end) = (
        database.url().rsplit_once('/').expect("a name").1.to_owned(),
        "select pg_terminate_backend(pid) from pg_stat_activity
         where datname = current_database() and application_name like 'vitals %'",
    );
    let turn = async |read_only: &str| {
        client
            .batch_execute(&format!(
                "alter database {name} set default_transaction_read_only = {read_only}; {end}"
            ))
            .await
            .expect("altered");
    };
    turn("on").await;
    eventually("it is not ready", || async { (service.get("/readyz").await.status == 503).then_some(()) })
        .await;
    client.batch_execute("set default_transaction_read_only = off").await.expect("set");
    turn("off").await;
    eventually("it is ready", || async { (service.get("/readyz").await.status == 200).then_some(()) }).await;
    service.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_whose_clock_is_an_hour_off_takes_no_fresh_breach_for_late() {
    let clock = Clock::new();
    if !clock.can_be_set() {
        eprintln!("skipped: libfaketime is not installed (Debian: apt-get install faketime)");
        return;
    }
    let database = Database::new().await;
    let variables = clock.variables();
    let variables: Vec<(&str, &str)> =
        variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let process = Process::serve(&database, &variables).await;
    let client = database.client().await;
    let http = reqwest::Client::new();
    for (number, seconds) in (1_i32..).zip([3_600, -3_600, 0]) {
        clock.set(seconds);
        let breach = json!({ "data": { "deviceSn": format!("CLOCK-{number}"), "heart_rate": 130,
                                       "timestamp": Timestamp::now().as_second() } });
        let sent =
            http.post(format!("{}/upload_health_data", process.url)).body(breach.to_string()).send().await;
        assert_eq!(sent.expect("an answer").status(), 200);
        eventually("the alert is raised", || async {
            let raised = "select historical from alert where device_sn = 'CLOCK-' || $1::int4";
            let historical: bool = client.query_opt(raised, &[&number]).await.expect("alerts")?.get(0);
            assert!(!historical, "a clock {seconds} s off makes it late");
            Some(())
        })
        .await;
    }
    let off = "select count(*) from health_data where abs(extract(epoch from now() - received_at)) > 60";
    assert_eq!(count(&client, off).await, 0, "every time of receipt is true");
    process.signal("TERM");
    assert!(process.ended().await.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_waits_for_an_hour_when_the_clock_of_postgresql_is_put_back() {
    let Some(disposable) = DisposableServers::bring_up().await else { return };
    if !disposable.set_clock(0).await {
        eprintln!("skipped: libfaketime is not installed (Debian: apt-get install faketime)");
        return;
    }
    let database = Database::on(&disposable).await;
    let receiver = Receiver::start(|_| Reply::Status(204)).await;
    let client = database.client().await;
    notify_of_all(&client, &receiver).await;
    let service =
        Service::start_with(&database, |settings| settings.notify.webhook_allow_private = true).await;
    let now = Timestamp::now().as_second();
    let breach =
        |device: &str| json!({ "data": { "deviceSn": device, "heart_rate": 130, "timestamp": now } });
    service.upload(&breach("BACK-1")).await;
    receiver.received("/", 1).await;
    service.finish().await;

    // What relays and senders that died had in hand when the clock was put back.
    client
        .batch_execute(&format!(
            "insert into health_data (device_sn, ts, heart_rate) values ('BACK-2', to_timestamp({now}), 130);
             update outbox set lease_token = gen_random_uuid(), leased_until = now() + interval '10 s';
             update vitals.notification_target
             set lease_token = gen_random_uuid(), leased_until = now() + interval '20 s'"
        ))
        .await
        .expect("leased");
    disposable.set_clock(-3_600).await;
    let service =
        Service::start_with(&database, |settings| settings.notify.webhook_allow_private = true).await;
    receiver.received("/", 2).await;
    service.upload(&breach("BACK-3")).await;
    receiver.received("/", 3).await;
    eventually("all three are told", || async {
        let sent = count(&client, "select count(*) from notification where status = 'sent'").await;
        (sent == 3).then_some(())
    })
    .await;

    let taken_back =
        "select vitals.resolve_alert(alert_id, 'somebody') from alert where device_sn = 'BACK-1'";
    client.execute(taken_back, &[]).await.expect("resolved");
    eventually("an alert that is over is shown no more", || async {
        let open: i64 = database.redis().await.hlen("alert_info:BACK-1").await.expect("a count");
        (open == 0).then_some(())
    })
    .await;
    service.finish().await;
    disposable.set_clock(0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_fall_silent_are_given_up() {
    let database = Database::new().await;
    let (proxy, through) = Proxy::before(&database.url()).await;
    let service = Service::start_with(&database, |settings| {
        settings.database_url = through;
        settings.statement_timeout_ms = 500;
        settings.connect_timeout_ms = 1_000;
        settings.lease_seconds = 1;
    })
    .await;
    let now = Timestamp::now().as_second();
    let breach =
        |device: &str| json!({ "data": { "deviceSn": device, "heart_rate": 130, "timestamp": now } });
    service.upload(&breach("SILENCED-1")).await;
    service.drained().await;
    proxy.silence();
    eventually("uploads are taken", || async {
        let answer = service.post("/upload_health_data", breach("SILENCED-2").to_string()).await;
        (answer.status == 200).then_some(())
    })
    .await;
    let client = database.client().await;
    eventually("alerts are raised", || async {
        (count(&client, "select count(*) from alert").await == 2).then_some(())
    })
    .await;
    eventually("it is ready", || async { (service.get("/readyz").await.status == 200).then_some(()) }).await;
    eventually("alerts are shown", || async {
        let open: i64 = database.redis().await.hlen("alert_info:SILENCED-2").await.expect("a count");
        (open == 1).then_some(())
    })
    .await;
    service.finish().await;
}
