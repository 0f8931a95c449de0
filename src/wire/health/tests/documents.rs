//! Nested documents as part of a sample: which are there, what is kept as sent, what is read once.

use std::sync::Arc;

use super::*;
use crate::model::{Document, DocumentKind, Element, KeptReason};

/// The document under `sleepData`.
fn sleep(sent: &str) -> Option<Arc<Document>> {
    let documents = reading(&format!(r#""sleepData":{sent}"#)).documents;
    assert!(documents.len() <= 1);
    documents.into_iter().next().inspect(|document| assert_eq!(document.kind, DocumentKind::Sleep))
}

/// The text kept of a scientific sleep document, which is never read.
fn kept(sent: &str) -> Option<String> {
    let documents = reading(&format!(r#""kxsmData":{sent}"#)).documents;
    documents.first().map(|document| match &document.elements[..] {
        [Element::Kept(kept)] => {
            assert_eq!((kept.reason, &kept.detail), (KeptReason::ShapeUnknown, &None));
            kept.body.clone()
        }
        other => panic!("{other:?}"),
    })
}

#[test]
fn text_is_kept_without_its_escapes_and_otherwise_untouched() {
    let kept = kept(r#"" {\"code\":0,\"data\":[ ],\"name\":\"\\u7761\u7720\"} ""#).unwrap();
    assert_eq!(kept, " {\"code\":0,\"data\":[ ],\"name\":\"\\u7761睡\"} ".replace("睡", "眠"));
}

#[test]
fn an_object_or_an_array_is_kept_as_it_stands() {
    for sent in [r#"{"code" : 0, "data":[ 1 ]}"#, r#"[ {"type":1.0} ]"#, r#"{"a":"\u0041"}"#] {
        assert_eq!(kept(sent).unwrap(), sent);
    }
}

#[test]
fn none_is_none() {
    for sent in ["null", r#""null""#, r#""""#, r#"" ""#, r#""\n                                          ""#]
    {
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
        assert_eq!(kept(sent), None, "{sent}");
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
        assert_eq!(kept(sent).as_deref(), Some(sent));
    }
}

#[test]
fn an_envelope_that_says_none_leaves_it_to_the_next_name() {
    let documents = reading(
        r#""sleepData":"{\"code\":-1}","smData":[{"startTimeStamp":1747418280000,"endTimeStamp":1747440420000}]"#,
    )
    .documents;
    assert!(matches!(documents[0].elements[..], [Element::Sleep(_)]));
}

#[test]
fn the_broken_envelope_is_read() {
    let upload = upload(include_str!("../../../../tests/fixtures/watch_array.json"));
    let documents = &upload.items[2].reading.documents;
    assert_eq!(documents.len(), 1, "the workout envelope has code -1");
    assert!(matches!(documents[0].elements[..], [Element::Sleep(segment)] if segment.type_code == Some(2)));
}

#[test]
fn what_postgres_text_cannot_hold_is_kept_with_its_escapes() {
    for sent in [r#""{\"a\":\"\u0000\"}""#, r#""half \ud83d a pair""#, r#""\ude00""#] {
        assert_eq!(kept(sent).unwrap(), sent);
        let Element::Kept(kept) = &sleep(sent).unwrap().elements[0] else { panic!("{sent}") };
        assert_eq!((kept.reason, kept.body.as_str()), (KeptReason::Unreadable, sent));
    }
    assert_eq!(kept(r#""whole \ud83d\ude00""#).unwrap(), "whole 😀");
    assert_eq!(kept(r#""{\"a\":\"\\u0000\"}""#).unwrap(), r#"{"a":"\u0000"}"#);
}

#[test]
fn anything_else_is_kept_too() {
    for (sent, text) in [("5", "5"), ("true", "true"), (r#""not json""#, "not json"), (r#""0""#, "0")] {
        assert_eq!(kept(sent).as_deref(), Some(text));
    }
}

#[test]
fn a_sample_carries_all_five_in_a_fixed_order() {
    let documents =
        reading(r#""workoutData":"w","kxsmData":"k","ydWeekData":"y","ydData":"d","sleep":"s""#).documents;
    let names = documents.iter().map(|document| document.kind.name()).collect::<Vec<_>>();
    assert_eq!(names, ["sleep", "exercise_daily", "exercise_week", "scientific_sleep", "workout"]);
}

#[test]
fn samples_that_repeat_a_document_share_it() {
    let sample = |time: &str, minutes: u8| {
        format!(
            r#"{{"deviceSn":"WATCH-1","timestamp":"{time}","sleepData":"s","ydData":[{{"strengthTimes":{minutes}}}]}}"#
        )
    };
    let items = readings(&format!(
        "[{},{},{},{}]",
        sample("2025-05-16 23:59:00", 7),
        sample("2025-05-16 23:59:30", 7),
        sample("2025-05-17 00:00:00", 7),
        sample("2025-05-17 00:00:30", 8)
    ));
    let shared = |kind: usize| {
        items.windows(2).map(move |pair| Arc::ptr_eq(&pair[0].documents[kind], &pair[1].documents[kind]))
    };
    assert_eq!(shared(0).collect::<Vec<_>>(), [true, true, true]);
    assert_eq!(shared(1).collect::<Vec<_>>(), [true, false, false], "another day, another total");
    assert_ne!(items[1].documents[1].digest, items[2].documents[1].digest);
}
