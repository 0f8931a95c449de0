//! Records that cannot be stored: kept with reason and text, and nobody else's business.

use super::*;

#[test]
fn a_bad_record_leaves_its_neighbours_alone() {
    let body = r#"{"data":[{"deviceSn":"A","step":1},{"step":2},{"deviceSn":"C","heart_rate":999},null,{"deviceSn":"E","step":5}]}"#;
    let upload = upload(body);
    let stored =
        upload.items.iter().map(|item| (item.index, item.reading.device_sn.as_str())).collect::<Vec<_>>();
    assert_eq!(stored, [(0, "A"), (4, "E")]);
    let rejected = upload
        .rejects
        .iter()
        .map(|reject| {
            let text = std::str::from_utf8(&reject.text).unwrap();
            (reject.refusal.index, reject.refusal.reason, reject.device_sn.as_deref(), text)
        })
        .collect::<Vec<_>>();
    assert_eq!(
        rejected,
        [
            (1, RejectReason::NoSerial, None, r#"{"step":2}"#),
            (2, RejectReason::OutOfRange, Some("C"), r#"{"deviceSn":"C","heart_rate":999}"#),
            (3, RejectReason::NotAnObject, None, "null"),
        ]
    );
    assert_eq!(upload.rejects[0].received_at, context().received_at);
}

#[test]
fn an_element_that_is_no_object_is_a_reject() {
    for element in ["null", "5", "-1.5e400", r#""x""#, r#""\ud800""#, "[]", "[{}]", "true", r#""{}""#] {
        for body in [
            format!(r#"{{"data":[{element}]}}"#),
            format!("[ {element} ]"),
            format!(r#"{{"a":1,"data":[{element}]}}"#),
        ] {
            let upload = upload(&body);
            assert_eq!(upload.received(), 1, "{body}");
            assert_eq!(upload.rejects[0].refusal.reason, RejectReason::NotAnObject);
            assert_eq!(upload.rejects[0].text, element);
        }
    }
}

#[test]
fn what_cannot_be_a_serial_is_none() {
    let serial = |sent: &str| {
        let upload = upload(&format!(r#"{{"data":{{"deviceSn":{sent},"step":1}}}}"#));
        upload.items.into_iter().next().map(|item| item.reading.device_sn).ok_or(upload.rejects)
    };
    for (sent, kept) in [
        (r#"" WATCH-1\t""#, "WATCH-1".to_owned()),
        ("1234567890123456789012345678901234567890", "1234567890123456789012345678901234567890".to_owned()),
        (r#""设备一""#, "设备一".to_owned()),
        (r#""a b""#, "a b".to_owned()),
        (&format!(r#""{}""#, "x".repeat(64)), "x".repeat(64)),
    ] {
        assert_eq!(serial(sent).unwrap(), kept);
    }
    for sent in ["null", r#""""#, r#"" ""#, r#""null""#] {
        let rejects = serial(sent).unwrap_err();
        assert_eq!(rejects[0].refusal.reason, RejectReason::NoSerial, "{sent}");
        assert_eq!(rejects[0].refusal.detail, "deviceSn is missing");
    }
    let too_long = format!(r#""{}""#, "x".repeat(65));
    for sent in
        ["true", "[]", "{}", "-5", "1.5", "1e3", r#""a\u0000b""#, r#""a\nb""#, r#""\ud800""#, &too_long]
    {
        let rejects = serial(sent).unwrap_err();
        assert_eq!(rejects[0].refusal.reason, RejectReason::BadSerial, "{sent}");
        assert_eq!(rejects[0].device_sn, None);
    }
}

#[test]
fn of_several_faults_the_first_in_a_fixed_order_is_told() {
    assert_eq!(refusal(r#"{"timestamp":"x","heart_rate":"x"}"#).0, RejectReason::NoSerial);
    assert_eq!(refusal(r#"{"deviceSn":"A","timestamp":"x","heart_rate":"x"}"#).0, RejectReason::BadTime);
    assert_eq!(
        refusal(r#"{"deviceSn":"A","timestamp":"2031-01-01 00:00:00","heart_rate":"x"}"#).0,
        RejectReason::Future
    );
}

#[test]
fn a_reject_from_quoted_json_keeps_its_text() {
    let upload = upload(r#"{"data":"[{\"heart_rate\":\"x\"}]"}"#);
    assert_eq!(upload.rejects[0].text, r#"{"heart_rate":"x"}"#);
}

#[test]
fn a_serial_that_is_too_long_is_not_called_missing() {
    let body = format!(r#"{{"data":{{"device_sn":"{}","step":1}}}}"#, "x".repeat(65));
    assert_eq!(refusal(&body).1, "device_sn has 65 bytes, and may have 64");
}

#[test]
fn a_record_that_names_no_value_is_refused_with_the_names_it_has() {
    assert_eq!(
        refusal(r#"{"deviceSn":"A1","pulse":80,"spo\u0032":97}"#),
        (RejectReason::NothingKnown, "no field with a known name, only pulse, spo2".to_owned())
    );
    for nothing in [r#"{"deviceSn":"A1","orgId":7}"#, r#"{"data":{"deviceSn":"A1","uploadMethod":"wifi"}}"#] {
        assert_eq!(
            refusal(nothing),
            (RejectReason::NothingKnown, "no field with a value".to_owned()),
            "{nothing}"
        );
    }
}

#[test]
fn what_was_not_measured_or_is_only_nested_is_known() {
    for known in [
        r#""heart_rate":"0""#,
        r#""heart_rate":null"#,
        r#""pulse":80,"step":0"#,
        r#""sleepData":"null""#,
        r#""workoutData":"{\"code\":0,\"data\":[]}""#,
        r#""latitude":"0","longitude":"0""#,
    ] {
        only(&format!(r#"{{"deviceSn":"A1",{known}}}"#));
    }
}

#[test]
fn unknown_names_are_counted_whatever_becomes_of_their_records() {
    let upload = upload(
        r#"{"x":1,"data":[{"deviceSn":"A","pulse":80},{"deviceSn":"B","pulse":80,"step":1,"hr\"":2},{"puls\ud800":1}]}"#,
    );
    let names: Vec<(&str, u64, Option<&str>)> = upload
        .unknown
        .iter()
        .map(|name| (name.name.as_str(), name.count, name.device_sn.as_deref()))
        .collect();
    assert_eq!(names[..2], [("pulse", 2, Some("A")), ("hr\"", 1, Some("B"))]);
    assert!(names[2].0.starts_with("puls"), "{names:?}");
    assert!(upload.rejects.len() == 2 && upload.items.len() == 1);
}
