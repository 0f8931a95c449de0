//! Several hosts in `database_url`: one that is frozen, unreachable, or no longer accepts writes; and a Redis that became a replica.

use std::cell::Cell;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;
use vitals::store::Store;

use crate::harness::{
    CommandOutput, Database, DisposableServers, Proxy, Service, Standby, eventually, vitals_with,
};

/// `url` with these hosts, each `host:port`.
fn with_hosts(url: &str, hosts: &[&str]) -> String {
    let (user, rest) = url.rsplit_once('@').expect("a user");
    let (_, path) = rest.split_once('/').expect("a database");
    format!("{user}@{}/{path}", hosts.join(","))
}

/// `host:port` of a URL.
fn host_of(url: &str) -> &str {
    let (_, rest) = url.rsplit_once('@').expect("a user");
    rest.split('/').next().expect("host and port")
}

/// A host that answers nothing: it accepts connections or, once its queue of connections is full, drops their packets.
struct SilentHost {
    address: SocketAddr,
    _socket: tokio::net::TcpListener,
    queue: Vec<TcpStream>,
}

impl SilentHost {
    /// The kernel accepts connections; nobody reads from them.
    fn frozen() -> Self {
        Self::with_queue(64)
    }

    /// The queue of connections is full, so the kernel drops the first packet of any other.
    async fn unreachable() -> Self {
        let mut host = Self::with_queue(1);
        while let Ok(Ok(stream)) = timeout(Duration::from_millis(300), TcpStream::connect(host.address)).await
        {
            host.queue.push(stream);
        }
        host
    }

    fn with_queue(length: u32) -> Self {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.bind("127.0.0.1:0".parse().expect("an address")).expect("a free port");
        let socket = socket.listen(length).expect("it listens");
        Self { address: socket.local_addr().expect("an address"), _socket: socket, queue: Vec::new() }
    }

    fn name(&self) -> String {
        self.address.to_string()
    }
}

fn sample(device_sn: &str, minute: usize) -> Value {
    json!({ "data": [{ "deviceSn": device_sn, "heart_rate": 60 + minute,
        "timestamp": format!("2026-01-02 03:{minute:02}:05") }] })
}

/// How long it takes to connect when this host is named first.
async fn time_to_connect(database: &Database, first: &SilentHost) -> Duration {
    let mut settings = database.settings();
    settings.connect_timeout_ms = 3_000;
    settings.database_url = with_hosts(&database.url(), &[&first.name(), host_of(&database.url())]);
    let store = Store::new(&settings).expect("settings");
    let began = Instant::now();
    drop(store.session().await.expect("the second host answers"));
    let first = began.elapsed();
    let again = Instant::now();
    for _ in 0..5 {
        drop(store.session().await.expect("the second host answers"));
    }
    assert!(again.elapsed() < Duration::from_secs(1), "a silent host is tried last: {:?}", again.elapsed());
    first
}

#[tokio::test]
async fn a_first_host_that_accepts_connections_and_never_answers_costs_a_share_of_the_time() {
    let database = Database::new().await;
    let took = time_to_connect(&database, &SilentHost::frozen()).await;
    assert!(took < Duration::from_millis(2_500), "{took:?}");
}

#[tokio::test]
async fn a_first_host_that_drops_packets_costs_a_share_of_the_time() {
    let database = Database::new().await;
    let took = time_to_connect(&database, &SilentHost::unreachable().await).await;
    assert!(took < Duration::from_millis(2_500), "{took:?}");
}

#[tokio::test]
async fn a_service_starts_and_stores_although_the_first_host_never_answers() {
    let database = Database::new().await;
    let frozen = SilentHost::frozen();
    let service = Service::start_with(&database, |settings| {
        settings.connect_timeout_ms = 3_000;
        settings.database_url = with_hosts(&database.url(), &[&frozen.name(), host_of(&database.url())]);
    })
    .await;
    assert_eq!(service.upload(&sample("FROZEN", 0)).await, (1, 0, 0));
    service.finish().await;
}

#[tokio::test]
async fn when_no_host_can_be_used_each_one_is_named_with_its_reason() {
    let database = Database::new().await;
    let frozen = SilentHost::frozen();
    let url = with_hosts(&database.url(), &[&frozen.name(), "127.0.0.1:1"]);
    let variables = [("VITALS_DATABASE_URL", url.as_str()), ("VITALS_CONNECT_TIMEOUT_MS", "600")];
    let CommandOutput { code, out, .. } = vitals_with(&database, &["check"], &variables).await;
    assert_eq!(code, 1, "{out}");
    let silent = format!("{}: no answer within 0.3 s; 127.0.0.1:1: ", frozen.name());
    assert!(out.contains(&silent) && out.contains("refused"), "{out}");
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_failover_everything_a_session_had_comes_back_within_seconds() {
    let database = Database::new().await;
    let (former, former_url) = Proxy::before(&database.url()).await;
    let (next, next_url) = Proxy::before(&database.url()).await;
    next.cut();
    let service = Service::start_with(&database, |settings| {
        settings.connect_timeout_ms = 3_000;
        settings.poll_interval_ms = 120_000;
        settings.database_url = with_hosts(&database.url(), &[host_of(&former_url), host_of(&next_url)]);
    })
    .await;
    assert_eq!(service.upload(&sample("MOVED", 0)).await, (1, 0, 0));
    service.drained().await;

    // The former host freezes with open sessions, some of them in a statement.
    former.stall();
    let in_flight = service.post("/upload_health_data", sample("MOVED", 1).to_string());
    let promoted = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        next.restore();
        Instant::now()
    };
    let (_, promoted_at) = tokio::join!(in_flight, promoted);
    eventually("an upload is stored", async || {
        let answer = service.post("/upload_health_data", sample("MOVED", 2).to_string()).await;
        (answer.status == 200).then_some(())
    })
    .await;
    let took = promoted_at.elapsed();
    assert!(took < Duration::from_secs(15), "{took:?}");

    // Prepared statements and the temporary table: a repeat is merged by way of both.
    assert_eq!(service.upload(&sample("MOVED", 2)).await, (0, 1, 0));
    // LISTEN: the relay polls every two minutes only, and learns of another writer's rows by a notification.
    let committed =
        "insert into outbox (batch_id) select max(batch_id) from health_data; notify vitals_outbox";
    service.drained().await;
    database.client().await.batch_execute(committed).await.expect("committed");
    service.drained().await;
    former.restore();
    service.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_promoted_standby_takes_over_from_a_frozen_primary_with_its_own_clock() {
    let Some(victims) = DisposableServers::bring_up().await else { return };
    let database = Database::on(&victims).await;
    // Where libfaketime is missing, both clocks are right.
    victims.set_clock(3600).await;
    let standby = Standby::of(&victims, &database).await;
    let (primary, primary_url) = Proxy::before(&database.url()).await;
    let service = Service::start_with(&database, |settings| {
        settings.connect_timeout_ms = 3_000;
        settings.database_url = with_hosts(&database.url(), &[host_of(&primary_url), &standby.host()]);
    })
    .await;
    for minute in 0..5 {
        assert_eq!(service.upload(&sample("PROMOTED", minute)).await, (1, 0, 0));
    }
    let copy = standby.client(&database).await;
    let count = async |sql: &str| copy.query_one(sql, &[]).await.expect("a count").get::<_, i64>(0);
    eventually("the standby has the rows", async || {
        (count("select count(*) from health_data").await == 5).then_some(())
    })
    .await;

    primary.stall();
    standby.promote(&database).await;
    let promoted_at = Instant::now();
    eventually("an upload is stored", async || {
        let answer = service.post("/upload_health_data", sample("PROMOTED", 5).to_string()).await;
        (answer.status == 200).then_some(())
    })
    .await;
    assert!(promoted_at.elapsed() < Duration::from_secs(15), "{:?}", promoted_at.elapsed());
    let uploads = Cell::new(0);
    eventually("the clock of the new primary applies", async || {
        let device = format!("CLOCK-{}", uploads.replace(uploads.get() + 1));
        assert_eq!(service.upload(&sample(&device, 0)).await, (1, 0, 0));
        let stamped = format!(
            "select count(*) from health_data where device_sn = '{device}'
                and abs(extract(epoch from received_at - now())) < 60"
        );
        (count(&stamped).await == 1).then_some(())
    })
    .await;
    eventually("the reactions are finished", async || {
        (count("select count(*) from outbox").await == 0).then_some(())
    })
    .await;
    assert_eq!(count("select count(*) from health_data").await, 6 + uploads.get(), "each once");
    let text = vitals_with(
        &database,
        &["check"],
        &[(
            "VITALS_DATABASE_URL",
            &with_hosts(&database.url(), &[host_of(&database.url()), &standby.host()]),
        )],
    )
    .await
    .out;
    assert!(text.contains(&format!("host {}: accepts writes", standby.host())), "{text}");
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_accepts_no_writes_any_more_loses_its_sessions_within_a_second() {
    let Some(victims) = DisposableServers::bring_up().await else { return };
    let database = Database::on(&victims).await;
    let service = Service::start_with(&database, |settings| {
        settings.connect_timeout_ms = 3_000;
        settings.commit_deadline_ms = 1_000;
    })
    .await;
    assert_eq!(service.upload(&sample("DEMOTED", 0)).await, (1, 0, 0));
    let client = database.client().await;
    let read_only = async |is_on: &str| {
        let sql = format!("alter system set default_transaction_read_only = {is_on}");
        client.batch_execute("set default_transaction_read_only = off").await.expect("this session writes");
        client.batch_execute(&sql).await.expect("altered");
        client.batch_execute("select pg_reload_conf()").await.expect("read again");
    };
    let now: jiff::Timestamp =
        client.query_one("select clock_timestamp()", &[]).await.expect("a time").get(0);
    read_only("on").await;
    let refused_at = eventually("an upload is refused", async || {
        let answer = service.post("/upload_health_data", sample("DEMOTED", 1).to_string()).await;
        (answer.status == 503).then(Instant::now)
    })
    .await;
    let old = "select count(*) from pg_stat_activity where application_name like 'vitals vitals_test%'
        and backend_start < $1";
    let left = async || client.query_one(old, &[&now]).await.expect("a count").get::<_, i64>(0);
    eventually("every session of before is closed", async || {
        let ready = service.get("/readyz").await;
        assert_eq!(ready.status, 503, "{ready:?}");
        (left().await == 0).then_some(())
    })
    .await;
    let took = refused_at.elapsed();
    read_only("off").await;
    assert!(took < Duration::from_secs(1), "{took:?}");
    eventually("it is taken again", async || {
        let answer = service.post("/upload_health_data", sample("DEMOTED", 2).to_string()).await;
        (answer.status == 200).then_some(())
    })
    .await;
    service.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_became_a_replica_loses_its_connection_and_gets_the_values_when_it_is_a_master_again() {
    let Some(victims) = DisposableServers::bring_up().await else { return };
    let database = Database::on(&victims).await;
    let service = Service::start(&database).await;
    service.upload(&sample("READONLY", 0)).await;
    let mut redis = database.redis().await;
    let shown = async |redis: &mut redis::aio::MultiplexedConnection| {
        let mut get = redis::cmd("HGET");
        get.arg("health_data:READONLY").arg("heartRate");
        get.query_async::<Option<String>>(redis).await.expect("Redis answers").unwrap_or_default()
    };
    let mut other = redis.clone();
    eventually("it is shown", async || (shown(&mut other.clone()).await == "60").then_some(())).await;
    let replica_of = async |redis: &mut redis::aio::MultiplexedConnection, host: &str, port: &str| {
        redis::cmd("REPLICAOF").arg(host).arg(port).exec_async(redis).await.expect("done");
    };
    let clients = async |redis: &mut redis::aio::MultiplexedConnection| {
        let list: String = redis::cmd("CLIENT").arg("LIST").query_async(redis).await.expect("a list");
        list.lines().filter_map(|line| line.split(' ').next().map(str::to_owned)).collect::<Vec<_>>()
    };
    let before = clients(&mut other).await;
    replica_of(&mut redis, "127.0.0.1", "1").await;
    service.upload(&sample("READONLY", 1)).await;
    eventually("the connection is dropped", async || {
        let now = clients(&mut other.clone()).await;
        (before.iter().filter(|id| now.contains(id)).count() < before.len()).then_some(())
    })
    .await;
    replica_of(&mut redis, "NO", "ONE").await;
    eventually("it is shown", async || (shown(&mut other.clone()).await == "61").then_some(())).await;
    service.finish().await;
}
