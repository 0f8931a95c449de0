//! Uploads while PostgreSQL cannot store them: acknowledged from the buffer, stored once afterwards, as if they had been stored when they came.

mod command;
mod drain;
mod erasure;
mod release;
mod rounds;
mod server;
mod shadow;
mod urgent;

use std::time::{Duration, Instant};

use redis::aio::MultiplexedConnection;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use vitals::config::{BufferMode, Settings};

use crate::harness::{Answer, Database, Proxy, RedisServer, Service, eventually};

/// A database behind a link that can be cut, and a Redis that keeps what it is given.
struct Buffered {
    database: Database,
    link: Proxy,
    through: String,
    redis: RedisServer,
}

impl Buffered {
    /// `None`: the servers of these tests start no further ones.
    async fn new() -> Option<Self> {
        let redis = RedisServer::start_durable().await?;
        let database = Database::new().await;
        let (link, through) = Proxy::before(&database.url()).await;
        Some(Self { database, link, through, redis })
    }

    async fn service(&self) -> Service {
        self.service_with(|_| ()).await
    }

    async fn service_with(&self, change: impl FnOnce(&mut Settings)) -> Service {
        Service::start_with(&self.database, |settings| {
            settings.database_url.clone_from(&self.through);
            settings.buffer = BufferMode::Outage;
            settings.buffer_url = self.redis.url();
            settings.buffer_after_ms = 300;
            settings.connect_timeout_ms = 1_000;
            settings.commit_deadline_ms = 5_000;
            change(settings);
        })
        .await
    }

    /// Variables for a service of its own process.
    fn variables(&self) -> [(&'static str, String); 5] {
        [
            ("VITALS_DATABASE_URL", self.through.clone()),
            ("VITALS_BUFFER", "outage".to_owned()),
            ("VITALS_BUFFER_URL", self.redis.url()),
            ("VITALS_BUFFER_AFTER_MS", "300".to_owned()),
            ("VITALS_CONNECT_TIMEOUT_MS", "1000".to_owned()),
        ]
    }

    /// A connection that counts as a replica of Redis, and never confirms that it has written anything.
    async fn silent_replica(&self) -> TcpStream {
        let address = self.redis.url().replace("redis://", "").replace("/0", "");
        let mut replica = TcpStream::connect(address).await.expect("connected");
        replica.write_all(b"SYNC\r\n").await.expect("sent");
        let redis = self.redis.connection().await;
        eventually("the replica counts", || {
            let mut redis = redis.clone();
            async move {
                let mut info = redis::cmd("INFO");
                let info: redis::InfoDict = info.arg("replication").query_async(&mut redis).await.ok()?;
                (info.get::<u32>("connected_slaves") == Some(1)).then_some(())
            }
        })
        .await;
        replica
    }

    async fn count(&self, sql: &str) -> i64 {
        self.database.client().await.query_one(sql, &[]).await.expect("a count").get(0)
    }

    async fn count_becomes(&self, sql: &str, expected: i64) {
        eventually(&format!("{sql} gives {expected}"), || async {
            (self.count(sql).await == expected).then_some(())
        })
        .await;
    }

    /// Waits until no stream holds an upload.
    async fn drained(&self) {
        let mut redis = self.redis.connection().await;
        eventually("the streams are empty", || {
            let mut redis = redis.clone();
            async move { (uploads_in(&mut redis).await == 0).then_some(()) }
        })
        .await;
        assert_eq!(uploads_in(&mut redis).await, 0);
    }
}

/// What a program of version 1 would append.
fn packed(upload: &Value) -> Vec<u8> {
    let packed = zstd::bulk::compress(upload.to_string().as_bytes(), 1).expect("packed");
    [&[1], packed.as_slice()].concat()
}

/// Appends an entry to a stream, as a program does.
async fn append(redis: &mut MultiplexedConnection, stream: &str, packed: &[u8]) -> String {
    let mut add = redis::cmd("XADD");
    add.arg(stream).arg("*").arg("upload").arg(packed).query_async(redis).await.expect("added")
}

/// Uploads in all streams of this server.
async fn uploads_in(redis: &mut MultiplexedConnection) -> u64 {
    let mut all = 0;
    for kind in ["upload", "urgent_upload"] {
        for partition in 0..64 {
            let length: u64 = redis::cmd("XLEN")
                .arg(format!("vitals:{kind}:{{{partition}}}"))
                .query_async(redis)
                .await
                .expect("a length");
            all += length;
        }
    }
    all
}

fn now() -> i64 {
    jiff::Timestamp::now().as_second()
}

fn sample(device_sn: &str, heart_rate: u16, timestamp: i64) -> Value {
    json!({ "deviceSn": device_sn, "heart_rate": heart_rate, "timestamp": timestamp })
}

async fn upload(service: &Service, samples: &[Value]) -> Answer {
    service.post("/upload_health_data", json!({ "data": samples }).to_string()).await
}

#[track_caller]
fn assert_answered(answer: &Answer, durability: &str) {
    assert_eq!((answer.status, answer.header("vitals-durability")), (200, Some(durability)), "{answer:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn while_postgresql_is_away_everything_is_taken_and_stored_once_as_if_it_had_been_there() {
    let Some(buffered) = Buffered::new().await else { return };
    let client = buffered.database.client().await;
    let rules = "update alert_rule set late_after_seconds = 5; update alert_rule set consecutive = 1 where kind = 'threshold'";
    client.batch_execute(rules).await.expect("updated");
    let service = buffered.service().await;
    let began = now();
    assert_answered(&upload(&service, &[sample("WATCH-1", 70, began - 60)]).await, "committed");
    buffered.link.cut();
    let received = Instant::now();
    let single = upload(&service, &[sample("WATCH-1", 190, began)]).await;
    assert_answered(&single, "buffered");
    assert_eq!(single.body["details"]["success"], 1);
    let gateway: Vec<Value> =
        (0..100).map(|number| sample(&format!("GATEWAY-{number}"), 70, began)).chain([json!({})]).collect();
    let batch = json!({ "batchId": "b-1", "data": gateway }).to_string();
    for _ in 0..2 {
        let answer = service.post("/upload_health_data_batch", batch.clone()).await;
        assert_answered(&answer, "buffered");
        let body = &answer.body;
        assert_eq!((&body["durability"], &body["batch_id"]), (&json!("buffered"), &json!("b-1")));
        assert_eq!((&body["valid_records"], &body["errors"]), (&json!(100), &json!(1)));
    }
    let sos = json!({ "eventType": "a.b.SOS_EVENT", "deviceSn": "WATCH-2", "timestamp": began }).to_string();
    assert_answered(&service.post("/upload_common_event", sos).await, "buffered");
    let info = json!({ "SerialNumber": "WATCH-1", "voltage": 81, "timestamp": began }).to_string();
    assert_answered(&service.post("/upload_device_info", info).await, "buffered");
    let ready = service.get("/readyz").await;
    assert_eq!((ready.status, &ready.body["database"]), (200, &json!("down")), "a balancer keeps it");
    eventually("lateness would show", || async {
        (received.elapsed() > Duration::from_secs(7)).then_some(())
    })
    .await;
    buffered.link.restore();
    buffered.count_becomes("select count(*) from health_data", 102).await;
    buffered.count_becomes("select count(*) from device_info", 1).await;
    buffered.drained().await;
    service.drained().await;
    assert_eq!(buffered.count("select count(*) from device_event where device_sn = 'WATCH-2'").await, 1);
    assert_eq!(buffered.count("select count(*) from rejected_upload where times = 2").await, 1, "sent twice");
    let late = "select count(*) from health_data where received_at > ts + interval '5 seconds' and device_sn <> 'WATCH-1'";
    assert_eq!(buffered.count(late).await, 0, "they have the time of their receipt");
    let alerts = "select count(*) from alert where not historical and device_sn in ('WATCH-1', 'WATCH-2')";
    assert!(buffered.count(alerts).await >= 2, "a breach and an SOS that were received in time");
    assert_eq!(buffered.count("select count(*) from alert where historical").await, 0);
    let accounts = "select (sum(received) - sum(stored) - sum(duplicate) - sum(rejected))::bigint from vitals.ingest_batch";
    assert_eq!(buffered.count(accounts).await, 0);
    eventually("the next upload is committed at once", || async {
        let answer = upload(&service, &[sample("WATCH-1", 70, began + 1)]).await;
        (answer.header("vitals-durability") == Some("committed")).then_some(())
    })
    .await;
    service.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_hangs_costs_an_upload_no_more_than_its_limit() {
    let Some(buffered) = Buffered::new().await else { return };
    let service = buffered.service().await;
    buffered.link.stall();
    let began = now();
    for number in 0..5 {
        let started = Instant::now();
        let answer = upload(&service, &[sample("HANGS", 70, began - number)]).await;
        assert_answered(&answer, "buffered");
        assert!(started.elapsed() < Duration::from_secs(3), "{:?}", started.elapsed());
    }
    buffered.link.cut();
    buffered.link.restore();
    buffered.count_becomes("select count(*) from health_data", 5).await;
    buffered.drained().await;
    service.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_whose_append_was_not_confirmed_is_refused_and_stored_once_when_it_is_sent_again() {
    let Some(buffered) = Buffered::new().await else { return };
    let _replica = buffered.silent_replica().await;
    let service = buffered.service_with(|settings| settings.buffer_copies = 2).await;
    buffered.link.cut();
    let sent = [sample("TWICE", 70, now())];
    for _ in 0..2 {
        let answer = upload(&service, &sent).await;
        assert_eq!(
            (answer.status, answer.retry_after.is_some()),
            (503, true),
            "the replica confirms nothing: {answer:?}"
        );
    }
    assert_eq!(uploads_in(&mut buffered.redis.connection().await).await, 2, "both are in the stream");
    buffered.link.restore();
    buffered.count_becomes("select count(*) from health_data", 1).await;
    buffered.drained().await;
    assert_eq!(buffered.count("select sum(stored)::bigint from vitals.ingest_batch").await, 1, "once");
    eventually("a third time", || async {
        let answer = upload(&service, &sent).await;
        (answer.body["details"]["duplicate"] == 1).then_some(())
    })
    .await;
    service.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_buffer_with_fewer_replicas_than_copies_need_takes_nothing() {
    let Some(buffered) = Buffered::new().await else { return };
    let service = buffered.service_with(|settings| settings.buffer_copies = 2).await;
    assert_answered(&upload(&service, &[sample("SHORT", 70, now())]).await, "committed");
    buffered.link.cut();
    let answer = upload(&service, &[sample("SHORT", 71, now() - 100)]).await;
    assert_eq!((answer.status, answer.retry_after.is_some()), (503, true), "{answer:?}");
    assert_eq!(uploads_in(&mut buffered.redis.connection().await).await, 0);
    buffered.link.restore();
    service.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_buffer_refuses_uploads_and_one_that_is_lost_leaves_those_that_postgresql_can_store() {
    let Some(mut buffered) = Buffered::new().await else { return };
    let full = buffered.service_with(|settings| settings.buffer_max_bytes = 1).await;
    assert_answered(&upload(&full, &[sample("FULL", 70, now())]).await, "committed");
    buffered.link.cut();
    let answer = upload(&full, &[sample("FULL", 71, now() - 100)]).await;
    assert_eq!((answer.status, answer.retry_after.is_some()), (503, true), "{answer:?}");
    assert_eq!(answer.body["message"], "the buffer is full");
    buffered.link.restore();
    full.finish().await;

    let always = buffered.service_with(|settings| settings.buffer = BufferMode::Always).await;
    assert_answered(&upload(&always, &[sample("LOST", 70, now())]).await, "buffered");
    buffered.drained().await;
    buffered.redis.kill().await;
    assert_answered(&upload(&always, &[sample("LOST", 71, now() - 100)]).await, "committed");
    buffered.link.cut();
    let answer = upload(&always, &[sample("LOST", 72, now() - 200)]).await;
    assert_eq!((answer.status, answer.retry_after.is_some()), (503, true), "{answer:?}");
    buffered.link.restore();
    let stored = "select count(*) from health_data where device_sn = 'LOST' and heart_rate in (70, 71)";
    buffered.count_becomes(stored, 2).await;
    always.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_that_takes_long_is_answered_although_the_buffer_confirms_nothing() {
    let Some(buffered) = Buffered::new().await else { return };
    let _replica = buffered.silent_replica().await;
    let service = buffered.service_with(|settings| settings.buffer_copies = 2).await;
    let client = buffered.database.client().await;
    client
        .batch_execute(
            "create function public.tests_wait() returns trigger language plpgsql as $$
             begin perform pg_advisory_xact_lock_shared(4711); return new; end $$;
             create trigger tests_wait before insert on health_data for each row execute function public.tests_wait();
             select pg_advisory_lock(4711)",
        )
        .await
        .expect("locked");
    let (sent, began) = ([sample("SLOW", 70, now())], Instant::now());
    let commit = async {
        // Longer than the buffer is waited for, which has the upload by then, and shorter than the sender waits.
        let over =
            Duration::from_millis(300) + Duration::from_millis(1_000) * 3 / 4 + Duration::from_millis(300);
        eventually("the buffer has given up", || async { (began.elapsed() > over).then_some(()) }).await;
        client.batch_execute("select pg_advisory_unlock_all()").await.expect("unlocked");
    };
    let (answer, ()) = tokio::join!(upload(&service, &sent), commit);
    assert_answered(&answer, "committed");
    buffered.drained().await;
    assert_eq!(buffered.count("select count(*) from health_data").await, 1);
    service.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn always_acknowledges_from_the_stream_and_commits_soon_after() {
    let Some(buffered) = Buffered::new().await else { return };
    let service = buffered.service_with(|settings| settings.buffer = BufferMode::Always).await;
    let began = now();
    for number in 0..20 {
        let answer = upload(&service, &[sample("ALWAYS-1", 70, began - number)]).await;
        assert_answered(&answer, "buffered");
    }
    buffered.count_becomes("select count(*) from health_data", 20).await;
    let refused = service.post("/upload_health_data", "no JSON").await;
    assert_eq!(refused.status, 400, "what is no upload is refused as ever");
    buffered.drained().await;
    service.finish().await;
}
