//! Urgent events in the buffer: announced to dashboards and operators at once, once, and when they are stored.

use futures_util::StreamExt;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use vitals::config::BufferMode;

use super::{Buffered, assert_answered, now};
use crate::harness::{Database, ReceivedRequest, Receiver, Reply, Service, eventually};

/// What dashboards receive on the channel of all alerts.
async fn listen(database: &Database) -> mpsc::UnboundedReceiver<Value> {
    let client = redis::Client::open(database.redis_url()).expect("a URL");
    let mut channel = client.get_async_pubsub().await.expect("Redis answers");
    channel.subscribe("alert_info_channel").await.expect("subscribed");
    let (sender, receiver) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Some(message) = channel.on_message().next().await {
            let text: String = message.get_payload().expect("text");
            if sender.send(serde_json::from_str(&text).expect("JSON")).is_err() {
                return;
            }
        }
    });
    receiver
}

/// The next message about a device of this test.
async fn next(channel: &mut mpsc::UnboundedReceiver<Value>, device_sn: &str) -> Value {
    let waiting = async {
        loop {
            let message = channel.recv().await.expect("a message");
            if message["deviceSn"] == device_sn {
                return message;
            }
        }
    };
    tokio::time::timeout(crate::harness::TIMEOUT, waiting).await.expect("announced in time")
}

/// What operators have received of urgent events: the kinds and the texts.
fn received(operators: &Receiver) -> Vec<(String, String)> {
    let alerts =
        |request: &ReceivedRequest| request.body["data"]["system_alerts"].as_array().expect("alerts").clone();
    let all = operators.requests().iter().flat_map(alerts).collect::<Vec<Value>>();
    let urgent = all.iter().filter(|alert| alert["name"] == "urgent_event");
    let text = |alert: &Value, name: &str| alert[name].as_str().expect("text").to_owned();
    urgent.map(|alert| (text(alert, "type"), text(alert, "message"))).collect()
}

fn sos(device_sn: &str, timestamp: i64) -> String {
    json!({ "eventType": "a.b.SOS_EVENT", "deviceSn": device_sn, "timestamp": timestamp, "latitude": 22.5 })
        .to_string()
}

async fn service_of(buffered: &Buffered, operators: &Receiver, mode: BufferMode) -> Service {
    let address = format!("webhook:{}/", operators.url());
    buffered
        .service_with(|settings| {
            settings.buffer = mode;
            settings.commit_deadline_ms = 2_000;
            settings.monitor.operators = address;
        })
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_sos_that_waits_is_announced_once_and_then_that_it_is_stored() {
    let Some(buffered) = Buffered::new().await else { return };
    let operators = Receiver::start(|_| Reply::Status(204)).await;
    let first = service_of(&buffered, &operators, BufferMode::Outage).await;
    let second = service_of(&buffered, &operators, BufferMode::Always).await;
    let mut channel = listen(&buffered.database).await;
    let began = now();
    buffered.link.cut();
    assert_answered(&first.post("/upload_common_event", sos("FALLEN", began)).await, "buffered");
    let waits = next(&mut channel, "FALLEN").await;
    assert_eq!((&waits["alertStatus"], &waits["alertType"]), (&json!("not_evaluated"), &json!("SOS_EVENT")));
    assert_eq!((&waits["severityLevel"], &waits["id"]), (&json!("critical"), &waits["alertId"]));
    let id = waits["id"].as_str().expect("text").to_owned();
    assert!(id.parse::<i64>().is_err(), "{id} could be an alert");
    // The watch has lost the answer, and the other instance gets what it sends then.
    for service in [&first, &second, &second] {
        assert_answered(&service.post("/upload_common_event", sos("FALLEN", began)).await, "buffered");
    }
    assert_answered(&second.post("/upload_common_event", sos("OTHER", began)).await, "buffered");
    assert_eq!(next(&mut channel, "OTHER").await["alertStatus"], "not_evaluated");
    eventually("operators know of both", || async { (received(&operators).len() == 2).then_some(()) }).await;
    for (kind, text) in received(&operators) {
        assert_eq!(kind, "system_alert.fired");
        assert!(text.contains("SOS_EVENT") && text.contains("no rule has been evaluated"), "{text}");
    }

    buffered.link.restore();
    let mut stored = next(&mut channel, "FALLEN").await;
    if stored["id"] != json!(id) {
        // Its alert may be shown first.
        stored = next(&mut channel, "FALLEN").await;
    }
    assert_eq!((&stored["alertStatus"], &stored["id"]), (&json!("stored"), &json!(id)));
    eventually("operators know that both are stored", || async {
        let received = received(&operators);
        (received.iter().filter(|(kind, _)| kind == "system_alert.resolved").count() == 2).then_some(())
    })
    .await;
    let stored = received(&operators).into_iter().find(|(kind, _)| kind == "system_alert.resolved");
    assert!(stored.expect("one").1.contains("s after it was received"));
    buffered.drained().await;
    first.drained().await;
    let alerts = "select count(*) from alert where device_sn in ('FALLEN', 'OTHER') and not historical";
    assert_eq!(buffered.count(alerts).await, 2, "each is an alert, as if it had not waited");
    assert_eq!(received(&operators).len(), 4, "nothing is announced twice");
    first.finish().await;
    second.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_sos_goes_to_postgresql_first_and_is_announced_although_the_buffer_is_lost() {
    let Some(mut buffered) = Buffered::new().await else { return };
    let operators = Receiver::start(|_| Reply::Status(204)).await;
    let service = service_of(&buffered, &operators, BufferMode::Always).await;
    let began = now();
    eventually("it is committed, as soon as the streams are known to be empty", || async {
        let answer = service.post("/upload_common_event", sos("DIRECT", began)).await;
        (answer.header("vitals-durability") == Some("committed")).then_some(())
    })
    .await;
    service.drained().await;
    buffered.link.cut();
    buffered.redis.kill().await;
    for _ in 0..2 {
        let answer = service.post("/upload_common_event", sos("NOWHERE", began)).await;
        assert_eq!((answer.status, answer.retry_after.is_some()), (503, true), "{answer:?}");
    }
    let of_nowhere = || {
        let received = received(&operators).into_iter();
        received.filter(|(_, text)| text.contains("NOWHERE")).count()
    };
    eventually("operators know of it", || async { (of_nowhere() == 1).then_some(()) }).await;
    buffered.link.restore();
    eventually("it is committed", || async {
        let answer = service.post("/upload_common_event", sos("NOWHERE", began)).await;
        (answer.status == 200).then_some(())
    })
    .await;
    service.drained().await;
    assert_eq!(of_nowhere(), 1, "once, however often the watch has sent it");
    service.stop().await;
}
