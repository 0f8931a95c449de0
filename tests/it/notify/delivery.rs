//! From the row to the receiver: failures, dead letters, merging, quiet receivers.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use vitals::store::{Store, notification};

use super::house::{House, alert_ids};
use crate::harness::{Proxy, Receiver, Reply, vitals};

#[tokio::test]
async fn what_was_tried_in_vain_is_a_dead_letter_with_the_receivers_words_and_can_be_sent_again() {
    let house = House::new().await;
    let broken = Arc::new(AtomicUsize::new(1));
    let state = Arc::clone(&broken);
    let receiver = Receiver::start(move |_| match state.load(Ordering::SeqCst) {
        1 => Reply::With(500, "x", "y".into(), "out of order".into()),
        _ => Reply::Status(200),
    })
    .await;
    house.subscribe("webhook", &receiver.url()).await;
    let service = house.serve(|settings| settings.notify.attempts = 2).await;
    house.fire(&["SN-1"], "major").await;
    house.until("dead", 1).await;

    let store = Store::new(&house.database.settings()).expect("a store");
    let dead = notification::dead_letters(&store, 0, 10).await.expect("dead letters");
    assert_eq!(dead.len(), 1);
    assert_eq!(dead[0].error.as_deref(), Some("HTTP 500: out of order"));
    assert_eq!((dead[0].attempts, dead[0].device_sn.as_str()), (2, "SN-1"));
    assert_eq!(dead[0].contact.as_deref(), Some(receiver.url().as_str()));

    broken.store(0, Ordering::SeqCst);
    let again = notification::resend(&store, Some(&[dead[0].notification_id])).await.expect("resent");
    assert_eq!((again.retried, again.moved), (1, 0));
    house.until("sent", 1).await;
    let seen = receiver.requests();
    assert_eq!(seen.len(), 3);
    assert_eq!(seen[2].header("webhook-id"), seen[0].header("webhook-id"));
    assert!(notification::dead_letters(&store, 0, 10).await.expect("none").is_empty());
    service.finish().await;
}

#[tokio::test]
async fn a_channel_without_its_settings_refuses_and_says_why() {
    let house = House::new().await;
    house.subscribe("wechat", "openid-1").await;
    house.subscribe("wecom", "zhang").await;
    house.subscribe("email", "nurse@example.org").await;
    let service = house.serve(|_| ()).await;
    house.fire(&["SN-1"], "critical").await;
    house.until("dead", 3).await;
    for (channel, reason) in [("wechat", "wechat_app_id"), ("wecom", "wecom_corp_id"), ("email", "smtp_url")]
    {
        let error = house.value(&format!("select error from notification where channel = '{channel}'")).await;
        assert_eq!(error, format!("{reason} is not set"));
    }
    service.finish().await;
}

#[tokio::test]
async fn a_receiver_that_says_nothing_holds_up_no_other() {
    let house = House::new().await;
    let receiver = Receiver::start(|seen| match seen.path.as_str() {
        "/silent" => Reply::Silence,
        _ => Reply::Status(200),
    })
    .await;
    house.subscribe("webhook", &format!("{}/silent", receiver.url())).await;
    house.subscribe("webhook", &format!("{}/prompt", receiver.url())).await;
    let service = house
        .serve(|settings| {
            settings.notify.timeout_ms = 3000;
            settings.notify.attempts = 1;
        })
        .await;
    for device in ["SN-1", "SN-2", "SN-3"] {
        house.fire(&[device], "major").await;
        let expected = usize::from(device.as_bytes()[3] - b'0');
        receiver.received("/prompt", expected).await;
    }
    house.until("dead", 3).await;
    assert_eq!(house.value("select max(error) from notification").await, "no answer in time");
    service.finish().await;
}

#[tokio::test]
async fn what_comes_within_the_window_goes_as_one_message_and_what_is_critical_does_not_wait() {
    let house = House::new().await;
    let receiver = Receiver::start(|_| Reply::Status(200)).await;
    let contact = house.contact("webhook", &receiver.url()).await;
    house.route("webhook", contact, "merge_seconds = 2").await;
    let service = house.serve(|_| ()).await;
    let first = house.fire(&["SN-1"], "major").await;
    receiver.received("/", 1).await;
    house.until("sent", 1).await;
    let mut together = house.fire(&["SN-2"], "major").await;
    together.extend(house.fire(&["SN-3", "SN-4"], "minor").await);
    let seen = receiver.received("/", 2).await;
    assert_eq!(alert_ids(&seen[0].body), first);
    assert_eq!(alert_ids(&seen[1].body), together);
    assert!((seen[1].at - seen[0].at).as_millis() >= 1900);
    house.until("sent", 4).await;

    let waiting = house.fire(&["SN-5"], "minor").await;
    let critical = house.fire(&["SN-6"], "critical").await;
    let seen = receiver.received("/", 3).await;
    assert!((seen[2].at - seen[1].at).as_millis() < 1900);
    let told = alert_ids(&seen[2].body);
    assert_eq!(told[0], critical[0], "urgent ones first");
    assert!(told.len() == 1 || told[1] == waiting[0], "whoever waits goes with it");
    house.until("sent", 6).await;
    service.finish().await;
}

#[tokio::test]
async fn a_database_that_was_away_loses_no_message_and_what_was_sent_meanwhile_is_recorded() {
    let house = House::new().await;
    let receiver = Receiver::start(|_| Reply::Endless(200)).await;
    house.subscribe("webhook", &receiver.url()).await;
    let (cable, through) = Proxy::before(&house.database.url()).await;
    let service = house.serve(|settings| settings.database_url = through).await;
    house.fire(&["SN-1"], "major").await;
    // It has the message, and has yet to say all it wants to say.
    receiver.received("/", 1).await;
    cable.cut();
    house.fire(&["SN-2"], "major").await;
    cable.restore();
    house.until("sent", 2).await;
    let told: Vec<i64> = receiver.requests().iter().flat_map(|seen| alert_ids(&seen.body)).collect();
    assert_eq!(told.len(), 2, "each once");
    service.finish().await;
}

#[tokio::test]
async fn hundreds_of_alerts_reach_one_webhook_in_a_second_each_once() {
    let house = House::new().await;
    let receiver = Receiver::start(|_| Reply::Status(200)).await;
    house.subscribe("webhook", &receiver.url()).await;
    let service = house.serve(|_| ()).await;
    let devices: Vec<String> = (0..1000).map(|n| format!("SN-{n}")).collect();
    let devices: Vec<&str> = devices.iter().map(String::as_str).collect();
    let began = Instant::now();
    let mut raised = Vec::new();
    for devices in devices.chunks(20) {
        raised.extend(house.fire(devices, "major").await);
    }
    house.until("sent", 1000).await;
    println!("1000 alerts reached the webhook in {:?}", began.elapsed());
    let mut told: Vec<i64> = receiver.requests().iter().flat_map(|seen| alert_ids(&seen.body)).collect();
    told.sort_unstable();
    raised.sort_unstable();
    assert_eq!(told, raised);
    service.finish().await;
}

#[tokio::test]
async fn a_lone_alert_is_told_within_the_blink_of_an_eye() {
    let house = House::new().await;
    let receiver = Receiver::start(|_| Reply::Status(200)).await;
    house.subscribe("webhook", &receiver.url()).await;
    let service = house.serve(|settings| settings.poll_interval_ms = 60_000).await;
    let mut took = Vec::new();
    for n in 1..=20 {
        let began = Instant::now();
        house.fire(&[&format!("SN-{n}")], "critical").await;
        let seen = receiver.received("/", n).await;
        took.push(seen[n - 1].at - began);
    }
    took.sort_unstable();
    println!("from before the row to the receiver: median {:?}, longest {:?}", took[10], took[19]);
    assert!(took[10].as_millis() < 1000, "woken, not polled");
    service.finish().await;
}

#[tokio::test]
async fn a_dead_letter_that_is_sent_again_goes_to_the_address_its_contact_has_now() {
    let house = House::new().await;
    let receiver = Receiver::start(|seen| match seen.path.as_str() {
        "/old" => Reply::Status(410),
        _ => Reply::Status(200),
    })
    .await;
    let nurse = house.contact("webhook", &format!("{}/old", receiver.url())).await;
    house.route("webhook", nurse, "").await;
    let gone = house.contact("webhook", &format!("{}/old?gone", receiver.url())).await;
    house.route("webhook", gone, "").await;
    let service = house.serve(|_| ()).await;
    house.fire(&["SN-1"], "major").await;
    house.until("dead", 2).await;
    house
        .run(&format!(
            "update contact_address set address = '{}/new' where contact_id = {nurse};
             delete from contact_address where contact_id = {gone}",
            receiver.url()
        ))
        .await;

    let resent = vitals(&house.database, &["alerts", "dead-letters", "resend", "--all"]).await;
    assert_eq!(resent.code, 3, "one of two: {resent:?}");
    assert!(resent.out.contains("1 will be tried again, 1 of them at another address"), "{resent:?}");
    assert!(resent.err.contains("no webhook address"), "says why not: {resent:?}");
    receiver.received("/new", 1).await;
    house.until("sent", 1).await;
    assert_eq!(
        house.rows().await,
        [
            format!("fired webhook {}/new sent", receiver.url()),
            format!("fired webhook {}/old?gone dead", receiver.url())
        ]
    );
    let left = vitals(&house.database, &["alerts", "dead-letters", "list"]).await;
    assert!(left.out.contains("/old?gone"), "it is still there for a person: {left:?}");
    service.finish().await;
}

#[tokio::test]
async fn a_dead_letter_that_nobody_needs_any_more_is_cancelled_and_not_called_delivered() {
    let house = House::new().await;
    let receiver = Receiver::start(|_| Reply::Status(410)).await;
    let nurse = house.contact("webhook", &receiver.url()).await;
    house.route("webhook", nurse, "after_seconds = 1").await;
    let service = house.serve(|_| ()).await;
    let alert_ids = house.fire(&["SN-1"], "critical").await;
    house.until("dead", 1).await;
    house.acknowledge(&alert_ids).await;
    let resent = vitals(&house.database, &["alerts", "dead-letters", "resend", "--all"]).await;
    assert_eq!(resent.code, 3, "{resent:?}");
    assert!(resent.err.contains("the alert is acknowledged"), "{resent:?}");
    let listed = vitals(&house.database, &["alerts", "dead-letters", "list"]).await;
    assert_eq!(listed.out, "no dead letters\n");
    assert_eq!(house.value("select status from notification").await, "cancelled");
    assert_eq!(receiver.requests().len(), 1);
    service.finish().await;
}
