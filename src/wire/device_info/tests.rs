//! What an upload of device information becomes, whatever its bytes are.

#![allow(clippy::unwrap_used)]

use jiff::Timestamp;
use jiff::tz::TimeZone;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn try_parse(body: impl Into<Vec<u8>>) -> Result<Upload, BodyError> {
    let context = Context {
        received_at: "2025-05-17T10:00:00.123456789Z".parse().unwrap(),
        device_zone: TimeZone::get("Asia/Shanghai").unwrap(),
        oldest: Some("2022-05-17T10:00:00Z".parse().unwrap()),
        key_customer_id: None,
    };
    parse(&Bytes::from(body.into()), &context)
}

fn info(body: &Value) -> DeviceInfo {
    let mut upload = try_parse(body.to_string()).unwrap();
    assert_eq!((upload.device_infos.len(), upload.rejects.len()), (1, 0), "{body}");
    upload.device_infos.remove(0).info
}

#[test]
fn the_first_name_that_holds_a_value_wins() {
    let info = info(&json!({
        "device_sn": "D", "deviceSn": "C", "serial_number": "B", "SerialNumber": " ", "system_version": "CRF-AL00",
        "System Software Version": "null", "battery_level": 7, "batteryLevel": null
    }));
    assert_eq!(info.device_sn, "B");
    assert_eq!((info.system_version.as_deref(), info.battery_level), (Some("CRF-AL00"), Some(7)));
}

#[test]
fn without_a_time_it_is_the_time_of_receipt() {
    assert_eq!(
        info(&json!({ "SerialNumber": "A", "status": "ACTIVE" })).ts,
        "2025-05-17T10:00:00.123456Z".parse().unwrap()
    );
}

#[test]
fn a_wrapper_lends_its_serial_and_ids() {
    let info =
        info(&json!({ "type": "device", "deviceSn": "OUT", "customerId": 7, "data": { "batteryLevel": 5 } }));
    assert_eq!((info.device_sn.as_str(), info.owner.customer_id), ("OUT", Some(7)));
}

#[test]
fn a_record_is_a_slice_of_the_body_it_came_in() {
    let body = Bytes::from_static(br#" {"data":[ {"SerialNumber":"A","IMEI":"1"} , 5]} "#);
    let context = Context {
        received_at: "2025-05-17T10:00:00Z".parse().unwrap(),
        device_zone: TimeZone::UTC,
        oldest: None,
        key_customer_id: None,
    };
    let upload = parse(&body, &context).unwrap();
    assert_eq!(
        (upload.device_infos[0].index, &upload.device_infos[0].text[..]),
        (0, &br#"{"SerialNumber":"A","IMEI":"1"}"#[..])
    );
    assert_eq!((upload.rejects[0].refusal.index, &upload.rejects[0].text[..]), (1, &b"5"[..]));
    assert!(body.as_ptr_range().contains(&upload.device_infos[0].text.as_ptr()));
}

#[test]
fn a_nul_in_a_text_is_left_out() {
    assert_eq!(
        info(&json!({ "SerialNumber": "A", "deviceName": "wa\u{0}tch\u{0}" })).device_name.unwrap(),
        "watch"
    );
}

#[test]
fn what_the_phone_app_does_not_know_says_nothing() {
    let unknown = info(&json!({
        "serial_number": "A", "system_version": "未知版本", "device_name": "未知设备", "wifi_address": "未知",
        "battery_level": 0, "voltage": "0", "charging_status": "未知", "wear_state": 0
    }));
    let known = DeviceInfo { wear_state: Some("0".into()), ..DeviceInfo::default() };
    assert_eq!(DeviceInfo { device_sn: String::new(), ts: Timestamp::default(), ..unknown }, known);
    let named_twice =
        info(&json!({ "SerialNumber": "未知", "deviceSn": "B", "batteryLevel": "0%", "battery_level": 7 }));
    assert_eq!((named_twice.device_sn.as_str(), named_twice.battery_level), ("B", None));
}

#[test]
fn of_an_address_the_first_ipv4_anywhere_counts_and_else_the_ipv6() {
    for (sent, kept) in [
        ("192.0.2.17\n2001:db8::17", "192.0.2.17"),
        ("192.0.2.17\\n2001:db8::17", "192.0.2.17"),
        ("2001:db8::17\\n192.0.2.17", "192.0.2.17"),
        ("2001:db8::17,192.0.2.17, 192.0.2.18", "192.0.2.17"),
        ("fe80::1%wlan0 / 192.0.2.17/24", "192.0.2.17"),
        ("2001:db8::17", "2001:db8::17"),
        ("fe80::1%wlan0\\n2001:db8::17", "fe80::1"),
        ("999.0.2.17", "999.0.2.17"),
        ("unknown host", "unknown host"),
    ] {
        assert_eq!(
            info(&json!({ "SerialNumber": "A", "IP Address": sent })).ip_address.unwrap(),
            kept,
            "{sent}"
        );
    }
}

#[test]
fn a_refusal_names_the_field_as_it_was_sent_and_its_limit() {
    for (field, value, detail) in [
        ("batteryLevel", json!(101), "batteryLevel 101 is over 100"),
        ("battery_level", json!("-5%"), "battery_level -5 is under 0"),
        ("voltage", json!("much"), "voltage is not a whole number"),
        ("Device Name", json!("x".repeat(300)), "Device Name has 300 bytes, and may have 256"),
        ("puls", json!(80), "no field with a known name, only puls"),
    ] {
        let upload = try_parse(json!({ "SerialNumber": "A", (field): value }).to_string()).unwrap();
        assert_eq!(upload.rejects[0].refusal.detail, detail);
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(body in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = try_parse(body);
    }

    #[test]
    fn every_element_is_stored_or_refused(
        elements in prop::collection::vec(
            prop::collection::btree_map(
                prop::sample::select(vec![
                    "SerialNumber", "deviceSn", "System Software Version", "Wifi Address", "IP Address", "batteryLevel",
                    "voltage", "chargingStatus", "wearState", "status", "timestamp", "customerId", "deviceName",
                ]),
                prop_oneof![
                    Just(Value::Null),
                    any::<bool>().prop_map(Value::from),
                    any::<i64>().prop_map(Value::from),
                    any::<f64>().prop_map(Value::from),
                    (0..120_i64).prop_map(|level| json!(format!("{level}%"))),
                    any::<String>().prop_map(Value::from),
                    Just(json!([{ "a": "b" }])),
                    Just(json!("2025-05-17 14:30:05")),
                ],
                0..8,
            ),
            1..6,
        ),
    ) {
        let upload = try_parse(json!(elements).to_string()).unwrap();
        prop_assert_eq!(upload.received(), elements.len());
        for item in &upload.device_infos {
            let info = &item.info;
            prop_assert!(info.battery_level.is_none_or(|level| (0..=100).contains(&level)));
            let texts = [&info.system_version, &info.wifi_address, &info.ip_address, &info.device_name, &info.status];
            for text in texts.into_iter().flatten() {
                prop_assert!(!text.is_empty() && text.len() <= 256 && !text.contains('\0'));
            }
        }
    }
}
