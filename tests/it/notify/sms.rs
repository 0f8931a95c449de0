//! SMS through an HTTP gateway: the request of the settings, limits, codes, length.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use vitals::config::Settings;

use super::house::House;
use crate::harness::{Receiver, Reply, eventually};

const NUMBER: &str = "+8613800138000";

/// A gateway that answers with a code in its body.
fn settings(gateway: &Receiver, to: &mut Settings) {
    let notify = &mut to.notify;
    notify.sms_url = format!("{}/v1/send", gateway.url());
    notify.sms_headers =
        json!({ "Content-Type": "application/json", "Authorization": "Bearer s3cret" }).to_string();
    notify.sms_body = r#"{"phone": "{digits}", "content": "{text}", "outId": "{id}"}"#.into();
    notify.sms_outcome_pointer = "/Code".into();
    notify.sms_success_value = "OK".into();
    notify.sms_limited_values = "isv.BUSINESS_LIMIT_CONTROL".into();
    notify.sms_refused_values = "isv.MOBILE_NUMBER_ILLEGAL,isv.OUT_OF_SERVICE".into();
    notify.sms_interval_ms = 0;
}

#[tokio::test]
async fn the_request_is_that_of_the_settings_and_text_of_a_device_stays_text() {
    let house = House::new().await;
    let gateway = Receiver::start(|seen| {
        assert_eq!((seen.path.as_str(), seen.header("authorization")), ("/v1/send", "Bearer s3cret"));
        Reply::Json(json!({ "Code": "OK" }))
    })
    .await;
    house.subscribe("sms", NUMBER).await;
    let service = house.serve(|to| settings(&gateway, to)).await;
    house.fire(&["SN-1\",\"phone\":\"1"], "critical").await;
    house.until("sent", 1).await;
    let seen = gateway.requests().remove(0);
    assert_eq!(seen.body["phone"], "8613800138000");
    assert_eq!(seen.body["content"], "[critical] SN-1\",\"phone\":\"1: heart rate 150");
    assert_eq!(seen.body["outId"], house.value("select message_id from notification").await);
    service.finish().await;
}

#[tokio::test]
async fn a_form_and_a_query_are_written_as_they_need_it() {
    let house = House::new().await;
    let gateway = Receiver::start(|_| Reply::Status(202)).await;
    house.subscribe("sms", NUMBER).await;
    let service = house
        .serve(|to| {
            to.notify.sms_url = format!("{}/send?to={{to}}&ref={{id}}", gateway.url());
            to.notify.sms_headers =
                json!({ "Content-Type": "application/x-www-form-urlencoded" }).to_string();
            to.notify.sms_body = "text={text}".into();
        })
        .await;
    house.fire(&["SN&to=+1"], "critical").await;
    house.until("sent", 1).await;
    let seen = gateway.requests().remove(0);
    assert_eq!((seen.query["to"].as_str(), seen.query.len()), (NUMBER, 2));
    assert!(seen.text.starts_with("text=%5Bcritical%5D%20SN%26to%3D%2B1"), "{}", seen.text);
    service.finish().await;
}

#[tokio::test]
async fn limits_are_waited_for_errors_tried_again_and_wrong_numbers_refused_all_under_one_id() {
    let house = House::new().await;
    let count = AtomicUsize::new(0);
    let gateway = Receiver::start(move |seen| {
        if seen.body["phone"] == "8613800138001" {
            return Reply::Json(json!({ "Code": "isv.MOBILE_NUMBER_ILLEGAL" }));
        }
        match count.fetch_add(1, Ordering::SeqCst) {
            0 => Reply::Status(500),
            1 => Reply::Json(json!({ "Code": "isv.BUSINESS_LIMIT_CONTROL" })),
            _ => Reply::Json(json!({ "Code": "OK" })),
        }
    })
    .await;
    house.subscribe("sms", NUMBER).await;
    house.subscribe("sms", "+8613800138001").await;
    let service = house.serve(|to| settings(&gateway, to)).await;
    house.fire(&["SN-1"], "critical").await;
    house.until("dead", 1).await;
    assert_eq!(
        house.value("select error from notification where status = 'dead'").await,
        "HTTP 200, /Code is isv.MOBILE_NUMBER_ILLEGAL: {\"Code\":\"isv.MOBILE_NUMBER_ILLEGAL\"}"
    );
    eventually("a minute of waiting", async || {
        let waits = format!(
            "select next_at - clock_timestamp() > interval '50 s' from vitals.notification_target where address = '{NUMBER}'"
        );
        (house.value(&waits).await == true).then_some(())
    })
    .await;
    house
        .run("update vitals.notification_target set next_at = '-infinity'; notify vitals_notification")
        .await;
    house.until("sent", 1).await;
    let sent: Vec<Value> = gateway
        .requests()
        .into_iter()
        .filter(|seen| seen.body["phone"] == "8613800138000")
        .map(|seen| seen.body)
        .collect();
    assert_eq!(sent.len(), 3);
    assert!(sent.windows(2).all(|pair| pair[0] == pair[1]), "{sent:?}");
    assert_eq!(house.value("select attempts from notification where status = 'sent'").await, 1);
    service.finish().await;
}

#[tokio::test]
async fn alerts_that_come_together_go_to_a_number_in_few_segments_and_each_is_named() {
    const INTERVAL: Duration = Duration::from_millis(300);
    let house = House::new().await;
    let gateway = Receiver::start(|_| Reply::Json(json!({ "Code": "OK" }))).await;
    house.subscribe("sms", NUMBER).await;
    let service = house
        .serve(|to| {
            settings(&gateway, to);
            to.notify.sms_interval_ms = u64::try_from(INTERVAL.as_millis()).expect("few");
            to.notify.sms_max_segments = 2;
        })
        .await;
    let devices: Vec<String> = (0..12).map(|n| format!("SN-{n:03}-心率")).collect();
    for device in &devices {
        house.fire(&[device], "critical").await;
    }
    house.until("sent", 12).await;
    let seen = gateway.requests();
    for pair in seen.windows(2) {
        assert!(pair[1].at - pair[0].at >= INTERVAL, "{:?}", pair[1].at - pair[0].at);
    }
    let texts: Vec<&str> = seen.iter().map(|seen| seen.body["content"].as_str().expect("text")).collect();
    assert!(texts.iter().all(|text| text.encode_utf16().count() <= 134), "{texts:?}");
    for device in &devices {
        let serial = &device[..6];
        assert_eq!(texts.iter().filter(|text| text.contains(serial)).count(), 1, "{serial} {texts:?}");
    }
    service.finish().await;
}

#[tokio::test]
async fn a_gateway_that_is_not_set_up_refuses_and_names_the_setting() {
    let house = House::new().await;
    house.subscribe("sms", NUMBER).await;
    let service = house.serve(|to| to.notify.sms_headers = "Authorization: x".into()).await;
    house.fire(&["SN-1"], "critical").await;
    house.until("dead", 1).await;
    assert_eq!(house.value("select error from notification").await, "sms_url is not set");
    service.finish().await;
}
