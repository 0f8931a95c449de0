//! WeChat, by a double that speaks its protocol: tokens that expire, `errcode` in a 200 body.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::json;
use vitals::config::Settings;

use super::house::House;
use crate::harness::{ReceivedRequest, Receiver, Reply};

/// The official account: hands out tokens T1, T2, … of which only the newest is good from `expired` on.
struct Wechat {
    receiver: Receiver,
    tokens: Arc<AtomicUsize>,
    /// Tokens up to this number are expired.
    expired: Arc<AtomicUsize>,
}

impl Wechat {
    /// `say`: the code for a message under a good token.
    async fn start(say: impl Fn(&ReceivedRequest) -> i64 + Send + Sync + 'static) -> Self {
        let (tokens, expired) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let (given, void) = (Arc::clone(&tokens), Arc::clone(&expired));
        let receiver = Receiver::start(move |seen| match seen.path.as_str() {
            "/cgi-bin/token" => {
                let known = seen.query["grant_type"] == "client_credential"
                    && seen.query["appid"] == "wx1"
                    && seen.query["secret"] == "s3cret";
                if !known {
                    return Reply::Json(json!({ "errcode": 40013, "errmsg": "invalid appid" }));
                }
                let number = given.fetch_add(1, Ordering::SeqCst) + 1;
                Reply::Json(json!({ "access_token": format!("T{number}"), "expires_in": 7200 }))
            }
            "/cgi-bin/message/template/send" => {
                let number: usize = seen.query["access_token"][1..].parse().expect("a token of ours");
                if number <= void.load(Ordering::SeqCst) {
                    return Reply::Json(json!({ "errcode": 42001, "errmsg": "access_token expired" }));
                }
                match say(seen) {
                    0 => Reply::Json(json!({ "errcode": 0, "errmsg": "ok", "msgid": 1 })),
                    code => Reply::Json(json!({ "errcode": code, "errmsg": format!("says {code}") })),
                }
            }
            path => panic!("{path} is not of WeChat"),
        })
        .await;
        Self { receiver, tokens, expired }
    }

    fn settings(&self, settings: &mut Settings) {
        settings.notify.wechat_base_url = self.receiver.url();
        settings.notify.wechat_app_id = "wx1".into();
        settings.notify.wechat_app_secret = "s3cret".into();
        settings.notify.wechat_template_id = "TEMPLATE".into();
    }
}

#[tokio::test]
async fn a_template_message_carries_the_alert_and_one_token_serves_all() {
    let house = House::new().await;
    let wechat = Wechat::start(|_| 0).await;
    for n in 0..10 {
        house.subscribe("wechat", &format!("openid-{n}")).await;
    }
    let service = house.serve(|settings| wechat.settings(settings)).await;
    house.fire(&["SN-1"], "critical").await;
    house.until("sent", 10).await;
    assert_eq!(wechat.tokens.load(Ordering::SeqCst), 1, "asked for once, though ten waited");
    let seen = wechat.receiver.received("/cgi-bin/message", 10).await;
    let body = &seen[0].body;
    assert!(body["touser"].as_str().expect("text").starts_with("openid-"));
    assert_eq!(body["template_id"], "TEMPLATE");
    assert_eq!(body["data"]["keyword1"]["value"], "SN-1");
    assert_eq!(body["data"]["remark"]["value"], "[critical] SN-1: heart rate 150");
    assert_eq!(body["client_msg_id"].as_str().expect("text").len(), 32);
    service.finish().await;
}

#[tokio::test]
async fn a_token_that_expired_is_renewed_once_and_the_message_goes_at_once() {
    let house = House::new().await;
    let wechat = Wechat::start(|_| 0).await;
    for n in 0..10 {
        house.subscribe("wechat", &format!("openid-{n}")).await;
    }
    let service = house.serve(|settings| wechat.settings(settings)).await;
    house.fire(&["SN-1"], "critical").await;
    house.until("sent", 10).await;
    wechat.expired.store(1, Ordering::SeqCst);
    house.fire(&["SN-2"], "critical").await;
    house.until("sent", 20).await;
    assert_eq!(wechat.tokens.load(Ordering::SeqCst), 2, "renewed by the first who found out");
    assert_eq!(house.value("select max(attempts) from notification").await, 0, "no failed attempt");
    service.finish().await;
}

#[tokio::test]
async fn a_token_that_is_never_good_is_a_failure_and_no_endless_renewal() {
    let house = House::new().await;
    let wechat = Wechat::start(|_| 0).await;
    wechat.expired.store(usize::MAX, Ordering::SeqCst);
    house.subscribe("wechat", "openid-1").await;
    let service = house
        .serve(|settings| {
            wechat.settings(settings);
            settings.notify.attempts = 1;
        })
        .await;
    house.fire(&["SN-1"], "critical").await;
    house.until("dead", 1).await;
    assert_eq!(house.value("select error from notification").await, "42001 access_token expired");
    assert_eq!(wechat.tokens.load(Ordering::SeqCst), 2);
    service.finish().await;
}

#[tokio::test]
async fn a_refusal_in_a_200_is_a_dead_letter_at_once_and_busy_is_tried_again() {
    let house = House::new().await;
    let busy = AtomicUsize::new(0);
    let wechat = Wechat::start(move |seen| match seen.body["touser"].as_str() {
        Some("unknown") => 40003,
        Some("not-subscribed") => 43004,
        Some("refuses") => 43101,
        _ if busy.fetch_add(1, Ordering::SeqCst) == 0 => -1,
        _ => 0,
    })
    .await;
    for openid in ["unknown", "not-subscribed", "refuses", "busy"] {
        house.subscribe("wechat", openid).await;
    }
    let service = house.serve(|settings| wechat.settings(settings)).await;
    house.fire(&["SN-1"], "critical").await;
    house.until("dead", 3).await;
    house.until("sent", 1).await;
    assert_eq!(
        house.value("select error from notification where address = 'unknown'").await,
        "40003 says 40003"
    );
    let tries =
        |openid: &str| wechat.receiver.requests().iter().filter(|seen| seen.body["touser"] == openid).count();
    assert_eq!((tries("unknown"), tries("not-subscribed"), tries("refuses"), tries("busy")), (1, 1, 1, 2));
    service.finish().await;
}

#[tokio::test]
async fn a_wrong_secret_is_told_in_the_providers_words_and_never_shown() {
    let house = House::new().await;
    let wechat = Wechat::start(|_| 0).await;
    house.subscribe("wechat", "openid-1").await;
    house.subscribe("wecom_robot", "robot-key-1").await;
    let service = house
        .serve(|settings| {
            wechat.settings(settings);
            settings.notify.wechat_app_secret = "wr0ng".into();
            // Nobody listens there.
            settings.notify.wecom_base_url = "http://127.0.0.1:9".into();
            settings.notify.attempts = 1;
        })
        .await;
    house.fire(&["SN-1"], "critical").await;
    house.until("dead", 2).await;
    let error = house.value("select string_agg(error, ' ') from notification").await;
    let error = error.as_str().expect("text");
    assert!(error.contains("token: 40013 invalid appid"), "{error}");
    for secret in ["wr0ng", "robot-key-1", "key="] {
        assert!(!error.contains(secret), "{error}");
    }
    service.finish().await;
}

#[tokio::test]
async fn a_limit_delays_and_loses_nothing() {
    let house = House::new().await;
    let wechat = Wechat::start(|_| 45009).await;
    house.subscribe("wechat", "openid-1").await;
    let service = house
        .serve(|settings| {
            wechat.settings(settings);
            settings.notify.attempts = 1;
        })
        .await;
    house.fire(&["SN-1"], "critical").await;
    wechat.receiver.received("/cgi-bin/message", 1).await;
    let waits = "select extract(epoch from next_at - clock_timestamp()) from vitals.notification_target
                 where lease_token is null";
    let waits = crate::harness::eventually("recorded", || async {
        house.value(waits).await.as_f64().filter(|seconds| *seconds > 0.0)
    })
    .await;
    assert!((50.0..76.0).contains(&waits), "a minute, drawn out a little: {waits}");
    assert_eq!(house.rows().await, ["fired wechat openid-1 pending"]);
    assert_eq!(house.value("select attempts from notification").await, 0, "not counted");
    tokio::time::timeout(Duration::from_secs(20), service.finish()).await.expect("stops");
}
