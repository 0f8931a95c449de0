//! What an event upload becomes, whatever its bytes are.

#![allow(clippy::unwrap_used)]

use jiff::tz::TimeZone;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::wire::gather::MAX_RECORDS;

fn context() -> Context {
    Context {
        received_at: "2025-05-17T10:00:00.123456789Z".parse().unwrap(),
        device_zone: TimeZone::get("Asia/Shanghai").unwrap(),
        oldest: Some("2022-05-17T10:00:00Z".parse().unwrap()),
        key_customer_id: None,
    }
}

fn try_parse(body: impl Into<Vec<u8>>) -> Result<EventUpload, BodyError> {
    parse(&Bytes::from(body.into()), &context())
}

fn upload(body: &Value) -> Upload {
    try_parse(body.to_string()).unwrap_or_else(|error| panic!("{error}: {body}")).upload
}

#[test]
fn the_type_is_what_follows_the_last_dot_in_upper_case() {
    for (action, event_type, kept) in [
        ("com.tdtech.ohos.action.SOS_EVENT", "SOS_EVENT", Some("com.tdtech.ohos.action.SOS_EVENT")),
        ("SOS_EVENT", "SOS_EVENT", None),
        (" SOS_EVENT ", "SOS_EVENT", None),
        ("sos_event", "SOS_EVENT", Some("sos_event")),
        ("a. b", "B", Some("a. b")),
    ] {
        let event = upload(&json!({ "eventType": action, "deviceSn": "W" })).events.remove(0).event;
        assert_eq!((event.event_type.as_str(), event.action.as_deref()), (event_type, kept), "{action}");
    }
    assert!(upload(&json!({ "eventType": "x.sos_event", "deviceSn": "W" })).events[0].event.is_urgent());
}

#[test]
fn the_first_name_that_holds_a_value_wins() {
    let body = json!({
        "action": "A", "event_type": "B", "eventType": "", "value": "1", "eventValue": null, "event_value": "2",
        "id": "X", "device_sn": "Y", "deviceSn": "null", "heatlhData": { "heart_rate": 1 },
        "healthData": { "heart_rate": 2 }
    });
    let upload = upload(&body);
    let event = &upload.events[0].event;
    assert_eq!(
        (event.event_type.as_str(), event.value.as_deref(), event.device_sn.as_str()),
        ("B", Some("2"), "Y")
    );
    assert_eq!(upload.items[0].reading.measured.heart_rate, Some(2));
}

#[test]
fn ids_around_an_event_fill_what_it_does_not_say() {
    let body = json!({ "deviceSn": "OUT", "customerId": "7", "data": { "action": "a.B", "org_id": 8, "customerId": "0" } });
    let event = upload(&body).events.remove(0).event;
    assert_eq!(
        (event.device_sn.as_str(), event.owner.customer_id, event.owner.org_id),
        ("OUT", Some(7), Some(8))
    );
}

#[test]
fn an_event_and_its_sample_are_slices_of_the_body_they_came_in() {
    let body =
        Bytes::from_static(br#" [ {"eventType":"A","deviceSn":"W","healthData":{"heart_rate":9}} ,5] "#);
    let upload = parse(&body, &context()).unwrap().upload;
    let text: &[u8] = br#"{"eventType":"A","deviceSn":"W","healthData":{"heart_rate":9}}"#;
    assert_eq!((&upload.events[0].text[..], &upload.items[0].text[..]), (text, text));
    assert_eq!(upload.rejects[0].text, "5");
    assert!(body.as_ptr_range().contains(&upload.events[0].text.as_ptr()));
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "[0-9.%e:-]{0,12}".prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        Just(json!("2025-05-17 14:30:05")),
        Just(json!("com.x.SOS_EVENT")),
        Just(json!("{\"data\":{\"heart_rate\":70}}")),
    ];
    let name = prop_oneof![
        prop::sample::select(vec![
            "eventType",
            "action",
            "eventValue",
            "value",
            "deviceSn",
            "device_sn",
            "id",
            "timestamp",
            "customerId",
            "latitude",
            "longitude",
            "healthData",
            "heatlhData",
            "data",
            "heart_rate",
            "sleepData",
            "type",
        ])
        .prop_map(str::to_owned),
        any::<String>(),
    ];
    leaf.prop_recursive(4, 40, 8, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec((name.clone(), inner), 0..8)
                .prop_map(|members| Value::from(members.into_iter().collect::<serde_json::Map<_, _>>())),
        ]
    })
}

#[test]
fn an_event_without_a_time_has_that_of_its_receipt_and_never_that_of_its_sample() {
    let body = json!({
        "eventType": "WEAR_STATUS_CHANGED", "deviceSn": "W",
        "healthData": { "data": { "deviceSn": "W", "heart_rate": 70, "timestamp": "2025-05-17 12:00:00" } }
    });
    let upload = upload(&body);
    assert_eq!(upload.events[0].event.ts, "2025-05-17T10:00:00.123456Z".parse().unwrap());
    assert_eq!(upload.items[0].reading.ts, "2025-05-17T04:00:00Z".parse().unwrap());
}

#[test]
fn a_queue_that_was_joined_and_torn_costs_its_whole_events_nothing() {
    let event = |sn: &str| format!(r#"{{"eventType":"a.SOS_EVENT","deviceSn":"{sn}","eventValue":"x|y"}}"#);
    let body = format!(
        r#"viceSn":"0","eventValue":"a|b"}}|{}| {} |{{"type":"commonEvent","data":{}}}|{{"eventType":"a.SOS_EV"#,
        event("1"),
        event("2"),
        event("3")
    );
    let found = try_parse(body).unwrap();
    let serials: Vec<&str> = found.upload.events.iter().map(|item| item.event.device_sn.as_str()).collect();
    assert_eq!(serials, ["1", "2", "3"]);
    let torn: Vec<(RejectReason, &[u8])> =
        found.upload.rejects.iter().map(|reject| (reject.refusal.reason, &reject.text[..])).collect();
    assert_eq!(
        torn,
        [
            (RejectReason::NotJson, &br#"viceSn":"0","eventValue":"a|b"}"#[..]),
            (RejectReason::NotJson, &br#"{"eventType":"a.SOS_EV"#[..]),
        ]
    );
}

#[test]
fn a_queue_of_nothing_but_torn_parts_takes_a_bounded_number_of_rejects() {
    let rejects = try_parse("{|".repeat(2 * MAX_RECORDS)).expect("kept").upload.rejects;
    assert_eq!(rejects.len(), MAX_RECORDS + 1);
    assert_eq!(
        rejects.iter().map(|reject| reject.text.iter().filter(|byte| **byte == b'{').count()).sum::<usize>(),
        2 * MAX_RECORDS
    );
}

#[test]
fn a_text_that_is_no_event_is_kept_and_only_nothing_is_refused() {
    for body in ["5", "torn", "\"x\"", "{}", "[5]", "{", "a\0b", "|", "{\"data\":null}"] {
        let upload = try_parse(body).unwrap().upload;
        assert_eq!(upload.rejects.len(), upload.received(), "{body}");
        assert!(!upload.rejects.iter().any(|reject| reject.text.contains(&0)), "{body}");
    }
    assert_eq!(try_parse(*b"{\"a\":\"\xe4\xb8").unwrap().upload.rejects.len(), 1);
    assert_eq!(try_parse(" \n"), Err(BodyError::Empty));
    assert_eq!(try_parse("null"), Err(BodyError::Null));
}

#[test]
fn a_rejected_text_is_refused_again_for_the_same_reason() {
    for body in ["torn", "5", "{", "{}"] {
        let reject = try_parse(body).unwrap().upload.rejects.remove(0);
        let upload = crate::wire::rejected_item::read(Source::Event, &reject.text, None, &context());
        assert_eq!(upload.rejects[0].refusal, reject.refusal, "{body}");
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(body in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = try_parse(body);
    }

    #[test]
    fn every_element_is_an_event_or_a_reject(elements in prop::collection::vec(value(), 1..6)) {
        let found = try_parse(json!(elements).to_string()).unwrap();
        let places: std::collections::BTreeSet<u32> = found.upload.events.iter().map(|item| item.index)
            .chain(found.upload.rejects.iter().map(|reject| reject.refusal.index))
            .collect();
        // Wrappers may hold many, or none.
        let plain = elements.iter().all(|element| element.get("data").is_none());
        if plain {
            prop_assert_eq!(places.len(), elements.len());
        }
        let events = &found.upload.events;
        prop_assert!(events.windows(2).all(|pair| pair[0].index < pair[1].index), "an event is there once");
        for item in events {
            prop_assert!(!item.event.event_type.is_empty() && !item.event.device_sn.is_empty());
            prop_assert!(!item.event.value.as_deref().unwrap_or_default().contains('\0'));
        }
        for item in &found.upload.items {
            prop_assert!(item.reading.upload_method.is_some());
        }
    }
}
