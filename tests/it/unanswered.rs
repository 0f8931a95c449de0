//! Transactions that break off: a commit nobody answered, a begin that failed, a session dropped in the midst of one.

use std::panic::{AssertUnwindSafe, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::FutureExt;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_postgres::Client;
use vitals::config::Duplicates;
use vitals::store::Store;
use vitals::store::batch::{Batch, BatchSession, Folded};

use crate::harness::{Database, DisposableServers, Service, eventually};

async fn count(client: &Client, sql: &str) -> i64 {
    client.query_one(sql, &[]).await.expect("a count").get(0)
}

fn reading(device_sn: &str) -> Value {
    json!({ "data": [{ "deviceSn": device_sn, "heart_rate": 70, "timestamp": "2026-01-02 03:04:05" }] })
}

const WAITING: &str = "select count(*) from pg_stat_activity
    where datname = current_database() and wait_event = 'SyncRep'";

/// A standby that there is not: every commit waits for it.
async fn wait_for_standby(client: &Client, waits: bool) {
    let change =
        if waits { "set synchronous_standby_names = 'nobody'" } else { "reset synchronous_standby_names" };
    client.batch_execute(&format!("alter system {change}")).await.expect("altered");
    client.batch_execute("select pg_reload_conf()").await.expect("read again");
}

#[tokio::test(flavor = "multi_thread")]
async fn while_a_standby_is_away_no_upload_is_acknowledged_and_connections_do_not_add_up() {
    let Some(victims) = DisposableServers::bring_up().await else { return };
    let database = Database::on(&victims).await;
    let service = Service::start_with(&database, |settings| {
        settings.statement_timeout_ms = 300;
        settings.commit_deadline_ms = 300;
        settings.connect_timeout_ms = 1_000;
        settings.shards = 2;
    })
    .await;
    let client = database.client().await;
    let mut settings = database.settings();
    settings.instance = "alone".to_owned();
    let alone =
        BatchSession::open(&Store::new(&settings).expect("settings")).await.expect("PostgreSQL answers");
    let mut acknowledged = 0;
    let upload = async |number: usize| {
        let body = reading(&format!("AWAY-{number}")).to_string();
        service.post("/upload_health_data", body).await.status
    };
    wait_for_standby(&client, true).await;
    let checked = AssertUnwindSafe(async {
        while upload(acknowledged).await == 200 {
            // The server has not read its settings yet.
            acknowledged += 1;
        }
        let mut most = 0;
        for number in acknowledged..acknowledged + 30 {
            assert_eq!(upload(number).await, 503, "nothing says that the standby has it");
            most = most.max(count(&client, WAITING).await);
        }
        // Sessions for batches come and go without a standby: only their batches wait.
        drop(alone);
        eventually("a session of before is gone", || async {
            let open = "select count(*) from pg_stat_activity where application_name = 'vitals alone'";
            (count(&client, open).await == 0).then_some(())
        })
        .await;
        let next =
            BatchSession::open(&Store::new(&settings).expect("settings")).await.expect("it needs none");
        drop(next);
        (acknowledged, most)
    })
    .catch_unwind()
    .await;
    wait_for_standby(&client, false).await;
    let (acknowledged, most) = checked.unwrap_or_else(|failed| resume_unwind(failed));
    assert!(
        (1..=12).contains(&most),
        "{most} connections wait: two of each of four writers, and those of the reactions"
    );
    for number in 0..acknowledged + 30 {
        eventually("it is taken again", || async { (upload(number).await == 200).then_some(()) }).await;
    }
    let stored = "select count(*) from health_data";
    assert_eq!(count(&client, stored).await, i64::try_from(acknowledged + 30).expect("few"), "each once");
    let accounts = "select (sum(received) - sum(stored) - sum(duplicate) - sum(rejected))::bigint from vitals.ingest_batch";
    assert_eq!(count(&client, accounts).await, 0);
    let once = "select sum(stored)::bigint from vitals.ingest_batch";
    assert_eq!(count(&client, once).await, i64::try_from(acknowledged + 30).expect("few"), "counted once");
    service.finish().await;
}

/// A way to PostgreSQL on which, while it is told to, no `begin` arrives as one.
async fn without_begin(url: &str) -> (Arc<AtomicBool>, String) {
    let (user, at) = url.rsplit_once('@').expect("a user");
    let (server, name) = at.split_once('/').expect("a database");
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let through = format!("{user}@{}/{name}", listener.local_addr().expect("an address"));
    let (garbles, server): (Arc<AtomicBool>, _) = (Arc::default(), server.to_owned());
    let garble = Arc::clone(&garbles);
    tokio::spawn(async move {
        while let Ok((inner, _)) = listener.accept().await {
            let outer = TcpStream::connect(&server).await.expect("PostgreSQL answers");
            let ((mut from_inner, mut to_inner), (mut from_outer, mut to_outer)) =
                (inner.into_split(), outer.into_split());
            tokio::spawn(async move { tokio::io::copy(&mut from_outer, &mut to_inner).await });
            let garble = Arc::clone(&garble);
            tokio::spawn(async move {
                let mut bytes = vec![0; 65_536];
                while let Ok(read @ 1..) = from_inner.read(&mut bytes).await {
                    if garble.load(Ordering::Relaxed) {
                        let starts = (0..read.saturating_sub(4)).filter(|at| &bytes[*at..at + 5] == b"begin");
                        for at in starts.collect::<Vec<_>>() {
                            bytes[at + 3] = b'o';
                        }
                    }
                    if to_outer.write_all(&bytes[..read]).await.is_err() {
                        break;
                    }
                }
            });
        }
    });
    (garbles, through)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_sent_behind_a_begin_that_failed_does_not_run_by_itself() {
    let database = Database::new().await;
    let (garbles, through) = without_begin(&database.url()).await;
    let service = Service::start_with(&database, |settings| settings.database_url = through).await;
    let client = database.client().await;
    let event = json!({ "eventType": "com.tdtech.ohos.action.SOS_EVENT", "eventValue": "1", "deviceSn": "BEGIN-1",
        "timestamp": "2026-01-02 03:04:05" });
    let (readings, events) =
        ("select count(*) from health_data", "select count(*) from device_event where device_sn = 'BEGIN-1'");
    service.upload(&reading("BEGIN-0")).await;
    service.drained().await;
    garbles.store(true, Ordering::Relaxed);
    assert_ne!(service.post("/upload_health_data", reading("BEGIN-1").to_string()).await.status, 200);
    assert_ne!(service.post("/upload_common_event", event.to_string()).await.status, 200);
    assert_eq!((count(&client, readings).await, count(&client, events).await), (1, 0), "nothing by itself");
    assert_eq!(count(&client, "select count(*) from outbox").await, 0, "nor its announcement");
    garbles.store(false, Ordering::Relaxed);
    assert_eq!(service.upload(&reading("BEGIN-1")).await, (1, 0, 0));
    assert_eq!(service.post("/upload_common_event", event.to_string()).await.status, 200);
    assert_eq!((count(&client, readings).await, count(&client, events).await), (2, 1));
    service.finish().await;
}

#[tokio::test]
async fn a_session_that_is_dropped_in_a_transaction_is_not_given_to_the_next() {
    let database = Database::new().await;
    let store = Store::new(&database.settings()).expect("settings");
    let session = BatchSession::open(&store).await.expect("PostgreSQL answers");
    let nothing = Batch {
        fresh: Vec::new(),
        repeats: Vec::new(),
        events: Vec::new(),
        device_infos: Vec::new(),
        folded: Folded::default(),
        documents: Vec::new(),
        rejects: &[],
        instance: "test",
        shard: 0,
    };
    session.write(&nothing, Duplicates::Fill).await.expect("a transaction is open");
    // As a panic or a future that is dropped leaves it.
    drop(session);
    let next = store.client().await.expect("a connection");
    let row =
        next.query_one("select pg_current_xact_id_if_assigned() is null", &[]).await.expect("an answer");
    assert!(row.get::<_, bool>(0), "it is in nobody's transaction");
    let client = database.client().await;
    eventually("the server has ended it", || async {
        let open = "select count(*) from pg_stat_activity
                    where datname = current_database() and state like 'idle in transaction%'";
        (count(&client, open).await == 0).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_commit_that_takes_place_while_it_is_asked_for_is_still_running_or_there() {
    const STATUS: &str = include_str!("../../sql/queries/batch/status.sql");
    let database = Database::new().await;
    let (writer, asker) = (database.client().await, database.client().await);
    let account = "begin;
        insert into vitals.ingest_batch (instance, shard, kind, received, stored, duplicate, rejected)
        values ('test', 0, 'reading', 1, 1, 0, 0)";
    writer.batch_execute(account).await.expect("written");
    let row = writer.query_one("select txid_current(), now()", &[]).await.expect("its number");
    let (number, began): (i64, jiff::Timestamp) = (row.get(0), row.get(1));
    // The snapshot in which it is asked is older than the commit, which is older than the answer.
    asker.batch_execute("begin isolation level repeatable read; select 1").await.expect("a snapshot");
    writer.batch_execute("commit").await.expect("committed");
    let row = asker.query_one(STATUS, &[&number, &began]).await.expect("an answer");
    let (is_committed, is_running): (bool, bool) = (row.get("is_committed"), row.get("is_running"));
    assert!(is_committed || is_running, "it is not said to be lost");
    asker.batch_execute("commit").await.expect("ended");
    let row = asker.query_one(STATUS, &[&number, &began]).await.expect("an answer");
    assert!(row.get::<_, bool>("is_committed") && !row.get::<_, bool>("is_running"));
}

#[tokio::test]
async fn a_refresh_between_two_statements_is_not_taken_for_abandoned() {
    let database = Database::new().await;
    let (holder, other) = (database.client().await, database.client().await);
    let abandoned = async || -> bool {
        let row = other.query_one("select vitals.is_abandoned(4711)", &[]).await.expect("an answer");
        row.get(0)
    };
    holder.batch_execute("select pg_advisory_lock(4711); begin; select 1").await.expect("locked");
    assert!(!abandoned().await, "it is at work");
    assert!(holder.batch_execute("select 1 / 0").await.is_err());
    eventually("its transaction has failed", async || abandoned().await.then_some(())).await;
    holder.batch_execute("rollback").await.expect("ended");
    eventually("it is idle, and holds the lock", async || abandoned().await.then_some(())).await;
}

#[tokio::test]
async fn an_index_finds_the_alerts_of_a_rule_and_only_those_of_a_device_also_before_statistics() {
    let database = Database::new().await;
    let client = database.client().await;
    client.batch_execute("set enable_seqscan = off; set enable_bitmapscan = off").await.expect("set");
    for (asked, condition) in [
        ("rule_id = 1", "(rule_id = 1)"),
        ("rule_id = 1 and device_sn = 'W'", "((rule_id = 1) AND (device_sn = 'W'::text))"),
    ] {
        let explain = format!("explain select status from alert where {asked}");
        let plan = client.query(&explain, &[]).await.expect("a plan");
        let plan = plan.iter().map(|row| row.get::<_, &str>(0)).collect::<Vec<_>>().join("\n");
        assert!(plan.contains(&format!("Index Cond: {condition}")), "{plan}");
    }
}
