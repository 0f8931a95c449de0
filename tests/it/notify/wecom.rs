//! WeCom, by a double that speaks its protocol: application messages and group robots.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::json;
use vitals::config::Settings;

use super::house::House;
use crate::harness::{ReceivedRequest, Receiver, Reply};

/// `say`: the answer to an application message or a robot's.
async fn wecom(say: impl Fn(&ReceivedRequest) -> serde_json::Value + Send + Sync + 'static) -> Receiver {
    Receiver::start(move |seen| match seen.path.as_str() {
        "/cgi-bin/gettoken" => {
            assert_eq!((seen.query["corpid"].as_str(), seen.query["corpsecret"].as_str()), ("ww1", "s3cret"));
            Reply::Json(json!({ "errcode": 0, "errmsg": "ok", "access_token": "T", "expires_in": 7200 }))
        }
        "/cgi-bin/message/send" => {
            assert_eq!(seen.query["access_token"], "T");
            Reply::Json(say(seen))
        }
        "/cgi-bin/webhook/send" => Reply::Json(say(seen)),
        path => panic!("{path} is not of WeCom"),
    })
    .await
}

fn settings(receiver: &Receiver, settings: &mut Settings) {
    settings.notify.wecom_base_url = receiver.url();
    settings.notify.wecom_corp_id = "ww1".into();
    settings.notify.wecom_secret = "s3cret".into();
    settings.notify.wecom_agent_id = 1_000_002;
}

#[tokio::test]
async fn an_application_message_goes_to_the_user_and_one_that_is_not_known_is_a_refusal_though_the_answer_is_ok()
 {
    let house = House::new().await;
    let receiver = wecom(|seen| match seen.body["touser"].as_str() {
        Some("zhang") => json!({ "errcode": 0, "errmsg": "ok", "msgid": "m" }),
        Some("partly") => json!({ "errcode": 0, "errmsg": "ok", "invaliduser": "partly", "msgid": "m" }),
        _ => json!({ "errcode": 81013, "errmsg": "user & party & tag all invalid" }),
    })
    .await;
    for user in ["zhang", "partly", "nobody"] {
        house.subscribe("wecom", user).await;
    }
    let service = house.serve(|to| settings(&receiver, to)).await;
    house.fire(&["SN-1"], "major").await;
    house.until("dead", 2).await;
    house.until("sent", 1).await;
    assert_eq!(
        house.rows().await,
        ["fired wecom nobody dead", "fired wecom partly dead", "fired wecom zhang sent"]
    );
    assert_eq!(
        house.value("select error from notification where address = 'partly'").await,
        "invaliduser: partly"
    );
    let seen = receiver.requests().into_iter().find(|seen| seen.body["touser"] == "zhang").expect("told");
    assert_eq!(seen.body["agentid"], 1_000_002);
    assert_eq!(seen.body["text"]["content"], "[major] SN-1: heart rate 150");
    service.finish().await;
}

#[tokio::test]
async fn a_flooded_robot_keeps_its_budget_over_all_instances_and_names_every_alert() {
    const INTERVAL: Duration = Duration::from_millis(300);
    let house = House::new().await;
    let receiver = wecom(|_| json!({ "errcode": 0, "errmsg": "ok" })).await;
    house.subscribe("wecom_robot", "KEY-1").await;
    let tune = |to: &mut Settings| {
        settings(&receiver, to);
        to.notify.wecom_robot_interval_ms = u64::try_from(INTERVAL.as_millis()).expect("few");
    };
    let one = house.serve(tune).await;
    let other = house.serve(tune).await;
    let devices: Vec<String> = (0..100).map(|n| format!("SN-{n:03}")).collect();
    for device in &devices {
        house.fire(&[device], "critical").await;
    }
    house.until("sent", 100).await;
    let seen = receiver.received("/cgi-bin/webhook/send", 5).await;
    assert!(seen.len() < 100, "merged");
    for pair in seen.windows(2) {
        assert!(pair[1].at - pair[0].at >= INTERVAL, "{:?}", pair[1].at - pair[0].at);
    }
    let text: Vec<&str> = seen
        .iter()
        .map(|seen| {
            assert_eq!((seen.query["key"].as_str(), &seen.body["msgtype"]), ("KEY-1", &json!("markdown")));
            seen.body["markdown"]["content"].as_str().expect("text")
        })
        .collect();
    assert!(text.iter().all(|text| text.len() <= 4096));
    for device in &devices {
        let told = text.iter().filter(|text| text.contains(&format!("{device}:"))).count();
        assert_eq!(told, 1, "{device}");
    }
    one.finish().await;
    other.finish().await;
}

#[tokio::test]
async fn the_budget_of_a_robot_is_20_a_minute_by_default_whatever_becomes_of_a_message() {
    let house = House::new().await;
    let count = AtomicUsize::new(0);
    let receiver = wecom(move |_| match count.fetch_add(1, Ordering::SeqCst) {
        0 => json!({ "errcode": 0, "errmsg": "ok" }),
        1 => json!({ "errcode": -1, "errmsg": "system busy" }),
        _ => json!({ "errcode": 45009, "errmsg": "api freq out of limit" }),
    })
    .await;
    house.subscribe("wecom_robot", "KEY-1").await;
    let service = house.serve(|to| settings(&receiver, to)).await;
    for n in 0..3 {
        house.fire(&[&format!("SN-{n}")], "critical").await;
        receiver.received("/cgi-bin/webhook/send", 1).await;
    }
    let seen = receiver.received("/cgi-bin/webhook/send", 3).await;
    for pair in seen.windows(2) {
        assert!(pair[1].at - pair[0].at >= Duration::from_secs(3));
    }
    assert_eq!(seen[2].body, seen[1].body, "the same message again");
    crate::harness::eventually("a minute of waiting", || async {
        let waits =
            "select extract(epoch from next_at - clock_timestamp()) > 50 from vitals.notification_target";
        (house.value(waits).await == true).then_some(())
    })
    .await;
    assert_eq!(house.value("select max(attempts) from notification where status = 'pending'").await, 1);
    assert_eq!(house.value("select count(*) from notification where status = 'dead'").await, 0);
    service.finish().await;
}

#[tokio::test]
async fn a_robot_that_was_removed_is_a_refusal() {
    let house = House::new().await;
    let receiver = wecom(|_| json!({ "errcode": 93000, "errmsg": "invalid webhook url" })).await;
    house.subscribe("wecom_robot", "KEY-1").await;
    let service = house.serve(|to| settings(&receiver, to)).await;
    house.fire(&["SN-1"], "critical").await;
    house.until("dead", 1).await;
    assert_eq!(receiver.requests().len(), 1);
    service.finish().await;
}
