//! Webhooks: what is sent, signed, and where not.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::house::{House, alert_ids};
use crate::harness::{Receiver, Reply};

#[tokio::test]
async fn a_webhook_gets_the_whole_alert_and_a_signature_that_others_can_check() {
    let house = House::new().await;
    let receiver = Receiver::start(|_| Reply::Status(204)).await;
    let key = [7_u8; 32];
    let contact = house.contact("webhook", &format!("{}/hook", receiver.url())).await;
    house.run(&format!("update contact_address set secret = 'whsec_{}'", STANDARD.encode(key))).await;
    house.route("webhook", contact, "").await;
    let service = house.serve(|_| ()).await;
    let alerts = house.fire(&["SN-1"], "critical").await;

    let seen = receiver.received("/hook", 1).await.remove(0);
    assert_eq!(seen.body["type"], "alert.fired");
    let told = &seen.body["data"]["alerts"][0];
    assert_eq!(told["alert_id"], alerts[0].to_string());
    assert_eq!(told["device_sn"], "SN-1");
    assert_eq!(told["severity"], "critical");
    assert_eq!(told["status"], "firing");
    assert_eq!(told["value"], 150.0);
    assert_eq!(told["user_id"], "9007199254740993");
    let (id, at) = (seen.header("webhook-id"), seen.header("webhook-timestamp"));
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).expect("a key");
    mac.update(format!("{id}.{at}.{}", seen.text).as_bytes());
    let expected = format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()));
    assert_eq!(seen.header("webhook-signature"), expected);

    house.until("sent", 1).await;
    assert_eq!(house.value("select message_id from notification").await, id);
    let metrics = service.get("/metrics").await.body.to_string();
    for name in [
        r#"vitals_notifications_total{channel=\"webhook\",outcome=\"sent\"}"#,
        r#"vitals_notification_delivery_seconds_count{channel=\"webhook\"}"#,
        r#"vitals_notifications_waiting{channel=\"webhook\"}"#,
        r#"vitals_notification_oldest_waiting_seconds{channel=\"webhook\"}"#,
    ] {
        assert!(metrics.contains(name), "{name} in {metrics}");
    }
    service.finish().await;
}

#[tokio::test]
async fn an_address_that_is_not_public_is_refused_for_good() {
    let house = House::new().await;
    let receiver = Receiver::start(|_| Reply::Status(204)).await;
    let port = receiver.url().rsplit_once(':').expect("a port").1.to_owned();
    for host in ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "2130706433"] {
        house.subscribe("webhook", &format!("http://{host}:{port}/")).await;
    }
    house.subscribe("webhook", "file:///etc/passwd").await;
    let service = house.serve(|settings| settings.notify.webhook_allow_private = false).await;
    house.fire(&["SN-1"], "critical").await;
    house.until("dead", 5).await;
    assert_eq!(receiver.requests().len(), 0);
    let errors =
        house.value("select count(*) from notification where error like '%is no public address%'").await;
    assert_eq!(errors, 4);
    service.finish().await;
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let house = House::new().await;
    let receiver =
        Receiver::start(|_| Reply::With(302, "location", "/elsewhere".into(), String::new())).await;
    house.subscribe("webhook", &format!("{}/hook", receiver.url())).await;
    let service = house.serve(|settings| settings.notify.attempts = 1).await;
    house.fire(&["SN-1"], "major").await;
    house.until("dead", 1).await;
    assert!(receiver.requests().iter().all(|seen| seen.path == "/hook"));
    service.finish().await;
}

#[tokio::test]
async fn an_answer_that_does_not_end_is_an_answer() {
    let house = House::new().await;
    let receiver = Receiver::start(|_| Reply::Endless(200)).await;
    house.subscribe("webhook", &receiver.url()).await;
    let service = house.serve(|_| ()).await;
    house.fire(&["SN-1"], "major").await;
    house.until("sent", 1).await;
    assert_eq!(receiver.requests().len(), 1);
    service.finish().await;
}

#[tokio::test]
async fn a_receiver_that_asks_for_time_is_given_it_and_gets_the_same_message() {
    let house = House::new().await;
    let count = AtomicUsize::new(0);
    let receiver = Receiver::start(move |_| match count.fetch_add(1, Ordering::SeqCst) {
        0 => Reply::With(429, "retry-after", "1".into(), "slow down".into()),
        1 => Reply::With(503, "retry-after", "3".into(), String::new()),
        _ => Reply::Status(200),
    })
    .await;
    house.subscribe("webhook", &receiver.url()).await;
    let service = house.serve(|_| ()).await;
    let alerts = house.fire(&["SN-1"], "major").await;
    house.until("sent", 1).await;
    let seen = receiver.received("/", 3).await;
    assert!(seen[1].at - seen[0].at >= Duration::from_secs(1));
    assert!(seen[2].at - seen[1].at >= Duration::from_secs(3));
    for each in &seen {
        assert_eq!(each.header("webhook-id"), seen[0].header("webhook-id"));
        assert_eq!(alert_ids(&each.body), alerts);
    }
    assert_eq!(house.value("select attempts from notification").await, 1, "429 does not count");
    service.finish().await;
}

#[tokio::test]
async fn a_receiver_that_is_gone_is_not_tried_again() {
    let house = House::new().await;
    let receiver = Receiver::start(|_| Reply::With(410, "x", "y".into(), "moved\0 away".into())).await;
    house.subscribe("webhook", &receiver.url()).await;
    let service = house.serve(|_| ()).await;
    house.fire(&["SN-1"], "major").await;
    house.until("dead", 1).await;
    assert_eq!(house.value("select error from notification").await, "HTTP 410: moved  away");
    assert_eq!(receiver.requests().len(), 1);
    service.finish().await;
}
