//! The hub without a database: ticks are published by hand.

use serde_json::{Value, json};

use super::feed::AlertRow;
use super::*;
use crate::store::dashboard::Viewer;
use crate::store::dashboard::changes::ScopedRow;

fn hub(max_open: usize) -> (Hub, CancellationToken) {
    let mut settings = Settings::defaults();
    settings.stream.max_open = max_open;
    let stop = CancellationToken::new();
    (Hub::new(&settings, stop.clone()), stop)
}

fn head(next: i64) -> Head {
    let id = EventId { origin: 1, next, snapshot: 0 };
    Head { id, read_at: jiff::Timestamp::UNIX_EPOCH }
}

fn publish(hub: &Hub, next: i64, customer_id: i64, alert_id: &str) {
    let row = json!({
        "alert_id": alert_id, "device_sn": "SN-1", "user_id": "7", "user_name": "Person 305", "message": "Person 305",
        "rule_name": "Pulse of Person 305", "acknowledged_by": "Nurse Li", "assigned_to": "4",
        "latitude": 31.2, "longitude": 121.4, "heart_rate": 70
    });
    let alert = AlertRow { scoped: ScopedRow::new(Some(customer_id), vec![], row), changes: vec!["fired"] };
    hub.publish(head(next), Some(Tick::new(head(next).id, vec![alert], vec![], vec![], false)));
}

fn view(tenant: i64) -> View {
    View {
        viewer: Viewer::Tenant(tenant),
        sees_values: true,
        is_private: false,
        device_sn: None,
        user_id: None,
    }
}

async fn next(subscription: &mut Subscription) -> (&'static str, Value, Option<String>) {
    let event = subscription.next().await.expect("an event");
    let data = serde_json::from_str(&event.data).expect("JSON");
    (event.name, data, event.id.map(|id| id.to_string()))
}

#[tokio::test]
async fn each_receives_its_own_and_continues_where_it_was() {
    let (hub, _) = hub(9);
    hub.publish(head(10), None);
    let mut one = hub.subscribe(view(1), None).await.expect("room");
    let (name, data, hello_id) = next(&mut one).await;
    assert_eq!((name, &data["resumed"]), ("hello", &json!(false)));
    publish(&hub, 11, 2, "20");
    publish(&hub, 12, 1, "10");
    let (name, data, id) = next(&mut one).await;
    assert_eq!((name, &data["alert_id"], &data["changes"]), ("alert", &json!("10"), &json!(["fired"])));
    assert_eq!(id.as_deref(), Some("12-00000001-00000000"));
    publish(&hub, 13, 1, "11");
    let last = hello_id.expect("an id").parse().expect("of ours");
    let mut resumed = hub.subscribe(view(1), Some(last)).await.expect("room");
    assert_eq!(next(&mut resumed).await.1["resumed"], true);
    assert_eq!(next(&mut resumed).await.1["alert_id"], "10");
    let (_, data, id) = next(&mut resumed).await;
    assert_eq!((&data["alert_id"], id.as_deref()), (&json!("11"), Some("13-00000001-00000000")));
    let ancient = "9-00000001-00000000".parse().expect("of ours");
    let mut late = hub.subscribe(view(1), Some(ancient)).await.expect("room");
    assert_eq!(next(&mut late).await.1["resumed"], false);
    assert_eq!(next(&mut late).await.0, "reset");
}

#[tokio::test]
async fn whoever_does_not_read_is_reset_and_holds_no_memory() {
    let (hub, _) = hub(1);
    hub.publish(head(10), None);
    let mut slow = hub.subscribe(view(1), None).await.expect("room");
    for number in 0..1000 {
        publish(&hub, 11 + number, 1, "1");
    }
    assert_eq!(next(&mut slow).await.0, "hello");
    let (name, data, id) = next(&mut slow).await;
    assert_eq!((name, &data["reason"]), ("reset", &json!("slow")));
    assert_eq!(id.as_deref(), Some("1010-00000001-00000000"), "what comes behind it is not missed");
    publish(&hub, 2000, 1, "2");
    assert_eq!(next(&mut slow).await.1["alert_id"], "2");
}

#[tokio::test]
async fn there_are_no_more_than_allowed_and_all_end_when_the_service_stops() {
    let (hub, stop) = hub(1);
    hub.publish(head(10), None);
    let first = hub.subscribe(view(1), None).await.expect("room");
    assert_eq!(hub.subscribe(view(1), None).await.err(), Some(TooManyStreams));
    drop(first);
    let mut second = hub.subscribe(view(1), None).await.expect("room, now that the first has ended");
    next(&mut second).await;
    stop.cancel();
    assert!(second.next().await.is_none());
}

#[tokio::test]
async fn privacy_leaves_initials_and_nothing_that_names_a_person() {
    let (hub, _) = hub(1);
    hub.publish(head(10), None);
    let private = View { is_private: true, ..view(1) };
    let mut kiosk = hub.subscribe(private, None).await.expect("room");
    next(&mut kiosk).await;
    publish(&hub, 11, 1, "1");
    let (_, data, _) = next(&mut kiosk).await;
    assert_eq!(data, json!({ "alert_id": "1", "user_name": "P 3", "heart_rate": 70, "changes": ["fired"] }));
}
