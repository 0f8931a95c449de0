//! The shapes of a body, one per row of the wire contract, section 1 and what lies between the rows.

use super::*;

const ITEM: &str =
    r#"{"deviceSn":"WATCH-1","heart_rate":72,"timestamp":"2025-05-17 14:30:05","customer_id":"7"}"#;

fn expected() -> Reading {
    only(ITEM)
}

#[test]
fn every_shape_yields_the_same_reading() {
    let quoted = ITEM.replace('"', "\\\"");
    for body in [
        format!(r#"{{"data":{ITEM}}}"#),
        format!(r#"{{"data":[{ITEM}]}}"#),
        format!(r#"{{"data":{{"data":{ITEM}}}}}"#),
        format!(r#"{{"data":{{"data":[{ITEM}]}}}}"#),
        format!(r#"{{"type":"health","data":{ITEM}}}"#),
        format!(r#"{{"type":"health","data":[{ITEM}]}}"#),
        format!(r#"{{"data":{ITEM},"type":"health"}}"#),
        format!("[{ITEM}]"),
        format!(r#"[{{"data":{ITEM}}}]"#),
        format!(r#"{{"data":[{{"type":"health","data":{ITEM}}}]}}"#),
        format!(r#"{{"data":"{quoted}"}}"#),
        format!(r#"{{"data":"[{quoted}]"}}"#),
        format!(r#"{{"data":{{"data":"[{quoted}]"}}}}"#),
        format!("  \r\n\t{{ \"data\" :\n [ {ITEM} ] \t}} \n"),
        format!("\u{feff}{{\"data\":{ITEM}}}"),
    ] {
        assert_eq!(only(&body), expected(), "{body}");
    }
}

#[test]
fn an_array_keeps_the_order_of_its_samples() {
    let upload = upload(include_str!("../../../../tests/fixtures/watch_array.json"));
    assert_eq!(upload.received(), 3);
    assert_eq!(upload.items.iter().map(|item| item.index).collect::<Vec<_>>(), [0, 1, 2]);
    let rates = upload.items.iter().map(|item| item.reading.measured.heart_rate).collect::<Vec<_>>();
    assert_eq!(rates, [Some(72), None, Some(75)]);
}

#[test]
fn an_empty_array_is_an_empty_upload() {
    for body in [
        r#"{"data":[]}"#,
        "[]",
        r#"{"data":{"data":[]}}"#,
        r#"{"type":"health","data":[ ]}"#,
        r#"{"data":"[]"}"#,
    ] {
        assert_eq!(upload(body), Upload::default(), "{body}");
    }
}

#[test]
fn what_is_no_upload_is_refused_whole() {
    use BodyError::*;
    for (body, error) in [
        ("", Empty),
        (" \n", Empty),
        ("\u{feff}", Empty),
        ("null", Null),
        (" null ", Null),
        ("5", NotAnUpload("a number")),
        ("-1.5e3", NotAnUpload("a number")),
        ("true", NotAnUpload("true or false")),
        (r#""data""#, NotAnUpload("a string")),
        ("{}", NoItem),
        (r#"{"data":null}"#, NoItem),
        (r#"{"data":"null"}"#, NoItem),
        (r#"{"data":""}"#, NoItem),
        (r#"{"data":5}"#, NoItem),
        (r#"{"data":"hello"}"#, NoItem),
        (r#"{"data":"[1,"}"#, NoItem),
        (r#"{"type":"health"}"#, NoItem),
        (r#"{"customer_id":"7","org_id":"8"}"#, NoItem),
        (r#"{"id":"message-17","type":"health","data":null}"#, NoItem),
    ] {
        assert_eq!(try_parse(body), Err(error), "{body}");
    }
    assert_eq!(try_parse(*b"{\"data\":\"\xff\"}"), Err(NotUtf8 { at: 9 }));
}

#[test]
fn what_is_not_json_is_refused_with_the_place() {
    for body in [
        "{",
        "[",
        "{]",
        "hello",
        r#"{"data":"#,
        r#"{"data":{}"#,
        r#"{"data":[}"#,
        r#"{"data":[{},]}"#,
        r#"{"data":[,{}]}"#,
        r#"{"data":[{} {}]}"#,
        r#"{"data":[{}],}"#,
        r#"{"data":{}} x"#,
        r#"{"data":{}}{}"#,
        r#"{"data":[]}]"#,
        "[]]",
        "[{}",
        "[1 2]",
        "nul",
        r#"{"data":{"heart_rate":01}}"#,
        r#"{"data":{"heart_rate":NaN}}"#,
        r#"{'data':[]}"#,
        "{\"data\":{\"a\":\"\n\"}}",
        r#"{"data":[{"deviceSn":"a"}"#,
        r#"{data:[]}"#,
        "{\"data\":[{}]\0}",
        "{\"data\":{\"a\nb\":1}}",
        "{\"a\nb\":1,\"data\":[]}",
    ] {
        let Err(BodyError::NotJson(detail)) = try_parse(body) else { panic!("accepted: {body}") };
        assert!(
            detail.contains("line 1 column") || detail.contains("line 2 column") || body.contains('\0'),
            "{body}: {detail}"
        );
    }
}

#[test]
fn a_refusal_repeats_nothing_of_the_body() {
    for body in [r#"{"data":secret}"#, r#"{"data":{"secret":1}"#, r#"{"data":"secret"}"#] {
        let error = try_parse(body).unwrap_err();
        assert!(!error.to_string().contains("secret"), "{error}");
    }
}

#[test]
fn ids_at_the_top_fill_items_that_lack_them_wherever_they_stand() {
    for (before, after) in [
        (r#""customer_id":"1","org_id":2,"user_id":"3","#, ""),
        ("", r#","customer_id":"1","org_id":2,"user_id":"3""#),
        (r#""customerId":1,"orgId":"2","#, r#","userId":3"#),
    ] {
        let body = format!(
            r#"{{{before}"data":[{{"deviceSn":"A","step":1}},{{"deviceSn":"B","step":1,"customerId":"9","orgId":"0","userId":""}}]{after}}}"#
        );
        let owners = readings(&body).into_iter().map(|reading| reading.owner).collect::<Vec<_>>();
        let ids =
            owners.iter().map(|owner| [owner.customer_id, owner.org_id, owner.user_id]).collect::<Vec<_>>();
        assert_eq!(ids, [[Some(1), Some(2), Some(3)], [Some(9), Some(2), Some(3)]], "{body}");
    }
}

#[test]
fn the_inner_of_two_wrappers_is_asked_first() {
    let owner =
        only(r#"{"customerId":1,"orgId":1,"data":{"customerId":2,"data":{"deviceSn":"A","step":1}}}"#).owner;
    assert_eq!((owner.customer_id, owner.org_id), (Some(2), Some(1)));
}

#[test]
fn a_serial_at_the_top_fills_samples_that_lack_one() {
    let body = r#"{"device_sn":"WATCH-9","data":[{"heart_rate":72},{"deviceSn":"WATCH-8","heart_rate":73}]}"#;
    let serials = readings(body).into_iter().map(|reading| reading.device_sn).collect::<Vec<_>>();
    assert_eq!(serials, ["WATCH-9", "WATCH-8"]);
}

#[test]
fn an_id_beside_data_is_nobodys_serial() {
    let (reason, _) = refusal(r#"{"id":"message-17","data":{"heart_rate":72}}"#);
    assert_eq!(reason, RejectReason::NoSerial);
}

#[test]
fn a_serial_at_the_top_makes_no_row_of_nothing() {
    assert_eq!(refusal(r#"{"deviceSn":"WATCH-9","data":{}}"#).0, RejectReason::NoSerial);
}

#[test]
fn an_empty_object_where_a_record_is_expected_is_a_reject_and_no_error() {
    for body in
        [r#"{"data":{}}"#, r#"{"data":[{}]}"#, "[{}]", r#"{"data":{"data":{}}}"#, r#"{"data":{"data":null}}"#]
    {
        let upload = upload(body);
        assert_eq!((upload.items.len(), upload.rejects.len()), (0, 1), "{body}");
        assert_eq!(upload.rejects[0].refusal.reason, RejectReason::NoSerial);
    }
}

#[test]
fn a_sample_with_data_that_wraps_nothing_is_a_sample() {
    for data in ["null", r#""null""#, "5", r#""text""#, "true"] {
        assert_eq!(
            only(&format!(r#"{{"deviceSn":"A","heart_rate":72,"data":{data}}}"#)).measured.heart_rate,
            Some(72)
        );
    }
}

#[test]
fn a_sample_that_also_wraps_others_is_not_lost() {
    let body = r#"{"deviceSn":"A","heart_rate":72,"data":[{"deviceSn":"B","heart_rate":73}]}"#;
    let rates = readings(body)
        .into_iter()
        .map(|reading| (reading.device_sn, reading.measured.heart_rate))
        .collect::<Vec<_>>();
    assert_eq!(rates, [("B".to_owned(), Some(73)), ("A".to_owned(), Some(72))]);
}

#[test]
fn what_the_phone_app_puts_around_a_record_is_no_record() {
    let filler = r#""id":"WATCH-1","heart_rate":"0","body_temperature":"0.0","step":"0","distance":"0.0","latitude":"22.5","longitude":"114.0","altitude":"0","sleepData":"null","timestamp":"2025-05-17 14:31:00","upload_method":"bluetooth""#;
    for body in [
        format!(r#"{{"type":"health","data":{{"data":{ITEM},{filler}}}}}"#),
        format!(r#"{{"type":"health","data":{{{filler},"data":[{ITEM}]}}}}"#),
        format!(r#"{{"type":"health",{filler},"data":{ITEM}}}"#),
    ] {
        assert_eq!(only(&body), expected(), "{body}");
    }
    let around_nothing = only(&format!(r#"{{"type":"health","data":{{"data":[],{filler}}}}}"#));
    assert_eq!(
        (around_nothing.device_sn.as_str(), around_nothing.measured.latitude),
        ("WATCH-1", Some(22.5))
    );
}

#[test]
fn wrappers_without_end_are_a_reject_and_cost_no_stack() {
    let depth = 100_000;
    let body = format!("{}1{}", r#"{"data":"#.repeat(depth), "}".repeat(depth));
    assert_eq!(refusal(&body).0, RejectReason::NoSerial);
    let arrays = format!(r#"{{"data":{}{}}}"#, "[".repeat(depth), "]".repeat(depth));
    assert_eq!(refusal(&arrays).0, RejectReason::NotAnObject);
    let inside = sample(&format!(r#""heart_rate":72,"unknown":{}{}"#, "[".repeat(depth), "]".repeat(depth)));
    assert_eq!(only(&inside).measured.heart_rate, Some(72));
    let unfinished = r#"{"data":["#.repeat(depth);
    assert!(matches!(try_parse(unfinished), Err(BodyError::NotJson(_))));
}

#[test]
fn a_bare_wrapper_and_one_with_company_yield_the_same() {
    let content =
        r#"[{"deviceSn":"A","step":1,"customer_id":5},null,{"heart_rate":72},{"deviceSn":"B","step":"x"}]"#;
    let bare = upload(&format!(r#"{{"data":{content}}}"#));
    assert_eq!(upload(&format!(r#"{{"x":1,"data":{content}}}"#)), bare);
    assert_eq!(upload(&format!(r#"{{"data":{content},"x":[1,{{"data":2}}]}}"#)), bare);
    assert_eq!(upload(&format!(r#"{{"data":5,"data":{content}}}"#)), bare);
}

#[test]
fn of_one_name_twice_the_later_counts() {
    assert_eq!(reading(r#""heart_rate":72,"heart_rate":80"#).measured.heart_rate, Some(80));
    assert_eq!(reading(r#""heart_rate":72,"heart_rate":null"#).measured.heart_rate, Some(72));
}

#[test]
fn names_may_be_escaped_or_broken() {
    assert_eq!(reading(r#""heart\u005frate":72"#).measured.heart_rate, Some(72));
    assert_eq!(reading(r#""\ud800":1,"心率":70,"heart_rate":72"#).measured.heart_rate, Some(72));
    assert_eq!(only(r#"{"d\u0061ta":{"deviceSn":"A","heart_rate":72}}"#).measured.heart_rate, Some(72));
}

#[test]
fn the_text_of_an_item_is_a_slice_of_the_body() {
    let body = Bytes::from(format!(r#"{{"data":[ {ITEM} , {{"deviceSn":5,"bs":1}} ,7]}}"#));
    let upload = parse(&body, &context()).unwrap();
    assert_eq!(upload.items[0].text, ITEM);
    assert_eq!(upload.items[1].text, r#"{"deviceSn":5,"bs":1}"#);
    assert_eq!(upload.rejects[0].text, "7");
    assert!(body.as_ptr_range().contains(&upload.items[0].text.as_ptr()));
    assert_eq!(upload.items[0].received_at, context().received_at);
}

#[test]
fn the_phone_envelope_is_read() {
    let reading = only(include_str!("../../../../tests/fixtures/phone_envelope.json"));
    assert_eq!(reading.device_sn, "A5GTQ24603000537");
    assert_eq!(reading.ts, instant("2025-05-17T06:31:10Z"));
    assert_eq!(
        (reading.measured.heart_rate, reading.measured.blood_oxygen, reading.measured.stress),
        (Some(84), Some(97), None)
    );
    assert_eq!(
        (reading.measured.step, reading.measured.distance.map(|d| d.to_string())),
        (Some(0), Some("0.0".to_owned()))
    );
    assert_eq!(
        (reading.measured.latitude, reading.measured.longitude, reading.measured.altitude),
        (None, None, None)
    );
    assert_eq!(reading.owner.customer_id, Some(1_939_964_806_110_937_090));
    assert_eq!((reading.owner.org_id, reading.owner.user_id), (None, None));
    assert_eq!(reading.upload_method.as_deref(), Some("bluetooth"));
    assert_eq!(reading.documents, []);
}

#[test]
fn the_older_phone_path_is_read() {
    let readings = readings(include_str!("../../../../tests/fixtures/older_phone_path.json"));
    assert_eq!(
        readings.iter().map(|reading| reading.measured.heart_rate).collect::<Vec<_>>(),
        [Some(66), Some(67)]
    );
}

#[test]
fn more_records_than_a_queue_takes_are_refused_before_they_fill_the_memory() {
    let body = |count: usize| format!(r#"{{"data":[{}]}}"#, vec!["1"; count].join(","));
    assert_eq!(upload(&body(50_000)).received(), 50_000);
    assert_eq!(try_parse(body(50_001)), Err(BodyError::TooManyRecords { max: 50_000 }));
    assert_eq!(
        try_parse(body(50_001).replacen('{', "{\"x\":1,", 1)),
        Err(BodyError::TooManyRecords { max: 50_000 })
    );
}
