//! Whoever raises the alarm once more is heard once more, whatever is open.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::house::House;
use crate::harness::Service;

/// A watch reports an event that happened so many seconds ago, and the reaction is over.
async fn event(service: &Service, device_sn: &str, event_type: &str, seconds_ago: i64) {
    let at = Timestamp::now() - SignedDuration::from_secs(seconds_ago);
    let time = at.in_tz("Asia/Shanghai").expect("a zone").strftime("%Y-%m-%d %H:%M:%S").to_string();
    let body =
        json!({ "eventType": event_type, "eventValue": device_sn, "deviceSn": device_sn, "timestamp": time });
    assert_eq!(service.post("/upload_common_event", body.to_string()).await.status, 200);
    service.drained().await;
}

/// Everything was sent so many seconds earlier than it was.
async fn seconds_pass(house: &House, seconds: i64) {
    house.until_none("pending").await;
    house
        .run(&format!(
            "update notification set due_at = due_at - interval '{seconds} seconds', sent_at = sent_at - interval '{seconds} seconds'"
        ))
        .await;
}

async fn kinds(house: &House) -> Value {
    house
        .value("select json_agg(format('%s %s', kind, sequence) order by notification_id) from notification")
        .await
}

#[tokio::test]
async fn a_second_sos_is_notified_although_the_first_is_open_or_acknowledged() {
    let house = House::new().await;
    let receiver = crate::harness::Receiver::start(|_| crate::harness::Reply::Status(200)).await;
    let nurse = house.contact("webhook", &receiver.url()).await;
    house.route("webhook", nurse, "repeat_seconds = 300").await;
    let service = house.serve(|_| ()).await;
    for (number, event_type) in (1..).zip(["SOS_EVENT", "ONE_KEY_ALARM", "FALLDOWN_EVENT"]) {
        house.run("delete from alert").await;
        let device_sn = format!("ALARM-{number}");
        event(&service, &device_sn, event_type, 600).await;
        seconds_pass(&house, 600).await;
        event(&service, &device_sn, event_type, 300).await;
        assert_eq!(kinds(&house).await, json!(["fired 1", "fired 2"]), "{event_type}: nobody has it yet");
        seconds_pass(&house, 300).await;

        house.run("select vitals.acknowledge_alert(alert_id, 'nurse Li') from alert").await;
        house.until_none("pending").await;
        assert_eq!(house.steps().await, [""; 0], "acknowledged");
        event(&service, &device_sn, event_type, 0).await;
        assert_eq!(
            kinds(&house).await,
            json!(["fired 1", "fired 2", "acknowledged 1", "fired 3"]),
            "{event_type}: somebody has it"
        );
        let alert =
            house.value("select json_build_array(status, acknowledged_by, breach_count) from alert").await;
        assert_eq!(alert, json!(["firing", null, 3]), "{event_type}: nobody has the new one");
        assert_eq!(house.steps().await.len(), 1, "it is repeated too");
    }
    let done = "select json_agg(format('%s %s', action, coalesce(note, actor)) order by alert_action_id) from alert_action";
    assert_eq!(
        house.value(done).await,
        json!([
            "fired ",
            "fired FALLDOWN_EVENT once more",
            "acknowledged nurse Li",
            "fired FALLDOWN_EVENT once more"
        ])
    );
    service.finish().await;
}

#[tokio::test]
async fn presses_within_a_minute_are_one_more_message_when_the_minute_is_over() {
    let house = House::new().await;
    house.subscribe("webhook", "https://nobody.example").await;
    let service = Service::start_with(&house.database, |settings| settings.notify.attempts = 1).await;
    event(&service, "ALARM-1", "SOS_EVENT", 10).await;
    house.until_none("pending").await;
    for seconds_ago in [6, 4, 2, 0] {
        event(&service, "ALARM-1", "SOS_EVENT", seconds_ago).await;
    }
    assert_eq!(kinds(&house).await, json!(["fired 1", "fired 2"]));
    let wait = "select round(extract(epoch from (max(due_at) - min(due_at)))) from notification";
    assert_eq!(house.value(wait).await, json!(60));
    service.finish().await;
}

#[tokio::test]
async fn a_press_after_a_person_resolved_the_alert_is_heard_even_from_a_slow_watch() {
    let house = House::new().await;
    house.subscribe("webhook", "https://nobody.example").await;
    let service = Service::start_with(&house.database, |settings| settings.notify.attempts = 1).await;
    event(&service, "ALARM-1", "SOS_EVENT", 7300).await;
    house.run("select vitals.resolve_alert(alert_id, 'nurse Li') from alert").await;
    event(&service, "ALARM-1", "SOS_EVENT", 7200).await;
    let alerts = "select json_agg(status order by alert_id) from alert";
    assert_eq!(house.value(alerts).await, json!(["resolved", "firing"]));
    assert_eq!(house.value("select count(*) from notification where kind = 'fired'").await, json!(2));
    service.finish().await;
}
