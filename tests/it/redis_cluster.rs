//! The view in a Redis Cluster: of all devices, on all masters, through flushes and a failover.

use std::collections::BTreeSet;

use futures_util::StreamExt;
use redis::aio::MultiplexedConnection;
use serde_json::json;

use crate::harness::{Database, RedisCluster, RedisServer, Service, add_alert, eventually, vitals_with};

/// Devices of a test: each of the three masters holds some of them.
const DEVICES: u16 = 60;

/// A service that looks after its view ten times a second.
async fn watchful(database: &Database, redis_url: String) -> Service {
    Service::start_with(database, |settings| {
        settings.redis_url = redis_url;
        settings.view_check_interval_ms = 100;
        // A node that was killed does not answer; a whole call must not wait for it long.
        settings.connect_timeout_ms = 2_000;
    })
    .await
}

fn serial(number: u16) -> String {
    format!("CLUSTERED-{number:04}")
}

/// Uploads one sample of every device.
async fn upload(service: &Service, heart_rate: u16, timestamp: &str) {
    let samples: Vec<_> = (0..DEVICES)
        .map(|number| {
            json!({ "deviceSn": serial(number), "userId": 7, "heart_rate": heart_rate, "timestamp": timestamp })
        })
        .collect();
    let taken = service.upload(&json!({ "data": samples })).await;
    assert_eq!(taken, (u64::from(DEVICES), 0, 0));
}

/// Waits until every device shows this heart rate at one of these nodes.
async fn all_show(cluster: &RedisCluster, masters: &[usize], heart_rate: u16) {
    let expected = heart_rate.to_string();
    for number in 0..DEVICES {
        let key = format!("health_data:{}", serial(number));
        eventually(&format!("{key} shows {expected}"), || async {
            (cluster.hash(masters, &key).await.get("heartRate")? == &expected).then_some(())
        })
        .await;
    }
}

/// Waits until the master at each of these nodes is marked as holding its part of the complete view.
async fn becomes_complete(database: &Database, cluster: &RedisCluster, masters: &[usize]) {
    let client = database.client().await;
    eventually("the view is complete", || async {
        let row = client
            .query_one("select view_id || ' ' || generation || ' ' from vitals.latest_view", &[])
            .await
            .expect("a row");
        for master in masters {
            let mut node = cluster.node(*master).await;
            let server: redis::InfoDict =
                redis::cmd("INFO").arg("server").query_async(&mut node).await.expect("information");
            let run_id: String = server.get("run_id").expect("an id");
            let keys = cluster.keys(*master, "vitals:view:{").await;
            let [key] = keys.as_slice() else { return None };
            let marker: String = redis::cmd("GET").arg(key).query_async(&mut node).await.ok()?;
            if !marker.starts_with(row.get::<_, &str>(0)) || !marker.contains(&run_id) {
                return None;
            }
        }
        Some(())
    })
    .await;
}

async fn health_of_redis(service: &Service) -> String {
    let health = service.get("/api/health").await.body;
    health["components"]["redis"]["status"].as_str().unwrap_or_else(|| panic!("{health}")).to_owned()
}

#[tokio::test]
async fn every_device_is_shown_and_published_though_one_node_is_named() {
    let database = Database::new().await;
    let Some(cluster) = RedisCluster::bring_up().await else { return };
    let service = watchful(&database, cluster.url(1)).await;
    // What is published at any node reaches those who listen at any other.
    let listener = redis::Client::open(cluster.url(cluster.replica())).expect("a URL");
    let mut channel = listener.get_async_pubsub().await.expect("the node answers");
    channel.psubscribe("health_data_channel:*").await.expect("subscribed");
    upload(&service, 71, "2026-01-02 03:04:05").await;
    all_show(&cluster, &[0, 1, 2], 71).await;
    let all: BTreeSet<String> = (0..DEVICES).map(serial).collect();
    let published: BTreeSet<String> = channel
        .on_message()
        .take(usize::from(DEVICES))
        .map(|message| message.get_payload().expect("text"))
        .collect()
        .await;
    assert_eq!(published, all);
    for master in 0..cluster.masters() {
        assert!(!cluster.keys(master, "health_data:").await.is_empty(), "master {master} holds some");
    }

    // As a node that was restarted, or is new.
    for master in 0..cluster.masters() {
        redis::cmd("SCRIPT").arg("FLUSH").exec_async(&mut cluster.node(master).await).await.expect("flushed");
    }
    upload(&service, 72, "2026-01-02 03:04:06").await;
    all_show(&cluster, &[0, 1, 2], 72).await;
    assert_eq!(health_of_redis(&service).await, "up");
    let check = vitals_with(&database, &["check"], &[("VITALS_REDIS_URL", &cluster.url_of_all())]).await;
    assert!(check.out.contains("a cluster of 3 masters"), "{check:?}");
    service.finish().await;
}

#[tokio::test]
async fn alerts_are_shown_and_what_has_ended_is_swept_from_every_master() {
    let database = Database::new().await;
    let Some(cluster) = RedisCluster::bring_up().await else { return };
    let sql = database.client().await;
    let masters = [0, 1, 2];
    // Of a serial with braces Redis hashes a part alone.
    let devices: Vec<String> =
        (0..20).map(serial).chain(["A{B}C".to_owned(), "A}B{C".to_owned(), "{}".to_owned()]).collect();
    let service = watchful(&database, cluster.url_of_all()).await;
    becomes_complete(&database, &cluster, &masters).await;
    let mut alerts = Vec::new();
    for device in &devices {
        alerts.push(add_alert(&sql, 1, device, 5, &json!({})).await);
    }
    sql.execute("select vitals.show_alerts($1)", &[&alerts]).await.expect("changed");
    for (device, alert_id) in devices.iter().zip(&alerts) {
        eventually(&format!("{device} shows its alert"), || async {
            let shown = cluster.hash(&masters, &format!("alert_info:{device}")).await;
            shown.contains_key(&alert_id.to_string()).then_some(())
        })
        .await;
    }
    // Left by an earlier state of the database: an alert that is gone, and a value of an earlier timeline.
    for master in masters {
        let mut node = cluster.node(master).await;
        let key = cluster.keys(master, "alert_info:").await.first().expect("some").clone();
        let _: () =
            redis::cmd("HSET").arg(&key).arg("987654").arg("{}").query_async(&mut node).await.expect("set");
        leave_old_value(&mut node).await;
        let markers = cluster.keys(master, "vitals:view:{").await;
        let _: () = redis::cmd("DEL").arg(markers).query_async(&mut node).await.expect("deleted");
    }
    becomes_complete(&database, &cluster, &masters).await;
    for device in &devices {
        let shown = cluster.hash(&masters, &format!("alert_info:{device}")).await;
        assert_eq!(shown.len(), 1, "{device}: {shown:?}");
    }
    for master in masters {
        assert_eq!(cluster.keys(master, "health_data:GONE").await, [""; 0]);
    }
    service.finish().await;
}

/// Leaves a value of an earlier timeline at this node, under whatever serial lies in its slots.
async fn leave_old_value(node: &mut MultiplexedConnection) {
    for number in 0..100 {
        let key = format!("health_data:GONE-{number}");
        let set = redis::cmd("HSET")
            .arg(key)
            .arg("eventTimeUs")
            .arg(1)
            .arg("timeline")
            .arg(1)
            .exec_async(node)
            .await;
        if set.is_ok() {
            return;
        }
    }
    panic!("no key lies in the slots of the node");
}

#[tokio::test]
async fn a_master_that_was_flushed_is_filled_again() {
    let database = Database::new().await;
    let Some(cluster) = RedisCluster::bring_up().await else { return };
    let service = watchful(&database, cluster.url_of_all()).await;
    upload(&service, 71, "2026-01-02 03:04:05").await;
    service.drained().await;
    for master in 0..cluster.masters() {
        becomes_complete(&database, &cluster, &[0, 1, 2]).await;
        redis::cmd("FLUSHALL").exec_async(&mut cluster.node(master).await).await.expect("flushed");
        all_show(&cluster, &[0, 1, 2], 71).await;
    }
    becomes_complete(&database, &cluster, &[0, 1, 2]).await;
    service.finish().await;
}

#[tokio::test]
async fn after_a_failover_the_view_is_whole_within_seconds() {
    let database = Database::new().await;
    let Some(mut cluster) = RedisCluster::bring_up().await else { return };
    let service = watchful(&database, cluster.url_of_all()).await;
    upload(&service, 71, "2026-01-02 03:04:05").await;
    all_show(&cluster, &[0, 1, 2], 71).await;
    becomes_complete(&database, &cluster, &[0, 1, 2]).await;

    let after = [1, 2, cluster.replica()];
    cluster.set_node_timeout(500).await;
    cluster.kill(0).await;
    let killed = std::time::Instant::now();
    // Nobody tells the service; this upload may be missed.
    upload(&service, 72, "2026-01-02 03:04:06").await;
    eventually("the replica is the master", || async {
        let mut node = cluster.node(cluster.replica()).await;
        let info: redis::InfoDict =
            redis::cmd("INFO").arg("replication").query_async(&mut node).await.expect("information");
        (info.get::<String>("role").as_deref() == Some("master")).then_some(())
    })
    .await;
    let replaced = killed.elapsed();
    all_show(&cluster, &after, 72).await;
    becomes_complete(&database, &cluster, &after).await;
    println!("the replica was master after {replaced:?}, the view complete after {:?}", killed.elapsed());
    upload(&service, 73, "2026-01-02 03:04:07").await;
    all_show(&cluster, &after, 73).await;
    assert_eq!(health_of_redis(&service).await, "up");
    service.finish().await;
}

#[tokio::test]
async fn a_cluster_with_a_part_away_does_not_count_as_up() {
    let database = Database::new().await;
    let Some(mut cluster) = RedisCluster::bring_up().await else { return };
    let service = watchful(&database, cluster.url_of_all()).await;
    assert_eq!(health_of_redis(&service).await, "up");
    cluster.kill(1).await;
    assert_eq!(health_of_redis(&service).await, "down");
    let url = cluster.url_of_all();
    let check = vitals_with(&database, &["check"], &[("VITALS_REDIS_URL", &url)]).await;
    assert_eq!(check.code, 1, "{check:?}");
    // Uploads go on, and nothing piles up behind Redis.
    upload(&service, 71, "2026-01-02 03:04:05").await;
    service.finish().await;
}

#[tokio::test]
async fn several_addresses_are_those_of_a_cluster() {
    let database = Database::new().await;
    let single = database.redis_url();
    let host = single.trim_start_matches("redis://").split('/').next().expect("a host");
    let url = format!("redis://{host},{host}/0");
    let check = vitals_with(&database, &["check"], &[("VITALS_REDIS_URL", &url)]).await;
    assert_eq!(check.code, 1, "{check:?}");
    assert!(check.out.contains(&format!("{host} is not a node of one")), "{check:?}");
}

#[tokio::test]
async fn a_master_that_becomes_a_replica_is_left_and_taken_again_when_it_is_a_master() {
    let database = Database::new().await;
    let Some(redis) = RedisServer::start().await else { return };
    let service = watchful(&database, redis.url()).await;
    let mut connection = redis.connection().await;
    let mut replicate = async |host: &str, port: &str| {
        let replicated = redis::cmd("REPLICAOF").arg(host).arg(port).exec_async(&mut connection).await;
        replicated.expect("it obeys");
    };
    upload(&service, 71, "2026-01-02 03:04:05").await;
    replicate("127.0.0.1", "1").await;
    eventually("Redis does not count as up", || async {
        (health_of_redis(&service).await == "down").then_some(())
    })
    .await;
    let check = vitals_with(&database, &["check"], &[("VITALS_REDIS_URL", &redis.url())]).await;
    assert!(check.out.contains("is a replica"), "{check:?}");
    upload(&service, 72, "2026-01-02 03:04:06").await;
    replicate("NO", "ONE").await;
    let key = format!("health_data:{}", serial(DEVICES - 1));
    eventually("the value is shown", || async {
        let mut connection = redis.connection().await;
        let shown = redis::cmd("HGET").arg(&key).arg("heartRate").query_async(&mut connection).await;
        let heart_rate: Option<String> = shown.expect("an answer");
        (heart_rate? == "72").then_some(())
    })
    .await;
    service.finish().await;
}
