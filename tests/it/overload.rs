//! More than can be taken: refused in order, nothing acknowledged lost, memory bounded, and over when the load is.

use tokio_util::sync::CancellationToken;
use vitals_fleet::{Options, Show};

use crate::harness::{Database, Process, Service, eventually, readings, small_queues};

/// A figure of `/metrics`, over all its labels.
async fn metric(url: &str, name: &str) -> f64 {
    let text = reqwest::get(format!("{url}/metrics")).await.expect("an answer").text().await.expect("text");
    let lines = text.lines().filter(|line| line.starts_with(&format!("{name}{{")));
    lines.map(|line| line.rsplit(' ').next().expect("a value").parse::<f64>().expect("a number")).sum()
}

#[tokio::test]
async fn what_the_queues_do_not_hold_is_refused_in_order_and_comes_in_when_there_is_room() {
    let database = Database::new().await;
    let variables = [
        ("VITALS_SHARDS", "2"),
        ("VITALS_QUEUE_ROWS", "3000"),
        ("VITALS_MAX_BATCH_ROWS", "1000"),
        ("VITALS_MAX_BODIES_BYTES", "67108864"),
    ];
    let process = Process::serve(&database, &variables).await;
    // Three times what both queues hold, sent again and again whatever is answered.
    let options = Options {
        url: process.url.clone(),
        devices: 200,
        connections: 200,
        records: Some(20_000),
        rate: Some(20_000.0),
        impatient: true,
        ..Options::default()
    };
    // A lock holds the writers in their transactions.
    let mut blocker = database.client().await;
    let lock = blocker.transaction().await.expect("a transaction");
    lock.batch_execute("lock table health_data in access exclusive mode").await.expect("a lock");
    let (nobody, url) = (CancellationToken::new(), &process.url);
    let loading = vitals_fleet::run(&options, &nobody, Show::Nothing);
    let refused_then_released = async {
        eventually("uploads are refused", || async {
            (metric(url, "vitals_ingest_refused_total").await > 100.0).then_some(())
        })
        .await;
        lock.rollback().await.expect("released");
    };
    let (report, ()) = futures_util::join!(loading, refused_then_released);
    let report = report.expect("a report");
    // No other status than 200 and 503, no 503 without Retry-After, no answer that does not add up.
    assert_eq!(report.errors(), 0, "{report}");
    let counts = report.live.expect("live uploads").counts;
    assert!(counts.refused > 100, "{counts:?}");
    assert_eq!((counts.acknowledged, counts.abandoned), (20_000, 0), "in the end all of it is taken");
    let row = database.client().await.query_one("select count(*) from health_data", &[]).await.expect("rows");
    assert_eq!(row.get::<_, i64>(0), 20_000, "once");

    eventually("no row waits", || async {
        (metric(url, "vitals_ingest_queue_rows").await == 0.0).then_some(())
    })
    .await;
    // The bodies' 64 MiB, the queues, buffers of 200 connections, and the program, which is a debug build here.
    let memory = process.peak_memory_bytes() >> 20;
    assert!(memory < 256, "{memory} MiB");
    process.signal("TERM");
    assert!(process.ended().await.success(), "ends in order");
}

#[tokio::test]
async fn while_its_shard_has_no_room_an_upload_is_refused_unparsed() {
    let database = Database::new().await;
    let service = Service::start_with(&database, small_queues).await;
    // A lock holds the writer in its transaction, so the queue stays full.
    let mut blocker = database.client().await;
    let lock = blocker.transaction().await.expect("a transaction");
    lock.batch_execute("lock table health_data in access exclusive mode").await.expect("a lock");
    let unread = || "no JSON ".repeat(5_000);
    let filling = service.post("/upload_health_data", readings("FULL-1", 20));
    let looking = async {
        let refused = eventually("what is no upload is refused as if it were one", || async {
            let answer = service.post("/upload_health_data", unread()).await;
            (answer.status == 503).then_some(answer)
        })
        .await;
        assert!(refused.retry_after.is_some(), "{refused:?}");
        let batch = service.post("/upload_health_data_batch", unread()).await;
        assert_eq!((batch.status, batch.retry_after.is_some()), (503, true), "{batch:?}");
        // Events have a lane of their own: they are read.
        assert_eq!(service.post("/upload_common_event", "null".to_owned()).await.status, 400);
        lock.rollback().await.expect("released");
    };
    let (filled, ()) = futures_util::join!(filling, looking);
    assert_eq!(filled.status, 200, "{filled:?}");
    assert_eq!(service.post("/upload_health_data", unread()).await.status, 400, "it is read again");
    service.finish().await;
}
