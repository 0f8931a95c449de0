//! Until somebody has acknowledged an alert: repeats, steps, new alarms, and who is notified of the acknowledgement.

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::house::House;
use crate::harness::{Service, eventually};

impl House {
    /// All notifications in order, as text: `kind sequence address status`.
    async fn history(&self) -> Vec<String> {
        let rows = self
            .sql
            .query(
                "select format('%s %s %s %s', kind, sequence, address, status) from notification order by notification_id",
                &[],
            )
            .await
            .expect("rows");
        rows.iter().map(|row| row.get(0)).collect()
    }

    /// As if the provider had accepted everything that is due.
    async fn all_sent(&self) {
        self.run("update notification set status = 'sent', sent_at = clock_timestamp(), message_id = gen_random_uuid()
                  where status = 'pending' and due_at <= clock_timestamp()")
            .await;
    }

    /// All steps are due, and are done; what they added is sent.
    async fn step(&self) {
        self.due_now().await;
        self.do_steps().await;
        self.all_sent().await;
    }
}

#[tokio::test]
async fn an_alert_is_repeated_until_it_is_acknowledged() {
    let house = House::new().await;
    let nurse = house.contact("webhook", "nurse").await;
    house.route("webhook", nurse, "repeat_seconds = 300").await;
    let head = house.contact("webhook", "head").await;
    house.route("webhook", head, "repeat_seconds = 300, after_seconds = 600").await;
    let alert = house.fire(&["SN-1"], "major").await;
    house.all_sent().await;
    let due = house
        .value("select array_agg(round(extract(epoch from due_at - now())) order by due_at) from vitals.notification_step")
        .await;
    assert_eq!(due, serde_json::json!([300, 600]));
    house.do_steps().await;
    assert_eq!(house.history().await, ["fired 1 nurse sent"], "nothing is due yet");
    house.run("update vitals.notification_step set due_at = now() where times = 1").await;
    house.do_steps().await;
    house.do_steps().await;
    house.all_sent().await;
    house.step().await;
    house.step().await;
    let history = [
        "fired 1 nurse sent",
        "repeated 1 nurse sent",
        "escalated 1 head sent",
        "repeated 2 nurse sent",
        "repeated 1 head sent",
        "repeated 3 nurse sent",
    ];
    let mut seen = house.history().await;
    assert_eq!(seen.len(), history.len(), "{seen:?}");
    seen.sort();
    let mut expected = history.map(str::to_owned);
    expected.sort();
    assert_eq!(seen, expected);
    house.due_now().await;
    house.do_steps().await;
    house.acknowledge(&alert).await;
    let after = house.history().await;
    assert_eq!(house.steps().await, [""; 0]);
    assert_eq!(after.iter().filter(|row| row.ends_with("cancelled")).count(), 2, "at once: {after:?}");
    assert_eq!(after.iter().filter(|row| row.starts_with("acknowledged 1")).count(), 2, "{after:?}");
}

/// Uploads a heart rate of a watch, `seconds_ago`, and waits for the reaction.
async fn heart_rate(service: &Service, seconds_ago: i64, rate: i32) {
    let at = (Timestamp::now() - SignedDuration::from_secs(seconds_ago)).as_second();
    service.upload(&json!({ "data": { "deviceSn": "AGAIN-1", "heart_rate": rate, "timestamp": at } })).await;
    service.drained().await;
}

#[tokio::test]
async fn an_alert_that_is_reopened_begins_its_steps_anew() {
    let house = House::new().await;
    let nurse = house.contact("webhook", "nurse").await;
    house.route("webhook", nurse, "repeat_seconds = 300").await;
    let head = house.contact("webhook", "head").await;
    house.route("webhook", head, "after_seconds = 600").await;
    let service = house.serve(|settings| settings.notify.attempts = 1).await;
    let kinds =
        "select json_agg(concat_ws(' ', kind, sequence, address) order by kind, sequence) from notification
                 where kind <> 'resolved'";

    heart_rate(&service, 280, 130).await;
    let alert = house.value("select alert_id from alert").await;
    // A repeat does not come before what it repeats.
    let waiting = "select count(*) from notification where status = 'pending'";
    let nothing_waits = || async { (house.value(waiting).await == json!(0)).then_some(()) };
    eventually("the first message was attempted", nothing_waits).await;
    house.due_now().await;
    let once = json!(["escalated 1 head", "fired 1 nurse", "repeated 1 nurse"]);
    eventually("every step is done", || async { (house.value(kinds).await == once).then_some(()) }).await;
    for seconds_ago in [240, 200, 160] {
        heart_rate(&service, seconds_ago, 90).await;
    }
    assert_eq!(house.steps().await, [""; 0], "it is resolved");

    heart_rate(&service, 100, 130).await;
    assert_eq!(house.value("select json_agg(status) from alert").await, json!(["firing"]), "the same alert");
    assert_eq!(house.value(kinds).await, once, "nobody is notified at once");
    assert_eq!(house.steps().await, [format!("{alert} 0"), format!("{alert} 1")], "as at the beginning");
    eventually("the messages were attempted", nothing_waits).await;
    house.due_now().await;
    let anew = json!([
        "escalated 1 head",
        "escalated 2 head",
        "fired 1 nurse",
        "repeated 1 nurse",
        "repeated 2 nurse"
    ]);
    eventually("every step is done anew", || async { (house.value(kinds).await == anew).then_some(()) })
        .await;
    service.finish().await;
}
