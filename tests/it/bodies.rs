//! Bodies, whatever is in them: large ones, packed ones, and too many at once.

use std::io::Write;

use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::harness::{Database, Service, eventually};
use crate::uploads::gzip;

/// `count` samples of ten devices, about 150 bytes each.
fn many(prefix: &str, count: i64) -> Vec<u8> {
    let items: Vec<Value> = (0..count)
        .map(|n| {
            json!({ "deviceSn": format!("{prefix}-{}", n % 10), "heart_rate": 60 + n % 50, "blood_oxygen": 97,
                    "body_temperature": "36.6", "step": n, "timestamp": 1_767_294_245 + n / 10 })
        })
        .collect();
    json!({ "data": items }).to_string().into_bytes()
}

#[tokio::test]
async fn a_large_body_is_stored_whole_however_it_is_packed() {
    let database = Database::new().await;
    let service = Service::start(&database).await;
    let count = 12_000;
    for (encoding, device) in [("identity", "PLAIN"), ("gzip", "GZ"), ("zstd", "ZS")] {
        let body = many(device, count);
        assert!(body.len() > 1_000_000);
        let packed = match encoding {
            "gzip" => gzip(&body),
            "zstd" => zstd::encode_all(body.as_slice(), 3).expect("packed"),
            _ => body,
        };
        for expected in [
            json!({ "success": count, "duplicate": 0, "error": 0 }),
            json!({ "success": 0, "duplicate": count, "error": 0 }),
        ] {
            let headers = [("content-encoding", encoding)];
            let answer = service.post_with("/upload_health_data", &headers, packed.clone()).await;
            assert_eq!((answer.status, &answer.body["details"]), (200, &expected), "{encoding}");
        }
        let rows = "select count(*) from health_data where device_sn = $1";
        let client = database.client().await;
        let rows = client.query_one(rows, &[&format!("{device}-3")]).await.expect("a count");
        assert_eq!(rows.get::<_, i64>(0), 1_200, "{encoding}");
    }
    service.finish().await;
}

#[tokio::test]
async fn a_large_body_that_is_none_is_refused_as_a_small_one_is() {
    let database = Database::new().await;
    let service = Service::start_with(&database, |settings| {
        settings.max_body_bytes = 2_000_000;
        settings.max_decompressed_bytes = 4_000_000;
    })
    .await;
    let broken = vec![b'['; 1_000_000];
    let cut = gzip(&many("CUT", 12_000))[..20_000].to_vec();
    let bomb = vec![b' '; 4_000_001];
    let zstd_bomb = zstd::encode_all(bomb.as_slice(), 3).expect("packed");
    for (encoding, body, status) in [
        ("identity", broken.clone(), 400),
        ("gzip", gzip(&broken), 400),
        // Not packed as it says.
        ("gzip", many("CUT", 1), 400),
        ("zstd", many("CUT", 1), 400),
        ("br", b"x".to_vec(), 415),
        ("gzip", cut, 400),
        ("gzip", gzip(&bomb), 413),
        ("zstd", zstd_bomb, 413),
        ("identity", vec![b' '; 2_000_001], 413),
    ] {
        let answer = service.post_with("/upload_health_data", &[("content-encoding", encoding)], body).await;
        assert_eq!(answer.status, status, "{encoding} {answer:?}");
    }
    service.finish().await;
}

#[tokio::test]
async fn bodies_beyond_the_budget_are_refused_with_retry_after_and_taken_when_there_is_room() {
    let database = Database::new().await;
    let running = Service::start_with(&database, |settings| {
        settings.max_body_bytes = 1_000_000;
        settings.max_decompressed_bytes = 1_000_000;
        settings.max_bodies_bytes = 2_200_000;
    })
    .await;
    let body = |name: &str| {
        let padding = " ".repeat(900_000);
        format!(r#"{{"deviceSn":"{name}","heart_rate":70,"timestamp":1767294245{padding}}}"#)
    };
    // A lock holds the writer in its transaction, and with it the bodies of what it is to write.
    let mut blocker = database.client().await;
    let lock = blocker.transaction().await.expect("a transaction");
    lock.batch_execute("lock table health_data in access exclusive mode").await.expect("a lock");
    let service = &running;
    // The probe below takes room too, so either may have to come again.
    let upload = |name: &'static str| {
        eventually("it is taken", move || async move {
            let answer = service.post("/upload_health_data", body(name)).await;
            (answer.status == 200).then_some(())
        })
    };
    let refused_then_released = async {
        // No upload: refused without waiting for the writer while there is room.
        let other = "x".repeat(300_000);
        let refused = eventually("there is no room", || async {
            let answer = service.post("/upload_health_data", other.clone()).await;
            (answer.status == 503).then_some(answer)
        })
        .await;
        assert!(refused.retry_after.is_some(), "{refused:?}");
        lock.rollback().await.expect("released");
    };
    futures_util::join!(upload("ROOM-1"), upload("ROOM-2"), refused_then_released);
    upload("ROOM-3").await;
    running.finish().await;
}

#[tokio::test]
async fn one_packing_is_undone_and_no_more() {
    let database = Database::new().await;
    let service = Service::start(&database).await;
    let body = many("PACK", 10);
    let gzipped = gzip(&body);
    for headers in [
        vec![("content-encoding", "identity, gzip")],
        vec![("content-encoding", "gzip,")],
        vec![("content-encoding", "identity"), ("content-encoding", "X-GZIP")],
    ] {
        let answer = service.post_with("/upload_health_data", &headers, gzipped.clone()).await;
        assert_eq!(answer.status, 200, "{headers:?} {answer:?}");
    }
    let twice = zstd::encode_all(gzipped.as_slice(), 3).expect("packed");
    for headers in [
        vec![("content-encoding", "gzip, zstd")],
        vec![("content-encoding", "gzip"), ("content-encoding", "zstd")],
        vec![("content-encoding", "gzip, br")],
    ] {
        let answer = service.post_with("/upload_health_data", &headers, twice.clone()).await;
        assert_eq!(answer.status, 415, "{headers:?} {answer:?}");
    }
    service.finish().await;
}

#[tokio::test]
async fn a_zstd_frame_may_refer_back_no_further_than_a_body_is_long() {
    let database = Database::new().await;
    let service = Service::start(&database).await;
    let body = many("FAR", 10);
    for (window_log, status) in [(25, 200), (26, 400)] {
        // Streamed, so that the frame tells its window and not its length.
        let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 3).expect("an encoder");
        encoder.window_log(window_log).expect("a window");
        encoder.write_all(&body).expect("packed");
        let packed = encoder.finish().expect("packed");
        let answer = service.post_with("/upload_health_data", &[("content-encoding", "zstd")], packed).await;
        assert_eq!(answer.status, status, "{window_log} {answer:?}");
    }
    service.finish().await;
}

/// A hundred kilobytes of readings so short that what is read from them takes twenty times as much.
fn tiny(device_sn: &str) -> String {
    let item = format!(r#"{{"id":"{device_sn}","xlv":70}}"#);
    format!("[{}]", vec![item.as_str(); 95_000 / (item.len() + 1)].join(","))
}

#[tokio::test]
async fn what_is_read_from_a_body_takes_its_share_until_it_is_committed() {
    let database = Database::new().await;
    let running = Service::start_with(&database, |settings| {
        settings.max_body_bytes = 100_000;
        settings.max_decompressed_bytes = 100_000;
        settings.max_bodies_bytes = 4_000_000;
        // Whoever is in waits no longer than that for the lock.
        settings.commit_deadline_ms = 1_000;
    })
    .await;
    let mut blocker = database.client().await;
    let lock = blocker.transaction().await.expect("a transaction");
    lock.batch_execute("lock table health_data in access exclusive mode").await.expect("a lock");
    let service = &running;
    let upload = |name: &'static str| {
        eventually("it is taken", move || async move {
            let answer = service.post("/upload_health_data", tiny(name)).await;
            (answer.status == 200).then_some(())
        })
    };
    // As text all of them would fit twenty times.
    let refused_then_released = async {
        eventually("there is no room", || async {
            let answer = service.post("/upload_health_data", tiny("T-3")).await;
            let told = answer.body["message"].as_str().is_some_and(|told| told.contains("large bodies"));
            (answer.status == 503 && told).then_some(())
        })
        .await;
        lock.rollback().await.expect("released");
    };
    futures_util::join!(upload("T-1"), refused_then_released);
    upload("T-2").await;
    running.finish().await;
}

#[tokio::test]
async fn a_body_from_which_more_is_read_than_there_ever_is_room_for_is_too_large() {
    let database = Database::new().await;
    let service = Service::start_with(&database, |settings| {
        settings.max_body_bytes = 100_000;
        settings.max_decompressed_bytes = 100_000;
        settings.max_bodies_bytes = 1_000_000;
    })
    .await;
    let answer = service.post("/upload_health_data", tiny("T-1")).await;
    assert_eq!(answer.status, 413, "{answer:?}");
    service.finish().await;
}

#[tokio::test]
async fn alarms_are_read_beside_slow_senders_that_take_all_the_room_there_is() {
    let database = Database::new().await;
    let service = Service::start_with(&database, |settings| {
        settings.max_body_bytes = 60_000;
        settings.max_decompressed_bytes = 60_000;
        settings.max_bodies_bytes = 256_000;
    })
    .await;
    let mut slow = Vec::new();
    for _ in 0..4 {
        let mut stream =
            TcpStream::connect(service.url().trim_start_matches("http://")).await.expect("connects");
        let head = "POST /upload_health_data HTTP/1.1\r\nhost: x\r\ncontent-length: 60000\r\n\r\n[";
        stream.write_all(head.as_bytes()).await.expect("sent");
        stream.write_all(&[b' '; 59_900]).await.expect("sent");
        slow.push(stream);
    }
    let ordinary = many("SLOW", 100);
    eventually("nothing else is read", || async {
        let answer = service.post("/upload_health_data", ordinary.clone()).await;
        (answer.status == 503).then_some(())
    })
    .await;
    for number in 0..20 {
        let value = "v".repeat(500);
        let event =
            format!(r#"{{"eventType":"SOS_EVENT","deviceSn":"SOS-{number}","eventValue":"{value}"}}"#);
        let answer = service.post("/upload_common_event", event).await;
        assert_eq!(answer.status, 200, "{answer:?}");
    }
    drop(slow);
    service.finish().await;
}
