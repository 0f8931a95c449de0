//! Nested documents: kept as sent, whatever they are.

use super::*;
use crate::model::{Document, DocumentKind};

fn sleep(sent: &str) -> Option<String> {
    let documents = reading(&format!(r#""sleepData":{sent}"#)).documents;
    assert!(documents.len() <= 1);
    documents.into_iter().next().map(|Document { kind, body }| {
        assert_eq!(kind, DocumentKind::Sleep);
        body
    })
}

#[test]
fn text_is_kept_without_its_escapes_and_otherwise_untouched() {
    let kept = sleep(r#"" {\"code\":0,\"data\":[ ],\"name\":\"\\u7761\u7720\"} ""#).unwrap();
    assert_eq!(kept, " {\"code\":0,\"data\":[ ],\"name\":\"\\u7761睡\"} ".replace("睡", "眠"));
}

#[test]
fn an_object_or_an_array_is_kept_as_it_stands() {
    for sent in [r#"{"code" : 0, "data":[ 1 ]}"#, r#"[ {"type":1.0} ]"#, r#"{"a":"\u0041"}"#] {
        assert_eq!(sleep(sent).unwrap(), sent);
    }
}

#[test]
fn none_is_none() {
    for sent in ["null", r#""null""#, r#""""#, r#"" ""#] {
        assert_eq!(sleep(sent), None, "{sent}");
    }
}

#[test]
fn an_envelope_of_code_minus_one_is_none() {
    for sent in [
        r#""{\"code\":-1}""#,
        r#""{\"code\":\"-1\",\"data\":[],\"name\":\"sleep\",\"type\":\"history\"}""#,
        r#"{"code":-1,"data":[]}"#,
        r#"{"name":"sleep","code" : "-1"}"#,
        r#"{"code":-1.0}"#,
        r#""{\"code\":\"-1\"data\":[]}""#,
        r#"" { \"code\" : -1\"data\":[]}""#,
    ] {
        assert_eq!(sleep(sent), None, "{sent}");
    }
}

#[test]
fn a_minus_one_elsewhere_is_not_the_code() {
    for sent in [
        r#"{"code":0,"data":[-1]}"#,
        r#"{"code":-10}"#,
        r#"{"data":{"code":-1}}"#,
        "[-1]",
        r#"{"code":"0-1"}"#,
    ] {
        assert_eq!(sleep(sent).as_deref(), Some(sent));
    }
}

#[test]
fn an_envelope_that_says_none_leaves_it_to_the_next_name() {
    let documents = reading(r#""sleepData":"{\"code\":-1}","smData":"{\"code\":0}""#).documents;
    assert_eq!(documents[0].body, r#"{"code":0}"#);
}

#[test]
fn the_broken_envelope_is_kept_as_it_is() {
    let upload = upload(include_str!("../../../../tests/fixtures/watch_array.json"));
    let documents = &upload.items[2].reading.documents;
    assert_eq!(documents.len(), 1, "the workout envelope has code -1");
    assert!(documents[0].body.starts_with(r#"{"code":"0"data":[{"endTimeStamp":1747440420000"#));
}

#[test]
fn what_postgres_text_cannot_hold_is_kept_with_its_escapes() {
    for sent in [r#""{\"a\":\"\u0000\"}""#, r#""half \ud83d a pair""#, r#""\ude00""#] {
        assert_eq!(sleep(sent).unwrap(), sent);
    }
    assert_eq!(sleep(r#""whole \ud83d\ude00""#).unwrap(), "whole 😀");
    assert_eq!(sleep(r#""{\"a\":\"\\u0000\"}""#).unwrap(), r#"{"a":"\u0000"}"#);
}

#[test]
fn anything_else_is_kept_too() {
    for (sent, kept) in [("5", "5"), ("true", "true"), (r#""not json""#, "not json"), (r#""0""#, "0")] {
        assert_eq!(sleep(sent).as_deref(), Some(kept));
    }
}

#[test]
fn a_sample_carries_all_five_in_a_fixed_order() {
    let documents =
        reading(r#""workoutData":"w","kxsmData":"k","ydWeekData":"y","ydData":"d","sleep":"s""#).documents;
    let bodies =
        documents.iter().map(|document| (document.kind.name(), document.body.as_str())).collect::<Vec<_>>();
    let expected = [
        ("sleep", "s"),
        ("exercise_daily", "d"),
        ("exercise_week", "y"),
        ("scientific_sleep", "k"),
        ("workout", "w"),
    ];
    assert_eq!(bodies, expected);
}
