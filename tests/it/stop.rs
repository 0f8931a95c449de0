//! Stopping: what was answered is there.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::json;

use crate::harness::{Database, Process, eventually};

/// Uploads of one client until the service goes; counts what was answered 200.
async fn upload_until_refused(url: String, client: usize, acknowledged: Arc<AtomicU64>) {
    let http = reqwest::Client::new();
    for second in 0.. {
        let samples: Vec<_> = (0..10)
            .map(|n| {
                json!({
                    "deviceSn": format!("STOP-{client}-{n}"),
                    "heart_rate": 60 + second % 60,
                    "timestamp": 1_760_000_000_u64 + second,
                })
            })
            .collect();
        let body = json!({ "data": samples }).to_string();
        match http.post(format!("{url}/upload_health_data")).body(body).send().await {
            Ok(answer) if answer.status() == 200 => drop(acknowledged.fetch_add(10, Ordering::SeqCst)),
            Ok(_) | Err(_) => return,
        }
    }
}

async fn rows(database: &Database) -> u64 {
    let row = database.client().await.query_one("select count(*) from health_data", &[]).await.expect("rows");
    u64::try_from(row.get::<_, i64>(0)).expect("a count")
}

#[tokio::test]
async fn sigterm_under_load_loses_nothing_that_was_answered() {
    let database = Database::new().await;
    let process = Process::serve(&database, &[]).await;
    let acknowledged = Arc::new(AtomicU64::new(0));
    let clients: Vec<_> = (0..16)
        .map(|n| tokio::spawn(upload_until_refused(process.url.clone(), n, Arc::clone(&acknowledged))))
        .collect();
    eventually("load is on", || async { (acknowledged.load(Ordering::SeqCst) > 2_000).then_some(()) }).await;
    process.signal("TERM");
    assert!(process.ended().await.success(), "ends in order");
    for client in clients {
        client.await.expect("ends");
    }
    // Closed-loop clients have at most one unanswered request each: what is there beyond the answers is theirs.
    let (answered, stored) = (acknowledged.load(Ordering::SeqCst), rows(&database).await);
    assert!(stored >= answered, "{answered} acknowledged, {stored} stored");
    assert!(stored <= answered + 160, "{answered} acknowledged, {stored} stored");
}

#[tokio::test]
async fn sigkill_under_load_loses_nothing_that_was_answered() {
    let database = Database::new().await;
    let process = Process::serve(&database, &[]).await;
    let acknowledged = Arc::new(AtomicU64::new(0));
    let clients: Vec<_> = (0..8)
        .map(|n| tokio::spawn(upload_until_refused(process.url.clone(), n, Arc::clone(&acknowledged))))
        .collect();
    eventually("load is on", || async { (acknowledged.load(Ordering::SeqCst) > 1_000).then_some(()) }).await;
    process.signal("KILL");
    process.ended().await;
    for client in clients {
        client.await.expect("ends");
    }
    let (answered, stored) = (acknowledged.load(Ordering::SeqCst), rows(&database).await);
    assert!(stored >= answered, "{answered} acknowledged, {stored} stored");
    // Nothing is left behind that the next instance does not finish.
    let next = crate::harness::Service::start(&database).await;
    next.finish().await;
}
