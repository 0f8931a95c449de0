//! Group robots of DingTalk and of Feishu, by doubles that speak their protocols: signature, limits, codes.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use vitals::config::Settings;

use super::house::House;
use crate::harness::{ReceivedRequest, Receiver, Reply, eventually, vitals};

/// How far a time in a signature may be from that of the provider.
const HOUR: Duration = Duration::from_secs(3600);

fn hmac(key: &str, message: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).expect("a key");
    mac.update(message.as_bytes());
    STANDARD.encode(mac.finalize().into_bytes())
}

fn is_recent(unix: Duration) -> bool {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    now.abs_diff(unix) < HOUR
}

/// `POST /robot/send?access_token=…[&timestamp=…&sign=…]`; the robots `SIGNED` and `SIGNED-2` have the secret `SEC-of-it`.
async fn dingtalk(say: impl Fn(&ReceivedRequest) -> Value + Send + Sync + 'static) -> Receiver {
    Receiver::start(move |seen| {
        assert_eq!(seen.path, "/robot/send", "no other path is of DingTalk");
        let token = seen.query["access_token"].as_str();
        if token.starts_with("SIGNED") {
            let (Some(timestamp), Some(sign)) = (seen.query.get("timestamp"), seen.query.get("sign")) else {
                return Reply::Json(json!({ "errcode": 310_000, "errmsg": "sign not match" }));
            };
            let at = Duration::from_millis(timestamp.parse().expect("milliseconds"));
            if !is_recent(at) || *sign != hmac("SEC-of-it", &format!("{timestamp}\nSEC-of-it")) {
                return Reply::Json(json!({ "errcode": 310_000, "errmsg": "sign not match" }));
            }
        }
        Reply::Json(say(seen))
    })
    .await
}

/// `POST /open-apis/bot/v2/hook/…` with `timestamp` and `sign` in the body.
async fn feishu(say: impl Fn(&ReceivedRequest) -> Value + Send + Sync + 'static) -> Receiver {
    Receiver::start(move |seen| {
        let token = seen.path.strip_prefix("/open-apis/bot/v2/hook/").expect("no other path is of Feishu");
        if token.starts_with("SIGNED") {
            let timestamp = seen.body["timestamp"].as_str().unwrap_or_default();
            let at = Duration::from_secs(timestamp.parse().unwrap_or_default());
            if !is_recent(at) || seen.body["sign"] != hmac(&format!("{timestamp}\nfeishu-secret"), "") {
                let msg = "sign match fail or timestamp is not within one hour from current time";
                return Reply::Json(json!({ "code": 19_021, "msg": msg, "data": {} }));
            }
        }
        Reply::Json(say(seen))
    })
    .await
}

fn dingtalk_ok(_: &ReceivedRequest) -> Value {
    json!({ "errcode": 0, "errmsg": "ok" })
}

fn feishu_ok(_: &ReceivedRequest) -> Value {
    json!({ "code": 0, "msg": "success", "data": {}, "StatusCode": 0, "StatusMessage": "success" })
}

/// Both, of no budget.
fn settings(dingtalk: &Receiver, feishu: &Receiver, to: &mut Settings) {
    (to.notify.dingtalk_base_url, to.notify.feishu_base_url) = (dingtalk.url(), feishu.url());
    (to.notify.dingtalk_robot_interval_ms, to.notify.feishu_robot_interval_ms) = (0, 0);
}

#[tokio::test]
async fn a_robot_with_a_secret_is_sent_signed_messages_and_a_wrong_secret_is_a_refusal() {
    let house = House::new().await;
    let (dingtalk, feishu) = (dingtalk(dingtalk_ok).await, feishu(feishu_ok).await);
    for (channel, secret) in [("dingtalk_robot", "SEC-of-it"), ("feishu_robot", "feishu-secret")] {
        for robot in ["SIGNED", "SIGNED-2", "OPEN"] {
            house.subscribe(channel, robot).await;
        }
        house
            .run(&format!(
                "update contact_address set secret = '{secret}' where (channel, address) = ('{channel}', 'SIGNED');
                 update contact_address set secret = 'wrong' where (channel, address) = ('{channel}', 'SIGNED-2')"
            ))
            .await;
    }
    let service = house.serve(|to| settings(&dingtalk, &feishu, to)).await;
    house.fire(&["SN-1"], "major").await;
    house.until("sent", 4).await;
    house.until("dead", 2).await;
    let errors =
        house.value("select jsonb_agg(error order by channel) from notification where status = 'dead'").await;
    assert_eq!(errors[0], "310000 sign not match");
    assert!(errors[1].as_str().is_some_and(|error| error.starts_with("19021 sign match fail")), "{errors}");

    let seen = &dingtalk.requests()[0];
    assert_eq!(seen.body["msgtype"], "markdown");
    assert!(seen.body["markdown"]["title"].as_str().is_some_and(|title| title.starts_with("[major] ")));
    let text = seen.body["markdown"]["text"].as_str().expect("text");
    assert!(
        text.starts_with("[major] SN-1: heart rate 150") && text.contains("  \n  message no. "),
        "{text}"
    );
    let seen = &feishu.requests()[0];
    assert_eq!(seen.body["msg_type"], "post");
    let post = &seen.body["content"]["post"]["en_us"];
    assert!(post["title"].is_string(), "{post}");
    assert_eq!(post["content"][0][0]["tag"], "text");
    assert!(
        post["content"][0][0]["text"].as_str().is_some_and(|text| text.starts_with("[major] SN-1")),
        "{post}"
    );
    let list = ["alerts", "dead-letters", "list", "--json"];
    let letters = vitals(&house.database, &list).await.out;
    assert!(letters.matches(r#""address":"…ED-2""#).count() == 2, "a token is a password: {letters}");
    service.finish().await;
}

#[tokio::test]
async fn the_secret_of_the_settings_signs_for_robots_without_one() {
    let house = House::new().await;
    let (dingtalk, feishu) = (dingtalk(dingtalk_ok).await, feishu(feishu_ok).await);
    house.subscribe("dingtalk_robot", "SIGNED").await;
    house.subscribe("feishu_robot", "SIGNED").await;
    let with_secrets = |to: &mut Settings| {
        settings(&dingtalk, &feishu, to);
        (to.notify.dingtalk_robot_secret, to.notify.feishu_robot_secret) =
            ("SEC-of-it".into(), "feishu-secret".into());
    };
    let service = house.serve(with_secrets).await;
    house.fire(&["SN-1"], "major").await;
    house.until("sent", 2).await;
    service.finish().await;
}

#[tokio::test]
async fn a_limit_is_waited_for_without_an_attempt_and_the_message_keeps_its_number() {
    let house = House::new().await;
    let count = AtomicUsize::new(0);
    let dingtalk = dingtalk(move |_| match count.fetch_add(1, Ordering::SeqCst) {
        0 => json!({ "errcode": -1, "errmsg": "system busy" }),
        1 => json!({ "errcode": 130_101, "errmsg": "send too fast, exceed 20 times per minute" }),
        _ => json!({ "errcode": 0, "errmsg": "ok" }),
    })
    .await;
    let count = AtomicUsize::new(0);
    let feishu = feishu(move |_| match count.fetch_add(1, Ordering::SeqCst) {
        0 => json!({ "code": 2_200, "msg": "internal error" }),
        1 => json!({ "code": 11_232, "msg": "create message trigger service frequency limit" }),
        _ => json!({ "code": 0, "msg": "success", "data": {} }),
    })
    .await;
    house.subscribe("dingtalk_robot", "KEY").await;
    house.subscribe("feishu_robot", "KEY").await;
    let service = house.serve(|to| settings(&dingtalk, &feishu, to)).await;
    house.fire(&["SN-1"], "critical").await;
    eventually("both wait for a minute", async || {
        let waits = "select count(*) = 2 and bool_and(next_at - clock_timestamp() > interval '50 s') from vitals.notification_target";
        (house.value(waits).await == true).then_some(())
    })
    .await;
    assert_eq!(
        house.value("select array_agg(attempts) from notification").await,
        json!([1, 1]),
        "a limit is none"
    );
    // The minute is over.
    house
        .run("update vitals.notification_target set next_at = '-infinity'; notify vitals_notification")
        .await;
    house.until("sent", 2).await;
    for (receiver, text) in [(&dingtalk, "/markdown/text"), (&feishu, "/content/post/en_us/content")] {
        let seen = receiver.requests();
        assert_eq!(seen.len(), 3);
        let texts: Vec<&Value> = seen.iter().map(|seen| seen.body.pointer(text).expect("text")).collect();
        assert!(texts.windows(2).all(|pair| pair[0] == pair[1]), "{texts:?}");
        let number = house.value("select left(message_id::text, 8) from notification limit 1").await;
        assert!(number.is_string(), "{number}");
    }
    service.finish().await;
}

#[tokio::test]
async fn a_flooded_dingtalk_robot_keeps_its_20_a_minute_and_loses_nothing() {
    let house = House::new().await;
    let (dingtalk, feishu) = (dingtalk(dingtalk_ok).await, feishu(feishu_ok).await);
    house.subscribe("dingtalk_robot", "KEY").await;
    let service = house
        .serve(|to| {
            settings(&dingtalk, &feishu, to);
            to.notify.dingtalk_robot_interval_ms = Settings::defaults().notify.dingtalk_robot_interval_ms;
        })
        .await;
    let devices: Vec<String> = (0..30).map(|n| format!("SN-{n:03}")).collect();
    for device in &devices {
        house.fire(&[device], "critical").await;
    }
    house.until("sent", 30).await;
    let seen = dingtalk.requests();
    for pair in seen.windows(2) {
        assert!(pair[1].at - pair[0].at >= Duration::from_secs(3), "{:?}", pair[1].at - pair[0].at);
    }
    for device in &devices {
        let named = seen.iter().filter(|seen| seen.text.contains(&format!("{device}:"))).count();
        assert_eq!(named, 1, "{device}");
    }
    assert!(seen.iter().all(|seen| seen.text.len() < 20_000));
    service.finish().await;
}

#[tokio::test]
async fn a_robot_that_is_gone_is_a_dead_letter_after_one_attempt_and_an_odd_token_never_leaves() {
    let house = House::new().await;
    let dingtalk = dingtalk(|_| json!({ "errcode": 300_005, "errmsg": "token is not exist" })).await;
    let feishu =
        feishu(|_| json!({ "code": 19_001, "msg": "param invalid: incoming webhook access token invalid" }))
            .await;
    house.subscribe("dingtalk_robot", "KEY").await;
    house.subscribe("feishu_robot", "KEY").await;
    let service = house.serve(|to| settings(&dingtalk, &feishu, to)).await;
    house.fire(&["SN-1"], "critical").await;
    house.until("dead", 2).await;
    let errors = house.value("select bool_and(error like 'the robot is gone: %') from notification").await;
    assert_eq!((errors, dingtalk.requests().len(), feishu.requests().len()), (json!(true), 1, 1));
    for (channel, address) in
        [("feishu_robot", "../../im/v1/messages"), ("dingtalk_robot", "a&b=c"), ("sms", "13800138000")]
    {
        let refused = house
            .sql
            .execute(
                "insert into contact_address (contact_id, channel, address) select min(contact_id), $1, $2 from contact",
                &[&channel, &address],
            )
            .await
            .expect_err(address);
        let refused = refused.as_db_error().expect("of the database").constraint().map(str::to_owned);
        assert_eq!(refused.as_deref(), Some("contact_address_form_check"), "{channel} {address}");
    }
    service.finish().await;
}
