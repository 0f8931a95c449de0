//! Shadow mode: uploads are stored and answered as without a buffer; what the buffer has of them is compared with what is stored.

use serde_json::{Value, json};
use vitals::config::BufferMode;

use super::{Buffered, append, assert_answered, now, packed, sample, upload, uploads_in};
use crate::harness::{Service, eventually, vitals_with};

async fn service_of(buffered: &Buffered) -> Service {
    buffered
        .service_with(|settings| {
            settings.buffer = BufferMode::Always;
            settings.buffer_shadow = true;
        })
        .await
}

/// Waits until so many records are compared; gives the figures.
async fn compared(service: &Service, count: u64) -> Value {
    eventually("everything is compared", || async {
        let shadow = service.get("/api/health").await.body["components"]["buffer"]["shadow"].clone();
        let sum: u64 = shadow.as_object()?.values().filter_map(Value::as_u64).sum();
        (sum >= count).then_some(shadow)
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_shadow_mode_compares_is_what_was_stored() {
    let Some(buffered) = Buffered::new().await else { return };
    let service = service_of(&buffered).await;
    let began = now();
    let watch = json!({ "deviceSn": "SHADOW-1", "heart_rate": 70, "body_temperature": "36.66", "latitude": "22.540363",
                        "step": 1200, "distance": "905.04", "timestamp": began });
    assert_answered(&upload(&service, &[watch]).await, "committed");
    let many: Vec<Value> = (0..100)
        .map(|number| sample(&format!("SHADOW-{number}"), 80, began - 1))
        .chain([json!({})])
        .collect();
    let batch = json!({ "data": many }).to_string();
    assert_answered(&service.post("/upload_health_data_batch", batch).await, "committed");
    let sos = json!({ "eventType": "a.b.SOS_EVENT", "deviceSn": "SHADOW-2", "timestamp": began,
                      "healthData": { "data": sample("SHADOW-2", 90, began - 2) } });
    assert_answered(&service.post("/upload_common_event", sos.to_string()).await, "committed");
    let info = json!({ "SerialNumber": "SHADOW-1", "voltage": 81, "batteryLevel": 55, "timestamp": began });
    assert_answered(&service.post("/upload_device_info", info.to_string()).await, "committed");
    let shadow = compared(&service, 105).await;
    let expected = json!({ "same": 105, "missing": 0, "different": 0, "not_rejected": 0, "unreadable": 0 });
    assert_eq!(shadow, expected, "1 + 100 readings, a reject, an event with its reading, device information");
    buffered.drained().await;
    service.drained().await;
    assert_eq!(buffered.count("select count(*) from health_data").await, 102, "nothing is stored twice");
    assert_eq!(buffered.count("select sum(received)::bigint from vitals.ingest_batch").await, 105);
    service.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_difference_is_counted_and_shown() {
    let Some(buffered) = Buffered::new().await else { return };
    let service = service_of(&buffered).await;
    let began = now();
    let stored: Vec<Value> = (0..2).map(|number| sample("DIFFERS", 70, began - number)).collect();
    assert_answered(&upload(&service, &stored).await, "committed");
    compared(&service, 2).await;
    let sent = [
        sample("DIFFERS", 70, began),
        sample("DIFFERS", 71, began - 1),
        sample("DIFFERS", 72, began - 9),
        json!({}),
    ];
    let shadow = |content: Value| {
        packed(
            &json!({ "source": "health", "received_at": jiff::Timestamp::now().to_string(), "shadow": true, "content": content }),
        )
    };
    let mut redis = buffered.redis.connection().await;
    append(&mut redis, "vitals:upload:{9}", &shadow(json!({ "body": json!({ "data": sent }).to_string() })))
        .await;
    append(&mut redis, "vitals:upload:{9}", &shadow(json!({ "body": "no JSON" }))).await;
    let shadow = compared(&service, 7).await;
    let expected = json!({ "same": 3, "missing": 1, "different": 1, "not_rejected": 1, "unreadable": 1 });
    assert_eq!(shadow, expected);
    let health = service.get("/api/health").await.body["components"]["buffer"].clone();
    let finding = "4 of 7 compared records differ: missing 1, different 1, not_rejected 1, unreadable 1";
    assert_eq!(health["reasons"], json!([finding]));
    let variables = buffered.variables();
    let variables: Vec<(&str, &str)> =
        variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let status = vitals_with(&buffered.database, &["buffer", "status"], &variables).await;
    assert!(status.out.contains(&format!("shadow: {finding}")), "{status:?}");
    assert_eq!(buffered.count("select count(*) from health_data").await, 2, "nothing of it is stored");
    assert_eq!(buffered.count("select count(*) from rejected_upload").await, 0);
    service.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_buffer_that_fails_harms_no_upload_in_shadow_mode() {
    let Some(mut buffered) = Buffered::new().await else { return };
    let service = service_of(&buffered).await;
    buffered.link.cut();
    let answer = upload(&service, &[sample("HARMLESS", 70, now())]).await;
    assert_eq!(answer.status, 503, "as without a buffer: {answer:?}");
    assert_eq!(uploads_in(&mut buffered.redis.connection().await).await, 0);
    assert_eq!(service.get("/readyz").await.status, 503, "a balancer takes it out, as without a buffer");
    buffered.link.restore();
    buffered.redis.kill().await;
    eventually("an upload is committed", || async {
        let answer = upload(&service, &[sample("HARMLESS", 71, now() - 100)]).await;
        (answer.header("vitals-durability") == Some("committed")).then_some(())
    })
    .await;
    service.finish().await;
}
