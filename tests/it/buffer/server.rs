//! Which server may be a buffer, what it survives, and a cluster of them.

use serde_json::json;

use super::{Buffered, assert_answered, now, sample, upload};
use crate::harness::{Process, RedisCluster, vitals_with};
use vitals::config::BufferMode;

/// At start, and in `vitals check`.
async fn refusals(buffered: &Buffered) -> [String; 2] {
    let variables = buffered.variables();
    let variables: Vec<(&str, &str)> =
        variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let check = vitals_with(&buffered.database, &["check"], &variables).await;
    assert_eq!(check.code, 1, "{check:?}");
    match Process::try_serve(&buffered.database, &variables).await {
        Ok(_) => panic!("it serves"),
        Err(log) => [log, check.out],
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_evicts_or_has_no_file_is_refused_at_start_with_the_reason() {
    let Some(buffered) = Buffered::new().await else { return };
    let mut redis = buffered.redis.connection().await;
    for (name, bad, good) in [("maxmemory-policy", "allkeys-lru", "noeviction"), ("appendonly", "no", "yes")]
    {
        let mut set = redis::cmd("CONFIG");
        set.arg("SET").arg(name).arg(bad).exec_async(&mut redis).await.expect("set");
        for refusal in refusals(&buffered).await {
            assert!(refusal.contains(name) && refusal.contains("buffer_url"), "{refusal}");
        }
        let mut set = redis::cmd("CONFIG");
        set.arg("SET").arg(name).arg(good).exec_async(&mut redis).await.expect("set");
    }
    let variables = buffered.variables();
    let variables: Vec<(&str, &str)> =
        variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let check = vitals_with(&buffered.database, &["check"], &variables).await;
    assert!(check.out.contains("appendfsync always"), "{check:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_whose_memory_is_used_up_refuses_uploads_and_is_drained() {
    let Some(buffered) = Buffered::new().await else { return };
    let service = buffered.service().await;
    buffered.link.cut();
    assert_answered(&upload(&service, &[sample("MEMORY", 70, now())]).await, "buffered");
    let mut redis = buffered.redis.connection().await;
    let mut set = redis::cmd("CONFIG");
    set.arg("SET").arg("maxmemory").arg(1).exec_async(&mut redis).await.expect("set");
    let answer = upload(&service, &[sample("MEMORY", 71, now() - 100)]).await;
    assert_eq!((answer.status, answer.retry_after.is_some()), (503, true), "{answer:?}");
    assert_eq!(answer.body["message"], "the buffer is full");
    buffered.link.restore();
    buffered.count_becomes("select count(*) from health_data", 1).await;
    buffered.drained().await;
    service.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_crashed_has_every_acknowledged_upload_in_its_file() {
    let Some(buffered) = Buffered::new().await else { return };
    let service = buffered.service().await;
    buffered.link.cut();
    let began = now();
    for number in 0..20 {
        let sent = sample(&format!("CRASH-{number}"), 70, began);
        assert_answered(&upload(&service, &[sent]).await, "buffered");
    }
    buffered.redis.crash_and_recover().await;
    buffered.link.restore();
    buffered.count_becomes("select count(*) from health_data", 20).await;
    buffered.drained().await;
    service.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_buffers_and_is_drained_on_every_master() {
    let Some(cluster) = RedisCluster::bring_up_durable().await else { return };
    let Some(buffered) = Buffered::new().await else { return };
    let service = buffered
        .service_with(|settings| {
            settings.buffer = BufferMode::Always;
            settings.buffer_url = cluster.url_of_all();
            settings.connect_timeout_ms = 2_000;
        })
        .await;
    buffered.link.cut();
    let samples: Vec<_> = (0..200).map(|number| sample(&format!("SPREAD-{number}"), 70, now())).collect();
    let body = json!({ "data": samples }).to_string();
    assert_answered(&service.post("/upload_health_data", body).await, "buffered");
    for master in 0..cluster.masters() {
        assert!(!cluster.keys(master, "vitals:upload:").await.is_empty(), "each master has streams");
    }
    buffered.link.restore();
    buffered.count_becomes("select count(*) from health_data", 200).await;
    service.finish().await;
}
